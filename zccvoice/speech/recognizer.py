"""The seam between calls and speech recognition: utterances in, transcripts out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from zccvoice.errors import RecognizerError
from zccvoice.speech.utterance import Transcript, Utterance
from zccvoice.speech.window import Windows


@dataclass(frozen=True, slots=True, eq=False)
class RecognizerItem:
    """An utterance that is to be transcribed, with what belongs to it."""

    utterance: Utterance
    """With its samples."""
    language: str
    """Whisper code: it is transcribed in this language, whatever it sounds like."""
    prompt: str | None = None
    """Text that the recognizer takes for what was said before."""
    hotwords: str | None = None
    """Words that it should expect."""
    shares: int | None = None
    """Items of one batch with the same number were said one after the other, by one participant, and may share a
    window; None: it has a window of its own."""


class Recognizer(Protocol):
    """Turns speech into text; blocking, and safe to call from several threads at once."""

    @property
    def concurrency(self) -> int:
        """How many calls of `transcribe` it can work on at the same time."""
        ...

    @property
    def windows(self) -> Windows:
        """What lengths it pads sound to: utterances that get the same one are best given to it together."""
        ...

    def require_languages(self, languages: frozenset[str]) -> None:
        """Check at start that the weights know these languages.

        Raises:
            RecognizerError: names those that they do not know.
        """
        ...

    def detect_language(
        self, utterances: Sequence[Utterance], among: Sequence[str]
    ) -> list[dict[str, float]]:
        """How likely each of the languages is, for each utterance in its place; the sum of each is 1.

        All are alike where it heard none of them; nothing is said of what it did not listen to.

        Raises:
            RecognizerError: the recognizer failed on them.
        """
        ...

    def transcribe(self, items: Sequence[RecognizerItem]) -> list[Transcript | RecognizerError]:
        """Transcribe each; one that the recognizer fails on has the error in its place, and costs no other."""
        ...
