"""CORE: what the recognizer is not given, and what of it is not believed.

Whisper was trained to write something, and where nobody speaks it writes what subtitles are full of, or its
prompt, or goes round in circles. One sign alone is mostly wrong: people do say "thank you", quickly, and "no" four
times. So each rule has a bound that speech does not reach, or asks for two signs at once.

Sources: A. Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision" (2022), section 4.5, for
log probability, no-speech and compression; the rest was asked for by those who run it (SYSTRAN/faster-whisper#183,
#506, #1179).
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from zccvoice.config import GuardConfig
from zccvoice.speech.repetition import compression_ratio, echoed_words, repeated_words, spoken_words
from zccvoice.speech.silero import voice_probability
from zccvoice.speech.utterance import Transcript, Utterance

TOO_QUIET = "too quiet"
NO_VOICE = "no voice"
NO_SPEECH = "no speech"
GUESSED = "guessed"
TOO_FAST = "too fast"
REPEATS = "repeats itself"
ECHO = "echo of the prompt"
INVENTION = "likely invention"
CUT = "cut off"
GATED = frozenset({TOO_QUIET, NO_VOICE})
"""Reasons for which the recognizer was not asked."""
_FREE_TOKENS = 8
"""Any utterance has some, however short: the bound on tokens per second begins after them."""


class Guard:
    """The rules, with their thresholds."""

    def __init__(self, settings: GuardConfig) -> None:
        self._settings = settings

    @property
    def temperature(self) -> float:
        """At which what is doubtful is decoded again."""
        return self._settings.temperature

    def gate(self, utterance: Utterance) -> str | None:
        """Why the recognizer should not be given an utterance (with its samples); None: it may."""
        if utterance.loudness_dbfs < self._settings.quietest_dbfs:
            return TOO_QUIET
        return NO_VOICE if voice_probability(utterance.samples) < self._settings.least_voice else None

    def doubt(self, transcript: Transcript, utterance: Utterance, prompt: str | None = None) -> str | None:
        """Why a transcript is not to be believed; None: it is.

        Args:
            transcript: what the recognizer made of it.
            utterance: with its samples.
            prompt: what the recognizer was given to begin with.
        """
        words = spoken_words(transcript.text)
        if not words:
            return None
        doubts = {
            NO_SPEECH: self._says_nobody_speaks(transcript),
            GUESSED: self._is_below(transcript, self._settings.least_log_probability),
            TOO_FAST: self._is_too_fast(transcript, utterance),
            REPEATS: self._repeats(transcript.text, words),
            ECHO: self._echoes(words, spoken_words(prompt or ""), transcript, utterance),
            INVENTION: self._is_invented(words, transcript, utterance),
            CUT: transcript.evidence is not None and transcript.evidence.is_cut,
        }
        return next((reason for reason, is_so in doubts.items() if is_so), None)

    def _says_nobody_speaks(self, transcript: Transcript) -> bool:
        told = transcript.evidence.no_speech_probability if transcript.evidence else 0.0
        is_unsure = self._is_below(transcript, self._settings.unsure_log_probability)
        return told >= self._settings.surely_no_speech or (told >= self._settings.no_speech and is_unsure)

    def _is_below(self, transcript: Transcript, bound: float) -> bool:
        return transcript.evidence is not None and transcript.evidence.average_log_probability < bound

    def _is_too_fast(self, transcript: Transcript, utterance: Utterance) -> bool:
        tokens = transcript.evidence.token_count if transcript.evidence else 0
        return tokens > _FREE_TOKENS + self._settings.most_tokens_per_s * utterance.duration_ms / 1000

    def _repeats(self, text: str, words: list[str]) -> bool:
        return (
            repeated_words(words, self._settings.repeats) >= self._settings.repeated_words
            or compression_ratio(text) > self._settings.most_compression
        )

    def _echoes(
        self, words: list[str], prompt: list[str], transcript: Transcript, utterance: Utterance
    ) -> bool:
        count = echoed_words(words, prompt)
        return count >= self._settings.echoed_words or (
            count > 0 and self._is_weak(words, transcript, utterance)
        )

    def _is_invented(self, words: list[str], transcript: Transcript, utterance: Utterance) -> bool:
        text = " ".join(words)
        whole, beginnings = _inventions(transcript.language)
        is_likely = text in whole or any(f"{text} ".startswith(f"{one} ") for one in beginnings)
        return is_likely and self._is_weak(words, transcript, utterance)

    def _is_weak(self, words: list[str], transcript: Transcript, utterance: Utterance) -> bool:
        """A second sign, for what is said by people as well."""
        told = transcript.evidence.no_speech_probability if transcript.evidence else 0.0
        return (
            told >= self._settings.no_speech
            or self._is_below(transcript, self._settings.unsure_log_probability)
            or len(words) > 1 + self._settings.most_words_per_s * utterance.duration_ms / 1000
            or voice_probability(utterance.samples) < self._settings.faint_voice
        )


@cache
def _inventions(language: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """What recognizers write over silence in a language, without case and punctuation: whole texts; beginnings."""
    told = tomllib.loads(files("zccvoice.speech").joinpath("phrases.toml").read_text("utf-8")).get(
        language, {}
    )
    whole, beginnings = (
        [" ".join(spoken_words(one)) for one in told.get(kind, ())] for kind in ("whole", "begins")
    )
    return frozenset(whole), tuple(beginnings)
