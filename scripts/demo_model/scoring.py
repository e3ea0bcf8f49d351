"""How good weights are: what is said to them, and how what they write and tell is counted.

Sentences, numbers and new voices are those that training never has (`Sentence.is_held_out`, `HELD_OUT_VARIANTS`),
over a telephone line that is another for each and the same every time.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from demo_model.line import MODEL_RATE_HZ, RATE_HZ, Sound, resample, through_line
from demo_model.sentences import LANGUAGES, grammar_of, spelt, written_at
from demo_model.synthesis import FASTEST_WPM, SLOWEST_WPM, Synthesizer, any_voice
from zccvoice.speech.word_errors import WordErrors, spoken_words, word_errors

ORDINARY_WPM = (120, 205)


@dataclass(frozen=True, slots=True)
class Trial:
    """One set of utterances."""

    name: str
    has_numbers: bool = False
    """Instead of sentences."""
    has_new_voices: bool = False
    rates_wpm: tuple[int, int] = ORDINARY_WPM


TRIALS = (
    Trial("sentences"),
    Trial("any rate", rates_wpm=(SLOWEST_WPM, FASTEST_WPM)),
    Trial("new voices, any rate", has_new_voices=True, rates_wpm=(SLOWEST_WPM, FASTEST_WPM)),
    Trial("numbers", has_numbers=True),
)


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """One utterance."""

    language: str
    text: str
    sound: Sound
    """``float32[n]``, mono, 16 kHz."""
    starts_s: list[float | None]
    """Of each word of the text; None where the synthesizer did not tell."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What weights made of it."""

    text: str
    words: list[tuple[str, float]]
    """With the second it begins at."""


@dataclass(slots=True)
class Score:
    """Of one trial."""

    name: str
    utterances: int = 0
    right: int = 0
    """Utterances without an error."""
    by_language: dict[str, WordErrors] = field(default_factory=dict)
    """A number is a word."""
    by_digit: WordErrors = field(default_factory=lambda: WordErrors(0, 0))
    """The same, but each digit and spelt letter is a word."""
    start_errors_ms: list[float] = field(default_factory=list)
    """Of the words of utterances without an error."""

    @property
    def errors(self) -> WordErrors:
        """In all languages."""
        return sum(self.by_language.values(), WordErrors(0, 0))

    def count(self, said: Said, heard: Heard) -> None:
        """Take in one utterance."""
        found = word_errors(said.text, heard.text)
        self.utterances += 1
        self.right += found.errors == 0
        self.by_language[said.language] = self.by_language.get(said.language, WordErrors(0, 0)) + found
        self.by_digit += word_errors(spelt(said.text), spelt(heard.text))
        if found.errors == 0 and len(heard.words) == len(said.starts_s):
            pairs = zip(said.starts_s, heard.words, strict=True)
            self.start_errors_ms += [
                abs(at_s - start_s) * 1_000 for start_s, (_, at_s) in pairs if start_s is not None
            ]

    def start_error_ms(self, quantile: float) -> float | None:
        """How far off the beginnings of words are; None if no utterance was right."""
        return float(np.quantile(self.start_errors_ms, quantile)) if self.start_errors_ms else None


def utterances_of(trial: Trial, count: int, synthesizer: Synthesizer) -> Iterator[Said]:
    """So many utterances, as many of each language, no text twice; the same from every new synthesizer."""
    chance, noise = random.Random(trial.name), np.random.default_rng(7)  # noqa: S311
    drawn: set[str] = set()
    for number in range(count):
        language = LANGUAGES[number % len(LANGUAGES)]
        while (sentence := grammar_of(language).held_out(chance, numbers=trial.has_numbers)).written in drawn:
            pass
        drawn.add(sentence.written)
        voice = any_voice(language, chance, held_out=trial.has_new_voices, rates_wpm=trial.rates_wpm)
        spoken = synthesizer.say(sentence.spoken, voice)
        places = written_at(sentence.written, sentence.spoken, [position for position, _ in spoken.words])
        at_s = dict(zip(places, (second for _, second in spoken.words), strict=True))
        starts_s = [at_s.get(place) for place in word_places(sentence.written)]
        yield Said(language, sentence.written, _heard(spoken.sound, noise), starts_s)


def stretches(count: int, seconds: float, synthesizer: Synthesizer) -> Iterator[tuple[str, Sound]]:
    """So many stretches of speech of one language each, this long: what a language is told from."""
    chance, noise = random.Random("stretches"), np.random.default_rng(8)  # noqa: S311
    for number in range(count):
        language = LANGUAGES[number % len(LANGUAGES)]
        voice = any_voice(language, chance, rates_wpm=ORDINARY_WPM)
        sound = np.zeros(0, np.float32)
        while len(sound) < seconds * RATE_HZ:
            spoken = synthesizer.say(grammar_of(language).held_out(chance).spoken, voice).sound
            sound = np.concatenate([sound, spoken])
        yield language, _heard(sound[: int(seconds * RATE_HZ)], noise)


def word_places(text: str) -> list[int]:
    """Where each word that counts begins."""
    places, at = [], 0
    for piece in text.split(" "):
        if spoken_words(piece):
            places.append(at + next(i for i, letter in enumerate(piece) if letter.isalnum()))
        at += len(piece) + 1
    return places


def share_right(answers: Iterable[tuple[str, str]]) -> float:
    """Of pairs of what is and what was told."""
    judged = [is_so == told for is_so, told in answers]
    return sum(judged) / len(judged)


def _heard(sound: Sound, noise: np.random.Generator) -> Sound:
    return resample(through_line(sound, noise), RATE_HZ, MODEL_RATE_HZ)
