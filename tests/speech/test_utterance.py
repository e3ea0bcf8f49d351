"""What people say stays out of anything that is printed."""

from __future__ import annotations

from zccvoice.speech.utterance import Transcript, Word


def test_what_people_say_is_not_in_the_repr_of_a_transcript() -> None:
    told = repr(Transcript("secret", (Word("secret", 0, 90, 0.9),), "en", 0.9, "fake"))
    assert "secret" not in told
    assert "start_ms=0" in told
