"""The scorecards of agents: all of them side by side, or one against the period before and the others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection

from zccvoice.errors import StoreError
from zccvoice.reports.period import Period, day_labels
from zccvoice.reports.scope import about, scope_of
from zccvoice.reports.summary_columns import MEASURES, SummaryMeasure, summary_measure, target_for
from zccvoice.reports.table import Cell, Chart, Column, Plain, Quantity, Range, Report, Series, Table
from zccvoice.store import summaries
from zccvoice.store.summaries import NO_CALLS, AgentSummary, Summary
from zccvoice.store.targets import Target, targets_until

MOST_BARS = 30
"""Agents that a chart shows; in a table all are."""
_CHARTED = ("talk_share_agent", "mean_duration_ms", "silence_ratio", "interruptions_agent_per_call")
_DAILY = ("calls_count", "talk_share_agent", "mean_duration_ms", "silence_ratio")
_PREVIOUS = ("calls_count", "talk_share_agent", "mean_duration_ms")


def agents_report(
    connection: Connection, period: Period, queue: str | None = None, team: str | None = None
) -> Report:
    """Read the scorecards of all agents with calls in a period, and what all their calls together are."""
    scope = scope_of(period, queue, team)
    found = summaries.agents(connection, scope)
    before = {
        agent.user_id: agent.summary
        for agent in summaries.agents(connection, scope_of(period.previous, queue, team))
    }
    everybody = summaries.summary(connection, scope)
    held = targets_until(connection, period.until)
    queue_ids = summaries.queue_ids(connection, scope)
    return Report(
        "agents",
        "Agents",
        about(period, everybody.calls_count, queue, team),
        period.since,
        period.until,
        period.tz,
        (_agents_table(found, before, everybody, held, queue_ids, team),),
        tuple(_bars(found, summary_measure(field), held, queue_ids) for field in _CHARTED) if found else (),
    )


def agent_report(
    connection: Connection, period: Period, agent: str, queue: str | None = None, team: str | None = None
) -> Report:
    """Read the scorecard of one agent.

    Args:
        connection: where.
        period: when.
        agent: Zoom's id of the user, or the name.
        queue: only calls through this queue, by id or name.
        team: only calls of this team.

    Raises:
        StoreError: no agent, or more than one of that name, had calls in the period or the one before.
    """
    scope, earlier = scope_of(period, queue, team), scope_of(period.previous, queue, team)
    now, then = summaries.agents(connection, scope), summaries.agents(connection, earlier)
    one = _the_agent([*now, *then], agent)
    before = next((other.summary for other in then if other.user_id == one.user_id), NO_CALLS)
    current = next((other.summary for other in now if other.user_id == one.user_id), NO_CALLS)
    held = targets_until(connection, period.until)
    queue_ids = summaries.queue_ids(connection, scope)
    days = period.days()
    daily = summaries.agent_days(connection, scope, one.user_id, [moment for _, moment in days])
    table = _agent_table(
        current,
        before,
        summaries.queues_of_agent(connection, scope, one.user_id),
        summaries.summary(connection, scope),
        [target_for(held, measure.field, queue_ids, one.team_ids) for measure in MEASURES],
    )
    return Report(
        "agent",
        one.agent_name or one.user_id,
        about(period, current.calls_count, queue, team),
        period.since,
        period.until,
        period.tz,
        (table, _days_table([day for day, _ in days], daily)),
        tuple(
            Chart(
                f"{measure.title} by day",
                measure.figure,
                day_labels([day for day, _ in days]),
                (Series(measure.title, [measure.quantity(each or NO_CALLS).value for each in daily]),),
                is_line=True,
            )
            for measure in map(summary_measure, _DAILY)
        )
        if len(days) > 1
        else (),
    )


def _agents_table(
    found: Sequence[AgentSummary],
    before: dict[str, Summary],
    everybody: Summary,
    held: Sequence[Target],
    queue_ids: Sequence[str],
    team: str | None,
) -> Table:
    earlier = [summary_measure(field) for field in _PREVIOUS]
    columns = (
        Column("agent_name", "Agent", definition="Last known name of the agent."),
        *(measure.column() for measure in MEASURES),
        *(
            Column(
                f"previous_{m.field}", f"{m.title} before", m.figure, f"In the period before. {m.definition}"
            )
            for m in earlier
        ),
        Column("user_id", "Id", definition="Zoom's id of the agent; empty in the row of all calls."),
    )

    def row(
        name: str | None, user_id: str | None, one: Summary, old: Summary | None, teams: Sequence[str]
    ) -> tuple[Cell, ...]:
        cells = (m.cell(one, target_for(held, m.field, queue_ids, teams)) for m in MEASURES)
        return (name, *cells, *(m.quantity(old).value for m in earlier), user_id)

    def beside(agent: AgentSummary) -> Summary:
        return before.get(agent.user_id, NO_CALLS)

    return Table(
        "agents",
        "Scorecards",
        columns,
        (
            *(row(a.agent_name, a.user_id, a.summary, beside(a), a.team_ids) for a in found),
            *([row("All calls", None, everybody, None, () if team is None else (team,))] if found else []),
        ),
        "Of calls that several agents shared, what is the agent's own is of the agent's part. All calls: the "
        "average that each is to be compared with.",
    )


def _agent_table(
    current: Summary,
    before: Summary,
    queues: Summary,
    everybody: Summary,
    held: Sequence[Range | None],
) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for measure, target in zip(MEASURES, held, strict=True):
        value = measure.quantity(current, target)
        old = measure.quantity(before)
        change = None if value.value is None or old.value is None else value.value - old.value
        rows.append(
            (
                measure.title,
                value,
                old,
                Quantity(change, measure.figure, is_change=True),
                measure.quantity(queues),
                measure.quantity(everybody),
                measure.figure.unit or None,
                measure.field,
                measure.definition,
            )
        )
    return Table(
        "agent",
        "Scorecard",
        (
            Column("title", "Measure"),
            Column("value", "This period", Plain.MIXED, is_judged=True),
            Column("previous", "Before", Plain.MIXED, "In the period of the same length before."),
            Column("change", "Change", Plain.MIXED, "This period minus the one before."),
            Column("queues", "Queues", Plain.MIXED, "All calls of the queues that the agent had calls from."),
            Column("everybody", "Everybody", Plain.MIXED, "All calls, of all agents."),
            Column("unit", "Unit"),
            Column("measure", "Name"),
            Column("definition", "Definition"),
        ),
        tuple(rows),
    )


def _days_table(days: Sequence[date], daily: Sequence[Summary | None]) -> Table:
    shown = [measure for measure in MEASURES if measure.field != "shared_calls_count"]
    rows: list[tuple[Cell, ...]] = [
        (day, *(measure.quantity(summary).value for measure in shown))
        for day, summary in zip(days, daily, strict=True)
        if summary is not None
    ]
    columns = [Column(m.field, m.title, m.figure, m.definition) for m in shown]
    return Table("days", "By day", (Column("day", "Day", Plain.DAY), *columns), tuple(rows))


def _bars(
    found: Sequence[AgentSummary], measure: SummaryMeasure, held: Sequence[Target], queue_ids: Sequence[str]
) -> Chart:
    known = [agent for agent in found if measure.quantity(agent.summary).value is not None]
    busiest = sorted(known, key=lambda agent: -agent.summary.calls_count)[:MOST_BARS]
    kept = sorted(busiest, key=lambda agent: -(measure.quantity(agent.summary).value or 0))
    return Chart(
        measure.title if len(known) <= MOST_BARS else f"{measure.title}, of those with most calls",
        measure.figure,
        [agent.agent_name or agent.user_id for agent in kept],
        (Series(measure.title, [measure.quantity(agent.summary).value for agent in kept]),),
        target=target_for(held, measure.field, queue_ids),
    )


def _the_agent(agents: Sequence[AgentSummary], agent: str) -> AgentSummary:
    by_id = {one.user_id: one for one in reversed(agents) if agent in (one.user_id, one.agent_name)}
    if agent in by_id:
        return by_id[agent]
    if not by_id:
        raise StoreError(f"expected an agent with calls in the period, by id or name, got {agent!r}")
    if len(by_id) > 1:
        raise StoreError(
            f"expected the id of one agent, got {agent!r}, the name of {', '.join(sorted(by_id))}"
        )
    return next(iter(by_id.values()))
