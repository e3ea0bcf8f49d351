"""The scorecards of agents: each beside the period before, all calls and the targets that hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, timedelta

import pytest
from sqlalchemy import Connection, text

from tests.store.supervised_calls import MOVED, store_call, store_calls
from tests.store.test_summaries import add_agent, put
from zccvoice.errors import StoreError
from zccvoice.reports import period
from zccvoice.reports.agents import MOST_BARS, agent_report, agents_report
from zccvoice.reports.quality import quality_report
from zccvoice.reports.queues import queues_report
from zccvoice.reports.summary_columns import MEASURES, target_for
from zccvoice.reports.table import Quantity, Range, Report, Standing
from zccvoice.reports.worst import worst_report
from zccvoice.store.summaries import summary_definitions
from zccvoice.store.targets import Target, set_target

NOVEMBER = period.month(2026, 11, UTC)


def cell(report: Report, row: str, column: str, table: int = 0) -> object:
    """Of the row that begins with a name."""
    one = report.tables[table]
    at = [each.name for each in one.columns].index(column)
    return next(each[at] for each in one.rows if each[0] == row)


@pytest.fixture
def calls(connection: Connection) -> Connection:
    """Six calls in November, and one of Ann's in October that was longer."""
    store_calls(connection)
    store_call(connection, "ann-october", "ann", MOVED - timedelta(days=31))
    put(connection, "ann-october", duration_ms=90_000)
    for name in ("ann", "nia", "sam"):
        put(connection, name, duration_ms=60_000, talk_time_agent_ms=30_000, talk_time_total_ms=40_000)
    return connection


def test_every_number_of_a_summary_is_shown() -> None:
    assert {measure.field for measure in MEASURES} == set(summary_definitions())
    assert len({measure.title for measure in MEASURES}) == len(MEASURES)
    assert not any(", ms" in measure.definition for measure in MEASURES)


def test_agents_beside_the_period_before_and_all_calls(calls: Connection) -> None:
    report = agents_report(calls, NOVEMBER)
    assert report.about == "1–30 November 2026 (UTC) · 6 calls"
    assert [row[0] for row in report.tables[0].rows] == ["Ann", "Mia", "Nia", "Sam", "All calls"]
    assert cell(report, "Ann", "mean_duration_ms").value == 60_000  # type: ignore[attr-defined]
    assert cell(report, "Ann", "previous_mean_duration_ms") == 90_000
    assert cell(report, "Mia", "previous_mean_duration_ms") is None
    assert cell(report, "Mia", "previous_calls_count") == 0
    assert cell(report, "All calls", "previous_calls_count") is None
    assert cell(report, "All calls", "calls_count") == 6
    assert cell(report, "All calls", "user_id") is None
    assert len(report.charts) == 4
    assert all(len(chart.labels) <= MOST_BARS for chart in report.charts)


def test_no_calls(connection: Connection) -> None:
    report = agents_report(connection, NOVEMBER)
    assert report.tables[0].rows == ()
    assert report.charts == ()


def test_the_target_of_the_team_comes_before_that_of_everybody(calls: Connection) -> None:
    set_target(calls, Target("talk_share_agent", 0.4, 0.6, valid_from=NOVEMBER.since), MOVED)
    set_target(calls, Target("talk_share_agent", 0.7, 0.8, team_id="sales", valid_from=NOVEMBER.since), MOVED)
    report = agents_report(calls, NOVEMBER)
    ann, sam = (cell(report, name, "talk_share_agent") for name in ("Ann", "Sam"))
    assert isinstance(ann, Quantity)
    assert isinstance(sam, Quantity)
    assert ann.value == sam.value == 0.75
    assert (ann.standing, sam.standing) == (Standing.ABOVE, Standing.WITHIN)
    assert report.charts[0].target == Range(0.4, 0.6)


def test_a_shared_call_judges_nobody_by_the_team_of_the_other(calls: Connection) -> None:
    set_target(calls, Target("talk_share_agent", 0.1, 0.3, team_id="sales", valid_from=NOVEMBER.since), MOVED)
    set_target(
        calls, Target("talk_share_agent", 0.7, 0.8, team_id="support", valid_from=NOVEMBER.since), MOVED
    )

    def ranges(name: str, user_id: str) -> set[object]:
        of_all = cell(agents_report(calls, NOVEMBER), name, "talk_share_agent")
        of_one = cell(agent_report(calls, NOVEMBER, user_id), "Talk share", "value")
        return {of_all.target, of_one.target}  # type: ignore[attr-defined]

    before = {name: ranges(name.title(), name) for name in ("ann", "sam")}
    assert sorted(map(repr, before.values())) == [repr({Range(0.1, 0.3)}), repr({Range(0.7, 0.8)})]
    add_agent(calls, "ann", "sam")
    add_agent(calls, "sam", "ann")
    assert {name: ranges(name.title(), name) for name in ("ann", "sam")} == before


def test_targets_that_came_later_do_not_judge_the_past(calls: Connection) -> None:
    set_target(
        calls, Target("talk_share_agent", 0.4, 0.6, valid_from=NOVEMBER.until + timedelta(days=1)), MOVED
    )
    ann = cell(agents_report(calls, NOVEMBER), "Ann", "talk_share_agent")
    assert isinstance(ann, Quantity)
    assert ann.target is None


def test_a_target_that_begins_when_the_period_is_over_judges_the_next(calls: Connection) -> None:
    for measure in ("mean_duration_ms", "duration_ms"):
        set_target(calls, Target(measure, 0.4, 0.6, valid_from=NOVEMBER.since), MOVED)
        set_target(calls, Target(measure, 0.9, 1.0, valid_from=NOVEMBER.until), MOVED)
    reports = (
        (agents_report(calls, NOVEMBER), "mean_duration_ms"),
        (queues_report(calls, NOVEMBER), "mean_duration_ms"),
        (worst_report(calls, NOVEMBER, "duration_ms"), "duration_ms"),
    )
    for report, measure in reports:
        table = report.tables[0]
        at = [column.name for column in table.columns].index(measure)
        ranges = {one.target for one in (row[at] for row in table.rows) if isinstance(one, Quantity)}
        assert ranges == {Range(0.4, 0.6)}


@pytest.mark.parametrize("queue", ["q1", "Orders"])
def test_the_target_of_the_queue_that_is_asked_about_by_id_or_name(calls: Connection, queue: str) -> None:
    calls.execute(text("UPDATE zccvoice.engagement SET queue_id = 'q1', queue_name = 'Orders'"))
    for queue_id, low in ((None, 0.4), ("q1", 0.7), ("q2", 0.9)):
        target = Target("talk_share_agent", low, None, queue_id, valid_from=NOVEMBER.since)
        set_target(calls, target, MOVED)
        set_target(calls, replace(target, measure="mean_coverage_ratio"), MOVED)
    report = agents_report(calls, NOVEMBER, queue)
    for name in ("Ann", "All calls"):
        assert cell(report, name, "talk_share_agent").target == Range(0.7, None)  # type: ignore[attr-defined]
    assert report.charts[0].target == Range(0.7, None)
    one = cell(agent_report(calls, NOVEMBER, "ann", queue), "Talk share", "value")
    assert one.target == Range(0.7, None)  # type: ignore[attr-defined]
    audio = cell(quality_report(calls, NOVEMBER, queue=queue), "Audio", "value")
    assert audio.target == Range(0.7, None)  # type: ignore[attr-defined]


def test_the_narrowest_target_holds() -> None:
    everybody, queue, team, both = (
        Target("x", 1, 1),
        Target("x", 2, 2, "q"),
        Target("x", 3, 3, None, "t"),
        Target("x", 4, 4, "q", "t"),
    )
    held = [everybody, team, queue, both]
    assert target_for(held, "x") == Range(1, 1)
    assert target_for(held, "x", ("q",)) == Range(2, 2)
    assert target_for(held, "x", (), ("t", "u")) == Range(3, 3)
    assert target_for(held, "x", ("q",), ("t",)) == Range(4, 4)
    assert target_for(held, "y", ("q",), ("t",)) is None
    assert target_for([queue], "x") is None


def test_one_agent(calls: Connection) -> None:
    report = agent_report(calls, NOVEMBER, "Ann")
    assert report.title == "Ann"

    def value(column: str) -> float | None:
        found = cell(report, "Length", column)
        assert isinstance(found, Quantity)
        return found.value

    assert (value("value"), value("previous"), value("change")) == (60_000, 90_000, -30_000)
    assert value("queues") == 60_000
    assert value("everybody") == 30_000
    days = report.tables[1]
    assert [row[0] for row in days.rows] == [date(2026, 11, 20)]
    assert len(report.charts) == 4
    assert len(report.charts[0].labels) == 30


def test_an_agent_who_had_calls_before_only(calls: Connection) -> None:
    december = period.month(2026, 12, UTC)
    report = agent_report(calls, december, "ann")
    calls_now, before = cell(report, "Calls", "value"), cell(report, "Calls", "previous")
    assert isinstance(calls_now, Quantity)
    assert isinstance(before, Quantity)
    assert (calls_now.value, before.value) == (0, 1), "no calls is known, and no dash"
    length = cell(report, "Length", "value")
    assert isinstance(length, Quantity)
    assert length.value is None
    assert [list(one.values) for one in report.charts[0].series] == [[0] * 31]


def test_who_is_meant_must_be_clear(calls: Connection) -> None:
    with pytest.raises(StoreError, match="by id or name, got 'Zoe'"):
        agent_report(calls, NOVEMBER, "Zoe")
    calls.execute(text("UPDATE zccvoice.agent SET display_name = 'Ann' WHERE user_id = 'sam'"))
    with pytest.raises(StoreError, match="the name of ann, sam"):
        agent_report(calls, NOVEMBER, "Ann")
    assert agent_report(calls, NOVEMBER, "sam").title == "Ann"
