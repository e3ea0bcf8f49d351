"""Queues as a whole and by hour of the reader's day."""

from __future__ import annotations

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, text

from tests.store.supervised_calls import MOVED, store_calls
from zccvoice.reports import period
from zccvoice.reports.queues import queues_report


def test_hours_are_those_of_the_reader(connection: Connection) -> None:
    store_calls(connection)
    connection.execute(text("UPDATE zccvoice.engagement SET queue_id = 'q' WHERE engagement_id <> 'sam'"))
    connection.execute(
        text("UPDATE zccvoice.engagement SET queue_id = NULL, queue_name = NULL WHERE engagement_id = 'sam'")
    )
    report = queues_report(connection, period.month(2026, 11, ZoneInfo("Asia/Kolkata")))  # 5:30 h ahead
    queues, hours = report.tables
    assert [row[:2] for row in queues.rows] == [("Queue", 5), ("No queue", 1)]
    assert [row[:3] for row in hours.rows] == [("Queue", 17, 4), ("Queue", 18, 1), ("No queue", 17, 1)]
    chart = report.charts[0]
    assert list(chart.labels) == ["17", "18"]
    assert {one.name: list(one.values) for one in chart.series} == {"Queue": [4, 1], "No queue": [1, 0]}
    length = report.charts[1]
    assert next(list(one.values)[1] for one in length.series if one.name == "No queue") is None


def test_no_calls_and_too_long(connection: Connection) -> None:
    report = queues_report(connection, period.month(2026, 11, UTC))
    assert [table.rows for table in report.tables] == [(), ()]
    with pytest.raises(ValueError, match="at most"):
        queues_report(connection, period.between(MOVED, MOVED + timedelta(days=900), UTC))
