"""How good the data are: what arrived, what was transcribed and how late, and whose speech it is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TypeVar

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
    """Median time from the end of an utterance to its being stored, to 20 ms, above 10 s to a second, ms."""
    lag_ms_p95: int | None
    """Time from the end of an utterance to its being stored that 95 % stay below, likewise, ms."""


_T = TypeVar("_T")
_COUNTS = tuple(field.name for field in fields(Recognition) if field.name.endswith("_count"))
_BUCKET = "width_bucket(c.started_at, CAST(:edges AS timestamptz[])) AS bucket"
_COUNTED = f"""
    SELECT {_BUCKET}, {", ".join(f"sum(c.{name})::bigint AS {name}" for name in _COUNTS)}
    FROM reporting.call_recognition c WHERE {{in_scope}} GROUP BY 1
"""  # noqa: S608  # all parts are ours; what the user said is bound
# As fine as anybody reads it: a million lags are some thousand rows, and nothing is sorted. The bucket is found
# once per call (OFFSET 0 keeps it so), not once per lag.
_LAGS = f"""
    SELECT bucket, CASE WHEN ms < 10000 THEN (ms + 10) / 20 * 20 ELSE (ms + 500) / 1000 * 1000 END AS lag_ms,
           count(*) AS lags_count
    FROM (
        SELECT bucket, unnest(lags_ms) AS ms
        FROM (SELECT {_BUCKET}, c.lags_ms FROM reporting.call_recognition c WHERE {{in_scope}} OFFSET 0) calls
    ) lags GROUP BY 1, 2
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is missing, and how often."""

    what: str
    reason: str
    count: int
    calls_count: int
    length_ms: int
    """All together."""


def recognition(
    connection: Connection, scope: Scope, edges: Sequence[datetime]
) -> tuple[Recognition | None, list[Recognition | None]]:
    """Of all calls, and of those from each edge to the next; None where nothing was heard."""
    values = {**scope_values(scope), "edges": list(edges)}
    counts: dict[int, Counter[str]] = {}
    lags: dict[int, Counter[int]] = defaultdict(Counter)
    for row in connection.execute(text(_COUNTED.format(in_scope=in_scope(scope))), values):
        counts[row.bucket] = Counter({name: row._mapping[name] for name in _COUNTS})
    for row in connection.execute(text(_LAGS.format(in_scope=in_scope(scope))), values):
        lags[row.bucket][row.lag_ms] = row.lags_count
    whole = _recognition(_sum(counts.values()), _sum(lags.values()))
    return whole, [
        _recognition(counts.get(number, Counter()), lags[number]) for number in range(1, len(edges) + 1)
    ]


def _recognition(counts: Counter[str], lags: Counter[int]) -> Recognition | None:
    if not counts["utterances_count"]:
        return None
    return Recognition(
        **{name: counts[name] for name in _COUNTS},
        lag_ms_p50=_percentile(lags, 0.5),
        lag_ms_p95=_percentile(lags, 0.95),
    )


def _sum(counters: Iterable[Counter[_T]]) -> Counter[_T]:
    total: Counter[_T] = Counter()
    for one in counters:
        total.update(one)
    return total


def _percentile(lags: Counter[int], share: float) -> int | None:
    """The least lag that this share of all does not pass; None without any."""
    rest = share * lags.total()
    for lag_ms in sorted(lags):
        rest -= lags[lag_ms]
        if rest <= 0:
            return lag_ms
    return None


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
