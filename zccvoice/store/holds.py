"""Legal holds: calls that must not be deleted, neither on request nor by age nor for room on the disk.

Whoever deletes calls `keep_still` first, so that no hold is placed between looking for one and deleting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select, text, update

from zccvoice.errors import LegalHoldError
from zccvoice.store.keeping_tables import LegalHold
from zccvoice.store.tables import Stream


@dataclass(frozen=True, slots=True)
class PlacedHold:
    """A legal hold."""

    legal_hold_id: int
    engagement_id: str
    reason: str
    placed_by: str
    placed_at: datetime
    released_at: datetime | None
    """None while it holds."""


def place(connection: Connection, engagement_id: str, *, reason: str, by: str) -> int:
    """Place a legal hold on a call, stored or not yet; returns its number. Waits for deletions under way."""
    row = {"engagement_id": engagement_id, "reason": reason, "placed_by": by, "placed_at": datetime.now(UTC)}
    return connection.execute(insert(LegalHold).values(**row).returning(LegalHold.legal_hold_id)).scalar_one()


def release(connection: Connection, legal_hold_id: int) -> bool:
    """Lift a hold; False when there is none of this number that holds."""
    ours = (LegalHold.legal_hold_id == legal_hold_id) & LegalHold.released_at.is_(None)
    return (
        connection.execute(update(LegalHold).where(ours).values(released_at=datetime.now(UTC))).rowcount > 0
    )


def holds(connection: Connection, *, also_released: bool = False) -> list[PlacedHold]:
    """Legal holds, in the order in which they were placed."""
    table = LegalHold.__table__
    query = select(table).order_by(table.c.legal_hold_id)
    if not also_released:
        query = query.where(table.c.released_at.is_(None))
    return [PlacedHold(**row._mapping) for row in connection.execute(query)]


def held_streams(connection: Connection) -> list[str]:
    """Ids of the stored streams of all calls under a legal hold."""
    query = (
        select(Stream.stream_id)
        .join(LegalHold, LegalHold.engagement_id == Stream.engagement_id)
        .where(LegalHold.released_at.is_(None))
        .distinct()
    )
    return list(connection.scalars(query))


def keep_still(connection: Connection) -> None:
    """Until the end of the transaction no legal hold is placed or lifted."""
    connection.execute(text("LOCK TABLE zccvoice.legal_hold IN SHARE MODE"))


def require_none(connection: Connection, engagement_ids: Sequence[str]) -> None:
    """Check that none of the calls is under a legal hold.

    Raises:
        LegalHoldError: one is; names the hold.
    """
    wanted = set(engagement_ids)
    for hold in holds(connection):
        if hold.engagement_id in wanted:
            raise LegalHoldError(
                f"call {hold.engagement_id} must not be deleted: legal hold {hold.legal_hold_id}, placed by "
                f"{hold.placed_by} on {hold.placed_at:%Y-%m-%d %H:%M} UTC: {hold.reason}"
            )
