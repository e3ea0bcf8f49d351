"""RTMS messages as typed values: one frozen struct per message, enums with Zoom's own names and numbers.

Field names are Zoom's wire names, so a value and its JSON can be compared by eye. `wire.py` turns one into
the other; nothing here does I/O. Numbers that Zoom may extend stay plain ``int`` in the structs and are
looked up with `name_of`, so that an unknown value passes without harm.

Sources: Zoom developer documentation "Realtime Media Streams" (data types, event reference, Contact Center
Voice), SDK `zoom/rtms` 1.1.0.
"""

from __future__ import annotations

import math
from enum import IntEnum, StrEnum

import msgspec


class Product(StrEnum):
    """The Zoom product a stream belongs to; decides ids, event numbers and credentials."""

    CONTACT_CENTER = "contact_center"
    MEETING = "meeting"
    WEBINAR = "webinar"
    VIDEO_SDK = "video_sdk"
    PHONE = "phone"


class MessageType(IntEnum):
    """RTMS_MESSAGE_TYPE, the discriminator ``msg_type`` of every message."""

    UNDEFINED = 0
    SIGNALING_HAND_SHAKE_REQ = 1
    SIGNALING_HAND_SHAKE_RESP = 2
    DATA_HAND_SHAKE_REQ = 3
    DATA_HAND_SHAKE_RESP = 4
    EVENT_SUBSCRIPTION = 5
    EVENT_UPDATE = 6
    CLIENT_READY_ACK = 7
    STREAM_STATE_UPDATE = 8
    SESSION_STATE_UPDATE = 9
    SESSION_STATE_REQ = 10
    SESSION_STATE_RESP = 11
    KEEP_ALIVE_REQ = 12
    KEEP_ALIVE_RESP = 13
    MEDIA_DATA_AUDIO = 14
    MEDIA_DATA_VIDEO = 15
    MEDIA_DATA_SHARE = 16
    MEDIA_DATA_TRANSCRIPT = 17
    MEDIA_DATA_CHAT = 18
    STREAM_STATE_REQ = 19
    STREAM_STATE_RESP = 20
    STREAM_CLOSE_REQ = 21
    STREAM_CLOSE_RESP = 22
    META_DATA_AUDIO = 23
    META_DATA_VIDEO = 24
    META_DATA_SHARE = 25
    META_DATA_TRANSCRIPT = 26
    META_DATA_CHAT = 27
    VIDEO_SUBSCRIPTION_REQ = 28
    VIDEO_SUBSCRIPTION_RESP = 29


class EventType(IntEnum):
    """RTMS_EVENT_TYPE of meetings, webinars and Video SDK sessions. 1 and 7 also occur in Contact Center."""

    UNDEFINED = 0
    FIRST_PACKET_TIMESTAMP = 1
    ACTIVE_SPEAKER_CHANGE = 2
    PARTICIPANT_JOIN = 3
    PARTICIPANT_LEAVE = 4
    SHARING_START = 5
    SHARING_STOP = 6
    MEDIA_CONNECTION_INTERRUPTED = 7
    PARTICIPANT_VIDEO_ON = 8
    PARTICIPANT_VIDEO_OFF = 9
    CHAT_GROUP_CREATE = 10
    CHAT_GROUP_DELETE = 11
    CHAT_GROUP_MEMBERS_ADD = 12
    CHAT_GROUP_MEMBERS_DELETE = 13
    CHAT_GROUP_MEMBER_STATUS_UPDATE = 14


class ContactCenterEventType(IntEnum):
    """RTMS_ZCC_VOICE_EVENT_TYPE. The numbers 8–14 mean other things in meetings: decode by product."""

    UNDEFINED = 0
    CONSUMER_ANSWERED = 8
    CONSUMER_END = 9
    USER_ANSWERED = 10
    USER_END = 11
    USER_HOLD = 12
    USER_UNHOLD = 13
    MONITOR_STARTED = 14
    MONITOR_TRANSITIONED = 15
    MONITOR_ENDED = 16
    TAKEOVER_STARTED = 17
    TRANSFER_INITIATED = 18
    TRANSFER_CANCELED = 19
    TRANSFER_ACCEPTED = 20
    TRANSFER_COMPLETED = 21
    TRANSFER_REJECTED = 22
    TRANSFER_TIMEOUT = 23
    CONFERENCE_CANCELED = 24
    CONFERENCE_PARTICIPANT_CANCELED = 25
    CONFERENCE_PARTICIPANT_INVITED = 26
    CONFERENCE_PARTICIPANT_REJECTED = 27
    CONFERENCE_PARTICIPANT_TIMEOUT = 28
    CONFERENCE_PARTICIPANT_LEFT = 29


class StatusCode(IntEnum):
    """RTMS_STATUS_CODE, current table. An older one with other numbers exists: read ``reason`` first."""

    OK = 0
    INVALID_MESSAGE_TYPE = 1
    INVALID_RTMS_STREAM_ID = 2
    INVALID_SIGNATURE = 3
    INVALID_PAYLOAD = 4
    INVALID_EVENTS = 5
    INVALID_EVENT_TYPE = 6
    INVALID_MEDIA_TYPE = 7
    DUPLICATE_SIGNAL_REQUEST = 8
    MEDIA_TYPE_AUDIO_NOT_SUPPORT = 9
    MEDIA_TYPE_VIDEO_NOT_SUPPORT = 10
    MEDIA_TYPE_DESKSHARE_NOT_SUPPORT = 11
    MEDIA_TYPE_TRANSCRIPT_NOT_SUPPORT = 12
    MEDIA_TYPE_CHAT_NOT_SUPPORT = 13
    MEDIA_TYPE_INVALID_VALUE = 14
    MEDIA_DATA_ALL_CONNECTION_EXIST = 15
    DUPLICATE_MEDIA_DATA_CONNECTION = 16
    INVALID_MEDIA_PARAMS = 17
    INVALID_MEDIA_AUDIO_PARAMS = 18
    INVALID_MEDIA_AUDIO_CONTENT_TYPE = 19
    INVALID_MEDIA_AUDIO_SAMPLE_RATE = 20
    INVALID_MEDIA_AUDIO_CHANNEL = 21
    INVALID_MEDIA_AUDIO_CODEC = 22
    INVALID_MEDIA_AUDIO_DATA_OPT = 23
    INVALID_MEDIA_AUDIO_SEND_RATE = 24
    INVALID_MEDIA_VIDEO_PARAMS = 25
    INVALID_MEDIA_VIDEO_CONTENT_TYPE = 26
    INVALID_MEDIA_VIDEO_CODEC = 27
    INVALID_MEDIA_VIDEO_RESOLUTION = 28
    INVALID_MEDIA_VIDEO_DATA_OPT = 29
    INVALID_MEDIA_VIDEO_FPS = 30
    INVALID_MEDIA_DESKSHARE_PARAMS = 31
    INVALID_MEDIA_DESKSHARE_CONTENT_TYPE = 32
    INVALID_MEDIA_DESKSHARE_CODEC = 33
    INVALID_MEDIA_DESKSHARE_RESOLUTION = 34
    INVALID_MEDIA_DESKSHARE_FPS = 35
    INVALID_MEDIA_TRANSCRIPT_PARAMS = 36
    INVALID_MEDIA_TRANSCRIPT_CONTENT_TYPE = 37
    INVALID_MEDIA_CHAT_PARAMS = 38
    INVALID_MEDIA_CHAT_CONTENT_TYPE = 39
    INVALID_RTMS_SESSION_ID = 40
    INVALID_CLIENT_READY_ACK = 41
    INVALID_EVENT_SUBSCRIBE = 42
    INVALID_MEDIA_TRANSCRIPT_SOURCE_LANGUAGE = 43
    DUPLICATE_VIDEO_SUBSCRIPTION = 44
    INTERNAL_EXCEPTION = 45
    INVALID_MEDIA_TRANSCRIPT_TARGET_LANGUAGE = 46
    CHAT_SESSION_KEY_NOT_AVAILABLE = 47


class MediaType(IntEnum):
    """MEDIA_DATA_TYPE, a bit mask."""

    UNDEFINED = 0
    AUDIO = 1
    VIDEO = 2
    DESKSHARE = 4
    TRANSCRIPT = 8
    CHAT = 16
    ALL = 32


class ContentType(IntEnum):
    """MEDIA_CONTENT_TYPE."""

    UNDEFINED = 0
    RTP = 1
    RAW_AUDIO = 2
    RAW_VIDEO = 3
    FILE_STREAM = 4
    TEXT = 5


class Codec(IntEnum):
    """MEDIA_PAYLOAD_TYPE."""

    UNDEFINED = 0
    L16 = 1
    G711 = 2
    G722 = 3
    OPUS = 4
    JPG = 5
    PNG = 6
    H264 = 7


class DataOption(IntEnum):
    """MEDIA_DATA_OPTION."""

    UNDEFINED = 0
    AUDIO_MIXED_STREAM = 1
    AUDIO_MULTI_STREAMS = 2
    VIDEO_SINGLE_ACTIVE_STREAM = 3
    VIDEO_SINGLE_INDIVIDUAL_STREAM = 4
    VIDEO_MIXED_GALLERY_VIEW = 5


class SampleRate(IntEnum):
    """AUDIO_SAMPLE_RATE: an index, not hertz; see `hz`."""

    SR_8K = 0
    SR_16K = 1
    SR_32K = 2
    SR_48K = 3

    @property
    def hz(self) -> int:
        """Samples per second."""
        return (8_000, 16_000, 32_000, 48_000)[self.value]


class SessionState(IntEnum):
    """RTMS_SESSION_STATE."""

    INACTIVE = 0
    INITIALIZE = 1
    STARTED = 2
    PAUSED = 3
    RESUMED = 4
    STOPPED = 5


class StreamState(IntEnum):
    """RTMS_STREAM_STATE; 4 is final."""

    INACTIVE = 0
    ACTIVE = 1
    INTERRUPTED = 2
    TERMINATING = 3
    TERMINATED = 4
    PAUSED = 5
    RESUMED = 6


class StopReason(IntEnum):
    """RTMS_STOP_REASON: why a stream or session ended."""

    UNDEFINED = 0
    HOST_TRIGGERED = 1
    USER_TRIGGERED = 2
    USER_LEFT = 3
    USER_EJECTED = 4
    HOST_DISABLED_APP = 5
    MEETING_ENDED = 6
    STREAM_CANCELED = 7
    STREAM_REVOKED = 8
    ALL_APPS_DISABLED = 9
    INTERNAL_EXCEPTION = 10
    CONNECTION_TIMEOUT = 11
    INSTANCE_CONNECTION_INTERRUPTED = 12
    SIGNAL_CONNECTION_INTERRUPTED = 13
    DATA_CONNECTION_INTERRUPTED = 14
    SIGNAL_CONNECTION_CLOSED_ABNORMALLY = 15
    DATA_CONNECTION_CLOSED_ABNORMALLY = 16
    EXIT_SIGNAL = 17
    AUTHENTICATION_FAILURE = 18
    AWAIT_RECONNECTION_TIMEOUT = 19
    RECEIVER_REQUEST_CLOSE = 20
    CUSTOMER_DISCONNECTED = 21
    AGENT_DISCONNECTED = 22
    ADMIN_DISABLED_APP = 23
    KEEP_ALIVE_TIMEOUT = 24
    MANUAL_API_TRIGGERED = 25
    STREAMING_NOT_SUPPORTED = 26


EARLIEST_MS, LATEST_MS = 946_684_800_000, 4_102_444_800_000
"""The years 2000 to 2100: a timestamp outside is no time of a call."""


def plausible_ms(timestamp: int | float | None) -> int | None:
    """A Zoom timestamp as `epoch_ms`, None when there is none or it cannot be the time of a call."""
    if timestamp is None or not math.isfinite(timestamp):
        return None
    when_ms = epoch_ms(timestamp)
    return when_ms if EARLIEST_MS <= when_ms < LATEST_MS else None


def stop_reason(value: int | str | None) -> StopReason | None:
    """Zoom's stop reason by number or name, None when none was given or it is one that we do not know."""
    if isinstance(value, str):
        return StopReason.__members__.get(value.upper().removeprefix("STOP_BC_"))
    try:
        return None if value is None else StopReason(value)
    except ValueError:
        return None


def name_of(enum: type[IntEnum], value: int | None) -> str:
    """Zoom's name of a number, or ``unknown_<n>`` for one that this version does not know."""
    if value is None:
        return "none"
    try:
        return enum(value).name
    except ValueError:
        return f"unknown_{value}"


def epoch_ms(timestamp: int | float) -> int:
    """A Zoom timestamp in milliseconds since 1970, whatever unit it came in.

    Documents say milliseconds; microseconds were seen in transcripts and seconds in stream states. The unit
    follows from the magnitude: ≥ 1e17 ns, ≥ 1e14 µs, ≥ 1e11 ms, else s.
    """
    if timestamp >= 1e17:
        return int(timestamp // 1_000_000)
    if timestamp >= 1e14:
        return int(timestamp // 1_000)
    if timestamp >= 1e11:
        return int(timestamp)
    return int(timestamp * 1_000)


class _Message(msgspec.Struct, frozen=True, tag_field="msg_type", kw_only=True):
    """Base of all messages. ``msg_type`` is the struct's tag, so it cannot disagree with the type."""


class AudioParams(msgspec.Struct, frozen=True, kw_only=True):
    """``media_params.audio``: the values are the wire numbers of the enums above."""

    content_type: int = ContentType.RAW_AUDIO
    sample_rate: int = SampleRate.SR_16K
    channel: int = 1
    codec: int = Codec.L16
    data_opt: int = DataOption.AUDIO_MULTI_STREAMS
    send_rate: int = 20
    """Milliseconds of audio per message: 20–1000 in steps of 20 for L16, 20 for the other codecs."""


class TranscriptParams(msgspec.Struct, frozen=True, kw_only=True):
    """``media_params.transcript``."""

    content_type: int = ContentType.TEXT
    src_language: int | None = None
    """RTMS_TRANSCRIPT_LANGUAGE number."""
    enable_lid: bool | None = None
    """False pins the language: Zoom's language detector stays off."""


class MediaParams(msgspec.Struct, frozen=True, kw_only=True):
    """``media_params`` of messages 3 (wanted) and 4 (effective)."""

    audio: AudioParams | None = None
    transcript: TranscriptParams | None = None


class SignalingHandshakeRequest(_Message, frozen=True, tag=1, kw_only=True):
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


class SignalingHandshakeResponse(_Message, frozen=True, tag=2, kw_only=True):
    """2, Zoom → client. ``media_server`` is absent when ``status_code`` is not OK."""

    status_code: int
    reason: str = ""
    protocol_version: int = 1
    sequence: int = 0
    media_server: MediaServer | None = None


class MediaHandshakeRequest(_Message, frozen=True, tag=3, kw_only=True):
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


class MediaHandshakeResponse(_Message, frozen=True, tag=4, kw_only=True):
    """4, Zoom → client. ``media_params`` are the effective ones: decode by these, not by those wanted."""

    status_code: int
    reason: str = ""
    protocol_version: int = 1
    sequence: int = 0
    payload_encrypted: bool = False
    media_params: MediaParams | None = None


class EventChoice(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of an event subscription."""

    event_type: int
    subscribe: bool = True


class EventSubscription(_Message, frozen=True, tag=5, kw_only=True):
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

    user_id: str | int
    user_name: str | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """The inside of message 6. Its number is to be read by product."""

    event_type: int
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


class EventUpdate(_Message, frozen=True, tag=6, kw_only=True):
    """6, Zoom → client."""

    event: Event


class ClientReady(_Message, frozen=True, tag=7, kw_only=True):
    """7, client → Zoom on the signaling connection, once after each accepted media handshake."""

    rtms_stream_id: str


class StreamStateUpdate(_Message, frozen=True, tag=8, kw_only=True):
    """8, Zoom → client. State 4, TERMINATED, is final."""

    state: int
    reason: int | None = None
    timestamp: int | float | None = None
    rtms_stream_id: str | None = None


class SessionStateUpdate(_Message, frozen=True, tag=9, kw_only=True):
    """9, Zoom → client: one of the stream's sessions started, paused, resumed or stopped."""

    state: int
    rtms_session_id: str | None = None
    timestamp: int | float | None = None
    stop_reason: int | None = None


class KeepAliveRequest(_Message, frozen=True, tag=12, kw_only=True):
    """12, Zoom → client on either connection; to be answered there at once."""

    timestamp: int | None = None
    sequence: int | None = None


class KeepAliveResponse(_Message, frozen=True, tag=13, kw_only=True):
    """13, client → Zoom: the request's values, verbatim."""

    timestamp: int | None = None
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


class AudioData(_Message, frozen=True, tag=14, gc=False, kw_only=True):
    """14, Zoom → client: a packet of one track."""

    content: AudioContent


class TranscriptContent(msgspec.Struct, frozen=True, kw_only=True):
    """The inside of message 17. Times may be in ms or µs: use `epoch_ms`."""

    data: str
    timestamp: int
    channel_id: str | int | None = None
    user_id: int | str | None = None
    user_name: str | None = None
    start_time: int | None = None
    end_time: int | None = None
    language: int | None = None
    attribute: int | None = None


class TranscriptData(_Message, frozen=True, tag=17, kw_only=True):
    """17, Zoom → client: Zoom's own transcript."""

    content: TranscriptContent


class StreamCloseRequest(_Message, frozen=True, tag=21, kw_only=True):
    """21, client → Zoom: we want no more of this stream."""

    rtms_stream_id: str


class StreamCloseResponse(_Message, frozen=True, tag=22, kw_only=True):
    """22, Zoom → client."""

    status_code: int = 0
    reason: str = ""
    rtms_stream_id: str | None = None
    timestamp: int | None = None


class OtherMessage(msgspec.Struct, frozen=True):
    """A message with a legal ``msg_type`` that this program has no use for, or does not know."""

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
    | KeepAliveRequest
    | KeepAliveResponse
    | AudioData
    | TranscriptData
    | StreamCloseRequest
    | StreamCloseResponse
)

Message = TypedMessage | OtherMessage
