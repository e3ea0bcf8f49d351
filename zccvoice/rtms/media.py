"""CORE: one media connection, client side. No I/O, no clock.

    (created) ── message 3 ──► HANDSHAKING ── message 4, status 0 ──► OPEN ── silence ──► ENDED

Audio is legal only in OPEN. The parameters of message 4 are the effective ones and rule the decoding; they
may differ from those wanted.

Source: Zoom RTMS documentation, "Connect to the media server", "Media data".
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto

from zccvoice.errors import HandshakeRefusedError, RemoteProtocolError
from zccvoice.rtms.events import AudioReceived, MediaOpened
from zccvoice.rtms.identity import StreamIdentity
from zccvoice.rtms.messages import (
    AudioData,
    AudioParams,
    KeepAliveRequest,
    KeepAliveResponse,
    MediaHandshakeRequest,
    MediaHandshakeResponse,
    MediaParams,
    MediaType,
    Message,
    OtherMessage,
    SignalingHandshakeResponse,
    StatusCode,
    StreamStateUpdate,
    TranscriptData,
    TypedMessage,
    plausible_ms,
)

MIX = "mix"
"""Track name of packets that belong to no single participant."""


class State(Enum):
    """Where the connection is in its life."""

    HANDSHAKING = auto()
    OPEN = auto()
    ENDED = auto()


@dataclass(frozen=True, slots=True)
class MediaSilent:
    """Nothing arrived for too long: the connection is taken for dead."""

    detail: str


MediaEvent = MediaOpened | AudioReceived | MediaSilent

_LEGAL: dict[State, tuple[type, ...]] = {
    # A refusal is also known to come as message 2.
    State.HANDSHAKING: (MediaHandshakeResponse, SignalingHandshakeResponse, KeepAliveRequest),
    State.OPEN: (AudioData, TranscriptData, KeepAliveRequest, StreamStateUpdate),
    State.ENDED: (),
}


class MediaConnection:
    """One media connection of one stream, for audio."""

    def __init__(
        self, identity: StreamIdentity, wanted: AudioParams, *, silence_timeout_s: float, now: float
    ) -> None:
        self.state = State.HANDSHAKING
        self._wanted = wanted
        self._silence_timeout_s = silence_timeout_s
        self._last_heard = now
        self._events: deque[MediaEvent] = deque()
        self._outgoing: list[TypedMessage] = [
            MediaHandshakeRequest(
                rtms_stream_id=identity.stream_id,
                signature=identity.signature,
                media_type=MediaType.AUDIO,
                media_params=MediaParams(audio=wanted),
                **identity.id_fields(),
            )
        ]

    @property
    def is_open(self) -> bool:
        """The handshake was accepted and the connection has not ended."""
        return self.state is State.OPEN

    @property
    def is_done(self) -> bool:
        """Nothing more is to be sent or received."""
        return self.state is State.ENDED

    def receive_message(self, message: Message, now: float) -> None:
        """Take in one message that arrived at `now` (monotonic seconds).

        Raises:
            HandshakeRefusedError: Zoom refused the handshake; the connection is over.
            RemoteProtocolError: the message is not legal here, or contradicts itself; it had no effect.
        """
        self._last_heard = now
        if isinstance(message, OtherMessage):
            return
        if not isinstance(message, _LEGAL[self.state]):
            raise RemoteProtocolError(f"{type(message).__name__} on media in state {self.state.name}")
        match message:
            case AudioData():
                self._events.append(_audio_received(message))
            case KeepAliveRequest():
                self._outgoing.append(
                    KeepAliveResponse(timestamp=message.timestamp, sequence=message.sequence)
                )
            case MediaHandshakeResponse() | SignalingHandshakeResponse():
                self._finish_handshake(message)
            case _:
                pass  # Zoom's transcript was not asked for; stream states are signaling's business

    def receive_garbage(self, now: float) -> None:
        """Something undecodable arrived: still a sign of life."""
        self._last_heard = now

    def next_event(self) -> MediaEvent | None:
        """What happened, oldest first; None when there is nothing more yet."""
        return self._events.popleft() if self._events else None

    def messages_to_send(self) -> list[TypedMessage]:
        """What is to go out now, in order. Each message is handed out once."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def get_timer(self) -> float | None:
        """When `handle_timer` wants to be called (monotonic seconds), None for never."""
        return None if self.state is State.ENDED else self._last_heard + self._silence_timeout_s

    def handle_timer(self, now: float) -> None:
        """The time of `get_timer` has come: Zoom was silent for too long."""
        timer = self.get_timer()
        if timer is not None and now >= timer:
            self.state = State.ENDED
            self._events.append(MediaSilent(f"nothing arrived on media for {self._silence_timeout_s:g} s"))

    def _finish_handshake(self, response: MediaHandshakeResponse | SignalingHandshakeResponse) -> None:
        if response.status_code != StatusCode.OK or isinstance(response, SignalingHandshakeResponse):
            self.state = State.ENDED
            raise HandshakeRefusedError("media", response.status_code, response.reason)
        self.state = State.OPEN
        effective = response.media_params.audio if response.media_params else None
        self._events.append(MediaOpened(effective or self._wanted))


def _audio_received(message: AudioData) -> AudioReceived:
    content = message.content
    if content.length is not None and content.length != len(content.data):
        raise RemoteProtocolError(f"audio of {len(content.data)} bytes, announced as {content.length}")
    timestamp_ms = plausible_ms(content.timestamp)
    if timestamp_ms is None:
        raise RemoteProtocolError(f"audio with an impossible timestamp, {content.timestamp:.6g}")
    if content.channel_id is not None:
        track = str(content.channel_id)
    elif content.user_id:
        track = str(content.user_id)
    else:
        track = MIX
    return AudioReceived(track, timestamp_ms, content.data)
