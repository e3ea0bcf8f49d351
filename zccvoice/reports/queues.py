"""Queues, as a whole and by hour of the day."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from zccvoice.reports.figures import Figure
from zccvoice.reports.period import Period
from zccvoice.reports.scope import about, scope_of
from zccvoice.reports.summary_columns import MEASURES, summary_measure, target_for
from zccvoice.reports.table import Cell, Chart, Column, Report, Series, Table
from zccvoice.store import summaries
from zccvoice.store.summaries import NO_CALLS, QueueSummary, Summary
from zccvoice.store.targets import Target, targets_until

MOST_LINES = 6
"""Queues that a chart shows; in a table all are."""
_SHOWN = tuple(measure for measure in MEASURES if measure.field != "shared_calls_count")
_PREVIOUS = ("calls_count", "mean_duration_ms")
_LINES = ("calls_count", "mean_duration_ms", "silence_ratio", "talk_share_agent")
_NO_QUEUE = "No queue"


def queues_report(
    connection: Connection, period: Period, queue: str | None = None, team: str | None = None
) -> Report:
    """Read the queues with calls in a period, each as a whole and by hour of the reader's day.

    Raises:
        ValueError: the period is too long to be cut into hours.
    """
    scope = scope_of(period, queue, team)
    found = summaries.queues(connection, scope)
    before = {
        one.queue_id: one.summary
        for one in summaries.queues(connection, scope_of(period.previous, queue, team))
    }
    hours = period.hours()
    by_hour = summaries.queue_hours(
        connection, scope, [moment for _, moment in hours], [hour for hour, _ in hours]
    )
    held = targets_until(connection, period.until)
    teams = () if team is None else (team,)
    return Report(
        "queues",
        "Queues",
        about(period, sum(one.summary.calls_count for one in found), queue, team),
        period.since,
        period.until,
        period.tz,
        (_queues_table(found, before, held, teams), _hours_table(by_hour, held, teams)),
        tuple(_lines(found, by_hour, field) for field in _LINES) if found else (),
    )


def _queues_table(
    found: Sequence[QueueSummary],
    before: dict[str | None, Summary],
    held: Sequence[Target],
    teams: tuple[str, ...],
) -> Table:
    earlier = [summary_measure(field) for field in _PREVIOUS]
    columns = (
        Column("queue_name", "Queue", definition="Last known name of the queue."),
        *(measure.column() for measure in _SHOWN),
        *(
            Column(
                f"previous_{m.field}", f"{m.title} before", m.figure, f"In the period before. {m.definition}"
            )
            for m in earlier
        ),
        Column("queue_id", "Id", definition="Zoom's id of the queue."),
    )
    rows = tuple(
        (
            *_named(one, held, teams),
            *(m.quantity(before.get(one.queue_id, NO_CALLS)).value for m in earlier),
            one.queue_id,
        )
        for one in found
    )
    return Table("queues", "Queues", columns, rows)


def _hours_table(by_hour: Sequence[QueueSummary], held: Sequence[Target], teams: tuple[str, ...]) -> Table:
    columns = (
        Column("queue_name", "Queue", definition="Last known name of the queue."),
        Column(
            "hour", "Hour", Figure.COUNT, "Hour of the day in which the calls began: 9 is from 9:00 to 9:59."
        ),
        *(measure.column() for measure in _SHOWN),
        Column("queue_id", "Id", definition="Zoom's id of the queue."),
    )
    rows: list[tuple[Cell, ...]] = []
    for one in by_hour:
        name, *cells = _named(one, held, teams)
        rows.append((name, one.hour, *cells, one.queue_id))
    return Table("hours", "By hour of the day", columns, tuple(rows))


def _named(one: QueueSummary, held: Sequence[Target], teams: tuple[str, ...]) -> tuple[Cell, ...]:
    cells = (m.cell(one.summary, target_for(held, m.field, (one.queue_id,), teams)) for m in _SHOWN)
    return (_name(one), *cells)


def _name(one: QueueSummary) -> str:
    return one.queue_name or one.queue_id or _NO_QUEUE


def _lines(found: Sequence[QueueSummary], by_hour: Sequence[QueueSummary], field: str) -> Chart:
    measure = summary_measure(field)
    busiest = sorted(found, key=lambda one: -one.summary.calls_count)[:MOST_LINES]
    at = {(one.queue_id, one.hour): one.summary for one in by_hour}
    worked = [one.hour for one in by_hour if one.hour is not None]
    hours = range(min(worked), max(worked) + 1)
    series = tuple(
        Series(_name(one), [measure.quantity(at.get((one.queue_id, hour), NO_CALLS)).value for hour in hours])
        for one in busiest
    )
    more = "" if len(found) <= MOST_LINES else ", the busiest queues"
    return Chart(
        f"{measure.title} by hour{more}",
        measure.figure,
        [f"{hour:02}" for hour in hours],
        series,
        is_line=True,
    )
