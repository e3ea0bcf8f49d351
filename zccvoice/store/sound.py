"""Where the sound of a call lies: in the journals of its streams. What the rows know of them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, and_, select

from zccvoice.analytics.record import Side
from zccvoice.store.keeping_tables import Tombstone
from zccvoice.store.reads import is_running
from zccvoice.store.tables import Engagement, Participant, Stream, Track


@dataclass(frozen=True, slots=True)
class StoredLeg:
    """A track of a call."""

    stream_id: str
    channel_id: str
    side: Side | None
    """None of a mix, or while nobody told."""
    end_ms: int
    """End of its last packet, on the engagement's clock."""


@dataclass(frozen=True, slots=True)
class CallSound:
    """The tracks of a call."""

    clock_zero_ms: int
    """Zero of the engagement's clock, epoch ms."""
    legs: tuple[StoredLeg, ...]
    """Those that came to their end, in the order of their streams."""
    is_running: bool = False
    """Whether a stream of it has not ended: after a transfer or a failover a call has several."""


def call_sound(connection: Connection, engagement_id: str) -> CallSound | None:
    """The tracks of a call; None if nothing is known of the call."""
    engagement = connection.execute(
        select(Engagement.clock_zero_ms).where(Engagement.engagement_id == engagement_id)
    ).one_or_none()
    if engagement is None:
        return None
    whose = and_(Participant.engagement_id == Track.engagement_id, Participant.channel_id == Track.channel_id)
    query = (
        select(Track.stream_id, Track.channel_id, Participant.side, Track.end_ms)
        .join(Participant, whose, isouter=True)
        .where(Track.engagement_id == engagement_id)
        .order_by(Track.start_ms, Track.stream_id, Track.channel_id)
    )
    legs = tuple(
        StoredLeg(row.stream_id, row.channel_id, None if row.side is None else Side(row.side), row.end_ms)
        for row in connection.execute(query)
    )
    return CallSound(engagement.clock_zero_ms or 0, legs, is_running(connection, engagement_id))


def has_ended(connection: Connection, stream_id: str) -> bool:
    """Whether the end of a stream is stored, and with it all of the stream."""
    query = select(Stream.ended_at).where(Stream.stream_id == stream_id)
    return connection.scalar(query) is not None


def why_gone(connection: Connection, engagement_id: str) -> str | None:
    """What a tombstone says of a call, such as ``erased on 2026-05-01``; None without one."""
    query = (
        select(Tombstone.reason, Tombstone.deleted_at)
        .where(Tombstone.engagement_id == engagement_id)
        .order_by(Tombstone.deleted_at.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else f"{row.reason} on {row.deleted_at:%Y-%m-%d}"
