"""Many calls in one row: of all, of an agent, of a queue, by day or hour of the reader.

Ratios are ratios of sums: a mean of the calls' ratios would weigh a short call like a long one. Everything is read
from the schema ``reporting``, so whoever may read only some calls gets the numbers of those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from zccvoice.analytics.documented import documented


@dataclass(frozen=True, slots=True)
class Scope:
    """Which calls are meant: those that started in ``[since, until)``. Moments are aware."""

    since: datetime
    until: datetime
    queue: str | None = None
    """Id or name of the queue that they came through; None is every queue."""
    team: str | None = None
    """Id of the team that one of the agents was in; None is every team."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Some calls together. Measures of the agent side are None when no call tells them."""

    calls_count: int
    """Calls."""
    measured_calls_count: int
    """Calls that have measures; all other numbers are of these."""
    damaged_calls_count: int
    """Measured calls of which less than 98 % of the audio arrived; they are in the other numbers."""
    shared_calls_count: int
    """Calls with another agent as well; of these an agent's own measures are of the agent's part."""
    mean_duration_ms: int | None
    """Mean time a stream of the call was open, ms."""
    talk_ratio_agent: float | None
    """Talk time of the agent side divided by the duration, of all calls together, 0–1."""
    talk_share_agent: float | None
    """The part of the agent side in the talk time, of all calls together, 0–1."""
    talk_speed_agent_wpm: float | None
    """Words of the agent side per minute of its transcribed speech, of all calls together that have one."""
    interruptions_agent_per_call: float | None
    """How often the agent side began to speak in the middle of another's utterance, mean per call."""
    interruptions_customer_per_call: float | None
    """How often the customer began to speak in the middle of another's utterance, mean per call."""
    mean_first_response_agent_ms: int | None
    """Mean time from the agent's answering to the first agent speech, ms."""
    mean_response_gap_agent_ms_p50: int | None
    """Mean of the calls' median time from the end of another's turn to the agent side's, ms."""
    mean_longest_monologue_agent_ms: int | None
    """Mean of the calls' longest turn of the agent side, ms."""
    mean_sentiment_agent_score: float | None
    """Mean of the calls' sentiment of the agent side's words, −5…+5."""
    mean_sentiment_customer_score: float | None
    """Mean of the calls' sentiment of the customer's words, −5…+5."""
    mean_hold_time_ms: int | None
    """Mean time on hold, calls without hold included, ms."""
    hold_calls_ratio: float | None
    """Share of the calls with a hold, 0–1."""
    silence_ratio: float | None
    """Silences of more than 3 s divided by the duration, of all calls together, 0–1."""
    dead_air_calls_ratio: float | None
    """Share of the calls with a silence of more than 30 s, 0–1."""
    overtalk_ratio: float | None
    """Time in which two sides speak at once divided by the duration, of all calls together, 0–1."""
    mean_transcript_confidence: float | None
    """Mean of the calls' confidence in their transcripts, 0–1."""
    mean_coverage_ratio: float | None
    """Mean share of the calls' audio that arrived, 0–1."""


NO_CALLS = Summary(0, 0, 0, 0, *[None] * (len(fields(Summary)) - 4))
"""What is known of no calls: that there are none."""

_MEASURES = """
    count(*) AS calls_count,
    count(c.computed_at) AS measured_calls_count,
    count(*) FILTER (WHERE c.damaged) AS damaged_calls_count,
    count(*) FILTER (WHERE NOT {is_alone}) AS shared_calls_count,
    round(avg(c.duration_ms))::bigint AS mean_duration_ms,
    avg(c.interruptions_customer_count)::double precision AS interruptions_customer_per_call,
    avg(c.sentiment_customer_score) AS mean_sentiment_customer_score,
    avg((c.dead_air_count > 0)::int)::double precision AS dead_air_calls_ratio,
    sum(c.overtalk_time_ms)::double precision
        / nullif(sum(c.duration_ms) FILTER (WHERE c.overtalk_time_ms IS NOT NULL), 0)::double precision
        AS overtalk_ratio,
    avg(c.transcript_confidence) AS mean_transcript_confidence,
    avg(c.coverage_ratio) AS mean_coverage_ratio,
    round(avg({hold_time_ms}))::bigint AS mean_hold_time_ms,
    avg(({hold_time_ms} > 0)::int)::double precision AS hold_calls_ratio,
    sum({silence_time_ms})::double precision / nullif(sum({length_ms}), 0)::double precision AS silence_ratio,
    sum({talk_time_ms})::double precision
        / nullif(sum({length_ms}) FILTER (WHERE {talk_time_ms} IS NOT NULL), 0)::double precision
        AS talk_ratio_agent,
    sum({talk_time_ms}) FILTER (WHERE {talk_time_total_ms} IS NOT NULL)::double precision
        / nullif(sum({talk_time_total_ms}) FILTER (WHERE {talk_time_ms} IS NOT NULL), 0)::double precision
        AS talk_share_agent,
    sum({words_count}) FILTER (WHERE {talk_speed_wpm} > 0)::double precision
        / nullif(sum({words_count} / nullif({talk_speed_wpm}, 0)), 0) AS talk_speed_agent_wpm,
    avg({sentiment_score}) AS mean_sentiment_agent_score,
    avg({interruptions_count})::double precision AS interruptions_agent_per_call,
    round(avg({first_response_ms}))::bigint AS mean_first_response_agent_ms,
    round(avg({response_gap_ms_p50}))::bigint AS mean_response_gap_agent_ms_p50,
    round(avg({longest_monologue_ms}))::bigint AS mean_longest_monologue_agent_ms
"""
"""What stands in braces is the agent side's, or where one agent is meant this agent's own."""
_ONE_AGENT_ALONE = """c.engagement_id NOT IN (
        SELECT t.engagement_id FROM reporting.agent_call t
        WHERE NOT t.is_alone AND t.started_at >= :since AND t.started_at < :until
    )"""
_OF_CALL = {
    "is_alone": _ONE_AGENT_ALONE,
    "length_ms": "c.duration_ms",
    "talk_time_ms": "c.talk_time_agent_ms",
    "talk_time_total_ms": "c.talk_time_total_ms",
    "words_count": "c.words_agent_count",
    "talk_speed_wpm": "c.talk_speed_agent_wpm",
    "hold_time_ms": "c.hold_time_ms",
    "silence_time_ms": "c.silence_time_ms",
    "interruptions_count": "c.interruptions_agent_count",
    "first_response_ms": "c.first_response_agent_ms",
    "response_gap_ms_p50": "c.response_gap_agent_ms_p50",
    "longest_monologue_ms": "c.longest_monologue_agent_ms",
    "sentiment_score": "c.sentiment_agent_score",
}
_OF_AGENT = {name: f"a.{name}" for name in _OF_CALL}
_NAMES = tuple(field.name for field in fields(Summary))


@dataclass(frozen=True, slots=True)
class AgentSummary:
    """The calls of one agent."""

    user_id: str
    agent_name: str | None
    team_ids: tuple[str, ...]
    """Teams that the agent himself was in, when these calls began."""
    summary: Summary


@dataclass(frozen=True, slots=True)
class QueueSummary:
    """The calls of one queue; None in place of the queue: calls without."""

    queue_id: str | None
    queue_name: str | None
    summary: Summary
    hour: int | None = None
    """Hour of the reader's day in which they began, 0–23; None: all hours."""


def summary_definitions() -> dict[str, str]:
    """What each measure of a summary is, by its name, in order."""
    return documented(Summary)


def summary(connection: Connection, scope: Scope) -> Summary:
    """All calls of a scope."""
    (row,) = _rows(connection, scope, "")
    return _summary(row)


def agents(connection: Connection, scope: Scope) -> list[AgentSummary]:
    """Every agent with calls, in order of names. A call with two agents counts for both, each with his part."""
    teams = "(SELECT array_agg(DISTINCT t) FROM unnest(string_to_array(string_agg("
    teams += "array_to_string(a.agent_team_ids, chr(31)), chr(31)), chr(31))) t) AS team_ids"
    keys = f"a.user_id, max(a.agent_name) AS agent_name, {teams}"
    rows = _rows(connection, scope, keys, of_agents=True, end="GROUP BY a.user_id ORDER BY 2, 1")
    return [
        AgentSummary(row.user_id, row.agent_name, tuple(row.team_ids or ()), _summary(row)) for row in rows
    ]


def agent_days(
    connection: Connection, scope: Scope, user_id: str, edges: Sequence[datetime]
) -> list[Summary | None]:
    """One agent's calls from each edge to the next, None where there were none."""
    return _by_edges(connection, scope, edges, {"user_id": user_id}, of_agents=True)


def days(connection: Connection, scope: Scope, edges: Sequence[datetime]) -> list[Summary | None]:
    """All calls from each edge to the next, None where there were none."""
    return _by_edges(connection, scope, edges, {})


def queues_of_agent(connection: Connection, scope: Scope, user_id: str) -> Summary:
    """All calls of the queues from which the agent had calls, whoever took them."""
    where = """AND c.queue_id IN (
        SELECT t.queue_id FROM reporting.agent_call t
        WHERE t.user_id = :user_id AND t.started_at >= :since AND t.started_at < :until
    )"""
    (row,) = _rows(connection, scope, "", where=where, values={"user_id": user_id})
    return _summary(row)


def queues(connection: Connection, scope: Scope) -> list[QueueSummary]:
    """Every queue with calls, in order of names."""
    keys = "c.queue_id, max(c.queue_name) AS queue_name"
    rows = _rows(connection, scope, keys, end="GROUP BY c.queue_id ORDER BY 2 NULLS LAST, 1")
    return [QueueSummary(row.queue_id, row.queue_name, _summary(row)) for row in rows]


def queue_ids(connection: Connection, scope: Scope) -> list[str]:
    """Ids of the queue that the scope names, among its calls: a name may be that of several. None without one."""
    if scope.queue is None:
        return []
    query = f"""
        SELECT DISTINCT c.queue_id FROM reporting.call c
        WHERE {in_scope(scope)} AND c.queue_id IS NOT NULL ORDER BY 1
    """  # noqa: S608
    return list(connection.scalars(text(query), scope_values(scope)))


def knows_queue(connection: Connection, queue: str) -> bool:
    """Whether any call, whenever it was, came through a queue of this id or name."""
    query = "SELECT EXISTS (SELECT FROM reporting.call c WHERE c.queue_id = :queue OR c.queue_name = :queue)"
    return bool(connection.scalar(text(query), {"queue": queue}))


def queue_hours(
    connection: Connection, scope: Scope, edges: Sequence[datetime], hours: Sequence[int]
) -> list[QueueSummary]:
    """Every queue by hour of the day.

    Args:
        connection: where.
        scope: which calls.
        edges: beginnings of hours, in order; the calls from one to the next belong to
        hours: the hour of the day at the same place.
    """
    hour = "(CAST(:hours AS integer[]))[width_bucket(c.started_at, CAST(:edges AS timestamptz[]))]"
    keys = f"c.queue_id, max(c.queue_name) AS queue_name, {hour} AS hour"
    end = "GROUP BY c.queue_id, 3 ORDER BY 2 NULLS LAST, 1, 3"
    values = {"edges": list(edges), "hours": list(hours)}
    rows = _rows(connection, scope, keys, end=end, values=values)
    return [QueueSummary(row.queue_id, row.queue_name, _summary(row), row.hour) for row in rows]


def _by_edges(
    connection: Connection,
    scope: Scope,
    edges: Sequence[datetime],
    values: Mapping[str, Any],
    *,
    of_agents: bool = False,
) -> list[Summary | None]:
    keys = "width_bucket(c.started_at, CAST(:edges AS timestamptz[])) AS bucket"
    rows = _rows(
        connection,
        scope,
        keys,
        of_agents=of_agents,
        where="AND a.user_id = :user_id" if of_agents else "",
        end="GROUP BY 1",
        values={**values, "edges": list(edges)},
    )
    found = {row.bucket: _summary(row) for row in rows}
    return [found.get(number + 1) for number in range(len(edges))]


def _rows(
    connection: Connection,
    scope: Scope,
    keys: str,
    *,
    of_agents: bool = False,
    where: str = "",
    end: str = "",
    values: Mapping[str, Any] | None = None,
) -> Sequence[Row[Any]]:
    measures = _MEASURES.format(**(_OF_AGENT if of_agents else _OF_CALL))
    source = "reporting.call c"
    if of_agents:
        source += " JOIN reporting.agent_call a ON a.engagement_id = c.engagement_id AND " + in_period("a")
    query = f"""
        SELECT {keys + "," if keys else ""} {measures} FROM {source}
        WHERE {in_scope(scope)} {where} {end}
    """  # noqa: S608  # all parts are from this file; what the user said is bound
    return connection.execute(text(query), {**scope_values(scope), **(values or {})}).all()


def in_period(alias: str) -> str:
    """SQL: rows of the alias, which has `started_at`, are of calls of the period."""
    return f"{alias}.started_at >= :since AND {alias}.started_at < :until"


def in_scope(scope: Scope) -> str:
    """SQL: a call ``c``, a row of a view with `started_at` and the queue, is in the scope."""
    conditions = [in_period("c")]
    if scope.queue is not None:
        conditions.append("(c.queue_id = :queue OR c.queue_name = :queue)")
    if scope.team is not None:
        conditions.append(
            "c.engagement_id IN (SELECT t.engagement_id FROM reporting.agent_call t "  # noqa: S608
            f"WHERE {in_period('t')} AND :team = ANY (t.team_ids))"
        )
    return " AND ".join(conditions)


def scope_values(scope: Scope) -> dict[str, Any]:
    """What `in_scope` binds."""
    bound = {"since": scope.since, "until": scope.until, "queue": scope.queue, "team": scope.team}
    return {name: value for name, value in bound.items() if value is not None}


def _summary(row: Row[Any]) -> Summary:
    return Summary(**{name: row._mapping[name] for name in _NAMES})
