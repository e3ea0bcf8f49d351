"""What the daemon asks the store to keep: one frozen value per fact of a call.

Facts of one stream arrive in the order in which they happened, each may arrive twice (a retry after a
lost connection, a replay), and writing one twice leaves one row. Times of facts are Zoom's epoch
milliseconds; the store puts them on the engagement's clock, whose zero the first `ClockStarted` sets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from zccvoice.analytics.record import Side

REPINNED = "language_repinned"
"""Name of the event that tells of a pin that replaced another one."""


@dataclass(frozen=True, slots=True)
class StreamOpened:
    """A stream of an engagement was announced by Zoom and taken up by us."""

    engagement_id: str
    stream_id: str
    product: str
    """`rtms.messages.Product` value."""
    started_at: datetime
    """Aware, UTC: ``event_ts`` of the started webhook."""
    account_id: str | None = None
    resumed_at: datetime | None = None
    """Aware, UTC, by our clock: when it was taken up again after its end, which does not hold any more."""


@dataclass(frozen=True, slots=True)
class ClockStarted:
    """The stream's first packet: its timestamp is zero on the stream's clock."""

    engagement_id: str
    stream_id: str
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class LanguagePinned:
    """The language of a call, or of a participant, was decided; see `speech.language.LanguagePin`."""

    engagement_id: str
    stream_id: str
    language: str
    source: str
    """``configured``, ``detected``, ``zoom`` or ``fallback``."""
    confidence: float | None = None
    channel_id: str | None = None
    number: int = 0
    since_channel_id: str | None = None
    since_timestamp_ms: int | None = None
    is_of_call: bool = True


@dataclass(frozen=True, slots=True)
class ParticipantSeen:
    """Who is behind a channel. Later facts about the same channel fill in what earlier ones left open."""

    engagement_id: str
    stream_id: str
    channel_id: str
    side: Side | None = None
    user_id: str | None = None
    display_name: str | None = None
    queue_id: str | None = None
    queue_name: str | None = None
    phone_hash: str | None = None
    phone_last4: str | None = None


@dataclass(frozen=True, slots=True)
class CallEventSeen:
    """Something happened on the call: Zoom told so, or we found out."""

    engagement_id: str
    stream_id: str
    name: str
    timestamp_ms: int
    channel_id: str | None = None
    detail: str | None = None
    """What more there is to say of it, in plain words."""


@dataclass(frozen=True, slots=True)
class StoredWord:
    """One recognized word; times are relative to the utterance's start."""

    text: str
    start_ms: int
    end_ms: int
    probability: float | None
    """None when the recognizer tells none."""


@dataclass(frozen=True, slots=True)
class UtteranceHeard:
    """One utterance and, when it was understood, its transcript (redacted when it reaches a journal)."""

    engagement_id: str
    stream_id: str
    channel_id: str
    start_timestamp_ms: int
    end_timestamp_ms: int
    loudness_dbfs: float
    clipped_ratio: float
    text: str | None = field(repr=False)
    words: tuple[StoredWord, ...] = field(default=(), repr=False)
    language: str | None = None
    confidence: float | None = None
    model: str | None = None
    verdict: str = "kept"
    """``kept``; ``empty`` when the recognizer heard no words; ``refused: …`` or ``failed: …`` with why."""
    loudness_by_second: tuple[float, ...] = ()
    refused_text: str | None = field(default=None, repr=False)
    """What the recognizer said and was not believed."""
    sentiment: float | None = None
    """Score of its words, −1…+1; None where the language has no scorer."""


@dataclass(frozen=True, slots=True)
class ZoomTranscribed:
    """A sentence of Zoom's own transcript (already redacted); told again with the same start, it is replaced."""

    engagement_id: str
    stream_id: str
    channel_id: str
    start_timestamp_ms: int
    end_timestamp_ms: int | None
    text: str | None = field(repr=False)
    """None when Zoom took it back."""
    language: str | None = None
    """BCP-47 tag."""


@dataclass(frozen=True, slots=True)
class ChatWritten:
    """A chat message of a meeting (already redacted); told again with the same id, it is replaced."""

    engagement_id: str
    stream_id: str
    message_id: str
    """Zoom's; in its older form there is none, and time and sender stand for it."""
    timestamp_ms: int
    text: str | None = field(repr=False)
    """None when it was deleted."""
    sender_id: str | None = None
    sender_name: str | None = None


@dataclass(frozen=True, slots=True)
class GapFound:
    """Audio of a track that should have arrived and did not."""

    engagement_id: str
    stream_id: str
    channel_id: str
    start_timestamp_ms: int
    end_timestamp_ms: int
    cause: str
    """``lost_packets``, ``undecodable``, or why we did not listen; see `rtms.events.ReceptionBroken`."""


@dataclass(frozen=True, slots=True)
class LeakageFound:
    """Another channel that is heard again in a track: echo, or cross-talk."""

    channel_id: str
    """The original."""
    delay_ms: int
    gain_db: float
    """Level of the copy against the original; negative."""
    correlation: float


@dataclass(frozen=True, slots=True)
class OneWayFound:
    """A long stretch in which a channel said nothing while others spoke: dead, or a listener."""

    engagement_id: str
    stream_id: str
    channel_id: str
    start_timestamp_ms: int
    end_timestamp_ms: int


@dataclass(frozen=True, slots=True)
class TrackClosed:
    """The counts of a track, once it is over."""

    engagement_id: str
    stream_id: str
    channel_id: str
    first_timestamp_ms: int
    last_timestamp_ms: int
    """End of the last packet."""
    packets: int
    lost_packets: int
    duplicate_packets: int
    reordered_packets: int
    noise_dbfs: float | None = None
    speech_dbfs: float | None = None
    clipped_ratio: float | None = None
    jitter_ms: float | None = None
    leakage: LeakageFound | None = None


@dataclass(frozen=True, slots=True)
class StreamClosed:
    """Nothing more will come from this stream; everything it gave was stated before."""

    engagement_id: str
    stream_id: str
    ended_at: datetime
    """Aware, UTC, on Zoom's clock where Zoom told it."""
    end_reason: str
    """Zoom's stop reason in lower case, or ours (``shutdown``, ``connection_lost``, ``handshake_refused`` …)."""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StreamRevoked:
    """Zoom withdrew it."""

    engagement_id: str
    """Empty when Zoom told only the stream; then its rows tell."""
    stream_id: str
    revoked_at: datetime


@dataclass(frozen=True, slots=True)
class StreamRestated:
    """All that is derived of it has been stated, by a replay or a daemon that took it up again.

    What has none of these keys is of an earlier derivation, and goes.
    """

    engagement_id: str
    stream_id: str
    utterances: tuple[tuple[str, int], ...]
    """Channel and start of each."""
    gaps: tuple[tuple[str, int], ...]
    """The same."""
    pins: tuple[tuple[str, int], ...] | None = None
    """Channel, empty for the call, and number. None in journals of earlier versions: all stay."""
    one_way: tuple[tuple[str, int], ...] | None = None
    """Channel and start. None as for pins."""


Fact = (
    StreamRevoked
    | StreamRestated
    | StreamOpened
    | ClockStarted
    | LanguagePinned
    | ParticipantSeen
    | CallEventSeen
    | UtteranceHeard
    | ZoomTranscribed
    | ChatWritten
    | GapFound
    | TrackClosed
    | OneWayFound
    | StreamClosed
)
