"""Zoom's transcripts and chats as facts."""

from __future__ import annotations

from zccvoice.daemon.texts import text_told
from zccvoice.rtms.events import Change, ChatReceived, TranscriptReceived
from zccvoice.store.facts import ChatWritten, ZoomTranscribed

IDS = ("E", "S")


def test_a_transcript_and_its_removal() -> None:
    assert text_told(IDS, TranscriptReceived("ch", 1, 2, "hello", "en-US")) == ZoomTranscribed(
        *IDS, "ch", 1, 2, "hello", "en-US"
    )
    assert text_told(IDS, TranscriptReceived("ch", 1, None, "", None, Change.DELETED)) == ZoomTranscribed(
        *IDS, "ch", 1, None, None, None
    )


def test_a_chat_message_goes_by_its_id_or_by_its_time_and_sender() -> None:
    assert text_told(IDS, ChatReceived(7, "hello", "u", "Ana", "m1")) == ChatWritten(
        *IDS, "m1", 7, "hello", "u", "Ana"
    )
    assert text_told(IDS, ChatReceived(7, "hello", "u", "Ana")) == ChatWritten(
        *IDS, "7 u", 7, "hello", "u", "Ana"
    )
    assert text_told(IDS, ChatReceived(7, "", "u", "Ana", "m1", Change.DELETED)) == ChatWritten(
        *IDS, "m1", 7, None, "u", "Ana"
    )
