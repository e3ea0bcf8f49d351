"""What the simulator really sent in a call, to hold against what the daemon made of it.

Times are milliseconds from the first packet that Zoom had to send, on its clock: add
`CallTruth.first_packet_timestamp_ms` for epoch milliseconds.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from zccvoice.simulator.scenario import Side


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class UtteranceTruth:
    """One utterance of one side, where it can be heard."""

    side: Side
    channel_id: str
    start_ms: int
    """First audible moment, not counting quiet at the beginning of its sound."""
    end_ms: int
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class TrackTruth:
    """The packets of one leg. A packet sent twice counts once."""

    side: Side | None
    """None of a mix."""
    channel_id: str
    """In all products but Contact Center the number that Zoom calls ``user_id``, 0 of a mix."""
    display_name: str
    packets_sent_count: int
    samples_sent_count: int
    """At `CallTruth.sample_rate_hz`, per channel of the leg."""
    packets_lost_count: int
    """Left out by a fault of the scenario, or sent into a connection that was half-open."""
    packets_expired_count: int
    """Left out because nobody was connected for longer than Zoom buffers (or ``buffer_data`` was false)."""
    packets_repeated_count: int
    packets_swapped_count: int
    lost: tuple[Span, ...]
    """Where those packets are missing, neighbours joined."""
    held: tuple[Span, ...]
    """Where the leg was on hold, or the stream paused, and nothing was sent."""
    expired: tuple[Span, ...] = ()
    """Where the packets that expired are missing."""


@dataclass(frozen=True, slots=True)
class EventTruth:
    """One event that went out on the signaling connection."""

    name: str
    """Zoom's name in lower case, such as ``user_hold``."""
    at_ms: int
    channel_id: str


@dataclass(frozen=True, slots=True)
class TranscriptTruth:
    """One of Zoom's transcripts that went out."""

    channel_id: str
    start_ms: int
    end_ms: int
    text: str
    language: int | None
    """RTMS_TRANSCRIPT_LANGUAGE."""


@dataclass(frozen=True, slots=True)
class ChatTruth:
    """One chat message that went out."""

    channel_id: str
    at_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class ConnectionTruth:
    """One connection of the client whose handshake was accepted."""

    name: str
    """``signaling`` or ``media``."""
    media_types: int
    """Bit mask; 0 of signaling."""
    opened_ms: int
    closed_ms: int
    ended: str
    """By whom and how, such as ``client closed with 1000``, ``client vanished``, ``closed with 1000``,
    ``dropped``, ``reset``."""


@dataclass(frozen=True, slots=True)
class CallTruth:
    """One stream of a call, as it went over the wire. JSON-able, see `to_json`."""

    title: str
    engagement_id: str
    stream_id: str
    queue_id: str
    queue_name: str
    language: str
    first_packet_timestamp_ms: int
    """Epoch milliseconds, also told by event 1, even if that packet got lost; 0 when no client took audio."""
    duration_ms: int
    """From the first packet to the end of the call."""
    burst_ms: int
    """How much of the call came at once at the start."""
    sample_rate_hz: int
    send_rate_ms: int
    tracks: tuple[TrackTruth, ...]
    utterances: tuple[UtteranceTruth, ...]
    """In order of time."""
    holds: tuple[Span, ...]
    events: tuple[EventTruth, ...]
    stop_reason: int
    """RTMS_STOP_REASON, as in message 8 and the stopped webhook."""
    interruptions_count: int
    """How often a connection was lost and the stream went on."""
    product: str = "contact_center"
    transcripts: tuple[TranscriptTruth, ...] = ()
    chat: tuple[ChatTruth, ...] = ()
    pictures_sent_count: int = 0
    """Video and shared screens that nobody asked for."""
    pauses: tuple[Span, ...] = ()
    connections: tuple[ConnectionTruth, ...] = ()
    """In the order in which they were opened."""
    violations: tuple[str, ...] = ()
    """What the client did wrong in this call."""
    next_stream: CallTruth | None = None
    """The stream of the same engagement that followed, with times from its own first packet."""

    def track(self, channel_id: str) -> TrackTruth:
        """The leg with this id."""
        return next(track for track in self.tracks if track.channel_id == channel_id)

    def streams(self) -> list[CallTruth]:
        """This stream and those that followed it."""
        return [self, *(self.next_stream.streams() if self.next_stream else ())]

    def to_json(self) -> str:
        """The same as one JSON object, on one line."""
        return json.dumps(asdict(self), ensure_ascii=False)


def joined(spans: list[Span]) -> tuple[Span, ...]:
    """Spans in order of time, those that touch or overlap made one."""
    out: list[Span] = []
    for span in sorted(spans, key=lambda one: one.start_ms):
        if out and span.start_ms <= out[-1].end_ms:
            out[-1] = Span(out[-1].start_ms, max(out[-1].end_ms, span.end_ms))
        else:
            out.append(span)
    return tuple(out)
