"""Zoom's enums, with its own names and numbers. Numbers that this version does not know pass as plain ``int``.

Sources: Zoom developer documentation "Realtime Media Streams" (data types, event reference, Contact Center
Voice), SDK `zoom/rtms` 1.1.0.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Product(StrEnum):
    """The Zoom product a stream belongs to; decides ids, event numbers and credentials."""

    CONTACT_CENTER = "contact_center"
    MEETING = "meeting"
    WEBINAR = "webinar"
    VIDEO_SDK = "video_sdk"
    PHONE = "phone"
    RECORDING = "recording"
    """None of Zoom's: a file that somebody else recorded."""


MEETINGS = frozenset({Product.MEETING, Product.WEBINAR, Product.VIDEO_SDK})
"""Products that have a chat, active speakers and mixed audio, and that Zoom's own SDK receives."""


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


STOP_CAUSES = frozenset(reason.name.lower() for reason in StopReason)
"""`StreamEnded.cause` of streams for whose end Zoom told its reason."""
_UNKNOWN = "unknown_"


class MessageAttribute(IntEnum):
    """RTMS_DATA_MESSAGE_ATTRIBUTE: what became of a sentence of Zoom's transcript."""

    ATTR_NONE = 0
    ATTR_NEW = 1
    ATTR_UPDATE = 2
    ATTR_DELETE = 3


class ChatOperation(IntEnum):
    """RTMS_CHAT_OPERATION_TYPE."""

    NEW = 1
    DELETE = 2
    UPDATE = 3
    ADD_EMOJI_REACTION = 4
    REMOVE_EMOJI_REACTION = 5


class ChatSession(IntEnum):
    """RTMS_CHAT_SESSION_TYPE: who can read a chat message."""

    EVERYONE = 1
    INDIVIDUAL = 2
    CHAT_GROUP = 3
    HOSTS_AND_PANELISTS = 4
    INDIVIDUAL_CC_HOSTS_AND_PANELISTS = 5


class ChatGroupMemberStatus(IntEnum):
    """RTMS_CHAT_GROUP_MEMBER_STATUS."""

    IN_GROUP = 0
    BREAKOUT_ROOM = 1
    WAITING_ROOM = 2
    BACKSTAGE = 3
    LEFT = 4


class Resolution(IntEnum):
    """MEDIA_RESOLUTION, of video and shared screens."""

    SD = 1
    HD = 2
    FHD = 3
    QHD = 4


class TransmissionProtocol(IntEnum):
    """TRANSMISSION_PROTOCOL; only WebSocket is used by this version of RTMS."""

    WEBSOCKET = 1
    RTMP = 2
    UDP = 3
    WEBRTC = 4


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
        return f"{_UNKNOWN}{value}"


def is_end_by_zoom(cause: str) -> bool:
    """Whether Zoom ended the stream, by `StreamEnded.cause`; it may give no reason, or one that we do not know."""
    return cause in STOP_CAUSES or cause in ("stopped", "unspecified") or cause.startswith(_UNKNOWN)
