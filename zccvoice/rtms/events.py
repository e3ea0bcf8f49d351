"""What happens on a stream, as the rest of the program sees it: the language of the transport seam.

A transport (our WebSocket one, or another) turns Zoom's messages into these values; everything behind it
knows no JSON. Past tense, frozen, one per fact. Times are Zoom's, in epoch milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from zccvoice.rtms.messages import AudioParams


class Role(StrEnum):
    """What a participant is to the call, in Zoom's words."""

    CONSUMER = "consumer"
    USER = "user"
    """The agent."""
    SUPERVISOR = "supervisor"
    """Who monitors, whispers or barges in."""


@dataclass(frozen=True, slots=True)
class MediaOpened:
    """A media handshake was accepted; audio may come from now on."""

    audio: AudioParams
    """The effective parameters: they rule the decoding."""


class AudioReceived(NamedTuple):
    """One packet of one track, still encoded. (A tuple: one is made of every packet there is.)"""

    channel_id: str
    timestamp_ms: int
    payload: bytes


class Change(StrEnum):
    """What became of a text of Zoom's."""

    NEW = "new"
    UPDATED = "updated"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class TranscriptReceived:
    """A sentence of Zoom's own transcript. One that is told again with the same start replaces it."""

    channel_id: str
    start_timestamp_ms: int
    end_timestamp_ms: int | None
    text: str = field(repr=False)
    language: str | None = None
    """BCP-47 tag of the language that Zoom took it for."""
    change: Change = Change.NEW


@dataclass(frozen=True, slots=True)
class ChatReceived:
    """A message in the chat of a meeting or webinar."""

    timestamp_ms: int
    text: str = field(repr=False)
    sender_id: str | None = None
    sender_name: str | None = None
    message_id: str | None = None
    """None in the older form, which cannot be changed afterwards."""
    change: Change = Change.NEW


@dataclass(frozen=True, slots=True)
class MediaPassedOver:
    """Zoom sends media that we never asked for; told once for each kind on each connection."""

    kind: str
    """``video``, ``share`` …"""


@dataclass(frozen=True, slots=True)
class ParticipantConnected:
    """An event told whose a channel is. May come after the channel's first audio."""

    channel_id: str | None
    role: Role | None
    """None outside contact centres, where nobody is agent or consumer."""
    timestamp_ms: int | None
    user_id: str | None = None
    display_name: str | None = None
    queue_id: str | None = None
    queue_name: str | None = None
    phone_number: str | None = None
    """The consumer's, as Zoom tells it."""


@dataclass(frozen=True, slots=True)
class CallEventReceived:
    """Any event of the call that is worth keeping: answered, hold, unhold, transfer, end."""

    name: str
    """Zoom's name in lower case, such as ``user_hold``; ``unknown_33`` for a number we do not know."""
    timestamp_ms: int | None
    channel_id: str | None = None
    session_id: str | None = None
    """Whose state it is, when it is that of one of the stream's sessions."""


@dataclass(frozen=True, slots=True)
class EventsMissed:
    """There is signaling again: what happened while there was none, nobody has told."""


@dataclass(frozen=True, slots=True)
class MessageRejected:
    """A message that could not be understood; the stream goes on."""

    connection: str
    """``signaling`` or ``media``."""
    problem: str


@dataclass(frozen=True, slots=True)
class ReceptionBroken:
    """We did not listen from the last packet before this on until the next one: what is missing there is lost."""

    cause: str
    """``daemon_down``, ``connection_lost``, ``stream_stopped``, ``disk_full`` or ``damaged_journal``."""


@dataclass(frozen=True, slots=True)
class SoundMissing:
    """A stretch of one track is known to be missing; told before the first packet after it."""

    channel_id: str
    from_ms: int
    until_ms: int
    cause: str
    """``damaged_recording``."""


@dataclass(frozen=True, slots=True)
class SoundClipped:
    """Where a track was clipped before it was resampled and came to us; told before that sound.

    With its first sound, also if nothing of that is clipped; later only where something is.
    """

    channel_id: str
    from_ms: int
    rate_hz: int
    """Of the samples that were clipped."""
    lengths: tuple[int, ...]
    """How many of them are not clipped from there on, how many are, and so on."""


@dataclass(frozen=True, slots=True)
class ArrivalMeasured:
    """How unevenly a track's packets came, at the end of reception."""

    channel_id: str
    jitter_ms: float
    """Interarrival jitter (RFC 3550, section 6.4.1), as far as reading that gathers can see it."""


@dataclass(frozen=True, slots=True)
class StreamEnded:
    """No more will come from this stream."""

    cause: str
    """Zoom's stop reason in lower case (``customer_disconnected``), or ours: ``connection_lost``,
    ``silent``, ``shutdown`` …"""
    detail: str
    """How we learned of it, in plain words."""


StreamEvent = (
    MediaOpened
    | AudioReceived
    | TranscriptReceived
    | ChatReceived
    | MediaPassedOver
    | ParticipantConnected
    | CallEventReceived
    | EventsMissed
    | MessageRejected
    | ReceptionBroken
    | StreamEnded
)
