"""`Recognizer` behind a guard: the same seam, and what comes out of it is believed, or marked as refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from zccvoice.config import SpeechConfig
from zccvoice.errors import RecognizerError
from zccvoice.speech.guard import Guard
from zccvoice.speech.recognizer import Recognizer, RecognizerItem
from zccvoice.speech.utterance import Transcript, Utterance
from zccvoice.speech.whisper import WhisperRecognizer
from zccvoice.speech.window import Windows

DecodeAgain: TypeAlias = Callable[[RecognizerItem, float], Transcript]
"""Transcribes one in a full window at a temperature; blocking. Raises `RecognizerError`."""


class GuardedRecognizer:
    """A recognizer with a guard before and behind it."""

    def __init__(self, recognizer: Recognizer, guard: Guard, again: DecodeAgain | None = None) -> None:
        """Put a guard around it.

        Args:
            recognizer: whose transcripts are judged.
            guard: the judge.
            again: a second opinion on what is doubtful; without it the first one counts.
        """
        self._recognizer = recognizer
        self._guard = guard
        self._again = again

    @property
    def concurrency(self) -> int:
        """See `Recognizer`."""
        return self._recognizer.concurrency

    @property
    def windows(self) -> Windows:
        """See `Recognizer`."""
        return self._recognizer.windows

    def require_languages(self, languages: frozenset[str]) -> None:
        """See `Recognizer`."""
        self._recognizer.require_languages(languages)

    def detect_language(
        self, utterances: Sequence[Utterance], among: Sequence[str]
    ) -> list[dict[str, float]]:
        """See `Recognizer`; nothing is said of what is no voice."""
        is_heard = [self._guard.gate(one) is None for one in utterances]
        heard = [one for one, is_so in zip(utterances, is_heard, strict=True) if is_so]
        told = iter(self._recognizer.detect_language(heard, among) if heard else [])
        return [next(told) if is_so else {} for is_so in is_heard]

    def transcribe(self, items: Sequence[RecognizerItem]) -> list[Transcript | RecognizerError]:
        """See `Recognizer`; `Transcript.refusal` tells what is not to be believed."""
        reasons = [self._guard.gate(item.utterance) for item in items]
        heard = [item for item, reason in zip(items, reasons, strict=True) if reason is None]
        judged = map(self.judge, heard, self._recognizer.transcribe(heard) if heard else [])
        return [
            next(judged) if reason is None else Transcript("", (), item.language, None, "", refusal=reason)
            for item, reason in zip(items, reasons, strict=True)
        ]

    def judge(
        self, item: RecognizerItem, found: Transcript | RecognizerError
    ) -> Transcript | RecognizerError:
        """What the recognizer made of an item, believed or marked; or what it made of it the second time."""
        if isinstance(found, RecognizerError):
            return found
        reason = self._doubt(item, found)
        if reason is None or self._again is None:
            return replace(found, refusal=reason)
        for temperature in dict.fromkeys((0.0, self._guard.temperature)):
            try:
                second = self._again(item, temperature)
            except RecognizerError as error:
                return error
            if self._doubt(item, second) is None:
                return second
        return replace(found, refusal=reason)

    def _doubt(self, item: RecognizerItem, found: Transcript) -> str | None:
        prompt = " ".join(filter(None, (item.prompt, item.hotwords)))
        return self._guard.doubt(found, item.utterance, prompt)


def guarded_whisper(settings: SpeechConfig) -> GuardedRecognizer:
    """Whisper behind the configured guard; takes a moment.

    Raises:
        RecognizerError: see `WhisperRecognizer`.
    """
    recognizer = WhisperRecognizer(settings)
    return GuardedRecognizer(recognizer, Guard(settings.guard), recognizer.transcribe_at)
