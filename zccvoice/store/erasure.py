"""Erasure on request: everything that points at a person, the proof that it is gone, and that it stays away.

What is erased is never stored again: its tombstones name the engagement and its streams, and writers ask them. The
streams, too, because the same recording may come again as another engagement. Sound lies in journals, not here:
whoever erases deletes those first.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, exists, func, insert, literal, select, text, update

from zccvoice.store.database import autocommit, transaction
from zccvoice.store.holds import keep_still, require_none
from zccvoice.store.keeping_tables import LegalHold, Tombstone
from zccvoice.store.measure_tables import scorecard_table, side_scorecard_table
from zccvoice.store.removals import lock_for_removal
from zccvoice.store.retention import remove_engagements, tables_of_engagements
from zccvoice.store.schema import table_of
from zccvoice.store.tables import Engagement, Participant, Stream
from zccvoice.store.upsert import storable

ANONYMOUS = "anonymous-"
"""What the ids of engagements begin with of which only measures are left."""

# Materialized views hold rows, too; partitions are searched with the table that they are part of.
_COLUMNS = """
    SELECT format('%I.%I', n.nspname, c.relname), quote_ident(a.attname),
           format_type(a.atttypid, NULL) IN ('text', 'text[]', 'character varying', 'json', 'jsonb')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE n.nspname IN ('zccvoice', 'reporting') AND c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition
      AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.relname, a.attnum
"""
_HAS_TEXT = (
    "EXISTS (SELECT FROM unnest(CAST(:texts AS text[])) AS one(words) "
    "WHERE strpos(lower(CAST({} AS text)), lower(one.words)) > 0)"
)
_OWNED = """
    SELECT format('zccvoice.%I', relname) FROM pg_class
    WHERE relnamespace = 'zccvoice'::regnamespace AND relname = ANY(:names) AND pg_has_role(relowner, 'USAGE')
"""


def find_by_phone(connection: Connection, phone_hash: str) -> list[str]:
    """Engagements with a participant of this phone number (see `analytics.pseudonym`), in order of their ids."""
    query = select(Participant.engagement_id).where(Participant.phone_hash == phone_hash).distinct()
    return sorted(connection.scalars(query))


def streams_of(connection: Connection, engagement_ids: Sequence[str]) -> list[str]:
    """Ids of the stored streams of engagements."""
    query = select(Stream.stream_id).where(Stream.engagement_id.in_(engagement_ids))
    return sorted(connection.scalars(query))


def known(connection: Connection, engagement_ids: Sequence[str]) -> set[str]:
    """Those of the engagements of which anything is stored."""
    query = select(Engagement.engagement_id).where(Engagement.engagement_id.in_(engagement_ids))
    return set(connection.scalars(query))


def rows_of(connection: Connection, engagement_ids: Sequence[str]) -> dict[str, int]:
    """How many rows engagements have, by table, where they have any."""
    counts = {
        table.name: connection.execute(
            select(func.count()).select_from(table).where(table.c.engagement_id.in_(engagement_ids))
        ).scalar_one()
        for table in tables_of_engagements()
    }
    return {name: count for name, count in counts.items() if count}


def secure(connection: Connection, engagement_ids: Sequence[str]) -> None:
    """Until the end of the transaction nobody stores facts, and nobody places a hold on these engagements.

    Raises:
        LegalHoldError: one of them is under a legal hold.
    """
    lock_for_removal(connection)
    keep_still(connection)
    require_none(connection, engagement_ids)


def erase(
    connection: Connection,
    engagement_ids: Sequence[str],
    *,
    keeps_measures: bool,
    unstored: Mapping[str, str] | None = None,
) -> dict[str, int]:
    """Delete every row of engagements, with tombstones of each and of its streams; returns rows by table.

    Args:
        connection: in a transaction; writers of facts wait for its end.
        engagement_ids: stored or not; nothing of them will be stored again.
        keeps_measures: copy the numbers of the scorecard first to an engagement with a random id, which nothing
            links to the old one: its queue and its day are all that is left beside them.
        unstored: further streams of these engagements, as ``{stream id: engagement id}``.

    Raises:
        LegalHoldError: one of them is under a legal hold; then nothing is erased.
    """
    secure(connection, engagement_ids)
    removed: Counter[str] = Counter()
    for engagement_id in sorted(set(engagement_ids)):
        if keeps_measures:
            _keep_measures(connection, engagement_id)
        streams = {storable(one) for one, of in (unstored or {}).items() if of == engagement_id}
        streams.update(streams_of(connection, [engagement_id]))
        counts = remove_engagements(connection, [engagement_id])
        lifted = delete(LegalHold).where(LegalHold.engagement_id == engagement_id)
        if count := connection.execute(lifted).rowcount:  # their reasons may well name the person
            counts["legal_hold"] = count
        _set_tombstone(connection, engagement_id, counts)
        _set_tombstones_of_streams(connection, engagement_id, streams)
        removed.update(counts)
    return dict(removed)


def residue(
    connection: Connection,
    *,
    engagement_ids: Collection[str] = (),
    phone_hash: str | None = None,
    texts: Collection[str] = (),
) -> dict[str, int]:
    """Look for what should be gone: the rows that still have it, for every table that was searched.

    The database's own catalogue says where to look, so that a table that this program does not know is searched,
    too. Tombstones are allowed to name an engagement: they are what keeps it away.

    Args:
        connection: sees everything, whatever the rows' owners.
        engagement_ids: looked for in every column of that name.
        phone_hash: likewise.
        texts: looked for, in any case and as part of a longer text, in every column of text or JSON: slow.
    """
    keys = {"engagement_id": list(engagement_ids), "phone_hash": [phone_hash] if phone_hash else []}
    values = {**keys, "texts": list(texts)}
    conditions: dict[str, list[str]] = {}
    for table, column, is_text in connection.execute(text(_COLUMNS)):
        if keys.get(column) and table != "zccvoice.tombstone":
            conditions.setdefault(table, []).append(f"{column} = ANY(:{column})")
        if texts and is_text:
            conditions.setdefault(table, []).append(_HAS_TEXT.format(column))
    return {
        table: connection.execute(
            text(f"SELECT count(*) FROM {table} WHERE {' OR '.join(of_table)}"),  # noqa: S608  # catalogue's names
            values,
        ).scalar_one()
        for table, of_table in conditions.items()
    }


def vacuum(engine: Engine, names: Collection[str]) -> list[str]:
    """Take deleted rows off the disk, out of the tables and their indexes; returns the tables that were done.

    Postgres does it by itself some time later, where this role does not own the table.
    """
    with transaction(engine) as connection:
        owned = sorted(connection.scalars(text(_OWNED), {"names": list(names)}))
    with autocommit(engine) as connection:
        connection.execute(text("SET statement_timeout = 0"))
        for name in owned:
            connection.execute(text(f"VACUUM (INDEX_CLEANUP ON) {name}"))
    return owned


def _keep_measures(connection: Connection, engagement_id: str) -> None:
    """Moments are cut to the day: to the second they would find the call in anybody's list of calls."""
    kept = [
        Engagement.product,
        Engagement.queue_id,
        Engagement.queue_name,
        func.date_trunc("day", Engagement.started_at),
        func.date_trunc("day", Engagement.ended_at),
        Engagement.language,
        Engagement.language_source,
    ]
    names = ["product", "queue_id", "queue_name", "started_at", "ended_at", "language", "language_source"]
    anonymous = ANONYMOUS + secrets.token_hex(16)
    has_measures = exists().where(scorecard_table.c.engagement_id == engagement_id)
    of_call = select(literal(anonymous), *kept).where(Engagement.engagement_id == engagement_id, has_measures)
    connection.execute(insert(Engagement).from_select(["engagement_id", *names], of_call))
    for table in (scorecard_table, side_scorecard_table):
        changes: dict[str, Any] = {"engagement_id": anonymous}
        if "computed_at" in table.c:
            changes["computed_at"] = func.date_trunc("day", table.c.computed_at)
        connection.execute(update(table).where(table.c.engagement_id == engagement_id).values(changes))


def _set_tombstone(connection: Connection, engagement_id: str, removed: dict[str, int]) -> None:
    """Once; what a repetition still removed is told by a further one."""
    stone = table_of(Tombstone)
    query = select(stone.c.tombstone_id).where(
        stone.c.engagement_id == engagement_id, stone.c.stream_id.is_(None), stone.c.reason == "erased"
    )
    if removed or connection.execute(query.limit(1)).first() is None:
        row = {"engagement_id": engagement_id, "reason": "erased", "removed": removed}
        connection.execute(insert(stone).values(**row, deleted_at=datetime.now(UTC)))


def _set_tombstones_of_streams(connection: Connection, engagement_id: str, streams: Collection[str]) -> None:
    """Once each: what went is told by the engagement's own."""
    stone = table_of(Tombstone)
    dead = set(connection.scalars(select(stone.c.stream_id).where(stone.c.stream_id.in_(streams))))
    rows = [
        {"engagement_id": engagement_id, "stream_id": stream_id, "reason": "erased", "removed": {}}
        for stream_id in sorted(set(streams) - dead)
    ]
    if rows:
        connection.execute(insert(stone).values(deleted_at=datetime.now(UTC)), rows)
