"""Writing facts, so that saying the same twice, in pieces or from two writers changes nothing.

Tables are written in one order (engagement, stream, participant, the rest), so that two writers wait for one
another instead of deadlocking; see `upsert` for the rest of it. Parents are stated with every batch: a fact may
come before, or without, the one that opened its stream.

Facts have Zoom's epoch milliseconds, rows have milliseconds on the engagement's clock. Its zero is set once
and never moved, because it is part of the keys.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, func, select, update

from zccvoice.analytics.record import Side
from zccvoice.store import removals
from zccvoice.store.attribution import attribute
from zccvoice.store.facts import (
    CallEventSeen,
    ChatWritten,
    ClockStarted,
    Fact,
    GapFound,
    LanguagePinned,
    OneWayFound,
    ParticipantSeen,
    StreamClosed,
    StreamOpened,
    StreamRestated,
    TrackClosed,
    UtteranceHeard,
    ZoomTranscribed,
)
from zccvoice.store.language_tables import LanguagePinTable
from zccvoice.store.people_tables import Agent, Queue
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
from zccvoice.store.text_tables import ChatMessage, ZoomTranscript
from zccvoice.store.upsert import (
    Merge,
    Row,
    Upsert,
    call_date_of,
    earliest_of,
    keep_first,
    keep_last,
    latest_of,
    moment_of,
    replace,
    sane_ms,
    storable,
    upsert,
    write_rows,
)

_QUIETEST_DBFS = -120.0


_ENGAGEMENT: dict[str, Merge] = {
    "product": keep_first,
    "account_id": keep_first,
    "queue_id": keep_last,
    "queue_name": keep_last,
    "clock_zero_ms": keep_first,
    "started_at": earliest_of,
    "ended_at": latest_of,
    "language": keep_last,
    "language_source": keep_last,
}
_STREAM: dict[str, Merge] = {
    "started_at": earliest_of,
    "first_packet_ms": keep_first,
    "ended_at": latest_of,
    "end_reason": keep_last,
    "detail": keep_last,
}
_PARTICIPANT = dict.fromkeys(
    ("side", "user_id", "display_name", "queue_id", "queue_name", "phone_hash", "phone_last4"), keep_last
)
_UTTERANCE = (
    "end_ms",
    "text",
    "word_texts",
    "word_start_ms",
    "word_end_ms",
    "word_probability",
    "language",
    "confidence",
    "loudness_dbfs",
    "clipped_ratio",
    "loudness_by_second",
    "sentiment",
    "model",
    "verdict",
    "refused_text",
)
_TRACK = (
    "start_ms",
    "end_ms",
    "packets_count",
    "lost_packets_count",
    "duplicate_packets_count",
    "reordered_packets_count",
    "noise_dbfs",
    "speech_dbfs",
    "clipped_ratio",
    "jitter_ms",
    "leakage_channel_id",
    "leakage_delay_ms",
    "leakage_gain_db",
    "leakage_correlation",
)


_UPSERT_ENGAGEMENT = upsert(table_of(Engagement), _ENGAGEMENT)
_UPSERT_STREAM = upsert(table_of(Stream), _STREAM)
_UPSERT_QUEUE = upsert(table_of(Queue), {"queue_name": keep_last})
_UPSERT_AGENT = upsert(table_of(Agent), {"display_name": keep_last})
_UPSERTS: dict[type[Fact], Upsert] = {
    ParticipantSeen: upsert(table_of(Participant), _PARTICIPANT),
    LanguagePinned: upsert(
        table_of(LanguagePinTable),
        dict.fromkeys(("language", "source", "confidence", "since_ms"), replace),
    ),
    CallEventSeen: upsert(table_of(CallEvent), {"detail": keep_last}),
    UtteranceHeard: upsert(table_of(Utterance), dict.fromkeys(_UTTERANCE, replace)),
    ZoomTranscribed: upsert(table_of(ZoomTranscript), dict.fromkeys(("end_ms", "text", "language"), replace)),
    ChatWritten: upsert(
        table_of(ChatMessage),
        {"sent_at": replace, "text": replace} | dict.fromkeys(("sender_id", "sender_name"), keep_last),
    ),
    GapFound: upsert(table_of(Gap), dict.fromkeys(("end_ms", "cause"), replace)),
    TrackClosed: upsert(table_of(Track), dict.fromkeys(_TRACK, replace)),
    OneWayFound: upsert(table_of(OneWayAudio), {"end_ms": replace}),
}
"""Facts with a table of their own, in the order in which the tables are written."""


def apply(connection: Connection, facts: Sequence[Fact]) -> None:
    """Write facts, in the caller's transaction. Facts of one stream should come in the order they happened.

    Nothing is written of a stream that was revoked or erased; a `StreamRevoked` among the facts deletes it.

    Where two facts contradict one another: the first clock, product and account stay, the last name, side,
    queue, language, end reason and transcript win, the earliest start and the latest end win. None never
    replaces anything but a transcript.
    """
    facts = removals.living(connection, facts)
    if not facts:
        return
    write_rows(connection, _UPSERT_ENGAGEMENT, _engagement_rows(facts))
    zeros = _clock_zeros(connection, {fact.engagement_id for fact in facts})
    write_rows(connection, _UPSERT_STREAM, _stream_rows(facts, zeros))
    _reopen(connection, facts)
    for kind, statement in _UPSERTS.items():
        rows = [_row(fact, zeros[fact.engagement_id]) for fact in facts if isinstance(fact, kind)]
        write_rows(connection, statement, rows)
    _write_people(connection, facts)
    attribute(connection, facts, zeros)
    for fact in facts:
        if isinstance(fact, StreamRestated):
            removals.forget_stale(connection, fact, zeros[fact.engagement_id])


def _write_people(connection: Connection, facts: Iterable[Fact]) -> None:
    """Queues and agents of the engagements in which somebody was seen; the last name counts.

    From the stored participants, because a fact may tell the name and a later one the side.
    """
    seen = sorted({storable(fact.engagement_id) for fact in facts if isinstance(fact, ParticipantSeen)})
    if not seen:
        return
    query = select(Participant.__table__).where(Participant.engagement_id.in_(seen))
    participants = connection.execute(query).all()
    queues = [
        {"queue_id": one.queue_id, "queue_name": one.queue_name}
        for one in participants
        if one.queue_id is not None
    ]
    agents = [
        {"user_id": one.user_id, "display_name": one.display_name}
        for one in participants
        if one.user_id is not None and one.side == Side.AGENT
    ]
    write_rows(connection, _UPSERT_QUEUE, queues)
    write_rows(connection, _UPSERT_AGENT, agents)


def _engagement_rows(facts: Iterable[Fact]) -> list[Row]:
    rows: list[Row] = []
    earliest: dict[str, int | None] = {}
    for fact in facts:
        row: Row = {}
        match fact:
            case StreamOpened():
                row = {"product": fact.product, "account_id": fact.account_id, "started_at": fact.started_at}
            case ClockStarted():
                row = {"clock_zero_ms": sane_ms(fact.timestamp_ms)}
            case LanguagePinned() if fact.is_of_call:
                row = {"language": fact.language, "language_source": fact.source}
            case ParticipantSeen():
                row = {"queue_id": fact.queue_id, "queue_name": fact.queue_name}
            case StreamClosed():
                row = {"ended_at": fact.ended_at}
        if any(value is not None for value in row.values()):
            rows.append({"engagement_id": fact.engagement_id, **row})
        heard = _first_heard_ms(fact)
        known = earliest.get(fact.engagement_id)
        earliest[fact.engagement_id] = (
            heard if known is None else min(known, known if heard is None else heard)
        )
    # Last, so that it counts only where no clock was ever started: what was heard has to be kept all the same.
    rows.extend({"engagement_id": key, "clock_zero_ms": heard} for key, heard in earliest.items())
    return rows


def _first_heard_ms(fact: Fact) -> int | None:
    match fact:
        case UtteranceHeard() | GapFound() | ZoomTranscribed():
            return sane_ms(fact.start_timestamp_ms)
        case TrackClosed():
            return sane_ms(fact.first_timestamp_ms)
    return None


def _clock_zeros(connection: Connection, engagement_ids: set[str]) -> dict[str, int]:
    """Zeros of the clocks, which the upsert before has locked: nobody sets another one meanwhile."""
    stored = {engagement_id: storable(engagement_id) for engagement_id in engagement_ids}
    query = select(Engagement.engagement_id, Engagement.clock_zero_ms).where(
        Engagement.engagement_id.in_(sorted(stored.values()))
    )
    found = {row.engagement_id: row.clock_zero_ms for row in connection.execute(query)}
    return {engagement_id: found[key] or 0 for engagement_id, key in stored.items()}


def _stream_rows(facts: Iterable[Fact], zeros: dict[str, int]) -> list[Row]:
    rows: list[Row] = []
    stated: set[str] = set()
    for fact in facts:
        row: Row = {}
        match fact:
            case StreamOpened():
                row = {"started_at": fact.started_at}
            case ClockStarted():
                row = {"first_packet_ms": sane_ms(fact.timestamp_ms) - zeros[fact.engagement_id]}
            case StreamClosed():
                row = {"ended_at": fact.ended_at, "end_reason": fact.end_reason, "detail": fact.detail}
        if row or fact.stream_id not in stated:
            rows.append({"stream_id": fact.stream_id, "engagement_id": fact.engagement_id, **row})
            stated.add(fact.stream_id)
    return rows


def _reopen(connection: Connection, facts: Iterable[Fact]) -> None:
    """Streams that were taken up again have no end, unless one was told after that."""
    resumed: dict[str, str] = {}
    for fact in facts:
        match fact:
            case StreamOpened() if fact.resumed_at is not None:
                resumed[storable(fact.stream_id)] = storable(fact.engagement_id)
            case StreamClosed():
                resumed.pop(storable(fact.stream_id), None)
    if not resumed:
        return
    streams, engagements = table_of(Stream), table_of(Engagement)
    unended = dict.fromkeys(("ended_at", "end_reason", "detail"))
    connection.execute(update(streams).where(streams.c.stream_id.in_(sorted(resumed))).values(unended))
    last = select(func.max(streams.c.ended_at)).where(streams.c.engagement_id == engagements.c.engagement_id)
    of_them = engagements.c.engagement_id.in_(sorted(set(resumed.values())))
    connection.execute(update(engagements).where(of_them).values(ended_at=last.scalar_subquery()))


def _row(fact: Fact, zero: int) -> Row:
    """The fact's row in its own table, on a clock with that zero."""
    row: Row = {"engagement_id": fact.engagement_id, "stream_id": fact.stream_id}
    match fact:
        case ParticipantSeen():
            row |= {name: getattr(fact, name) for name in ("channel_id", *_PARTICIPANT)}
        case LanguagePinned():
            since_ms = fact.since_timestamp_ms
            row |= {name: getattr(fact, name) for name in ("number", "language", "source", "confidence")}
            row |= {
                "channel_id": fact.channel_id or "",
                "since_ms": None if since_ms is None else sane_ms(since_ms) - zero,
            }
        case CallEventSeen():
            occurred_at = moment_of(sane_ms(fact.timestamp_ms))
            row |= {"name": fact.name, "occurred_at": occurred_at, "channel_id": fact.channel_id or ""}
            row["detail"] = fact.detail
        case UtteranceHeard():
            row |= {name: getattr(fact, name) for name in ("channel_id", *_UTTERANCE) if hasattr(fact, name)}
            row |= {
                "start_ms": sane_ms(fact.start_timestamp_ms) - zero,
                "end_ms": sane_ms(fact.end_timestamp_ms) - zero,
                "call_date": call_date_of(zero),
                "loudness_by_second": [max(_QUIETEST_DBFS, one) for one in fact.loudness_by_second],
                "word_texts": [word.text for word in fact.words],
                "word_start_ms": [word.start_ms for word in fact.words],
                "word_end_ms": [word.end_ms for word in fact.words],
                "word_probability": [
                    word.probability if word.probability is None or math.isfinite(word.probability) else 0.0
                    for word in fact.words
                ],
            }
        case ZoomTranscribed():
            ended_ms = fact.end_timestamp_ms
            row |= {
                "channel_id": fact.channel_id,
                "start_ms": sane_ms(fact.start_timestamp_ms) - zero,
                "end_ms": None if ended_ms is None else sane_ms(ended_ms) - zero,
                "text": fact.text,
                "language": fact.language,
            }
        case ChatWritten():
            row |= {name: getattr(fact, name) for name in ("message_id", "text", "sender_id", "sender_name")}
            row["sent_at"] = moment_of(sane_ms(fact.timestamp_ms))
        case GapFound():
            row |= {
                "channel_id": fact.channel_id,
                "start_ms": sane_ms(fact.start_timestamp_ms) - zero,
                "end_ms": sane_ms(fact.end_timestamp_ms) - zero,
                "cause": fact.cause,
            }
        case TrackClosed():
            row |= {
                "channel_id": fact.channel_id,
                "start_ms": sane_ms(fact.first_timestamp_ms) - zero,
                "end_ms": sane_ms(fact.last_timestamp_ms) - zero,
                "packets_count": fact.packets,
                "lost_packets_count": fact.lost_packets,
                "duplicate_packets_count": fact.duplicate_packets,
                "reordered_packets_count": fact.reordered_packets,
                "noise_dbfs": fact.noise_dbfs,
                "speech_dbfs": fact.speech_dbfs,
                "clipped_ratio": fact.clipped_ratio,
                "jitter_ms": fact.jitter_ms,
                "leakage_channel_id": fact.leakage.channel_id if fact.leakage else None,
                "leakage_delay_ms": fact.leakage.delay_ms if fact.leakage else None,
                "leakage_gain_db": fact.leakage.gain_db if fact.leakage else None,
                "leakage_correlation": fact.leakage.correlation if fact.leakage else None,
            }
        case OneWayFound():
            row |= {
                "channel_id": fact.channel_id,
                "start_ms": sane_ms(fact.start_timestamp_ms) - zero,
                "end_ms": sane_ms(fact.end_timestamp_ms) - zero,
            }
    return row
