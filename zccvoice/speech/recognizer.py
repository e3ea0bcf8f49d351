"""The seam between calls and speech recognition: an utterance in, a transcript out."""

from __future__ import annotations

from typing import Protocol

from zccvoice.speech.utterance import Transcript, Utterance


class Recognizer(Protocol):
    """Turns speech into text; blocking, and safe to call from several threads at once."""

    @property
    def concurrency(self) -> int:
        """How many calls of `transcribe` it can work on at the same time."""
        ...

    def require_languages(self, languages: frozenset[str]) -> None:
        """Check at start that the weights know these languages.

        Raises:
            RecognizerError: names those that they do not know.
        """
        ...

    def transcribe(self, utterance: Utterance, language: str) -> Transcript:
        """Transcribe in the given language, whatever it sounds like.

        Raises:
            RecognizerError: the recognizer failed on it.
        """
        ...
