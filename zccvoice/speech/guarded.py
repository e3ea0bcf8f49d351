"""`Recognizer` behind a guard: the same seam, and what comes out of it is believed, or marked as refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from zccvoice.speech.guard import Guard
from zccvoice.speech.recognizer import Recognizer
from zccvoice.speech.utterance import Transcript, Utterance


class GuardedRecognizer:
    """A recognizer with a guard before and behind it."""

    def __init__(self, recognizer: Recognizer, guard: Guard) -> None:
        self._recognizer = recognizer
        self._guard = guard

    @property
    def concurrency(self) -> int:
        """See `Recognizer`."""
        return self._recognizer.concurrency

    def require_languages(self, languages: frozenset[str]) -> None:
        """See `Recognizer`."""
        self._recognizer.require_languages(languages)

    def detect_language(self, utterances: Sequence[Utterance], among: Sequence[str]) -> list[dict[str, float]]:
        """See `Recognizer`; nothing is said of what is no voice."""
        heard = [one for one in utterances if self._guard.gate(one.samples) is None]
        told = iter(self._recognizer.detect_language(heard, among) if heard else [])
        return [next(told) if one in heard else {} for one in utterances]

    def transcribe(self, utterance: Utterance, language: str) -> Transcript:
        """See `Recognizer`."""
        reason = self._guard.gate(utterance.samples)
        if reason is not None:
            return Transcript("", (), language, 0.0, "none", refusal=reason)
        transcript = self._recognizer.transcribe(utterance, language)
        return replace(transcript, refusal=self._guard.doubt(transcript, utterance))
