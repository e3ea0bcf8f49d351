"""Where rules matched in a call, for whoever shows the call."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from zccvoice.analytics.record import Side
from zccvoice.store.measure_tables import CategoryHit


@dataclass(frozen=True, slots=True)
class RuleHit:
    """A rule that matched. Times are milliseconds on the engagement's clock."""

    rule: str
    revision: int
    start_ms: int
    end_ms: int
    side: Side | None
    """Whose speech matched; None when it is about the call."""
    why: str = ""
    """What was found: the phrase, or the number against its limit."""


def rule_hits(connection: Connection, engagement_id: str) -> list[RuleHit]:
    """What matched in a call, in time order."""
    query = (
        select(
            CategoryHit.rule,
            CategoryHit.revision,
            CategoryHit.start_ms,
            CategoryHit.end_ms,
            CategoryHit.side,
            CategoryHit.why,
        )
        .where(CategoryHit.engagement_id == engagement_id)
        .order_by(CategoryHit.start_ms, CategoryHit.rule, CategoryHit.revision)
    )
    return [
        RuleHit(
            row.rule,
            row.revision,
            row.start_ms,
            row.end_ms,
            None if row.side is None else Side(row.side),
            row.why,
        )
        for row in connection.execute(query)
    ]
