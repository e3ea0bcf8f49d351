"""What is too old goes: transcripts as whole months, calls one by one. What is under a legal hold stays.

Each transaction leaves a tombstone that says how much went, and not what. Retention is no erasure: a replay of a
journal that is still there brings the rows back, until they go again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

from sqlalchemy import Connection, Table, delete, func, insert, select, text

from zccvoice.store.holds import keep_still
from zccvoice.store.keeping_tables import LegalHold, Tombstone
from zccvoice.store.removals import lock_for_removal
from zccvoice.store.schema import Base, table_of
from zccvoice.store.tables import Engagement
from zccvoice.store.text_tables import ChatMessage, ZoomTranscript

CALLS_AT_ONCE = 500
"""Calls deleted in one transaction: writers wait for it."""
_KEEPING = (table_of(Tombstone), table_of(LegalHold))


def prune_transcripts(connection: Connection, before: date) -> dict[str, int]:
    """Delete what was said and written in the months that ended before a day; returns rows by table.

    Of utterances and stretches of speech a month goes as a whole and leaves the disk at once, unless a call of it
    is under a legal hold. A function in the database does the work: the daemon's own role may not drop tables.
    Zoom's own transcripts and the chat go row by row.
    """
    lock_for_removal(connection)
    query = text("SELECT table_name, rows_count FROM zccvoice.drop_old_partitions(:before)")
    removed = {row.table_name: row.rows_count for row in connection.execute(query, {"before": before})}
    began = func.coalesce(Engagement.started_at, Engagement.ended_at)
    held = select(LegalHold.engagement_id).where(LegalHold.released_at.is_(None))
    old = select(Engagement.engagement_id).where(
        began < datetime(before.year, before.month, 1, tzinfo=UTC), Engagement.engagement_id.not_in(held)
    )
    for table in (table_of(ZoomTranscript), table_of(ChatMessage)):
        gone = connection.execute(delete(table).where(table.c.engagement_id.in_(old)))
        removed[table.name] = gone.rowcount
    return _told(connection, removed)


def prune_calls(connection: Connection, before: datetime, *, at_most: int = CALLS_AT_ONCE) -> dict[str, int]:
    """Delete all rows of the calls that ended before a moment, the oldest first; returns rows by table.

    Of a call whose end is not known, its start counts. When there were `at_most` calls, there may be more.
    """
    lock_for_removal(connection)
    keep_still(connection)
    of_call = func.coalesce(Engagement.ended_at, Engagement.started_at)
    held = select(LegalHold.engagement_id).where(LegalHold.released_at.is_(None))
    query = (
        select(Engagement.engagement_id)
        .where(of_call < before, Engagement.engagement_id.not_in(held))
        .order_by(of_call)
        .limit(at_most)
    )
    return _told(connection, remove_engagements(connection, connection.scalars(query).all()))


def remove_engagements(connection: Connection, engagement_ids: Sequence[str]) -> dict[str, int]:
    """Delete every row of engagements, but for holds and tombstones; returns rows by table, if any."""
    removed: Counter[str] = Counter()
    for table in reversed(tables_of_engagements()):
        gone = connection.execute(delete(table).where(table.c.engagement_id.in_(engagement_ids)))
        removed[table.name] += gone.rowcount
    return dict(+removed)


def tables_of_engagements() -> list[Table]:
    """The tables with rows of an engagement, each after those that it refers to."""
    return [
        table for table in Base.metadata.sorted_tables if "engagement_id" in table.c and table not in _KEEPING
    ]


def _told(connection: Connection, removed: Mapping[str, int]) -> dict[str, int]:
    """Leave a tombstone, if anything went."""
    counts = {name: count for name, count in removed.items() if count}
    if counts:
        row = {"reason": "retention", "deleted_at": datetime.now(UTC), "removed": counts}
        connection.execute(insert(Tombstone).values(**row))
    return counts
