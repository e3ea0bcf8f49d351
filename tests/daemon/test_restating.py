"""What has been stated of a stream is known by its keys, each once and in order."""

from __future__ import annotations

from zccvoice.daemon.restating import Stated
from zccvoice.store.facts import CallEventSeen, GapFound, LanguagePinned, OneWayFound, StreamRestated


def test_every_key_once_and_in_order() -> None:
    stated = Stated(("E", "S"))
    for start_ms in (7, 3, 7):
        stated.note_spoken("c", start_ms)
        stated.note(GapFound("E", "S", "c", start_ms, 9, "lost_packets"))
    stated.note(LanguagePinned("E", "S", "en", "detected", channel_id="c", number=1))
    stated.note(LanguagePinned("E", "S", "de", "detected"))
    stated.note(OneWayFound("E", "S", "c", 5, 9))
    stated.note(CallEventSeen("E", "S", "user_hold", 1))
    both = (("c", 3), ("c", 7))
    assert stated.restated() == StreamRestated("E", "S", both, both, (("", 0), ("c", 1)), (("c", 5),))
