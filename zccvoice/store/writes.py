"""Writing facts and scorecards, so that saying the same twice, in pieces or from two writers changes nothing.

Every row has a natural key and every statement is an upsert, run for many rows at once (the driver pipelines
them). Tables are written in one order (engagement, stream, participant, the rest) and rows within a statement
in the order of their keys, so that two writers wait for one another instead of deadlocking. Parents are
stated with every batch: a fact may come before, or without, the one that opened its stream.

Facts have Zoom's epoch milliseconds, rows have milliseconds on the engagement's clock. Its zero is set once
and never moved, because it is part of the keys.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Insert, Table, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from zccvoice.analytics.scorecard import Scorecard
from zccvoice.store.facts import (
    CallEventSeen,
    ClockStarted,
    Fact,
    GapFound,
    LanguagePinned,
    ParticipantSeen,
    StreamClosed,
    StreamOpened,
    TrackClosed,
    UtteranceHeard,
)
from zccvoice.store.measure_tables import scorecard_table
from zccvoice.store.tables import (
    SCHEMA,
    Base,
    CallEvent,
    Engagement,
    Gap,
    Participant,
    Stream,
    Track,
    Utterance,
)

Row = dict[str, Any]
Merge = Callable[[Any, Any], Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = 253_402_300_799_999  # the last millisecond of year 9999: what a datetime can hold


# How an upsert takes the old and the new value of a column together. NULL wins only in _replace.
_earliest: Merge = func.least
_latest: Merge = func.greatest
_keep_first: Merge = func.coalesce


def _keep_last(old: Any, new: Any) -> Any:
    return func.coalesce(new, old)


def _replace(old: Any, new: Any) -> Any:
    return new


@dataclass(frozen=True, slots=True)
class _Upsert:
    statement: Insert
    keys: tuple[str, ...]
    columns: tuple[str, ...]


def _upsert(table: Table, merges: Mapping[str, Merge]) -> _Upsert:
    """INSERT of the keys and the columns named, merged with the row that is there already."""
    keys = tuple(column.name for column in table.primary_key)
    columns = tuple(dict.fromkeys((*keys, "engagement_id", *merges)))
    statement = insert(table).values({name: bindparam(name) for name in columns})
    if not merges:
        return _Upsert(statement.on_conflict_do_nothing(index_elements=keys), keys, columns)
    merged = {name: merge(table.c[name], statement.excluded[name]) for name, merge in merges.items()}
    # A row that would not change is not written anew (it is locked, though, which the clock relies on).
    changes = or_(*(table.c[name].is_distinct_from(value) for name, value in merged.items()))
    statement = statement.on_conflict_do_update(index_elements=keys, set_=merged, where=changes)
    return _Upsert(statement, keys, columns)


_ENGAGEMENT: dict[str, Merge] = {
    "product": _keep_first,
    "account_id": _keep_first,
    "queue_id": _keep_last,
    "queue_name": _keep_last,
    "clock_zero_ms": _keep_first,
    "started_at": _earliest,
    "ended_at": _latest,
    "language": _keep_last,
    "language_source": _keep_last,
}
_STREAM: dict[str, Merge] = {
    "started_at": _earliest,
    "first_packet_ms": _keep_first,
    "ended_at": _latest,
    "end_reason": _keep_last,
    "detail": _keep_last,
}
_PARTICIPANT = dict.fromkeys(("side", "user_id", "display_name", "queue_id", "queue_name"), _keep_last)
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
    "model",
    "verdict",
)
_TRACK = (
    "start_ms",
    "end_ms",
    "packets_count",
    "lost_packets_count",
    "duplicate_packets_count",
    "reordered_packets_count",
    "noise_dbfs",
)
_MEASURES = [column.name for column in scorecard_table.columns if column.name != "engagement_id"]


def _table(kind: type[Base]) -> Table:
    return Base.metadata.tables[f"{SCHEMA}.{kind.__tablename__}"]


_UPSERT_ENGAGEMENT = _upsert(_table(Engagement), _ENGAGEMENT)
_UPSERT_STREAM = _upsert(_table(Stream), _STREAM)
_UPSERT_SCORECARD = _upsert(scorecard_table, dict.fromkeys(_MEASURES, _replace))
_UPSERTS: dict[type[Fact], _Upsert] = {
    ParticipantSeen: _upsert(_table(Participant), _PARTICIPANT),
    CallEventSeen: _upsert(_table(CallEvent), {}),
    UtteranceHeard: _upsert(_table(Utterance), dict.fromkeys(_UTTERANCE, _replace)),
    GapFound: _upsert(_table(Gap), dict.fromkeys(("end_ms", "cause"), _replace)),
    TrackClosed: _upsert(_table(Track), dict.fromkeys(_TRACK, _replace)),
}
"""Facts with a table of their own, in the order in which the tables are written."""


def apply(connection: Connection, facts: Sequence[Fact]) -> None:
    """Write facts, in the caller's transaction. Facts of one stream should come in the order they happened.

    Where two facts contradict one another: the first clock, product and account stay, the last name, side,
    queue, language, end reason and transcript win, the earliest start and the latest end win. None never
    replaces anything but a transcript.
    """
    if not facts:
        return
    _write(connection, _UPSERT_ENGAGEMENT, _engagement_rows(facts))
    zeros = _clock_zeros(connection, {fact.engagement_id for fact in facts})
    _write(connection, _UPSERT_STREAM, _stream_rows(facts, zeros))
    for kind, upsert in _UPSERTS.items():
        rows = [_row(fact, zeros[fact.engagement_id]) for fact in facts if isinstance(fact, kind)]
        _write(connection, upsert, rows)


def put_scorecard(connection: Connection, engagement_id: str, scorecard: Scorecard) -> None:
    """Store the measures of an engagement in place of those it had."""
    _write(connection, _UPSERT_ENGAGEMENT, [{"engagement_id": engagement_id}])
    row = {**asdict(scorecard), "engagement_id": engagement_id, "computed_at": datetime.now(UTC)}
    _write(connection, _UPSERT_SCORECARD, [row])


def _write(connection: Connection, upsert: _Upsert, rows: list[Row]) -> None:
    """Run the upsert for all rows, sorted by key; rows of one key stay in their order."""
    if rows:
        complete = [{name: _storable(row.get(name)) for name in upsert.columns} for row in rows]
        complete.sort(key=lambda row: [row[key] for key in upsert.keys])
        connection.execute(upsert.statement, complete)


def _storable(value: Any) -> Any:
    """The value as Postgres can hold it: no NUL and no half surrogates in text; NULL for what is no number."""
    if isinstance(value, str):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return value


def _engagement_rows(facts: Iterable[Fact]) -> list[Row]:
    rows: list[Row] = []
    earliest: dict[str, int | None] = {}
    for fact in facts:
        row: Row = {}
        match fact:
            case StreamOpened():
                row = {"product": fact.product, "account_id": fact.account_id, "started_at": fact.started_at}
            case ClockStarted():
                row = {"clock_zero_ms": _sane_ms(fact.timestamp_ms)}
            case LanguagePinned():
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
        case UtteranceHeard() | GapFound():
            return _sane_ms(fact.start_timestamp_ms)
        case TrackClosed():
            return _sane_ms(fact.first_timestamp_ms)
    return None


def _clock_zeros(connection: Connection, engagement_ids: set[str]) -> dict[str, int]:
    """Zeros of the clocks, which the upsert before has locked: nobody sets another one meanwhile."""
    stored = {engagement_id: _storable(engagement_id) for engagement_id in engagement_ids}
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
                row = {"first_packet_ms": _sane_ms(fact.timestamp_ms) - zeros[fact.engagement_id]}
            case StreamClosed():
                row = {"ended_at": fact.ended_at, "end_reason": fact.end_reason, "detail": fact.detail}
        if row or fact.stream_id not in stated:
            rows.append({"stream_id": fact.stream_id, "engagement_id": fact.engagement_id, **row})
            stated.add(fact.stream_id)
    return rows


def _row(fact: Fact, zero: int) -> Row:
    """The fact's row in its own table, on a clock with that zero."""
    row: Row = {"engagement_id": fact.engagement_id, "stream_id": fact.stream_id}
    match fact:
        case ParticipantSeen():
            row |= {name: getattr(fact, name) for name in ("channel_id", *_PARTICIPANT)}
        case CallEventSeen():
            occurred_at = _EPOCH + timedelta(milliseconds=_sane_ms(fact.timestamp_ms))
            row |= {"name": fact.name, "occurred_at": occurred_at, "channel_id": fact.channel_id or ""}
        case UtteranceHeard():
            row |= {name: getattr(fact, name) for name in ("channel_id", *_UTTERANCE) if hasattr(fact, name)}
            row |= {
                "start_ms": _sane_ms(fact.start_timestamp_ms) - zero,
                "end_ms": _sane_ms(fact.end_timestamp_ms) - zero,
                "word_texts": [word.text for word in fact.words],
                "word_start_ms": [word.start_ms for word in fact.words],
                "word_end_ms": [word.end_ms for word in fact.words],
                "word_probability": [
                    word.probability if math.isfinite(word.probability) else 0.0 for word in fact.words
                ],
            }
        case GapFound():
            row |= {
                "channel_id": fact.channel_id,
                "start_ms": _sane_ms(fact.start_timestamp_ms) - zero,
                "end_ms": _sane_ms(fact.end_timestamp_ms) - zero,
                "cause": fact.cause,
            }
        case TrackClosed():
            row |= {
                "channel_id": fact.channel_id,
                "start_ms": _sane_ms(fact.first_timestamp_ms) - zero,
                "end_ms": _sane_ms(fact.last_timestamp_ms) - zero,
                "packets_count": fact.packets,
                "lost_packets_count": fact.lost_packets,
                "duplicate_packets_count": fact.duplicate_packets,
                "reordered_packets_count": fact.reordered_packets,
                "noise_dbfs": fact.noise_dbfs,
            }
    return row


def _sane_ms(timestamp_ms: int) -> int:
    """Bounded to what the columns hold: a far end with a broken clock must not make a call unstorable."""
    return min(max(timestamp_ms, 0), _LAST_MS)
