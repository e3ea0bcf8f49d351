"""CORE: one media connection, client side. No I/O, no clock.

    (created) ── message 3 ──► HANDSHAKING ── message 4, status 0 ──► OPEN ── silence ──► ENDED

Media are legal only in OPEN. The parameters of message 4 are the effective ones and rule the decoding; they
may differ from those wanted. A connection carries what it was made for: audio, texts, or both ("unified").

Source: Zoom RTMS documentation, "Connect to the media server", "Media data".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from zccvoice.errors import HandshakeRefusedError, RemoteProtocolError
from zccvoice.rtms.chat import chat_received
from zccvoice.rtms.core import ConnectionCore, State
from zccvoice.rtms.enums import MessageAttribute, StatusCode
from zccvoice.rtms.events import (
    AudioReceived,
    Change,
    ChatReceived,
    MediaOpened,
    MediaPassedOver,
    TranscriptReceived,
)
from zccvoice.rtms.identity import StreamIdentity
from zccvoice.rtms.messages import (
    AudioData,
    ChatData,
    KeepAliveRequest,
    MediaHandshakeRequest,
    MediaHandshakeResponse,
    MediaParams,
    Message,
    SignalingHandshakeResponse,
    StreamStateUpdate,
    TranscriptData,
    TypedMessage,
)
from zccvoice.rtms.participant import participant_of
from zccvoice.rtms.passed_over import (
    AudioMetadata,
    ChatMetadata,
    ShareData,
    ShareMetadata,
    TranscriptMetadata,
    VideoData,
    VideoMetadata,
)
from zccvoice.rtms.timestamps import plausible_ms, required_ms
from zccvoice.rtms.transcript_language import bcp47_of

MIX = "mix"
"""Track name of packets that belong to no single participant."""
KNOWN_TRACKS = 2**12
"""So many names are made once, and not once per packet."""
_CHANGES = {MessageAttribute.ATTR_UPDATE: Change.UPDATED, MessageAttribute.ATTR_DELETE: Change.DELETED}
_KINDS: dict[type, str] = {
    VideoData: "video",
    ShareData: "share",
    AudioMetadata: "audio metadata",
    VideoMetadata: "video metadata",
    ShareMetadata: "share metadata",
    TranscriptMetadata: "transcript metadata",
    ChatMetadata: "chat metadata",
}


@dataclass(frozen=True, slots=True)
class MediaAccepted:
    """The handshake was accepted: Zoom waits to be told that we are ready (message 7, on signaling)."""


MediaEvent = MediaAccepted | MediaOpened | AudioReceived | TranscriptReceived | ChatReceived | MediaPassedOver


class MediaConnection(ConnectionCore[MediaEvent]):
    """One media connection of one stream."""

    NAME = "media"
    LEGAL = {  # noqa: RUF012 (a constant)
        # A refusal is also known to come as message 2.
        State.HANDSHAKING: (MediaHandshakeResponse, SignalingHandshakeResponse, KeepAliveRequest),
        State.OPEN: (AudioData, TranscriptData, ChatData, KeepAliveRequest, StreamStateUpdate, *_KINDS),
        State.ENDED: (),
    }

    def __init__(
        self,
        identity: StreamIdentity,
        media_type: int,
        wanted: MediaParams,
        *,
        silence_timeout_s: float,
        now: float,
    ) -> None:
        """Begin with the handshake.

        Args:
            identity: whose stream it is.
            media_type: `MediaType`, or several of them as a bit mask.
            wanted: parameters of those media.
            silence_timeout_s: so long nothing at all may arrive.
            now: monotonic seconds.
        """
        handshake = MediaHandshakeRequest(
            rtms_stream_id=identity.stream_id,
            signature=identity.signature,
            media_type=int(media_type),
            media_params=wanted,
            **identity.id_fields(),
        )
        super().__init__(handshake, silence_timeout_s=silence_timeout_s, now=now)
        self._wanted = wanted
        self._passed_over: set[type] = set()

    def receive_message(self, message: Message, now: float) -> None:
        """See `ConnectionCore`. Sound, nearly all there is, is asked only what it has to be."""
        if type(message) is AudioData and self.state is State.OPEN:
            self.last_heard = now
            self._events.append(_audio_received(message))
        else:
            super().receive_message(message, now)

    def _take(self, message: TypedMessage) -> None:
        match message:
            case TranscriptData():
                self._events.append(_transcript_received(message))
            case ChatData():
                if (chat := chat_received(message.content)) is not None:
                    self._events.append(chat)
            case MediaHandshakeResponse() | SignalingHandshakeResponse():
                self._finish_handshake(message)
            case StreamStateUpdate():
                pass  # signaling's business
            case _:
                self._pass_over(type(message))

    def _finish_handshake(self, response: MediaHandshakeResponse | SignalingHandshakeResponse) -> None:
        if response.status_code != StatusCode.OK or isinstance(response, SignalingHandshakeResponse):
            self.state = State.ENDED
            raise HandshakeRefusedError("media", response.status_code, response.reason)
        self.state = State.OPEN
        self._events.append(MediaAccepted())
        if self._wanted.audio is not None:
            told = response.media_params.audio if response.media_params else None
            self._events.append(MediaOpened(told.over(self._wanted.audio) if told else self._wanted.audio))

    def _pass_over(self, kind: type) -> None:
        if kind not in self._passed_over:
            self._passed_over.add(kind)
            self._events.append(MediaPassedOver(_KINDS[kind]))


def _audio_received(message: AudioData) -> AudioReceived:
    content = message.content
    if content.length is not None and content.length != len(content.data):
        raise RemoteProtocolError(f"audio of {len(content.data)} bytes, announced as {content.length}")
    timestamp_ms = required_ms(content.timestamp, "audio")
    return AudioReceived(_track(content.channel_id, content.user_id), timestamp_ms, content.data)


def _transcript_received(message: TranscriptData) -> TranscriptReceived:
    content = message.content
    start_ms = plausible_ms(content.start_time) or required_ms(content.timestamp, "transcript")
    end_ms = plausible_ms(content.end_time)
    return TranscriptReceived(
        _track(content.channel_id, content.user_id),
        start_ms,
        end_ms if end_ms is not None and end_ms >= start_ms else None,
        content.data,
        bcp47_of(content.language),
        _CHANGES.get(content.attribute, Change.NEW),  # type: ignore[call-overload]
    )


@lru_cache(KNOWN_TRACKS)
def _track(channel_id: str | int | None, user_id: str | int | None) -> str:
    """Whose packet it is: the contact centre's channel, else the participant, else nobody's."""
    if channel_id is not None and channel_id != "":
        return str(channel_id)
    return participant_of(user_id) or MIX
