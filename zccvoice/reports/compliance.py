"""Where rules matched: by rule, by agent, by day, and the latest places."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection

from zccvoice.reports.figures import Figure
from zccvoice.reports.period import Period, day_labels
from zccvoice.reports.scope import about, scope_of
from zccvoice.reports.table import Chart, Column, Plain, Report, Series, Table
from zccvoice.reports.worst import page_address
from zccvoice.store import compliance
from zccvoice.store.compliance import AgentRuleCount, DayRuleCount, Hit, RuleCount

MOST_RULES = 6
"""Rules that a chart shows; in a table all are."""
_RULE = Column("rule", "Rule", definition="Name of the rule.")
_HITS = Column("hits_count", "Hits", Figure.COUNT, "Places where the rule matched.")
_CALLS = Column("calls_count", "Calls", Figure.COUNT, "Calls in which the rule matched.")


def compliance_report(
    connection: Connection,
    period: Period,
    *,
    most: int = 50,
    pages: str | None = None,
    queue: str | None = None,
    team: str | None = None,
) -> Report:
    """Read where rules matched in the calls of a period.

    Args:
        connection: where.
        period: when.
        most: how many single places.
        pages: address of the folder with the calls' pages, to be linked.
        queue: only calls through this queue, by id or name.
        team: only calls of this team.
    """
    scope = scope_of(period, queue, team)
    calls = compliance.calls_count(connection, scope)
    rules = compliance.rules(connection, scope)
    before = {
        one.rule: one.calls_count
        for one in compliance.rules(connection, scope_of(period.previous, queue, team))
    }
    days = period.days()
    by_day = compliance.rules_by_day(connection, scope, [moment for _, moment in days])
    return Report(
        "compliance",
        "Compliance",
        about(period, calls, queue, team),
        period.since,
        period.until,
        period.tz,
        (
            _rules_table(rules, before, calls),
            _agents_table(compliance.rules_by_agent(connection, scope)),
            _days_table(by_day, [day for day, _ in days]),
            _hits_table(compliance.latest_hits(connection, scope, most), pages),
        ),
        _charts(rules, by_day, [day for day, _ in days]),
    )


def _rules_table(rules: Sequence[RuleCount], before: dict[str, int], calls: int) -> Table:
    columns = (
        _RULE,
        _HITS,
        _CALLS,
        Column("calls_ratio", "Of all calls", Figure.RATIO, "Share of all calls in which the rule matched."),
        Column(
            "previous_calls_count", "Calls before", Figure.COUNT, "In the period of the same length before."
        ),
        Column("agent_hits_count", "By agents", Figure.COUNT, "Places in the agent side's speech."),
        Column("customer_hits_count", "By customers", Figure.COUNT, "Places in the customer's speech."),
        Column("last_revision", "Revision", Figure.COUNT, "Latest revision of the rule that matched."),
    )
    rows = tuple(
        (
            one.rule,
            one.hits_count,
            one.calls_count,
            one.calls_count / calls if calls else None,
            before.get(one.rule, 0),
            one.agent_hits_count,
            one.customer_hits_count,
            one.last_revision,
        )
        for one in rules
    )
    return Table("rules", "By rule", columns, rows, "Rules that never matched in the period are not listed.")


def _agents_table(counts: Sequence[AgentRuleCount]) -> Table:
    columns = (
        Column("agent_name", "Agent", definition="Last known name of the agent."),
        _RULE,
        _HITS,
        _CALLS,
        Column(
            "agent_calls_ratio",
            "Of the agent's calls",
            Figure.RATIO,
            "Share of the agent's calls with a hit.",
        ),
        Column("agent_calls_count", "All calls", Figure.COUNT, "All calls of the agent in the period."),
        Column("user_id", "Id", definition="Zoom's id of the agent."),
    )
    rows = tuple(
        (
            one.agent_name,
            one.rule,
            one.hits_count,
            one.calls_count,
            one.calls_count / one.all_calls_count,
            one.all_calls_count,
            one.user_id,
        )
        for one in counts
    )
    return Table("agents", "By agent", columns, rows, "A call with two agents counts for both.")


def _days_table(counts: Sequence[DayRuleCount], days: Sequence[date]) -> Table:
    columns = (Column("day", "Day", Plain.DAY), _RULE, _HITS, _CALLS)
    rows = tuple((days[one.day], one.rule, one.hits_count, one.calls_count) for one in counts)
    return Table("days", "By day", columns, rows)


def _hits_table(hits: Sequence[Hit], pages: str | None) -> Table:
    columns = (
        Column("started_at", "Call began", Plain.MOMENT),
        Column("start_ms", "At", Figure.DURATION, "Time within the call."),
        _RULE,
        Column("side", "Side", Figure.WORD, "Whose speech matched; empty when it is about the call."),
        Column("agent_name", "Agent"),
        Column("queue_name", "Queue"),
        Column("engagement_id", "Call", definition="Zoom's id of the engagement."),
        Column("revision", "Revision", Figure.COUNT, "Revision of the rule."),
        Column("page", "Page", Plain.LINK, "Where the call's page is."),
    )
    rows = tuple(
        (
            one.started_at,
            one.start_ms,
            one.rule,
            one.side,
            one.agent_name,
            one.queue_name,
            one.engagement_id,
            one.revision,
            page_address(pages, one.engagement_id),
        )
        for one in hits
    )
    return Table("hits", "The latest", columns, rows)


def _charts(
    rules: Sequence[RuleCount], by_day: Sequence[DayRuleCount], days: Sequence[date]
) -> tuple[Chart, ...]:
    if not rules:
        return ()
    kept = [one.rule for one in rules[:MOST_RULES]]
    at = {(one.rule, one.day): one.calls_count for one in by_day}
    bars = Chart(
        "Calls with hits",
        Figure.COUNT,
        kept,
        (Series("Calls", [one.calls_count for one in rules[:MOST_RULES]]),),
    )
    if len(days) < 2:
        return (bars,)
    lines = Chart(
        "Calls with hits by day",
        Figure.COUNT,
        day_labels(days),
        tuple(Series(rule, [at.get((rule, number), 0) for number in range(len(days))]) for rule in kept),
        is_line=True,
    )
    return bars, lines
