"""RTMS messages as typed values: one frozen struct per message.

Field names are Zoom's wire names, so a value and its JSON can be compared by eye. `wire.py` turns one into
the other; nothing here does I/O. Numbers that Zoom may extend stay plain ``int`` in the structs and are
looked up with `name_of`, so that an unknown value passes without harm.

Sources: Zoom developer documentation "Realtime Media Streams" (data types, event reference, Contact Center
Voice), SDK `zoom/rtms` 1.1.0.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import msgspec

from zccvoice.rtms.enums import Codec, ContentType, DataOption, SampleRate
from zccvoice.rtms.message import RtmsMessage
from zccvoice.rtms.passed_over import PassedOver
from zccvoice.rtms.timestamps import plausible_ms

_Number: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**62), lt=2**62)]
"""What is kept as it came has to be a number that can be written down."""


class AudioParams(msgspec.Struct, frozen=True, kw_only=True):
    """``media_params.audio``: the values are the wire numbers of the enums above."""

    content_type: _Number = ContentType.RAW_AUDIO
    sample_rate: _Number = SampleRate.SR_16K
    channel: _Number = 1
    codec: _Number = Codec.L16
    data_opt: _Number = DataOption.AUDIO_MULTI_STREAMS
    send_rate: _Number = 20
    """Milliseconds of audio per message: 20–1000 in steps of 20 for L16, 20 for the other codecs."""


class TranscriptParams(msgspec.Struct, frozen=True, kw_only=True):
    """``media_params.transcript``."""

    content_type: int = ContentType.TEXT
    src_language: int | None = None
    """RTMS_TRANSCRIPT_LANGUAGE number."""
    enable_lid: bool | None = None
    """False pins the language: Zoom's language detector stays off."""


class ChatParams(msgspec.Struct, frozen=True, kw_only=True):
    """``media_params.chat``."""

    content_type: int = ContentType.TEXT


class MediaParams(msgspec.Struct, frozen=True, kw_only=True):
    """``media_params`` of message 3."""

    audio: AudioParams | None = None
    transcript: TranscriptParams | None = None
    chat: ChatParams | None = None


class EffectiveAudio(msgspec.Struct, frozen=True, kw_only=True):
    """``media_params.audio`` of message 4: as `AudioParams`, but Zoom may leave out any of it."""

    content_type: _Number | msgspec.UnsetType = msgspec.UNSET
    sample_rate: _Number | msgspec.UnsetType = msgspec.UNSET
    channel: _Number | msgspec.UnsetType = msgspec.UNSET
    codec: _Number | msgspec.UnsetType = msgspec.UNSET
    data_opt: _Number | msgspec.UnsetType = msgspec.UNSET
    send_rate: _Number | msgspec.UnsetType = msgspec.UNSET

    @classmethod
    def of(cls, params: AudioParams) -> EffectiveAudio:
        """All of them."""
        return cls(**msgspec.structs.asdict(params))

    def over(self, wanted: AudioParams) -> AudioParams:
        """What rules the decoding: what Zoom tells, and where it tells nothing, what it was asked for."""
        told = msgspec.structs.asdict(self)
        return msgspec.structs.replace(
            wanted, **{name: value for name, value in told.items() if value is not msgspec.UNSET}
        )


class EffectiveParams(msgspec.Struct, frozen=True, kw_only=True):
    """``media_params`` of message 4."""

    audio: EffectiveAudio | None = None
    transcript: TranscriptParams | None = None
    chat: ChatParams | None = None


class SignalingHandshakeRequest(RtmsMessage, frozen=True, tag=1, kw_only=True):
    """1, client → Zoom, first message on the signaling connection.

    The engagement's id goes under the product's key; exactly one is set when we send.
    """

    rtms_stream_id: str
    signature: str
    protocol_version: int = 1
    sequence: int = 1
    engagement_id: str | None = None
    meeting_uuid: str | None = None
    webinar_uuid: str | None = None
    session_id: str | None = None
    call_id: str | None = None
    buffer_data: bool | None = None


class MediaServer(msgspec.Struct, frozen=True, kw_only=True):
    """Where the media connections are."""

    server_urls: dict[str, str] = {}
    """``wss://`` URL by media: audio, video, deskshare, transcript, chat, all."""


class SignalingHandshakeResponse(RtmsMessage, frozen=True, tag=2, kw_only=True):
    """2, Zoom → client. ``media_server`` is absent when ``status_code`` is not OK."""

    status_code: int
    reason: str = ""
    protocol_version: int = 1
    sequence: int = 0
    media_server: MediaServer | None = None


class MediaHandshakeRequest(RtmsMessage, frozen=True, tag=3, kw_only=True):
    """3, client → Zoom, first message on a media connection; ids and signature as in message 1."""

    rtms_stream_id: str
    signature: str
    media_type: int
    protocol_version: int = 1
    sequence: int = 0
    payload_encryption: bool = False
    engagement_id: str | None = None
    meeting_uuid: str | None = None
    webinar_uuid: str | None = None
    session_id: str | None = None
    call_id: str | None = None
    media_params: MediaParams | None = None


class MediaHandshakeResponse(RtmsMessage, frozen=True, tag=4, kw_only=True):
    """4, Zoom → client. ``media_params`` are the effective ones: decode by these, not by those wanted."""

    status_code: int
    reason: str = ""
    protocol_version: int = 1
    sequence: int = 0
    payload_encrypted: bool = False
    media_params: EffectiveParams | None = None


class EventChoice(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of an event subscription."""

    event_type: int
    subscribe: bool = True


class EventSubscription(RtmsMessage, frozen=True, tag=5, kw_only=True):
    """5, client → Zoom, no reply. Types 1 and 7 come by themselves."""

    events: list[EventChoice]


class ParticipantInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Who an event of Contact Center Voice is about."""

    channel_id: str | int | None = None
    participant_mode: str | None = None
    queue_id: str | int | None = None
    queue_name: str | None = None
    account_id: str | None = None
    division_id: str | None = None
    phone_number: str | None = None
    user_id: str | int | None = None
    display_name: str | None = None


class Participant(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of ``participants`` in the events of meetings, webinars and Video SDK sessions."""

    user_id: str | int | None = None
    user_name: str | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """The inside of message 6. Its number is to be read by product."""

    event_type: int
    """Zoom Phone tells it as ``event_code``."""
    timestamp: int | float | None = None
    event_ts: int | float | None = None
    """Contact Center's name for the time."""
    participant_info: ParticipantInfo | None = None
    paticipant_info: ParticipantInfo | None = None
    """The spelling of early documents and of Zoom's own Contact Center sample."""
    participants: list[Participant] | None = None
    user_id: str | int | None = None
    user_name: str | None = None

    @property
    def info(self) -> ParticipantInfo | None:
        """``participant_info`` under either spelling."""
        return self.participant_info or self.paticipant_info

    @property
    def timestamp_ms(self) -> int | None:
        """When it happened, epoch milliseconds, under either name; None when it was not told."""
        return plausible_ms(self.event_ts if self.event_ts is not None else self.timestamp)


class EventUpdate(RtmsMessage, frozen=True, tag=6, kw_only=True):
    """6, Zoom → client."""

    event: Event


class ClientReady(RtmsMessage, frozen=True, tag=7, kw_only=True):
    """7, client → Zoom on the signaling connection, once after each accepted media handshake."""

    rtms_stream_id: str


class StreamStateUpdate(RtmsMessage, frozen=True, tag=8, kw_only=True):
    """8, Zoom → client. State 4, TERMINATED, is final."""

    state: int
    reason: int | None = None
    timestamp: int | float | None = None
    rtms_stream_id: str | None = None


class SessionStateUpdate(RtmsMessage, frozen=True, tag=9, kw_only=True):
    """9, Zoom → client: one of the stream's sessions started, paused, resumed or stopped."""

    state: int
    rtms_session_id: str | None = None
    timestamp: int | float | None = None
    stop_reason: int | None = None


class SessionStateRequest(RtmsMessage, frozen=True, tag=10, kw_only=True):
    """10, client → Zoom: what state is this session in?"""

    rtms_session_id: str


class SessionStateResponse(RtmsMessage, frozen=True, tag=11, kw_only=True):
    """11, Zoom → client."""

    state: int
    rtms_session_id: str | None = None
    timestamp: int | float | None = None


class KeepAliveRequest(RtmsMessage, frozen=True, tag=12, kw_only=True):
    """12, Zoom → client on either connection; to be answered there at once."""

    timestamp: int | float | None = None
    sequence: int | None = None


class KeepAliveResponse(RtmsMessage, frozen=True, tag=13, kw_only=True):
    """13, client → Zoom: the request's values, verbatim."""

    timestamp: int | float | None = None
    sequence: int | None = None


class AudioContent(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The inside of message 14. One of ``channel_id`` (Contact Center) and ``user_id`` names the track."""

    data: bytes
    """The codec's bytes (base64 on the wire)."""
    timestamp: int
    """Creation time on Zoom's server, epoch ms; advances by ``send_rate`` per packet of one track."""
    channel_id: str | int | None = None
    user_id: int | str | None = None
    user_name: str | None = None
    length: int | None = None
    """Size of ``data`` before base64, when Zoom tells it."""


class AudioData(RtmsMessage, frozen=True, tag=14, gc=False, kw_only=True):
    """14, Zoom → client: a packet of one track."""

    content: AudioContent


class TranscriptContent(msgspec.Struct, frozen=True, kw_only=True):
    """The inside of message 17. Times may be in ms or µs: use `epoch_ms`."""

    data: str
    timestamp: int | float | None = None
    channel_id: str | int | None = None
    user_id: int | str | None = None
    user_name: str | None = None
    start_time: int | float | None = None
    end_time: int | float | None = None
    language: int | None = None
    attribute: int | None = None


class TranscriptData(RtmsMessage, frozen=True, tag=17, kw_only=True):
    """17, Zoom → client: Zoom's own transcript."""

    content: TranscriptContent


class ChatContent(msgspec.Struct, frozen=True, kw_only=True):
    """The inside of message 18. Since July 2026 ``data`` is an object, or one written as text."""

    data: str | dict[str, Any]
    timestamp: int
    user_id: int | str | None = None
    user_name: str | None = None


class ChatData(RtmsMessage, frozen=True, tag=18, kw_only=True):
    """18, Zoom → client: a chat message of a meeting or webinar."""

    content: ChatContent


class StreamStateRequest(RtmsMessage, frozen=True, tag=19, kw_only=True):
    """19, client → Zoom: what state is this stream in?"""

    rtms_stream_id: str


class StreamStateResponse(RtmsMessage, frozen=True, tag=20, kw_only=True):
    """20, Zoom → client."""

    state: int
    rtms_stream_id: str | None = None
    timestamp: int | float | None = None


class StreamCloseRequest(RtmsMessage, frozen=True, tag=21, kw_only=True):
    """21, client → Zoom: we want no more of this stream."""

    rtms_stream_id: str


class StreamCloseResponse(RtmsMessage, frozen=True, tag=22, kw_only=True):
    """22, Zoom → client."""

    status_code: int = 0
    reason: str = ""
    rtms_stream_id: str | None = None
    timestamp: int | None = None


class VideoSubscriptionRequest(RtmsMessage, frozen=True, tag=28, kw_only=True):
    """28, client → Zoom: one participant's video. We never send it."""

    user_id: int | str
    subscribe: bool
    timestamp: int | None = None


class OtherMessage(msgspec.Struct, frozen=True):
    """A message whose ``msg_type`` this version does not know."""

    msg_type: int


TypedMessage = (
    SignalingHandshakeRequest
    | SignalingHandshakeResponse
    | MediaHandshakeRequest
    | MediaHandshakeResponse
    | EventSubscription
    | EventUpdate
    | ClientReady
    | StreamStateUpdate
    | SessionStateUpdate
    | SessionStateRequest
    | SessionStateResponse
    | KeepAliveRequest
    | KeepAliveResponse
    | AudioData
    | TranscriptData
    | ChatData
    | StreamStateRequest
    | StreamStateResponse
    | StreamCloseRequest
    | StreamCloseResponse
    | VideoSubscriptionRequest
    | PassedOver
)

Message = TypedMessage | OtherMessage
