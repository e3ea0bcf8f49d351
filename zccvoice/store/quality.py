"""How good the data are: what arrived, what was transcribed and how late, and whose speech it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Connection, text

from zccvoice.store.summaries import Scope, in_scope, scope_values


@dataclass(frozen=True, slots=True)
class Recognition:
    """What became of some utterances."""

    utterances_count: int
    """Utterances heard."""
    kept_count: int
    """With a transcript that counts."""
    empty_count: int
    """Without words."""
    refused_count: int
    """With a transcript that a guard refused."""
    failed_count: int
    """That could not be transcribed."""
    waiting_count: int
    """Not transcribed yet."""
    unassigned_count: int
    """Of a channel of which nobody told whether it is the agent's or the customer's."""
    lag_ms_p50: int | None
    """Median time from the end of an utterance to its being stored, ms. Calls played too fast have none."""
    lag_ms_p95: int | None
    """Time from the end of an utterance to its being stored that 95 % stay below, ms."""


_COUNTS = tuple(field.name for field in fields(Recognition) if field.name.endswith("_count"))


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is missing, and how often."""

    what: str
    reason: str
    count: int
    calls_count: int
    length_ms: int
    """All together."""


def recognition(connection: Connection, scope: Scope, edges: Sequence[datetime]) -> list[Recognition | None]:
    """From each edge to the next; None where nothing was heard."""
    query = f"""
        WITH calls AS (
            SELECT width_bucket(c.started_at, CAST(:edges AS timestamptz[])) AS bucket, c.*
            FROM reporting.call_recognition c WHERE {in_scope(scope)}
        ), lags AS (
            SELECT bucket, percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY lag_ms) AS found
            FROM calls CROSS JOIN LATERAL unnest(lags_ms) lag_ms GROUP BY bucket
        )
        SELECT bucket, {", ".join(f"sum({name})::bigint" for name in _COUNTS)}, min(found[1]), min(found[2])
        FROM calls LEFT JOIN lags USING (bucket) GROUP BY bucket HAVING sum(utterances_count) > 0
    """  # noqa: S608  # all parts are ours; what the user said is bound
    values = {**scope_values(scope), "edges": list(edges)}
    found = {row[0]: Recognition(*row[1:]) for row in connection.execute(text(query), values)}
    return [found.get(number + 1) for number in range(len(edges))]


def rejections(connection: Connection, scope: Scope) -> list[Reason]:
    """Why transcripts were refused or failed, the most frequent first."""
    query = f"""
        SELECT r.outcome, r.reason, sum(r.count)::bigint, count(*), sum(r.length_ms)::bigint
        FROM reporting.call_recognition c CROSS JOIN LATERAL jsonb_to_recordset(c.rejections)
            AS r (outcome text, reason text, count bigint, length_ms bigint)
        WHERE {in_scope(scope)} GROUP BY r.outcome, r.reason ORDER BY 3 DESC, 1, 2
    """  # noqa: S608
    return [Reason(*row) for row in connection.execute(text(query), scope_values(scope))]


def gap_causes(connection: Connection, scope: Scope) -> list[Reason]:
    """Why audio is missing, the longest first."""
    query = f"""
        SELECT 'gap', g.cause, count(*), count(DISTINCT g.engagement_id), sum(g.length_ms)::bigint
        FROM reporting.gap g JOIN reporting.call c ON c.engagement_id = g.engagement_id
        WHERE {in_scope(scope)} GROUP BY g.cause ORDER BY 5 DESC, 2
    """  # noqa: S608
    return [Reason(*row) for row in connection.execute(text(query), scope_values(scope))]


def ends(connection: Connection, scope: Scope) -> list[Reason]:
    """How calls ended, the most frequent first; without a reason those that have not."""
    query = f"""
        SELECT 'end', coalesce(c.end_reason, ''), count(*), count(*), coalesce(sum(c.duration_ms), 0)::bigint
        FROM reporting.call c WHERE {in_scope(scope)} GROUP BY c.end_reason ORDER BY 3 DESC, 2
    """  # noqa: S608
    return [Reason(*row) for row in connection.execute(text(query), scope_values(scope))]
