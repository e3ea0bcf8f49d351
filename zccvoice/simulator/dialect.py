"""Where Zoom's documents, samples and servers disagree: which of the forms a simulated call speaks.

The defaults are what Zoom's current documents and its own SDK show; the others occur in older documents, in
samples written for the real service, or were seen in the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from zccvoice.rtms.enums import MediaType, StatusCode
from zccvoice.simulator.entries import Entry


class Offer(StrEnum):
    """Which media URLs message 2 tells."""

    BOTH = "both"
    SPLIT = "split"
    """One per kind of media, no ``all``."""
    UNIFIED = "unified"
    """Only ``all``."""


class ChatForm(StrEnum):
    """What ``content.data`` of a chat message is."""

    TEXT = "text"
    """The words alone, before July 2026."""
    OBJECT = "object"
    ENCODED = "encoded"
    """The object, written as JSON text."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How Zoom speaks in one call."""

    offer: Offer = Offer.BOTH
    nested_webhooks: bool = False
    """Payloads under ``payload.object``, as Zoom's webhooks other than those of RTMS have it."""
    old_statuses: bool = False
    """Status numbers of 2025, which mean other things than today's; the reasons are the same."""
    refuses_media_with_message_2: bool = False
    """A refused media handshake is answered with message 2, as older documents have it."""
    refuses_signature_silently: bool = False
    """A wrong signature is answered by closing with 1000, and nothing else."""
    names_payload_encryption: bool = False
    """Message 4 has ``payload_encryption``, as Zoom's table calls it, which Zoom's SDK does not know."""
    microseconds: bool = False
    """Transcripts are stamped in microseconds, as Zoom's own samples read them."""
    chat_form: ChatForm = ChatForm.OBJECT
    merges_channels: bool = False
    """Contact Center honours AUDIO_MIXED_STREAM; Zoom's own sample expects that it does not."""
    names_channels: bool = False
    """Contact Center sends ``user_name`` beside ``channel_id``, without which Zoom's SDK drops the audio."""
    evicts: bool = False
    """A second signaling connection ends the first one instead of being refused."""
    speaker_delay_ms: int = 0
    """How long after somebody began to speak the active speaker is another one; Zoom documents no figure."""


def read_dialect(entry: Entry) -> Dialect:
    """The ``[dialect]`` table of a scenario file."""
    dialect = Dialect(
        offer=entry.choice("offer", Offer, Offer.BOTH),
        nested_webhooks=entry.flag("nested_webhooks"),
        old_statuses=entry.flag("old_statuses"),
        refuses_media_with_message_2=entry.flag("refuses_media_with_message_2"),
        refuses_signature_silently=entry.flag("refuses_signature_silently"),
        names_payload_encryption=entry.flag("names_payload_encryption"),
        microseconds=entry.flag("microseconds"),
        chat_form=entry.choice("chat_form", ChatForm, ChatForm.OBJECT),
        merges_channels=entry.flag("merges_channels"),
        names_channels=entry.flag("names_channels"),
        evicts=entry.flag("evicts"),
        speaker_delay_ms=entry.whole("speaker_delay_ms", 0),
    )
    entry.finish()
    return dialect


MEDIA_KEYS: Mapping[str, int] = {
    "audio": MediaType.AUDIO,
    "transcript": MediaType.TRANSCRIPT,
    "chat": MediaType.CHAT,
    "all": MediaType.ALL,
}
"""Keys of ``server_urls``, each also the last part of its path."""


def offered_keys(offer: Offer, served: int) -> tuple[str, ...]:
    """The keys of ``server_urls`` for a product that serves the media types `served` (a bit mask)."""
    split = tuple(key for key, media_type in MEDIA_KEYS.items() if media_type & served)
    return {Offer.BOTH: (*split, "all"), Offer.SPLIT: split, Offer.UNIFIED: ("all",)}[offer]


_OLD_STATUSES: Mapping[int, int] = {
    StatusCode.INVALID_MESSAGE_TYPE: 4,
    StatusCode.INVALID_RTMS_STREAM_ID: 16,
    StatusCode.INVALID_SIGNATURE: 15,
    StatusCode.INVALID_PAYLOAD: 7,
    StatusCode.INVALID_MEDIA_TYPE: 23,
    StatusCode.DUPLICATE_SIGNAL_REQUEST: 17,
    StatusCode.MEDIA_TYPE_AUDIO_NOT_SUPPORT: 24,
    StatusCode.MEDIA_TYPE_VIDEO_NOT_SUPPORT: 25,
    StatusCode.MEDIA_TYPE_DESKSHARE_NOT_SUPPORT: 26,
    StatusCode.MEDIA_TYPE_TRANSCRIPT_NOT_SUPPORT: 27,
    StatusCode.MEDIA_TYPE_CHAT_NOT_SUPPORT: 28,
    StatusCode.MEDIA_TYPE_INVALID_VALUE: 29,
    StatusCode.MEDIA_DATA_ALL_CONNECTION_EXIST: 30,
    StatusCode.DUPLICATE_MEDIA_DATA_CONNECTION: 31,
    StatusCode.INVALID_MEDIA_PARAMS: 33,
}
_OLD_AUDIO_PARAMS, _OLD_TRANSCRIPT_PARAMS = 35, 66
"""First of the numbers for audio and for transcript parameters; which is which within is not known."""


def told_status(dialect: Dialect, status: int) -> int:
    """The number under which this dialect tells a status of the current table."""
    if not dialect.old_statuses or status == StatusCode.OK:
        return status
    if StatusCode.INVALID_MEDIA_AUDIO_PARAMS <= status <= StatusCode.INVALID_MEDIA_AUDIO_SEND_RATE:
        return _OLD_AUDIO_PARAMS
    if status in (
        StatusCode.INVALID_MEDIA_TRANSCRIPT_PARAMS,
        StatusCode.INVALID_MEDIA_TRANSCRIPT_CONTENT_TYPE,
        StatusCode.INVALID_MEDIA_TRANSCRIPT_SOURCE_LANGUAGE,
    ):
        return _OLD_TRANSCRIPT_PARAMS
    return _OLD_STATUSES.get(status, status)
