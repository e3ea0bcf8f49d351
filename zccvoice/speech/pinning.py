"""CORE: holds a call to one language, or each of its sides.

Where a language is configured every utterance is handed out with it at once. Where it is to be detected:

    utterances wait ──► their first seconds are listened to ──► pin ──► all are handed out, and the next at once
                                                                 ▲                       │ transcripts
                         the same of the poor ones ──────────────┴── three poor ones in a row

Nothing is guessed before the pin, and nothing flips after it: only strong evidence, from utterances that were
poorly understood one after the other, puts another pin in its place. That one holds from the first of them on, and
they are handed out anew.

Given the same utterances in the same order, and the pins that were decided before, it does the same: a call that
is taken up again, and a replay, come to the languages that the call had.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from zccvoice.config import LanguageConfig
from zccvoice.speech.language import LanguagePin
from zccvoice.speech.party import Party, Step
from zccvoice.speech.utterance import Utterance, UtteranceKey


class Pinning:
    """The languages of one stream."""

    def __init__(self, settings: LanguageConfig, past: Iterable[LanguagePin] = ()) -> None:
        """Begin.

        Args:
            settings: how languages are detected.
            past: pins that were decided when the stream was first heard: they are not decided again.
        """
        self._settings = settings
        self._past = sorted(past, key=lambda pin: pin.number)
        self._of_call = {pin.channel_id for pin in self._past if pin.is_of_call}
        self._parties: dict[str | None, Party] = {}
        self._is_over = False

    def hear(self, utterance: Utterance, configured: str | None) -> list[Step]:
        """The next utterance.

        Args:
            utterance: in the order in which the stream gave them.
            configured: the language of the rule that the call falls under; None: it is to be detected.
        """
        key = utterance.channel_id if configured is None and self._settings.per == "side" else None
        party = self._parties.get(key)
        if party is None:
            party = self._parties[key] = Party(self._settings, key, configured, self._past_of(key))
        return self._noted(party.hear(utterance))

    def note_clue(self, utterance: Utterance, probabilities: Mapping[str, float]) -> list[Step]:
        """What the recognizer made of an `Unclear` utterance; nothing, where it failed."""
        steps = self._party(utterance.channel_id).note_clue(utterance, probabilities)
        return self._noted([*steps, *self._last_resorts()])

    def note_told(
        self, channel_id: str, start_timestamp_ms: int, language: str | None, length_s: float
    ) -> list[Step]:
        """Zoom transcribed a sentence in this language (a Whisper code, None when it does not tell).

        What it tells before anybody was heard is not asked for: it could not be placed.
        """
        if not self._settings.from_zoom or not self._parties or language not in self._settings.among:
            return []
        party = self._parties.get(channel_id) or self._parties.get(None)
        told = [] if party is None else party.note_told((channel_id, start_timestamp_ms), language, length_s)
        return self._noted(told)

    def note_transcript(self, key: UtteranceKey, language: str, *, is_poor: bool | None) -> list[Step] | None:
        """An utterance was transcribed, after it was `Pinned`.

        Args:
            key: which one it was.
            language: in which it was transcribed.
            is_poor: it was poorly understood; None when that cannot be said of it.

        Returns:
            What follows; None when this transcript does not count: the utterance has another language by now,
            or was asked for twice and has its transcript.
        """
        steps = self._party(key[0]).note_transcript(key, language, is_poor)
        return None if steps is None else self._noted(steps)

    @property
    def is_awaited(self) -> bool:
        """Whether utterances wait for a pin."""
        return any(party.is_awaited for party in self._parties.values())

    def end(self) -> list[Step]:
        """No more utterances come: those that wait get what there is evidence for, as soon as it is all there."""
        self._is_over = True
        return self._noted(self._last_resorts())

    def _last_resorts(self) -> list[Step]:
        steps: list[Step] = []
        for party in self._parties.values():
            if party.is_asked_in_vain or (self._is_over and party.is_undecided):
                others = (one.pin.language for one in self._parties.values() if one.pin is not None)
                last_resort = next(others, None) or self._settings.fallback or self._settings.among[0]
                steps += party.settle(last_resort)
        return steps

    def _party(self, channel_id: str) -> Party:
        return self._parties.get(channel_id) or self._parties[None]

    def _past_of(self, key: str | None) -> list[LanguagePin]:
        """Its pins; of a stream that was first heard under other settings, those of the call."""
        of_call = [pin for pin in self._past if (pin.is_of_call if key is None else pin.channel_id is None)]
        return [pin for pin in self._past if pin.channel_id == key] or of_call

    def _noted(self, steps: Iterable[Step]) -> list[Step]:
        """The same steps; of pins it is told whether they are the call's."""
        noted: list[Step] = []
        for step in steps:
            if isinstance(step, LanguagePin):
                self._of_call = self._of_call or {step.channel_id}
                noted.append(replace(step, is_of_call=step.channel_id in self._of_call))
            else:
                noted.append(step)
        return noted
