"""What Zoom accepts and refuses in messages 1 and 3, and what it answers. No I/O.

RTMS documentation, "Data types": audio parameters are validated as a whole tuple, missing ones take the
server's defaults, a ``send_rate`` above 1000 is clamped. Read from the JSON as it came, not through the
structs that client and simulator share, whose tolerance would hide a client's mistakes.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zccvoice.errors import HandshakeRefusedError
from zccvoice.rtms.enums import Codec, ContentType, DataOption, MediaType, SampleRate, StatusCode, name_of
from zccvoice.rtms.messages import AudioParams, TranscriptParams

Fields = Mapping[str, Any]
"""A JSON object as it came."""

ID_KEYS = ("engagement_id", "meeting_uuid", "webinar_uuid", "session_id", "call_id")
"""Zoom's own SDK sends every product's id as ``meeting_uuid``: any of these will do."""

VOICE = MediaType.AUDIO | MediaType.TRANSCRIPT
"""What every product has to offer."""

_NOT_SERVED = {
    MediaType.VIDEO: StatusCode.MEDIA_TYPE_VIDEO_NOT_SUPPORT,
    MediaType.DESKSHARE: StatusCode.MEDIA_TYPE_DESKSHARE_NOT_SUPPORT,
    MediaType.CHAT: StatusCode.MEDIA_TYPE_CHAT_NOT_SUPPORT,
}
_RATES = {
    Codec.L16: frozenset(SampleRate),
    Codec.OPUS: frozenset({SampleRate.SR_48K}),
    Codec.G711: frozenset({SampleRate.SR_8K}),
    Codec.G722: frozenset({SampleRate.SR_16K}),
}
_STEREO = frozenset({Codec.L16, Codec.OPUS})
_SERVER_DEFAULTS = {
    "content_type": ContentType.RAW_AUDIO,
    "codec": Codec.L16,
    "sample_rate": SampleRate.SR_16K,
    "channel": 1,
    "data_opt": DataOption.AUDIO_MIXED_STREAM,
    "send_rate": 20,
}
_LANGUAGES = range(-1, 37)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a client must show to get a stream."""

    engagement_id: str
    stream_id: str
    signature: str


@dataclass(frozen=True, slots=True)
class MediaTerms:
    """What a media connection will carry."""

    media_types: int
    """Bit mask, of what the product serves."""
    is_all: bool
    """Whether the client asked for everything there is, MEDIA_DATA_TYPE 32."""
    audio: AudioParams
    """The effective parameters; also given when audio is not asked for."""
    transcript: TranscriptParams | None


def check_identity(which: str, fields: Fields, identity: Identity) -> None:
    """Whether message 1 or 3 may have this stream. `which` is ``signaling`` or ``media``.

    Raises:
        HandshakeRefusedError: with the status and reason to answer.
    """
    if fields.get("protocol_version", 1) != 1:
        raise _refused(which, StatusCode.INVALID_PAYLOAD, "protocol_version must be 1")
    ids = {key: fields[key] for key in ID_KEYS if fields.get(key) is not None}
    if not ids:
        raise _refused(which, StatusCode.INVALID_PAYLOAD, f"none of {', '.join(ID_KEYS)} given")
    if any(value != identity.engagement_id for value in ids.values()):
        raise _refused(
            which, StatusCode.INVALID_RTMS_STREAM_ID, f"{', '.join(ids)}: not the started webhook's id"
        )
    if fields.get("rtms_stream_id") != identity.stream_id:
        raise _refused(which, StatusCode.INVALID_RTMS_STREAM_ID, "unknown rtms_stream_id")
    signature = fields.get("signature")
    if not isinstance(signature, str) or not hmac.compare_digest(
        signature.encode(), identity.signature.encode()
    ):
        raise _refused(which, StatusCode.INVALID_SIGNATURE, "invalid signature")


def check_media(fields: Fields, served: int = VOICE) -> MediaTerms:
    """What message 3 asks for, with the server's defaults filled in. `served` is a mask of media types.

    Raises:
        HandshakeRefusedError: with the status and reason to answer.
    """
    wanted = fields.get("media_params") or {}
    if not isinstance(wanted, dict):
        raise _refused("media", StatusCode.INVALID_MEDIA_PARAMS, "media_params must be an object")
    return MediaTerms(
        _media_types(fields.get("media_type"), served),
        fields.get("media_type") == MediaType.ALL,
        _audio(wanted.get("audio")),
        _transcript(wanted.get("transcript")),
    )


def _media_types(mask: Any, served: int) -> int:
    if type(mask) is not int:
        raise _refused("media", StatusCode.INVALID_MEDIA_TYPE, "media_type must be an integer")
    if mask == MediaType.ALL:
        return served
    for media_type, status in _NOT_SERVED.items():
        if mask & media_type & ~served:
            raise _refused("media", status, f"{media_type.name} is not among what is served")
    if mask <= 0 or mask & ~served:
        raise _refused("media", StatusCode.MEDIA_TYPE_INVALID_VALUE, f"media_type {mask} has no meaning")
    return mask


def _audio(wanted: Any) -> AudioParams:
    if wanted is not None and not isinstance(wanted, dict):
        raise _refused("media", StatusCode.INVALID_MEDIA_AUDIO_PARAMS, "audio must be an object")
    given = {key: value for key, value in (wanted or {}).items() if value is not None}
    for key in _SERVER_DEFAULTS:
        if key in given and type(given[key]) is not int:
            raise _refused("media", StatusCode.INVALID_MEDIA_AUDIO_PARAMS, f"{key} must be an integer")
    values: dict[str, int] = {key: given.get(key, default) for key, default in _SERVER_DEFAULTS.items()}
    values["send_rate"] = min(values["send_rate"], 1_000)
    if refusal := _audio_refusal(AudioParams(**values)):
        raise _refused("media", *refusal)
    return AudioParams(**values)


def _audio_refusal(params: AudioParams) -> tuple[StatusCode, str] | None:
    """Why the tuple is not in the table of allowed combinations, if it is not."""
    if params.codec not in _RATES:
        return StatusCode.INVALID_MEDIA_AUDIO_CODEC, f"codec {params.codec} is not one of audio"
    codec = Codec(params.codec)
    if params.content_type not in (ContentType.RTP, ContentType.RAW_AUDIO):
        return StatusCode.INVALID_MEDIA_AUDIO_CONTENT_TYPE, f"content_type {params.content_type} is not audio"
    if params.sample_rate not in _RATES[codec]:
        rate = name_of(SampleRate, params.sample_rate)
        return StatusCode.INVALID_MEDIA_AUDIO_SAMPLE_RATE, f"{codec.name} does not go with {rate}"
    if params.channel not in ((1, 2) if codec in _STEREO else (1,)):
        return (
            StatusCode.INVALID_MEDIA_AUDIO_CHANNEL,
            f"{codec.name} does not go with channel {params.channel}",
        )
    if params.data_opt not in (DataOption.AUDIO_MIXED_STREAM, DataOption.AUDIO_MULTI_STREAMS):
        return StatusCode.INVALID_MEDIA_AUDIO_DATA_OPT, f"data_opt {params.data_opt} is not one of audio"
    if params.send_rate < 20 or params.send_rate % 20 or (codec is not Codec.L16 and params.send_rate != 20):
        return (
            StatusCode.INVALID_MEDIA_AUDIO_SEND_RATE,
            f"{codec.name} does not go with {params.send_rate} ms",
        )
    return None


def _transcript(wanted: Any) -> TranscriptParams | None:
    if wanted is None:
        return None
    if not isinstance(wanted, dict) or not isinstance(wanted.get("enable_lid", True), bool):
        raise _refused("media", StatusCode.INVALID_MEDIA_TRANSCRIPT_PARAMS, "transcript params are malformed")
    if wanted.get("content_type", ContentType.TEXT) != ContentType.TEXT:
        raise _refused("media", StatusCode.INVALID_MEDIA_TRANSCRIPT_CONTENT_TYPE, "expected content_type 5")
    language = wanted.get("src_language")
    if language is not None and (type(language) is not int or language not in _LANGUAGES):
        raise _refused(
            "media", StatusCode.INVALID_MEDIA_TRANSCRIPT_SOURCE_LANGUAGE, "src_language is not in Zoom's list"
        )
    return TranscriptParams(src_language=language, enable_lid=wanted.get("enable_lid", True))


def _refused(which: str, status: StatusCode, reason: str) -> HandshakeRefusedError:
    return HandshakeRefusedError(which, status, reason)
