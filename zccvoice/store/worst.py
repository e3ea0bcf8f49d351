"""The calls at one end of a measure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from types import UnionType
from typing import get_args, get_type_hints

from sqlalchemy import Connection, text

from zccvoice.analytics.scorecard import Scorecard
from zccvoice.store.summaries import Scope, in_scope, scope_values


@dataclass(frozen=True, slots=True)
class WorstCall:
    """A call with one of its measures."""

    engagement_id: str
    started_at: datetime
    queue_id: str | None
    queue_name: str | None
    agent_name: str | None
    duration_ms: int
    coverage_ratio: float | None
    damaged: bool
    value: float
    """The measure that was asked about."""


def number_measures() -> tuple[str, ...]:
    """The measures of a call that are numbers, in their order."""
    return tuple(
        name
        for name, hint in get_type_hints(Scorecard).items()
        if {int, float} & set(get_args(hint) if isinstance(hint, UnionType) else (hint,))
    )


def worst_calls(
    connection: Connection, scope: Scope, measure: str, *, lowest: bool, most: int
) -> list[WorstCall]:
    """The calls with the highest, or lowest, values of a measure, the worst first. Calls without one are left out.

    Args:
        connection: where.
        scope: which calls.
        measure: one of `number_measures`.
        lowest: whether low values are the bad ones.
        most: how many calls at most.
    """
    assert measure in number_measures(), measure
    query = f"""
        SELECT engagement_id, started_at, queue_id, queue_name, agent_name, duration_ms, coverage_ratio, damaged,
               {measure} AS value
        FROM reporting.call c WHERE {in_scope(scope)} AND {measure} IS NOT NULL
        ORDER BY {measure} {"ASC" if lowest else "DESC"}, engagement_id LIMIT :most
    """  # noqa: S608  # the measure is one of ours
    rows = connection.execute(text(query), {**scope_values(scope), "most": most})
    return [WorstCall(*row) for row in rows]
