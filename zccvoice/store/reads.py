"""What analytics and reports ask of the store. Values, never rows of the database's library.

Times in milliseconds are on the engagement's clock; datetimes are aware, UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, select

from zccvoice.analytics.record import (
    AudioGap,
    CallEvent,
    CallRecord,
    Side,
    Span,
    SpokenUtterance,
    TrackSound,
)
from zccvoice.analytics.roles import with_roles
from zccvoice.analytics.scorecard import Scorecard
from zccvoice.analytics.thresholds import DEFAULTS, Thresholds
from zccvoice.rtms.media import MIX
from zccvoice.store import schema, tables
from zccvoice.store.facts import StoredWord
from zccvoice.store.measure_tables import MetricThresholds, scorecard_table
from zccvoice.store.tables import Engagement, Gap, Participant, Stream, Track, Utterance
from zccvoice.store.upsert import epoch_ms
from zccvoice.store.word_places import word_places

_BY_THE_CLOCK = frozenset({"stored_at", "computed_at", "refreshed_at", "matched_at", "lags_ms"})


@dataclass(frozen=True, slots=True)
class CallRow:
    """One call with its measures."""

    engagement_id: str
    product: str | None
    account_id: str | None
    queue_id: str | None
    queue_name: str | None
    agent_name: str | None
    """Names of all agents on it, in alphabetical order."""
    started_at: datetime | None
    ended_at: datetime | None
    """End of the last of its streams that ended."""
    end_reason: str | None
    """How its streams ended, Zoom's reasons and ours, in alphabetical order; None while none has."""
    language: str | None
    language_source: str | None
    scorecard: Scorecard | None
    """None until it has been computed."""
    computed_at: datetime | None
    """When the scorecard was computed."""


@dataclass(frozen=True, slots=True)
class UtteranceRow:
    """One utterance of a call."""

    stream_id: str
    channel_id: str
    side: Side | None
    """Of whoever spoke."""
    display_name: str | None
    """Of whoever spoke."""
    start_ms: int
    end_ms: int
    text: str | None
    """The transcript, also where the verdict is not ``kept``."""
    words: tuple[StoredWord, ...]
    language: str | None
    confidence: float | None
    loudness_dbfs: float | None
    clipped_ratio: float | None
    model: str | None
    verdict: str
    loudness_by_second: tuple[float, ...] = ()
    """RMS level of each second from its start, dBFS; the last may be shorter."""
    sentiment: float | None = None
    """Score of its words, −1…+1."""
    speaker_channel_id: str | None = None
    """Of a mixed track: the participant who spoke, where that is certain; see `analytics.attribution`."""


@dataclass(frozen=True, slots=True)
class UnfinishedStream:
    """A stream whose end was never stored."""

    engagement_id: str
    stream_id: str
    started_at: datetime | None


def calls(
    connection: Connection,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int | None = None,
) -> list[CallRow]:
    """Calls that started in ``[since, until)``, the newest first."""
    query = _calls().order_by(Engagement.started_at.desc().nulls_last(), Engagement.engagement_id)
    if since is not None:
        query = query.where(Engagement.started_at >= since)
    if until is not None:
        query = query.where(Engagement.started_at < until)
    return [_call_row(row) for row in connection.execute(query.limit(limit))]


def call(connection: Connection, engagement_id: str) -> CallRow | None:
    """One call; None if nothing is known of it."""
    row = connection.execute(_calls().where(Engagement.engagement_id == engagement_id)).one_or_none()
    return None if row is None else _call_row(row)


def thresholds(connection: Connection, engagement_id: str) -> Thresholds:
    """Those that a call was measured with; the shipped ones as far as none are noted."""
    noted = connection.scalar(
        select(MetricThresholds.thresholds)
        .join(scorecard_table, scorecard_table.c.thresholds_version == MetricThresholds.version)
        .where(scorecard_table.c.engagement_id == engagement_id)
    )
    known = asdict(DEFAULTS)
    return replace(DEFAULTS, **{name: value for name, value in (noted or {}).items() if name in known})


def utterances(connection: Connection, engagement_id: str) -> list[UtteranceRow]:
    """All utterances of a call in time order, whatever their verdict."""
    return [
        UtteranceRow(
            stream_id=row.stream_id,
            channel_id=row.channel_id,
            side=_side(row.side),
            display_name=row.display_name,
            start_ms=row.start_ms,
            end_ms=row.end_ms,
            text=row.text,
            words=tuple(
                map(StoredWord, row.word_texts, row.word_start_ms, row.word_end_ms, row.word_probability)
            ),
            language=row.language,
            confidence=row.confidence,
            loudness_dbfs=row.loudness_dbfs,
            clipped_ratio=row.clipped_ratio,
            model=row.model,
            verdict=row.verdict,
            loudness_by_second=tuple(row.loudness_by_second),
            sentiment=row.sentiment,
            speaker_channel_id=row.speaker_channel_id,
        )
        for row in connection.execute(_of_call(Utterance, engagement_id))
    ]


def unfinished_streams(connection: Connection) -> list[UnfinishedStream]:
    """Streams that are open, or were when their daemon went: the oldest first."""
    query = (
        select(Stream.engagement_id, Stream.stream_id, Stream.started_at)
        .where(Stream.ended_at.is_(None))
        .order_by(Stream.started_at, Stream.stream_id)
    )
    return [UnfinishedStream(*row) for row in connection.execute(query)]


def is_running(connection: Connection, engagement_id: str) -> bool:
    """Whether a stream of an engagement has not ended."""
    query = select(Stream.stream_id).where(Stream.engagement_id == engagement_id, Stream.ended_at.is_(None))
    return connection.scalar(query.limit(1)) is not None


def call_record(connection: Connection, engagement_id: str) -> CallRecord:
    """Everything stored about an engagement, as `analytics` wants it; empty if nothing is known of it.

    A stream counts from its first packet to its end (or to the last thing heard of it while it is open), and
    not at all if no packet came. Sides are those known now; `with_roles` tells where one changes. Several
    statements are used: in a transaction that is REPEATABLE READ they see one moment, otherwise a call that is
    going on may be seen a little unevenly.
    """
    engagement = connection.execute(
        select(Engagement.clock_zero_ms, Engagement.language, Engagement.language_source).where(
            Engagement.engagement_id == engagement_id
        )
    ).one_or_none()
    zero_ms = 0 if engagement is None else engagement.clock_zero_ms or 0
    heard = tuple(
        SpokenUtterance(
            # Of a mixed track a side's measures would lack what is nobody's, and what was said at the same time.
            side=None if row.channel_id == MIX else row.side,
            channel_id=row.channel_id,
            start_ms=row.start_ms,
            end_ms=row.end_ms,
            text=counted_text(row.text, row.verdict),
            confidence=row.confidence,
            loudness_dbfs=row.loudness_dbfs,
            clipped_ratio=row.clipped_ratio,
            word_spans=word_spans_of(row),
            sentiment=row.sentiment,
            language=row.language,
        )
        for row in utterances(connection, engagement_id)
    )
    record = CallRecord(
        engagement_id=engagement_id,
        streams=_stream_spans(connection, engagement_id, zero_ms),
        utterances=heard,
        tracks=_tracks(connection, engagement_id),
        gaps=_gaps(connection, engagement_id),
        events=_events(connection, engagement_id, zero_ms),
        language=None if engagement is None else engagement.language,
        language_source=None if engagement is None else engagement.language_source,
    )
    return with_roles(record)


def word_spans_of(row: UtteranceRow) -> tuple[Span, ...]:
    """One for each word of the text between spaces; none where the recognizer told no times, or of other words."""
    tokens = (row.text or "").split()
    if len(row.words) == len(tokens):
        spoken = [[word] for word in row.words]
    else:
        spoken = _words_by_token(tokens, row.words)
    return tuple(Span(row.start_ms + words[0].start_ms, row.start_ms + words[-1].end_ms) for words in spoken)


def _words_by_token(tokens: Sequence[str], words: Sequence[StoredWord]) -> list[list[StoredWord]]:
    """The words that each token has letters of; empty unless every token has some."""
    places = word_places(" ".join(tokens), words)
    if places is None:
        return []
    found: list[list[StoredWord]] = []
    begin = first = 0
    for token in tokens:
        end = begin + len(token)
        while first < len(words) and places[first].stop <= begin:
            first += 1
        last = first
        while last < len(words) and places[last].start < end:
            last += 1
        if first == last:
            return []
        found.append(list(words[first:last]))
        begin = end + 1
    return found


def _calls() -> Select[Any]:
    agents = (
        select(func.string_agg(Participant.display_name.distinct(), ", "))
        .where(Participant.engagement_id == Engagement.engagement_id, Participant.side == Side.AGENT)
        .scalar_subquery()
    )
    ends = (
        select(func.string_agg(Stream.end_reason.distinct(), ", "))
        .where(Stream.engagement_id == Engagement.engagement_id)
        .scalar_subquery()
    )
    # The scorecard's language is left out: the engagement has it before there is a scorecard.
    measures = [column.label(f"scorecard_{column.name}") for column in scorecard_table.columns]
    of_call = scorecard_table.c.engagement_id == Engagement.engagement_id
    return (
        select(Engagement.__table__, agents.label("agent_name"), ends.label("end_reason"), *measures)
        .select_from(Engagement)
        .join(scorecard_table, of_call, isouter=True)
    )


def _call_row(row: Row[Any]) -> CallRow:
    values = row._mapping
    scorecard = None
    if row.scorecard_engagement_id is not None:
        scorecard = Scorecard(
            **{field.name: values[f"scorecard_{field.name}"] for field in fields(Scorecard)}
        )
    own = {field.name: values[field.name] for field in fields(CallRow) if field.name in values}
    return CallRow(**own, scorecard=scorecard, computed_at=row.scorecard_computed_at)


def _stream_spans(connection: Connection, engagement_id: str, zero_ms: int) -> tuple[Span, ...]:
    def last(column: Any, table: Any) -> Any:
        return select(func.max(column)).where(table.stream_id == Stream.stream_id).scalar_subquery()

    query = (
        select(
            Stream.first_packet_ms,
            Stream.ended_at,
            # Its end by our clock may lie before its last packet by Zoom's.
            func.greatest(
                last(Track.end_ms, Track), last(Utterance.end_ms, Utterance), last(Gap.end_ms, Gap)
            ).label("last_ms"),
        )
        .where(Stream.engagement_id == engagement_id, Stream.first_packet_ms.is_not(None))
        .order_by(Stream.first_packet_ms)
    )
    spans = []
    for row in connection.execute(query):
        ended_ms = row.first_packet_ms if row.ended_at is None else epoch_ms(row.ended_at) - zero_ms
        spans.append(Span(row.first_packet_ms, max(row.first_packet_ms, ended_ms, row.last_ms or 0)))
    return tuple(spans)


def _events(connection: Connection, engagement_id: str, zero_ms: int) -> tuple[CallEvent, ...]:
    event = tables.CallEvent
    query = (
        select(event.name, event.occurred_at, event.channel_id)
        .distinct()  # each stream of the engagement may tell of the same event
        .where(event.engagement_id == engagement_id)
        .order_by(event.occurred_at, event.name, event.channel_id)
    )
    return tuple(
        CallEvent(row.name, epoch_ms(row.occurred_at) - zero_ms, row.channel_id or None)
        for row in connection.execute(query)
    )


def _tracks(connection: Connection, engagement_id: str) -> tuple[TrackSound, ...]:
    return tuple(
        TrackSound(
            side=_side(row.side),
            channel_id=row.channel_id,
            open_span=Span(row.start_ms, row.end_ms),
            lost_packets=row.lost_packets_count,
            duplicate_packets=row.duplicate_packets_count,
            reordered_packets=row.reordered_packets_count,
            noise_dbfs=row.noise_dbfs,
        )
        for row in connection.execute(_of_call(Track, engagement_id))
    )


def _gaps(connection: Connection, engagement_id: str) -> tuple[AudioGap, ...]:
    return tuple(
        AudioGap(_side(row.side), row.channel_id, row.start_ms, row.end_ms)
        for row in connection.execute(_of_call(Gap, engagement_id))
    )


def _of_call(table: type[Utterance | Track | Gap], engagement_id: str) -> Select[Any]:
    """What the table has of a call in time order, with whose it is."""
    channel_id = (
        func.coalesce(Utterance.speaker_channel_id, Utterance.channel_id)
        if table is Utterance
        else table.channel_id
    )
    whose = and_(Participant.engagement_id == table.engagement_id, Participant.channel_id == channel_id)
    return (
        select(table.__table__, Participant.side, Participant.display_name)
        .select_from(table)
        .join(Participant, whose, isouter=True)
        .where(table.engagement_id == engagement_id)
        .order_by(table.start_ms, table.channel_id, table.stream_id)
    )


def _side(value: str | None) -> Side | None:
    return None if value is None else Side(value)


def counted_text(text: str | None, verdict: str) -> str | None:
    """What may be counted as said: nothing ("") if no words were heard, unknown (None) if it was refused."""
    if verdict == "empty":
        return ""
    return text if verdict == "kept" else None


def everything(connection: Connection, engagement_id: str) -> dict[str, set[str]]:
    """All rows of an engagement by table, each as text, without what depends on when they were written.

    Two databases that hold the same of a call give the same here.
    """
    return {
        name: {
            repr({key: value for key, value in row._mapping.items() if key not in _BY_THE_CLOCK})
            for row in connection.execute(select(table).where(table.c.engagement_id == engagement_id))
        }
        for name, table in schema.Base.metadata.tables.items()
        if "engagement_id" in table.columns
    }
