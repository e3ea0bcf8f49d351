"""What goes: a stream that Zoom withdrew, and rows that a replay has not stated again.

Nothing of what was revoked or erased is ever stored again, by whoever still has a fact of it: a tombstone says
so. A lock that writers share and removals have for themselves keeps a writer from slipping past a tombstone that
is just being set.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Table,
    Text,
    cast,
    delete,
    exists,
    extract,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from zccvoice.analytics.record import CallRecord
from zccvoice.store.facts import REPINNED, Fact, StreamRestated, StreamRevoked
from zccvoice.store.keeping_tables import Tombstone
from zccvoice.store.language_tables import LanguagePinTable
from zccvoice.store.measure_tables import (
    AgentPart,
    CallRecognition,
    CategoryHit,
    Hold,
    Interruption,
    Silence,
    SpeechSpan,
    live_call_table,
    scorecard_table,
    side_scorecard_table,
)
from zccvoice.store.schema import table_of
from zccvoice.store.tables import (
    CallEvent,
    Engagement,
    Gap,
    OneWayAudio,
    Participant,
    Stream,
    Track,
    Utterance,
)
from zccvoice.store.upsert import sane_ms, storable

_LOCK = 7_262_282_012_028  # any number that is always the same and that nobody else takes
OF_STREAM = (Utterance, Gap, Track, CallEvent)
"""Tables whose rows belong to one stream."""
DERIVED = (
    scorecard_table,
    side_scorecard_table,
    live_call_table,
    *(
        table_of(kind)
        for kind in (SpeechSpan, Silence, Hold, Interruption, AgentPart, CallRecognition, CategoryHit)
    ),
)
"""Tables that are computed from the others."""
IN_DOUBT = ""
"""Why a rule matched of which nobody knows whether it still does: a part of its call was revoked."""
_hits = table_of(CategoryHit)
_Pair: TypeAlias = tuple[str | None, str | None]
_FOR_EVER = ("revoked", "erased")


def living(connection: Connection, facts: Sequence[Fact]) -> list[Fact]:
    """The facts that may be stored. Revocations among them are carried out here and are none of these."""
    revoked = [fact for fact in facts if isinstance(fact, StreamRevoked)]
    lock_for_removal(connection) if revoked else _lock_for_writing(connection)
    for fact in revoked:
        _revoke(connection, fact)
    streams, engagements = _gone(connection, facts)
    return [
        fact
        for fact in facts
        if not isinstance(fact, StreamRevoked)
        and storable(fact.stream_id) not in streams
        and storable(fact.engagement_id) not in engagements
    ]


def lock_for_removal(connection: Connection) -> None:
    """Until the end of the transaction nobody else writes facts or removes any."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def forget_stale(connection: Connection, restated: StreamRestated, zero_ms: int) -> None:
    """Delete what is derived of a stream and was not stated again.

    Where that was all that was said in its call, so do its measures: they would be taken for those of a call of
    which retention took what was said. Hits of rules wait for `rules.judge`.
    """
    stream_id, engagement_id = storable(restated.stream_id), storable(restated.engagement_id)
    gone: dict[str, int] = {}
    for kind, stated in (
        (Utterance, restated.utterances),
        (Gap, restated.gaps),
        (OneWayAudio, restated.one_way),
    ):
        if stated is not None:
            keys = [(channel_id, sane_ms(timestamp_ms) - zero_ms) for channel_id, timestamp_ms in stated]
            table = table_of(kind)
            gone[table.name] = _keep_only(connection, table, "start_ms", stream_id, keys)
    if gone[Utterance.__tablename__] and not _is_anything_said(connection, engagement_id):
        _put_hits_in_doubt(connection, engagement_id)
        for table in DERIVED:
            if table is not _hits:
                connection.execute(delete(table).where(table.c.engagement_id == engagement_id))
    if restated.pins is not None:
        _keep_only(connection, table_of(LanguagePinTable), "number", stream_id, restated.pins)
        _forget_stale_repinnings(connection, stream_id, zero_ms)


def _keep_only(
    connection: Connection, table: Table, number: str, stream_id: str, stated: Sequence[tuple[str, int]]
) -> int:
    """Delete the other rows of a stream: its keys are channels, and numbers in the column of that name.

    Returns how many went.
    """
    # Two arrays instead of a list of pairs: of a list, Postgres compares every row with every pair.
    keys = (
        func.unnest(
            cast([storable(channel_id) for channel_id, _ in stated], ARRAY(Text)),
            cast([value for _, value in stated], ARRAY(BigInteger)),
        )
        .table_valued("channel_id", "number", name="stated")
        .render_derived()
    )
    same = select(text("1")).where(keys.c.channel_id == table.c.channel_id, keys.c.number == table.c[number])
    return connection.execute(delete(table).where(table.c.stream_id == stream_id, ~exists(same))).rowcount


def _is_anything_said(connection: Connection, engagement_id: str) -> bool:
    query = select(Utterance.stream_id).where(Utterance.engagement_id == engagement_id)
    return connection.scalar(query.limit(1)) is not None


def _forget_stale_repinnings(connection: Connection, stream_id: str, zero_ms: int) -> None:
    """Delete the events of a stream that tell of a pin which is none any more."""
    pin, event = table_of(LanguagePinTable), table_of(CallEvent)
    occurred_ms = func.round(extract("epoch", event.c.occurred_at) * 1000)
    told = select(text("1")).where(
        pin.c.stream_id == event.c.stream_id,
        pin.c.channel_id == event.c.channel_id,
        pin.c.since_ms + zero_ms == occurred_ms,
    )
    stale = event.c.stream_id == stream_id, event.c.name == REPINNED, ~exists(told)
    connection.execute(delete(event).where(*stale))


def is_pruned(connection: Connection, record: CallRecord) -> bool:
    """Whether what was said in a call is no longer kept: nothing can be measured or matched in it any more.

    Utterances go by whole months, all of a call at once. Its scorecard tells that there were some; and after
    that went with a revoked stream, the tombstone of a stream that took a scorecard with it and no utterance.
    """
    if record.utterances:
        return False
    engagement_id = storable(record.engagement_id)
    talked_ms = connection.scalar(
        select(func.max(scorecard_table.c.talk_time_total_ms)).where(
            scorecard_table.c.engagement_id == engagement_id
        )
    )
    if talked_ms:
        return True
    stone = table_of(Tombstone)
    left_none = select(stone.c.tombstone_id).where(
        stone.c.engagement_id == engagement_id,
        stone.c.reason == "revoked",
        func.jsonb_exists(stone.c.removed, scorecard_table.name),
        ~func.jsonb_exists(stone.c.removed, Utterance.__tablename__),
    )
    return connection.scalar(left_none.limit(1)) is not None


def lock_living(connection: Connection, engagement_id: str) -> bool:
    """Keep an engagement from being changed or removed until the end of the transaction; False: it is gone."""
    _lock_for_writing(connection)
    query = select(Engagement.engagement_id).where(Engagement.engagement_id == storable(engagement_id))
    return connection.scalar(query.with_for_update()) is not None


def _lock_for_writing(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": _LOCK})


def _gone(connection: Connection, facts: Sequence[Fact]) -> tuple[set[str], set[str]]:
    """Streams and engagements of these facts of which nothing may be stored."""
    stone = table_of(Tombstone)
    streams = sorted({storable(fact.stream_id) for fact in facts})
    engagements = sorted({storable(fact.engagement_id) for fact in facts})
    query = select(stone.c.stream_id, stone.c.engagement_id).where(
        stone.c.reason.in_(_FOR_EVER),
        or_(
            stone.c.stream_id.in_(streams),
            stone.c.stream_id.is_(None) & stone.c.engagement_id.in_(engagements),
        ),
    )
    found = connection.execute(query).all()
    return (
        {row.stream_id for row in found if row.stream_id is not None},
        {row.engagement_id for row in found if row.stream_id is None},
    )


def _revoke(connection: Connection, revoked: StreamRevoked) -> None:
    """Delete everything of a stream, and what was computed with it; of the engagement too, if it had no other."""
    stream_id = storable(revoked.stream_id)
    of_stream = select(Stream.engagement_id).where(Stream.stream_id == stream_id)
    engagement_id = connection.scalar(of_stream) or storable(revoked.engagement_id)
    removed: dict[str, int] = {}
    channels = _channels(connection, Stream.stream_id == stream_id)
    for kind in OF_STREAM:
        table = table_of(kind)
        removed[table.name] = connection.execute(delete(table).where(table.c.stream_id == stream_id)).rowcount
    gone = connection.execute(delete(Stream).where(Stream.stream_id == stream_id))
    removed["stream"] = gone.rowcount
    others = connection.scalar(select(Stream.stream_id).where(Stream.engagement_id == engagement_id).limit(1))
    if others is None:
        of_engagement = (*DERIVED, table_of(Participant), table_of(Engagement))
    else:
        of_engagement = tuple(table for table in DERIVED if table is not _hits)
        _put_hits_in_doubt(connection, engagement_id)
        removed[Participant.__tablename__] = _forget_people(connection, engagement_id, channels)
        _tell_again(connection, engagement_id)
    for table in of_engagement:
        gone = connection.execute(delete(table).where(table.c.engagement_id == engagement_id))
        removed[table.name] = gone.rowcount
    _set_tombstone(connection, engagement_id, stream_id, revoked.revoked_at, removed)


def _channels(connection: Connection, of: ColumnElement[bool]) -> set[str]:
    """The channels that rows of some streams are about."""
    columns = [(kind, kind.channel_id) for kind in OF_STREAM]
    found: set[str | None] = set()
    for kind, column in (*columns, (Utterance, Utterance.speaker_channel_id)):
        query = select(column).distinct().join(Stream, Stream.stream_id == kind.stream_id)
        found.update(connection.scalars(query.where(of)))
    return {one for one in found if one}


def _forget_people(connection: Connection, engagement_id: str, channels: Set[str]) -> int:
    """Delete the participants that what is left of an engagement does not know; returns how many.

    While another stream runs that may be yet to come: then only those go whom the revoked stream knew.

    Args:
        connection: where.
        engagement_id: whose.
        channels: those that the revoked stream knew.
    """
    of_engagement = Participant.engagement_id == engagement_id
    known = set(connection.scalars(select(Participant.channel_id).where(of_engagement)))
    is_running = exists().where(Stream.engagement_id == engagement_id, Stream.ended_at.is_(None))
    gone = known & channels if connection.scalar(select(is_running)) else known
    gone -= _channels(connection, Stream.engagement_id == engagement_id)
    table = table_of(Participant)
    mine = table.c.engagement_id == engagement_id
    return connection.execute(delete(table).where(mine, table.c.channel_id.in_(sorted(gone)))).rowcount


def _tell_again(connection: Connection, engagement_id: str) -> None:
    """When an engagement was, its queue and its language, by what is left of it.

    A queue or language that is still told by some row stays; otherwise it is the last one that is told, if any.
    """
    table = table_of(Engagement)
    before = connection.execute(select(table).where(table.c.engagement_id == engagement_id)).one_or_none()
    if before is None:
        return
    times = select(func.min(Stream.started_at), func.max(Stream.ended_at))
    started_at, ended_at = connection.execute(times.where(Stream.engagement_id == engagement_id)).one()
    queues = select(Participant.queue_id, Participant.queue_name).order_by(Participant.channel_id)
    pins = (
        select(LanguagePinTable.language, LanguagePinTable.source)
        .join(Stream, Stream.stream_id == LanguagePinTable.stream_id)
        .order_by(LanguagePinTable.channel_id == "", Stream.started_at, LanguagePinTable.number)
    )
    queue_id, queue_name = _still_told(
        connection,
        queues.where(
            Participant.engagement_id == engagement_id,
            func.coalesce(Participant.queue_id, Participant.queue_name).is_not(None),
        ),
        (before.queue_id, before.queue_name),
    )
    language, source = _still_told(
        connection,
        pins.where(LanguagePinTable.engagement_id == engagement_id),
        (before.language, before.language_source),
    )
    values = {
        "started_at": started_at or before.started_at,
        "ended_at": ended_at,
        "queue_id": queue_id,
        "queue_name": queue_name,
        "language": language,
        "language_source": source,
    }
    connection.execute(update(table).where(table.c.engagement_id == engagement_id).values(values))


def _still_told(connection: Connection, query: Select[Any, Any], before: _Pair) -> _Pair:
    told: list[_Pair] = [(first, second) for first, second in connection.execute(query)]
    return before if before in told else (told or [(None, None)])[-1]


def _put_hits_in_doubt(connection: Connection, engagement_id: str) -> None:
    """Nothing of what was said stays in them; that they were told stays, so that nobody is told again.

    `rules.judge` finds them again in what is left of the call, or withdraws them.
    """
    in_doubt = {"provisional": True, "side": None, "why": IN_DOUBT}
    connection.execute(update(_hits).where(_hits.c.engagement_id == engagement_id).values(in_doubt))


def _set_tombstone(
    connection: Connection, engagement_id: str, stream_id: str, at: datetime, removed: dict[str, int]
) -> None:
    """Once; what a repetition still removed is told by a further one."""
    known = connection.scalar(select(Tombstone.tombstone_id).where(Tombstone.stream_id == stream_id).limit(1))
    if known is None or any(removed.values()):
        connection.execute(
            insert(Tombstone).values(
                engagement_id=engagement_id,
                stream_id=stream_id,
                reason="revoked",
                deleted_at=at,
                removed={name: count for name, count in removed.items() if count},
            )
        )
