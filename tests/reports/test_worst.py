"""The worst calls, with where to read more."""

from __future__ import annotations

from datetime import UTC

import pytest
from sqlalchemy import Connection

from tests.store.supervised_calls import store_calls
from tests.store.test_summaries import put
from zccvoice.reports import period
from zccvoice.reports.figures import Figure
from zccvoice.reports.flat import flat
from zccvoice.reports.html import page_name
from zccvoice.reports.worst import LOW_IS_BAD, figure_of, worst_report
from zccvoice.store.worst import number_measures

NOVEMBER = period.month(2026, 11, UTC)


def test_every_measure_has_a_name_and_a_kind() -> None:
    named = {measure: figure_of(measure) for measure in number_measures()}
    assert len({title for title, _ in named.values()}) == len(named), "no two are called the same"
    assert named["talk_time_agent_ms"] == ("Talk time of the agent", Figure.DURATION)
    assert set(named) >= LOW_IS_BAD


def test_low_coverage_is_bad_and_long_silence_too(connection: Connection) -> None:
    store_calls(connection)
    put(connection, "ann", coverage_ratio=0.5, longest_silence_ms=9_000, damaged=True)
    put(connection, "sam", coverage_ratio=0.7, longest_silence_ms=99_000)
    by_coverage = worst_report(connection, NOVEMBER, "coverage_ratio", pages="https://calls.example/pages/")
    (table,) = by_coverage.tables
    at = [column.name for column in table.columns].index("engagement_id")
    assert [row[at] for row in table.rows] == ["ann", "sam"]
    assert table.rows[0][-1] == f"https://calls.example/pages/{page_name('ann')}"
    by_silence = worst_report(connection, NOVEMBER, "longest_silence_ms").tables[0]
    at = [column.name for column in by_silence.columns].index("engagement_id")
    assert by_silence.rows[0][at] == "sam"
    assert by_silence.rows[0][-1] is None
    turned = worst_report(connection, NOVEMBER, "coverage_ratio", lowest=False, most=1).tables[0]
    at = [column.name for column in turned.columns].index("engagement_id")
    assert [row[at] for row in turned.rows] == ["sam"]


@pytest.mark.parametrize("measure", number_measures())
def test_every_measure_can_be_asked_about(connection: Connection, measure: str) -> None:
    store_calls(connection)
    (table,) = worst_report(connection, NOVEMBER, measure).tables
    names = [column.name for column in flat(table).columns]
    assert len(names) == len(set(names))
