"""CORE: what a projection gives → the same, with a language for every utterance.

Between `projection`, which knows the journal alone, and whoever transcribes: what the recognizer makes of
utterances comes back here, because languages are found out, and doubted, by it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import astuple

from zccvoice.audio.frame import AudioFormat
from zccvoice.config import LanguageConfig
from zccvoice.daemon.outcome import Outcome, Projected, Spoken, Unclear, Uttered
from zccvoice.speech import party
from zccvoice.speech.language import LanguagePin
from zccvoice.speech.pinning import Pinning
from zccvoice.store.facts import (
    REPINNED,
    CallEventSeen,
    Fact,
    LanguagePinned,
    UtteranceHeard,
    ZoomTranscribed,
)

_SHORT_SENTENCE_S = 1.0
"""Of a sentence whose end Zoom does not tell."""


class Pins:
    """The languages of one stream."""

    def __init__(self, ids: tuple[str, str], settings: LanguageConfig, past: Iterable[LanguagePin]) -> None:
        """Begin.

        Args:
            ids: of the engagement and the stream.
            settings: how languages are detected.
            past: what the journal already has of pins.
        """
        self._ids = ids
        self._settings = settings
        self._pinning = Pinning(settings, past)
        self._formats: dict[str, AudioFormat] = {}
        self._languages: dict[str | None, str] = {}
        self._queue: tuple[str | None, ...] = ()

    def take(self, projected: Iterable[Projected]) -> list[Outcome]:
        """What the projection gave next."""
        out: list[Outcome] = []
        for one in projected:
            match one:
                case Uttered():
                    self._formats[one.utterance.channel_id] = one.audio_format
                    self._queue = one.queue
                    out += self._told(self._pinning.hear(one.utterance, one.language))
                case ZoomTranscribed():
                    out += [one, *self._told(self._note_told(one))]
                case _:
                    out.append(one)
        return out

    def take_clue(self, unclear: Unclear, probabilities: Mapping[str, float]) -> list[Outcome]:
        """What the recognizer made of an utterance, by language; nothing, where it failed."""
        return self._told(self._pinning.note_clue(unclear.utterance, probabilities))

    def take_heard(self, heard: UtteranceHeard) -> list[Outcome]:
        """The transcript of an utterance: it comes out again, unless the utterance has another language by now."""
        assert heard.language is not None
        key = heard.channel_id, heard.start_timestamp_ms, heard.end_timestamp_ms
        steps = self._pinning.note_transcript(key, heard.language, is_poor=self._is_poor(heard))
        return [] if steps is None else [heard, *self._told(steps)]

    @property
    def are_awaited(self) -> bool:
        """Whether utterances wait for their language."""
        return self._pinning.is_awaited

    def end(self) -> list[Outcome]:
        """The stream is over: what still waits for its language gets it by what there is."""
        return self._told(self._pinning.end())

    def _note_told(self, told: ZoomTranscribed) -> list[party.Step]:
        if told.text is None or told.language is None:
            return []
        end_ms = told.end_timestamp_ms
        length_s = _SHORT_SENTENCE_S if end_ms is None else (end_ms - told.start_timestamp_ms) / 1000
        code = told.language.partition("-")[0]
        return self._pinning.note_told(told.channel_id, told.start_timestamp_ms, code, length_s)

    def _told(self, steps: Iterable[party.Step]) -> list[Outcome]:
        out: list[Outcome] = []
        for step in steps:
            match step:
                case LanguagePin():
                    out += self._pinned(step)
                case party.Pinned(utterance, language):
                    out.append(Spoken(utterance, self._formats[utterance.channel_id], language, self._queue))
                case party.Unclear(utterance, among):
                    out.append(Unclear(utterance, self._formats[utterance.channel_id], among))
        return out

    def _pinned(self, pin: LanguagePin) -> list[Fact]:
        before = self._languages.get(pin.channel_id)
        self._languages[pin.channel_id] = pin.language
        facts: list[Fact] = [LanguagePinned(*self._ids, *astuple(pin))]
        if pin.since_timestamp_ms is not None:
            detail = f"{before} to {pin.language}, confidence {pin.confidence or 0:.2f}"
            facts.append(CallEventSeen(*self._ids, REPINNED, pin.since_timestamp_ms, pin.channel_id, detail))
        return facts

    def _is_poor(self, heard: UtteranceHeard) -> bool | None:
        """Whether the recognizer had a hard time with it; None when there were no words to have it with."""
        if heard.verdict.startswith("refused"):
            return True if heard.refused_text else None
        if heard.verdict != "kept" or heard.confidence is None:
            return None
        return heard.confidence < math.exp(self._settings.poor_log_probability)
