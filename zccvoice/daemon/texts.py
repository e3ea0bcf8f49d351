"""CORE: what Zoom transcribed, and what people wrote, as facts; without a text where it was taken back."""

from __future__ import annotations

from zccvoice.rtms.events import Change, ChatReceived, TranscriptReceived
from zccvoice.store.facts import ChatWritten, ZoomTranscribed


def text_told(ids: tuple[str, str], told: TranscriptReceived | ChatReceived) -> ZoomTranscribed | ChatWritten:
    """The fact.

    Args:
        ids: of the engagement and the stream.
        told: the event. A message without an id goes by its time and sender.
    """
    text = None if told.change is Change.DELETED else told.text
    if isinstance(told, TranscriptReceived):
        return ZoomTranscribed(
            *ids, told.channel_id, told.start_timestamp_ms, told.end_timestamp_ms, text, told.language
        )
    message_id = told.message_id or f"{told.timestamp_ms} {told.sender_id or ''}"
    return ChatWritten(*ids, message_id, told.timestamp_ms, text, told.sender_id, told.sender_name)
