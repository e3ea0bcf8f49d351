"""RTMS messages as typed values: one frozen struct per message.

Field names are Zoom's wire names, so a value and its JSON can be compared by eye. `wire.py` turns one into
the other; nothing here does I/O. Numbers that Zoom may extend stay plain ``int`` in the structs and are
looked up with `name_of`, so that an unknown value passes without harm.

Sources: Zoom developer documentation "Realtime Media Streams" (data types, event reference, Contact Center
Voice), SDK `zoom/rtms` 1.1.0.
"""

from __future__ import annotations

import math

import msgspec

from zccvoice.rtms.enums import Codec, ContentType, DataOption, SampleRate


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


EARLIEST_MS, LATEST_MS = 946_684_800_000, 4_102_444_800_000
"""The years 2000 to 2100: a timestamp outside is no time of a call."""


def plausible_ms(timestamp: int | float | None) -> int | None:
    """A Zoom timestamp as `epoch_ms`, None when there is none or it cannot be the time of a call."""
    if timestamp is None or not math.isfinite(timestamp):
        return None
    when_ms = epoch_ms(timestamp)
    return when_ms if EARLIEST_MS <= when_ms < LATEST_MS else None


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
