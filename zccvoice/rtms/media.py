"""CORE: one media connection, client side. No I/O, no clock.

    (created) ── message 3 ──► HANDSHAKING ── message 4, status 0 ──► OPEN ── silence ──► ENDED

Audio is legal only in OPEN. The parameters of message 4 are the effective ones and rule the decoding; they
may differ from those wanted.

Source: Zoom RTMS documentation, "Connect to the media server", "Media data".
"""

from __future__ import annotations

from dataclasses import dataclass

from zccvoice.errors import HandshakeRefusedError, RemoteProtocolError
from zccvoice.rtms.core import ConnectionCore, State
from zccvoice.rtms.enums import MediaType, StatusCode
from zccvoice.rtms.events import AudioReceived, MediaOpened
from zccvoice.rtms.identity import StreamIdentity
from zccvoice.rtms.messages import (
    AudioData,
    AudioParams,
    KeepAliveRequest,
    MediaHandshakeRequest,
    MediaHandshakeResponse,
    MediaParams,
    SignalingHandshakeResponse,
    StreamStateUpdate,
    TranscriptData,
    TypedMessage,
    plausible_ms,
)

MIX = "mix"
"""Track name of packets that belong to no single participant."""


@dataclass(frozen=True, slots=True)
class MediaSilent:
    """Nothing arrived for too long: the connection is taken for dead."""

    detail: str


MediaEvent = MediaOpened | AudioReceived | MediaSilent


class MediaConnection(ConnectionCore[MediaEvent]):
    """One media connection of one stream, for audio."""

    NAME = "media"
    LEGAL = {  # noqa: RUF012 (a constant)
        # A refusal is also known to come as message 2.
        State.HANDSHAKING: (MediaHandshakeResponse, SignalingHandshakeResponse, KeepAliveRequest),
        State.OPEN: (AudioData, TranscriptData, KeepAliveRequest, StreamStateUpdate),
        State.ENDED: (),
    }

    def __init__(
        self, identity: StreamIdentity, wanted: AudioParams, *, silence_timeout_s: float, now: float
    ) -> None:
        handshake = MediaHandshakeRequest(
            rtms_stream_id=identity.stream_id,
            signature=identity.signature,
            media_type=MediaType.AUDIO,
            media_params=MediaParams(audio=wanted),
            **identity.id_fields(),
        )
        super().__init__(handshake, silence_timeout_s=silence_timeout_s, now=now)
        self._wanted = wanted

    def _take(self, message: TypedMessage) -> None:
        match message:
            case AudioData():
                self._events.append(_audio_received(message))
            case MediaHandshakeResponse() | SignalingHandshakeResponse():
                self._finish_handshake(message)
            case _:
                pass  # Zoom's transcript was not asked for; stream states are signaling's business

    def _silence(self, detail: str) -> MediaEvent:
        return MediaSilent(detail)

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
