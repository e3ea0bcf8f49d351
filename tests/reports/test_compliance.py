"""Hits in the report are those of the store, with shares of all calls."""

from __future__ import annotations

from datetime import UTC, date

from sqlalchemy import Connection, text

from tests.store.supervised_calls import store_calls
from zccvoice.reports import period
from zccvoice.reports.compliance import compliance_report

NOVEMBER = period.month(2026, 11, UTC)


def test_rules_agents_days_and_places(connection: Connection) -> None:
    store_calls(connection)
    connection.execute(text("DELETE FROM zccvoice.category_hit WHERE engagement_id LIKE 'mia%'"))
    report = compliance_report(connection, NOVEMBER, most=2, pages="pages")
    rules, agents, days, hits = report.tables
    assert [row[:5] for row in rules.rows] == [("refund", 3, 3, 0.5, 0)]
    assert [row[:5] for row in agents.rows] == [
        ("Ann", "refund", 1, 1, 1.0),
        ("Nia", "refund", 1, 1, 1.0),
        ("Sam", "refund", 1, 1, 1.0),
    ]
    assert days.rows == ((date(2026, 11, 20), "refund", 3, 3),)
    assert [row[6] for row in hits.rows] == ["ann", "nia"]
    assert str(hits.rows[0][-1]).startswith("pages/call-")
    bars, lines = report.charts
    assert list(bars.series[0].values) == [3]
    assert sum(value or 0 for value in lines.series[0].values) == 3
    assert lines.series[0].values[0] == 0, "a day without a hit is known to have none"
    before = compliance_report(connection, period.month(2026, 12, UTC))
    assert before.tables[0].rows == ()


def test_calls_without_hits(connection: Connection) -> None:
    store_calls(connection)
    connection.execute(text("DELETE FROM zccvoice.category_hit"))
    report = compliance_report(connection, NOVEMBER)
    assert "6 calls" in report.about
    assert [table.rows for table in report.tables] == [(), (), (), ()]
    assert report.charts == ()
