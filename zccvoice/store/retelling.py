"""A recording that is told again: what was told of it before goes, whatever it said.

Rows are keyed by what was said when, and the first clock stays; so a recording that is told from another
beginning, or with other sides, would stand beside what it was.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, select, update

from zccvoice.store.removals import OF_STREAM, lock_living
from zccvoice.store.schema import table_of
from zccvoice.store.tables import Engagement, Participant, Stream
from zccvoice.store.upsert import storable

_TOLD = (
    "queue_id",
    "queue_name",
    "clock_zero_ms",
    "started_at",
    "ended_at",
    "language",
    "language_source",
)
"""What streams tell of their engagement."""


def engagement_of(connection: Connection, stream_id: str) -> str | None:
    """The engagement of a stored stream; None when it is not stored."""
    return connection.scalar(select(Stream.engagement_id).where(Stream.stream_id == storable(stream_id)))


def forget_stream(connection: Connection, stream_id: str) -> None:
    """Delete what a stream told, and of its engagement, if it has no other stream, who took part and when it was.

    To be told again in the same transaction. What people wrote on the call, and its measures, which are computed
    anew, stay.
    """
    stream_id = storable(stream_id)
    engagement_id = engagement_of(connection, stream_id)
    if engagement_id is None or not lock_living(connection, engagement_id):
        return
    for kind in OF_STREAM:  # the others go with the stream
        table = table_of(kind)
        connection.execute(delete(table).where(table.c.stream_id == stream_id))
    connection.execute(delete(Stream).where(Stream.stream_id == stream_id))
    other = select(Stream.stream_id).where(Stream.engagement_id == engagement_id).limit(1)
    if connection.scalar(other) is None:
        connection.execute(delete(Participant).where(Participant.engagement_id == engagement_id))
        untold = update(Engagement).where(Engagement.engagement_id == engagement_id)
        connection.execute(untold.values(dict.fromkeys(_TOLD)))
