"""The guard around a recognizer that says what the test wants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.speech.sounds import noise
from tests.speech.test_guard import GOOD, VOICE, utterance
from zccvoice.config import GuardConfig, SpeechConfig
from zccvoice.errors import RecognizerError
from zccvoice.speech.guard import Guard
from zccvoice.speech.guarded import GuardedRecognizer, guarded_whisper
from zccvoice.speech.recognizer import RecognizerItem
from zccvoice.speech.utterance import Transcript, Utterance
from zccvoice.speech.window import Windows

LOOP = "I'm sorry. " * 8


class Parrot:
    """Says of the n-th utterance that it is given what stands in the n-th place."""

    def __init__(self, *answers: str | RecognizerError) -> None:
        self._answers = list(answers)
        self.given: list[RecognizerItem] = []
        self.asked: list[Utterance] = []

    @property
    def concurrency(self) -> int:
        return 3

    @property
    def windows(self) -> Windows:
        return Windows((5.0, 30.0))

    def require_languages(self, languages: frozenset[str]) -> None:
        raise RecognizerError(f"unknown: {sorted(languages)}")

    def detect_language(
        self, utterances: Sequence[Utterance], among: Sequence[str]
    ) -> list[dict[str, float]]:
        self.asked += utterances
        return [{language: 1 / len(among) for language in among} for _ in utterances]

    def transcribe(self, items: Sequence[RecognizerItem]) -> list[Transcript | RecognizerError]:
        self.given += items
        return [self._answer(item) for item in items]

    def _answer(self, item: RecognizerItem) -> Transcript | RecognizerError:
        answer = self._answers.pop(0)
        return answer if isinstance(answer, RecognizerError) else said(answer, item.language)


def said(text: str, language: str = "en", temperature: float = 0.0) -> Transcript:
    return Transcript(text, (), language, 0.8, "parrot", replace(GOOD, temperature=temperature))


def item(samples: np.ndarray = VOICE, **more: Any) -> RecognizerItem:
    return RecognizerItem(utterance(samples), "en", **more)


def guarded(
    parrot: Parrot, again: Callable[[RecognizerItem, float], Transcript] | None = None
) -> GuardedRecognizer:
    return GuardedRecognizer(parrot, Guard(GuardConfig()), again)


def outcome(found: Sequence[Transcript | RecognizerError]) -> list[tuple[str, str | None]]:
    return [(one.text, one.refusal) for one in found if isinstance(one, Transcript)]


def test_each_in_its_place() -> None:
    failed = RecognizerError("made to fail")
    parrot = Parrot("Hello.", LOOP, failed, "Bye.")
    items = [item(), item(noise(2000, dbfs=-40)), item(), item(), item(np.zeros(32_000, np.int16)), item()]
    found = guarded(parrot).transcribe(items)
    assert outcome(found) == [
        ("Hello.", None), ("", "no voice"), (LOOP, "repeats itself"), ("", "too quiet"), ("Bye.", None)
    ]  # fmt: skip
    assert found[3] is failed
    assert parrot.given == [items[0], items[2], items[3], items[5]]


def test_a_recognizer_is_not_asked_about_nothing() -> None:
    parrot = Parrot()
    assert outcome(guarded(parrot).transcribe([item(np.zeros(32_000, np.int16))])) == [("", "too quiet")]
    assert guarded(parrot).transcribe([]) == []
    assert parrot.given == []


def test_what_is_doubtful_is_decoded_again_and_believed_if_it_is_better() -> None:
    asked: list[float] = []

    def again(one: RecognizerItem, temperature: float) -> Transcript:
        asked.append(temperature)
        return said(LOOP if temperature == 0 else "I'm sorry.", temperature=temperature)

    (found,) = guarded(Parrot(LOOP), again).transcribe([item()])
    assert asked == [0.0, 0.4]
    assert isinstance(found, Transcript)
    assert (found.text, found.refusal) == ("I'm sorry.", None)
    assert found.evidence is not None
    assert found.evidence.temperature == 0.4


def test_what_stays_doubtful_is_refused_as_it_first_was() -> None:
    found = guarded(Parrot(LOOP), lambda one, temperature: said("Again. " * 9)).transcribe([item()])
    assert outcome(found) == [(LOOP, "repeats itself")]


def test_a_second_decoding_that_fails_is_a_failure() -> None:
    def fail(one: RecognizerItem, temperature: float) -> Transcript:
        raise RecognizerError("made to fail")

    (found,) = guarded(Parrot(LOOP), fail).transcribe([item()])
    assert isinstance(found, RecognizerError)


def test_prompt_and_hotwords_are_no_speech() -> None:
    found = guarded(Parrot("northwind refund order number")).transcribe(
        [item(prompt="A call about Northwind:", hotwords="Northwind, refund, order number")]
    )
    assert outcome(found) == [("northwind refund order number", "echo of the prompt")]


def test_no_language_is_detected_in_noise() -> None:
    parrot = Parrot()
    voice, hiss = item().utterance, item(noise(2000, dbfs=-40)).utterance
    assert guarded(parrot).detect_language([hiss, voice, hiss], ["de", "en"]) == [
        {},
        {"de": 0.5, "en": 0.5},
        {},
    ]
    assert parrot.asked == [voice]
    assert guarded(parrot).detect_language([hiss], ["de", "en"]) == [{}]


def test_the_rest_is_the_recognizers() -> None:
    assert guarded(Parrot()).concurrency == 3
    assert guarded(Parrot()).windows == Windows((5.0, 30.0))
    with pytest.raises(RecognizerError, match="xx"):
        guarded(Parrot()).require_languages(frozenset({"xx"}))


def test_the_demo_weights_make_nothing_up_about_silence_and_noise() -> None:
    recognizer = guarded_whisper(SpeechConfig(workers=1))
    sounds = [np.zeros(48_000, np.int16), *(noise(3000, dbfs=dbfs) for dbfs in (-60, -40, -20))]
    found = outcome(recognizer.transcribe([item(sound) for sound in sounds]))
    assert [text for text, _ in found] == [""] * 4
