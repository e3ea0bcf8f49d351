"""Calls whose recognizer hears what the test says; how fast it answers must not matter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.config import LanguageConfig
from zccvoice.speech.language import LanguagePin
from zccvoice.speech.party import Pinned, Step, Unclear
from zccvoice.speech.pinning import Pinning
from zccvoice.speech.utterance import Utterance, UtteranceKey

T0 = 1_781_000_000_000
NOTHING = np.empty(0, np.int16)
SURE = 0.97


def utterance(number: int, *, length_s: float = 2.0, channel: str = "c") -> Utterance:
    start = T0 + number * 10_000
    return Utterance(channel, start, start + round(length_s * 1000), NOTHING, 0, -20.0, 0.0)


def settings(**more: Any) -> LanguageConfig:
    return LanguageConfig(default="detect", among=("de", "en", "es"), **more)


def surely(language: str, probability: float = SURE) -> dict[str, float]:
    rest = (1 - probability) / 2
    return {one: probability if one == language else rest for one in ("de", "en", "es")}


class Played:
    """A call with a recognizer that hears `spoken` languages, and understands others poorly."""

    def __init__(self, settings: LanguageConfig, past: Iterable[LanguagePin] = ()) -> None:
        self.pinning = Pinning(settings, past)
        self.pins: list[LanguagePin] = []
        self.asked: list[Utterance] = []
        self.waiting: list[Pinned] = []
        self.texts: dict[UtteranceKey, str] = {}
        """Languages in which utterances were transcribed in the end."""

    def take(self, steps: Iterable[Step]) -> None:
        for step in steps:
            match step:
                case LanguagePin():
                    self.pins.append(step)
                case Unclear():
                    self.asked.append(step.utterance)
                case Pinned():
                    assert self.pins, "nothing is handed out before a pin"
                    self.waiting.append(step)

    def hear(self, *utterances: Utterance, configured: str | None = None) -> None:
        for one in utterances:
            self.take(self.pinning.hear(one, configured))

    def answer(self, *told: Mapping[str, float]) -> None:
        """What the recognizer says to what it was asked, in order."""
        for probabilities in told:
            self.take(self.pinning.note_clue(self.asked.pop(0), probabilities))

    def transcribe(self, *, poor: Iterable[str] = (), at: int = 0) -> None:
        """The recognizer is done with one; utterances in `poor` languages it understood poorly."""
        done = self.waiting.pop(at)
        key = done.utterance.key
        steps = self.pinning.note_transcript(key, done.language, is_poor=done.language in set(poor))
        if steps is not None:
            self.texts[key] = done.language
            self.take(steps)

    def transcribe_all(self, *, poor: Iterable[str] = ()) -> None:
        while self.waiting:
            self.transcribe(poor=poor)


def test_what_is_configured_is_pinned_at_once() -> None:
    played = Played(LanguageConfig())
    played.hear(utterance(0), utterance(1), configured="es")
    assert played.pins == [LanguagePin("es")]
    assert [one.language for one in played.waiting] == ["es", "es"]
    assert played.asked == []


def test_nothing_is_handed_out_before_three_seconds_were_listened_to() -> None:
    played = Played(settings())
    played.hear(utterance(0))
    played.answer(surely("de"))
    assert (played.pins, played.waiting) == ([], [])
    played.hear(utterance(1))
    played.answer(surely("de"))
    (pin,) = played.pins
    assert (pin.language, pin.source, pin.channel_id) == ("de", "detected", None)
    assert pin.confidence == pytest.approx(SURE)
    assert [one.language for one in played.waiting] == ["de", "de"]
    played.hear(utterance(2))
    assert played.asked == []
    assert len(played.waiting) == 3


NOBODY_KNOWS = {"de": 1 / 3, "en": 1 / 3, "es": 1 / 3}


def test_the_fallback_holds_when_the_recognizer_was_asked_in_vain() -> None:
    """It names no language, or another one than may be: that is none of them, and no failure of it either."""
    played = Played(settings(fallback="en", most_voiced_s=6))
    played.hear(*(utterance(number) for number in range(2)))
    played.answer({}, NOBODY_KNOWS)
    for number in range(2, 20):
        played.hear(utterance(number))
        played.answer(*[NOBODY_KNOWS] * len(played.asked))
    (pin,) = played.pins
    assert (pin.language, pin.source, pin.confidence) == ("en", "fallback", None)
    assert len(played.waiting) == 20


def test_what_speaks_for_no_language_is_no_evidence() -> None:
    played = Played(settings(fallback="en", most_voiced_s=6))
    for number in range(4):
        played.hear(utterance(number))
        played.answer(*[surely("es") if number == 2 else NOBODY_KNOWS] * len(played.asked))
    (pin,) = played.pins
    assert (pin.language, pin.source) == ("es", "detected")
    assert pin.confidence == pytest.approx(SURE)


def test_no_more_is_asked_than_is_wanted() -> None:
    played = Played(settings())
    played.hear(*(utterance(number) for number in range(10)))
    assert len(played.asked) == 2
    assert played.waiting == []


def test_doubtful_evidence_is_waited_out() -> None:
    played = Played(settings())
    played.hear(utterance(0, length_s=4), utterance(1, length_s=4), utterance(2, length_s=4))
    played.answer(surely("en", 0.5))
    assert played.pins == []
    played.answer(surely("de", 0.9))
    assert played.pins == []
    played.answer(surely("de", SURE))
    assert [one.language for one in played.pins] == ["de"]


def test_doubts_have_an_end() -> None:
    played = Played(settings(most_voiced_s=8.0))
    played.hear(utterance(0, length_s=4), utterance(1, length_s=4))
    played.answer(surely("en", 0.5), surely("en", 0.5))
    (pin,) = played.pins
    assert pin.language == "en"
    assert pin.confidence is not None
    assert pin.confidence < 0.8


def test_a_failure_is_no_evidence() -> None:
    played = Played(settings())
    played.hear(utterance(0, length_s=4))
    played.answer({})
    played.hear(utterance(1, length_s=4))
    played.answer(surely("es"))
    assert [one.language for one in played.pins] == ["es"]


def test_a_call_that_ends_early_gets_what_there_is_evidence_for() -> None:
    played = Played(settings())
    played.hear(utterance(0, length_s=1))
    played.take(played.pinning.end())
    assert played.pins == []
    played.answer(surely("es", 0.6))
    (pin,) = played.pins
    assert (pin.language, pin.source) == ("es", "detected")
    assert pin.confidence == pytest.approx(0.6)
    assert len(played.waiting) == 1


def test_without_any_evidence_the_fallback_is_marked() -> None:
    played = Played(settings(fallback="en"))
    played.hear(utterance(0, length_s=1))
    played.answer({})
    played.take(played.pinning.end())
    assert played.pins == [LanguagePin("en", "fallback")]
    plain = Played(settings())
    plain.hear(utterance(0, length_s=1))
    plain.answer({})
    plain.take(plain.pinning.end())
    assert plain.pins == [LanguagePin("de", "fallback")]


def test_a_call_in_which_nobody_spoke_has_no_language() -> None:
    played = Played(settings())
    played.take(played.pinning.end())
    assert played.pins == []


def test_sides_are_pinned_apart_and_the_first_is_that_of_the_call() -> None:
    played = Played(settings(per="side"))
    played.hear(utterance(0, length_s=4, channel="c"), utterance(1, length_s=4, channel="a"))
    assert [one.channel_id for one in played.asked] == ["c", "a"]
    played.asked.reverse()
    played.answer(surely("en"), surely("es"))
    assert [(one.channel_id, one.language, one.is_of_call) for one in played.pins] == [
        ("a", "en", True),
        ("c", "es", False),
    ]
    assert {one.utterance.channel_id: one.language for one in played.waiting} == {"a": "en", "c": "es"}


def test_a_side_that_says_too_little_has_the_language_of_the_other() -> None:
    played = Played(settings(per="side"))
    played.hear(utterance(0, length_s=4, channel="c"), utterance(1, length_s=0.3, channel="a"))
    played.answer(surely("es"), {})
    played.take(played.pinning.end())
    assert [(one.channel_id, one.language, one.source) for one in played.pins] == [
        ("c", "es", "detected"),
        ("a", "es", "fallback"),
    ]


def test_zoom_tells_the_language_when_it_is_sure_of_it() -> None:
    played = Played(settings())
    played.hear(utterance(0, length_s=1))
    for start, language in ((0, "es"), (1, "es"), (1, "es"), (2, "es")):
        assert played.pins == []
        played.take(played.pinning.note_told("c", start, language, 1.2))
    assert played.pins == [LanguagePin("es", "zoom")]
    played.answer(surely("de"))  # too late
    assert [one.language for one in played.waiting] == ["es"]


@pytest.mark.parametrize(("language", "more"), [("fr", {}), (None, {}), ("es", {"from_zoom": False})])
def test_what_zoom_tells_may_not_count(language: str | None, more: dict[str, Any]) -> None:
    played = Played(settings(**more))
    played.hear(utterance(0, length_s=1))
    played.take(played.pinning.note_told("c", 0, language, 60))
    assert played.pins == []


def pinned(language: str = "de", **more: Any) -> Played:
    """A call that was pinned, with its first two utterances transcribed."""
    played = Played(settings(**more))
    played.hear(utterance(0), utterance(1))
    played.answer(surely(language), surely(language))
    played.transcribe_all()
    return played


def test_three_poor_utterances_in_a_row_change_the_pin_and_are_done_again() -> None:
    played = pinned()
    played.hear(*(utterance(number) for number in range(2, 7)))
    played.transcribe()
    for _ in range(3):
        played.transcribe(poor=["de"])
    assert [one.start_timestamp_ms for one in played.asked] == [T0 + at * 10_000 for at in (3, 4, 5)]
    played.answer(surely("es"), surely("es"), surely("es"))
    assert played.pins[-1] == LanguagePin(
        "es",
        "detected",
        played.pins[-1].confidence,
        number=1,
        since_channel_id="c",
        since_timestamp_ms=T0 + 30_000,
    )
    assert len(played.pins) == 2
    played.transcribe(poor=["de"])  # number 6, which was being transcribed in German
    played.transcribe_all(poor=["de"])
    assert list(played.texts.values()) == ["de"] * 3 + ["es"] * 4


def test_two_poor_ones_are_no_evidence() -> None:
    played = pinned()
    played.hear(*(utterance(number) for number in range(2, 8)))
    for number in range(6):
        played.transcribe(poor=["de"] if number % 3 else [])
    assert played.asked == []


def test_the_order_is_that_of_the_speech_not_of_the_recognizer() -> None:
    played = pinned()
    played.hear(*(utterance(number) for number in range(2, 6)))
    for _ in range(3):
        played.transcribe(poor=["de"], at=1)
    assert played.asked == []
    played.transcribe()
    assert len(played.asked) == 3


def test_a_pin_that_is_confirmed_stays() -> None:
    played = pinned()
    played.hear(*(utterance(number) for number in range(2, 9)))
    for _ in range(3):
        played.transcribe(poor=["de"])
    played.answer(surely("de"), surely("de"), surely("de"))
    played.transcribe_all(poor=["de"])
    assert len(played.asked) == 3  # from then on it takes three more
    played.answer(surely("es", 0.6), surely("es", 0.6), surely("es", 0.6))
    assert len(played.pins) == 1


def test_what_is_configured_is_never_doubted() -> None:
    played = Played(settings())
    played.hear(*(utterance(number) for number in range(6)), configured="en")
    played.transcribe_all(poor=["en"])
    assert (played.asked, len(played.pins)) == ([], 1)


def test_utterances_without_words_say_nothing() -> None:
    played = pinned()
    played.hear(*(utterance(number) for number in range(2, 6)))
    for number in range(4):
        done = played.waiting.pop(0)
        is_poor = None if number == 1 else True
        played.take(played.pinning.note_transcript(done.utterance.key, "de", is_poor=is_poor) or ())
    assert len(played.asked) == 3
    played.answer(surely("es"), surely("es"), surely("es"))
    assert [one.utterance.start_timestamp_ms for one in played.waiting] == [
        T0 + at * 10_000 for at in (2, 3, 4, 5)
    ]


def test_a_stream_that_is_heard_again_has_the_pins_that_it_had() -> None:
    first = pinned()
    first.hear(*(utterance(number) for number in range(2, 7)))
    for _ in range(3):
        first.transcribe(poor=["de"])
    first.answer(surely("es"), surely("es"), surely("es"))
    first.transcribe_all(poor=["de"])
    again = Played(settings(), first.pins)
    again.hear(*(utterance(number) for number in range(7)))
    assert again.asked == []
    assert again.pins == first.pins
    assert [one.language for one in again.waiting] == ["de"] * 2 + ["es"] * 5
    again.transcribe_all()
    assert again.texts == first.texts


def test_a_pin_is_kept_when_the_settings_change() -> None:
    past = [LanguagePin("de", "detected", 0.9)]
    for changed in (settings(per="side"), LanguageConfig(default="en"), settings()):
        played = Played(changed, past)
        played.hear(utterance(0), configured=None if changed.default == "detect" else "en")
        assert played.pins == past
    played = Played(
        settings(), [replace(past[0], channel_id="a"), replace(past[0], channel_id="c", is_of_call=False)]
    )
    played.hear(utterance(0))
    assert [one.channel_id for one in played.pins] == ["a"]


@st.composite
def days(draw: st.DrawFn) -> tuple[list[tuple[str, float, str]], list[int]]:
    """Utterances (channel, seconds, language in truth), and in which order things come back."""
    spoken = draw(
        st.lists(
            st.tuples(st.sampled_from("ca"), st.floats(0.3, 6), st.sampled_from(["de", "es"])), max_size=14
        )
    )
    return spoken, draw(st.lists(st.integers(0, 5), max_size=80))


@given(days(), st.sampled_from(["call", "side"]))
def test_every_utterance_is_transcribed_in_the_language_of_its_pin(
    day: tuple[list[tuple[str, float, str]], list[int]], per: str
) -> None:
    spoken, order = day
    played = Played(settings(per=per))
    truth = {}
    for number, (channel, length_s, language) in enumerate(spoken):
        one = utterance(number, length_s=length_s, channel=channel)
        truth[one.key] = language
        played.hear(one)
        _let_something_come_back(played, truth, order)
    played.take(played.pinning.end())
    while played.asked or played.waiting:
        _let_something_come_back(played, truth, order, always=True)
    assert played.texts.keys() == truth.keys()
    again = Played(settings(per=per), played.pins)
    for number, (channel, length_s, _) in enumerate(spoken):
        again.hear(utterance(number, length_s=length_s, channel=channel))
    assert again.pins == played.pins or sorted(map(repr, again.pins)) == sorted(map(repr, played.pins))
    again.transcribe_all()
    assert again.texts == played.texts


def _let_something_come_back(
    played: Played, truth: Mapping[UtteranceKey, str], order: list[int], *, always: bool = False
) -> None:
    at = order.pop() if order else 1
    if played.asked and (at < 2 or always):
        played.answer(surely(truth[played.asked[0].key]))
    elif played.waiting and (at < 5 or always):
        at %= len(played.waiting)
        spoken = truth[played.waiting[at].utterance.key]
        played.transcribe(poor={"de", "en", "es"} - {spoken}, at=at)


def test_an_utterance_that_was_asked_for_twice_has_one_transcript() -> None:
    played = Played(settings())
    first, second = utterance(0), utterance(1)
    played.hear(first, second)
    played.answer(surely("de"), surely("de"))
    assert [one.language for one in played.waiting] == ["de", "de"]
    assert played.pinning.note_transcript(second.key, "de", is_poor=False) == []
    assert played.pinning.note_transcript(second.key, "de", is_poor=False) is None
    assert played.pinning.note_transcript(first.key, "de", is_poor=False) == []
