"""What was sent held against what was stored: the account of one stream, which has to balance exactly.

The truth tells, for each leg, which packets Zoom captured: *sent* on some connection, *lost* before it or in a
connection that led nowhere, *expired* in Zoom's buffer. A packet that was sent into a connection which died before
we had read it counts as sent. The daemon tells how many packets it placed and decoded, and which gaps it found.

    (sent + lost + expired) packets = decoded packets + gaps          in samples, with nothing left over
    end of the leg − begin of the leg = decoded + gaps + stretches in which the leg sent nothing

The first line says that nothing is missing without a gap, and that nothing was made up; the second that everything
lies at its place on the axis. It is about the time between a leg's first and last packet that came; gaps before it
and after it count in the first alone. What was sent and not decoded (it died with its connection) lies in a gap by
the same equation.

Events, transcripts and chat are not sent again when their connection dies: where none did, they must be the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from zccvoice.rtms.enums import EventType, Product
from zccvoice.rtms.media import MIX
from zccvoice.simulator.mixing import MIX as ZOOMS_MIX
from zccvoice.simulator.truth import CallTruth, EventTruth, TrackTruth
from zccvoice.store.facts import (
    CallEventSeen,
    ChatWritten,
    Fact,
    GapFound,
    StreamClosed,
    TrackClosed,
    ZoomTranscribed,
)

SAMPLES_PER_MS = 16


@dataclass(slots=True)
class Account:
    """One stream, or several."""

    sent: int = 0
    """Samples at 16 kHz, all tracks; the others as well."""
    missing: int = 0
    """Lost or expired, as far as Zoom knows."""
    decoded: int = 0
    gaps: Counter[str] = field(default_factory=Counter)
    """By cause."""
    texts_sent: int = 0
    """Events, transcripts and chat messages."""
    texts_received: int = 0
    end_causes: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    """What does not balance, in words."""

    def add(self, other: Account) -> None:
        """Sum up."""
        self.sent += other.sent
        self.missing += other.missing
        self.decoded += other.decoded
        self.gaps.update(other.gaps)
        self.texts_sent += other.texts_sent
        self.texts_received += other.texts_received
        self.end_causes.update(other.end_causes)
        self.problems += other.problems


def account_of(truth: CallTruth, facts: Sequence[Fact]) -> Account:
    """The account of one stream.

    Args:
        truth: what was sent of it.
        facts: what was stored of it.
    """
    account = Account()
    for track in truth.tracks:
        _balance_track(account, truth, track, facts)
    closed = {fact for fact in facts if isinstance(fact, StreamClosed)}
    account.end_causes.update(fact.end_reason for fact in closed)
    if len(closed) != 1:
        account.problems.append(f"{truth.stream_id}: expected one end, got {len(closed)}")
    _compare_texts(account, truth, facts)
    return account


def _balance_track(account: Account, truth: CallTruth, track: TrackTruth, facts: Sequence[Fact]) -> None:
    channel_id = MIX if track.channel_id == ZOOMS_MIX else track.channel_id
    step = truth.send_rate_ms * SAMPLES_PER_MS
    closed = {fact for fact in facts if isinstance(fact, TrackClosed) and fact.channel_id == channel_id}
    gaps = {fact for fact in facts if isinstance(fact, GapFound) and fact.channel_id == channel_id}
    lengths = [(one.cause, (one.end_timestamp_ms - one.start_timestamp_ms) * SAMPLES_PER_MS) for one in gaps]
    sent = track.packets_sent_count * step
    missing = (track.packets_lost_count + track.packets_expired_count) * step
    decoded = sum(fact.packets for fact in closed) * step
    missed = sum(length for _, length in lengths)
    account.sent += sent
    account.missing += missing
    account.decoded += decoded
    for cause, length in lengths:
        account.gaps[cause] += length
    where = f"{truth.stream_id} {channel_id}"
    if len(closed) != (1 if sent else 0):
        account.problems.append(f"{where}: expected its end once, got {len(closed)}")
    if sent + missing != decoded + missed:
        account.problems.append(
            f"{where}: sent {sent} + missing {missing} != decoded {decoded} + gaps {missed}"
        )
    for end in closed:
        begin_ms = end.first_timestamp_ms - truth.first_packet_timestamp_ms
        end_ms = end.last_timestamp_ms - truth.first_packet_timestamp_ms
        silent = (
            sum(max(0, min(one.end_ms, end_ms) - max(one.start_ms, begin_ms)) for one in _held(truth, track))
            * SAMPLES_PER_MS
        )
        inside = sum(_common_ms(one, end) for one in gaps) * SAMPLES_PER_MS
        if (end_ms - begin_ms) * SAMPLES_PER_MS != decoded + inside + silent:
            account.problems.append(
                f"{where}: {end_ms - begin_ms} ms long, but decoded {decoded} + gaps {inside} + silent {silent}"
            )


def _common_ms(gap: GapFound, track: TrackClosed) -> int:
    end_ms = min(gap.end_timestamp_ms, track.last_timestamp_ms)
    return max(0, end_ms - max(gap.start_timestamp_ms, track.first_timestamp_ms))


def _held(truth: CallTruth, track: TrackTruth) -> list[_Silence]:
    """Stretches of whole packets in which the leg sent nothing."""
    step = truth.send_rate_ms
    return [_Silence(-(-one.start_ms // step) * step, -(-one.end_ms // step) * step) for one in track.held]


@dataclass(frozen=True, slots=True)
class _Silence:
    start_ms: int
    end_ms: int


def _compare_texts(account: Account, truth: CallTruth, facts: Sequence[Fact]) -> None:
    zero = truth.first_packet_timestamp_ms
    events = {(*_as_told(one, truth.product), zero + one.at_ms) for one in truth.events}
    names = {name for name, *_ in events}
    # A fact is stored once, however often it is told.
    told = {
        *events,
        *(("transcript", one.channel_id, zero + one.start_ms) for one in truth.transcripts),
        *(("chat", one.channel_id, zero + one.at_ms) for one in truth.chat),
    }
    found: set[tuple[str, str | None, int]] = set()
    for fact in facts:
        match fact:
            case CallEventSeen() if fact.name in names:
                found.add((fact.name, fact.channel_id, fact.timestamp_ms))
            case ZoomTranscribed():
                found.add(("transcript", fact.channel_id, fact.start_timestamp_ms))
            case ChatWritten():
                found.add(("chat", fact.sender_id, fact.timestamp_ms))
    account.texts_sent += len(told)
    account.texts_received += len(found & told)
    if made_up := {one for one in found - told if not _was_there_before(one)}:
        account.problems.append(f"{truth.stream_id}: never sent: {sorted(map(str, made_up))}")
    if told - found and not _lost_a_connection(truth):
        account.problems.append(f"{truth.stream_id}: not received: {sorted(map(str, told - found))}")


def _as_told(event: EventTruth, product: str) -> tuple[str, str | None]:
    """Its name and whom it is about: an event of a phone call is told by its number, and of nobody."""
    if product == Product.PHONE:
        return f"phone_event_{EventType[event.name.upper()].value}", None
    return event.name, event.channel_id


def _was_there_before(text: tuple[str, str | None, int]) -> bool:
    """Who had joined before the client subscribed is told with the time of the telling."""
    return text[0] in ("participant_join", f"phone_event_{EventType.PARTICIPANT_JOIN.value}")


def _lost_a_connection(truth: CallTruth) -> bool:
    return truth.interruptions_count > 0 or any(not one.ended.endswith("1000") for one in truth.connections)
