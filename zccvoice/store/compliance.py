"""Where rules matched, counted: by rule, by agent, by day; and the latest places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from zccvoice.store.summaries import Scope, in_scope, scope_values


@dataclass(frozen=True, slots=True)
class RuleCount:
    """A rule in some calls."""

    rule: str
    hits_count: int
    """Places where it matched."""
    calls_count: int
    """Calls in which it matched."""
    agent_hits_count: int
    """Places in the agent side's speech."""
    customer_hits_count: int
    """Places in the customer's speech."""
    last_revision: int
    """Latest revision of the rule that matched."""


@dataclass(frozen=True, slots=True)
class AgentRuleCount:
    """A rule in the calls of one agent."""

    user_id: str
    agent_name: str | None
    rule: str
    hits_count: int
    calls_count: int
    """Calls of the agent in which it matched."""
    all_calls_count: int
    """All calls of the agent in the period."""


@dataclass(frozen=True, slots=True)
class DayRuleCount:
    """A rule on one day."""

    day: int
    """Number of the day, from 0, among the edges that were asked about."""
    rule: str
    hits_count: int
    calls_count: int


@dataclass(frozen=True, slots=True)
class Hit:
    """One place."""

    engagement_id: str
    started_at: datetime
    """Of the call."""
    queue_name: str | None
    agent_name: str | None
    rule: str
    revision: int
    side: str | None
    start_ms: int


_HITS = "reporting.category h JOIN reporting.call c ON c.engagement_id = h.engagement_id"


def rules(connection: Connection, scope: Scope) -> list[RuleCount]:
    """Every rule that matched, the most frequent first."""
    query = f"""
        SELECT h.rule, count(*), count(DISTINCT h.engagement_id), count(*) FILTER (WHERE h.side = 'agent'),
               count(*) FILTER (WHERE h.side = 'customer'), max(h.revision)
        FROM {_HITS} WHERE {in_scope(scope)} GROUP BY h.rule ORDER BY 2 DESC, 1
    """  # noqa: S608  # all parts are ours; what the user said is bound
    return [RuleCount(*row) for row in connection.execute(text(query), scope_values(scope))]


def rules_by_agent(connection: Connection, scope: Scope) -> list[AgentRuleCount]:
    """Every agent on whose calls a rule matched, by name, with each rule. A call with two agents is of both."""
    query = f"""
        WITH taken AS (
            SELECT c.user_id, c.agent_name, c.engagement_id FROM reporting.agent_call c WHERE {in_scope(scope)}
        ), known AS (SELECT user_id, count(*) AS all_calls_count FROM taken GROUP BY user_id)
        SELECT t.user_id, max(t.agent_name), h.rule, count(*), count(DISTINCT h.engagement_id),
               max(k.all_calls_count)
        FROM taken t JOIN known k USING (user_id) JOIN reporting.category h USING (engagement_id)
        GROUP BY t.user_id, h.rule ORDER BY 2, 1, 4 DESC, 3
    """  # noqa: S608
    return [AgentRuleCount(*row) for row in connection.execute(text(query), scope_values(scope))]


def rules_by_day(connection: Connection, scope: Scope, edges: Sequence[datetime]) -> list[DayRuleCount]:
    """Every rule from each edge to the next."""
    query = f"""
        SELECT width_bucket(c.started_at, CAST(:edges AS timestamptz[])) - 1, h.rule, count(*),
               count(DISTINCT h.engagement_id)
        FROM {_HITS} WHERE {in_scope(scope)} GROUP BY 1, 2 ORDER BY 1, 2
    """  # noqa: S608
    values = {**scope_values(scope), "edges": list(edges)}
    return [DayRuleCount(*row) for row in connection.execute(text(query), values)]


def latest_hits(connection: Connection, scope: Scope, most: int) -> list[Hit]:
    """The latest places, the newest first."""
    query = f"""
        SELECT h.engagement_id, c.started_at, c.queue_name, c.agent_name, h.rule, h.revision, h.side, h.start_ms
        FROM {_HITS} WHERE {in_scope(scope)} ORDER BY c.started_at DESC, 1, h.start_ms, h.rule LIMIT :most
    """  # noqa: S608
    rows = connection.execute(text(query), {**scope_values(scope), "most": most})
    return [Hit(*row) for row in rows]


def calls_count(connection: Connection, scope: Scope) -> int:
    """All calls of the scope, whether a rule matched or not."""
    query = f"SELECT count(*) FROM reporting.call c WHERE {in_scope(scope)}"  # noqa: S608
    return int(connection.execute(text(query), scope_values(scope)).scalar_one())
