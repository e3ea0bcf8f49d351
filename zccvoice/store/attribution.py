"""Utterances of mixed tracks learn who spoke: from what is stored of Zoom's active-speaker events.

Made of stored rows alone, and made again whenever a fact bears upon it: an event may come long after the
utterance, or before it, or twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, bindparam, func, select, update

from zccvoice.analytics.attribution import (
    LATENCY_MS,
    SPEAKER_NAMED,
    SPEAKER_UNKNOWN,
    ActiveSpeakers,
    Naming,
)
from zccvoice.analytics.record import Span
from zccvoice.rtms.media import MIX
from zccvoice.store.facts import CallEventSeen, Fact, UtteranceHeard
from zccvoice.store.schema import table_of
from zccvoice.store.tables import CallEvent, Engagement, Stream, Utterance
from zccvoice.store.upsert import call_date_of, epoch_ms, moment_of, sane_ms, storable

_EVENTS = (SPEAKER_NAMED, SPEAKER_UNKNOWN)
_utterances = table_of(Utterance)
_KEY = tuple(column.name for column in _utterances.primary_key)
_ATTRIBUTE = (
    update(_utterances)
    .where(*(_utterances.c[name] == bindparam(f"its_{name}") for name in _KEY))
    .values(speaker_channel_id=bindparam("speaker"))
)


def attribute(connection: Connection, facts: Sequence[Fact], zeros: Mapping[str, int]) -> None:
    """Attribute what these facts, just written, bear upon.

    Args:
        connection: in the transaction that wrote them.
        facts: all of them.
        zeros: zeros of the engagements' clocks, epoch milliseconds.
    """
    since: dict[tuple[str, str], int] = {}
    for fact in facts:
        match fact:
            case UtteranceHeard(channel_id=channel_id) if channel_id == MIX:
                from_ms = sane_ms(fact.start_timestamp_ms)
            case CallEventSeen(name=name) if name in _EVENTS:
                from_ms = sane_ms(fact.timestamp_ms) - LATENCY_MS
            case _:
                continue
        stream = fact.engagement_id, fact.stream_id
        since[stream] = min(from_ms, since.get(stream, from_ms))
    for (engagement_id, stream_id), from_ms in sorted(since.items()):
        _attribute_stream(connection, stream_id, zeros[engagement_id], from_ms)


def attribute_call(connection: Connection, engagement_id: str) -> bool:
    """Attribute every utterance of a stored call anew; False when nothing changed."""
    query = (
        select(Stream.stream_id, Engagement.clock_zero_ms)
        .join(Engagement, Engagement.engagement_id == Stream.engagement_id)
        .where(Stream.engagement_id == storable(engagement_id), Engagement.clock_zero_ms.is_not(None))
        .order_by(Stream.stream_id)
    )
    changed = [
        _attribute_stream(connection, row.stream_id, row.clock_zero_ms, 0)
        for row in connection.execute(query)
    ]
    return any(changed)


def _attribute_stream(connection: Connection, stream_id: str, zero_ms: int, from_ms: int) -> bool:
    """Those that end after a moment, epoch milliseconds; False when nothing changed."""
    query = (
        select(*(_utterances.c[name] for name in (*_KEY, "end_ms", "speaker_channel_id")))
        .where(
            _utterances.c.stream_id == storable(stream_id),
            _utterances.c.channel_id == MIX,
            _utterances.c.call_date == call_date_of(zero_ms),
            _utterances.c.end_ms > from_ms - zero_ms,
        )
        .order_by(_utterances.c.start_ms)
    )
    rows = connection.execute(query).all()
    if not rows:
        return False
    speakers = ActiveSpeakers(_namings(connection, stream_id, zero_ms, rows[0].start_ms))
    told = [(row, speakers.speaker_of(Span(row.start_ms, row.end_ms))) for row in rows]
    changed = [
        {**{f"its_{name}": getattr(row, name) for name in _KEY}, "speaker": speaker}
        for row, speaker in told
        if speaker != row.speaker_channel_id
    ]
    if changed:
        connection.execute(_ATTRIBUTE, changed)
    return bool(changed)


def _namings(connection: Connection, stream_id: str, zero_ms: int, from_ms: int) -> list[Naming]:
    """What was told from the last naming before a moment on; all on the engagement's clock."""
    of_stream = CallEvent.stream_id == storable(stream_id), CallEvent.name.in_(_EVENTS)
    moment = moment_of(zero_ms + from_ms)
    last = select(func.max(CallEvent.occurred_at)).where(*of_stream, CallEvent.occurred_at <= moment)
    query = select(CallEvent.occurred_at, CallEvent.name, CallEvent.channel_id).where(
        *of_stream, CallEvent.occurred_at >= func.coalesce(last.scalar_subquery(), moment)
    )
    return [
        Naming(
            epoch_ms(row.occurred_at) - zero_ms,
            (row.channel_id or None) if row.name == SPEAKER_NAMED else None,
        )
        for row in connection.execute(query)
    ]
