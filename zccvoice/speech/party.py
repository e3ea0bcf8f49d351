"""CORE: whoever is pinned to one language together, the whole call or one side of it; see `pinning`."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

from zccvoice.config import LanguageConfig
from zccvoice.speech.evidence import Clue, weigh
from zccvoice.speech.language import LanguagePin
from zccvoice.speech.utterance import Utterance, UtteranceKey

ZOOM_AGREES = 0.8
"""Share of what Zoom transcribed that has to be in one language."""


@dataclass(frozen=True, slots=True, eq=False)
class Pinned:
    """An utterance may be transcribed, in this language."""

    utterance: Utterance
    language: str


@dataclass(frozen=True, slots=True, eq=False)
class Unclear:
    """The recognizer should say which of the languages this utterance is in; `Pinning.note_clue` takes it."""

    utterance: Utterance
    among: tuple[str, ...]


Step: TypeAlias = LanguagePin | Pinned | Unclear
"""What follows; a pin comes before the utterances that it is for."""


@dataclass(slots=True, eq=False)
class _Given:
    """An utterance that was handed out."""

    utterance: Utterance
    language: str
    is_transcribed: bool = False
    is_poor: bool | None = None
    """None when that cannot be said of it."""


class Party:
    """The pins of one party, and its utterances as far as they may still get another one."""

    def __init__(
        self,
        settings: LanguageConfig,
        channel_id: str | None,
        configured: str | None,
        past: Sequence[LanguagePin],
    ) -> None:
        """Begin.

        Args:
            settings: how its language is detected.
            channel_id: of the participant; None for the whole call.
            configured: its language; None when that is to be detected.
            past: pins that were decided before, in order.
        """
        self._settings = settings
        self._channel_id = channel_id
        self._configured = configured
        self._coming = deque(past)  # pins whose first utterance was not heard yet
        self._may_change = configured is None or bool(past)
        self._waiting: list[Utterance] = []
        self._clues: dict[UtteranceKey, Clue | None] = {}  # None: asked for
        self._wanted_s = settings.voiced_s
        self._told: dict[tuple[str, int], tuple[str, float]] = {}
        self._given: dict[UtteranceKey, _Given] = {}  # in order; the first one's transcript is still to come
        self._row: list[_Given] = []  # the last ones before that, from the first poor one on
        self._is_examining = False
        self.pin: LanguagePin | None = None
        """What holds now."""

    def hear(self, utterance: Utterance) -> list[Step]:
        """The next utterance."""
        steps: list[Step] = []
        while self._coming and _has_reached(self._coming[0], utterance):
            self.pin = self._coming.popleft()
            steps.append(self.pin)
        if self.pin is None and self._configured is not None:
            self.pin = LanguagePin(self._configured)
            steps.append(self.pin)
        self._waiting.append(utterance)
        return steps + (self._listen() if self.pin is None else self._hand_out())

    def note_clue(self, utterance: Utterance, probabilities: Mapping[str, float]) -> list[Step]:
        """What the recognizer made of an utterance."""
        if utterance.key not in self._clues:
            return []  # it was decided meanwhile
        self._clues[utterance.key] = Clue(utterance.duration_ms / 1000, probabilities)
        if None in self._clues.values():
            return []
        return self._examine() if self._is_examining else self._listen()

    def note_told(self, sentence: tuple[str, int], language: str, length_s: float) -> list[Step]:
        """Zoom transcribed a sentence (its channel and start): in that language, and so long."""
        if self.pin is not None:
            return []
        self._told[sentence] = language, length_s
        told_s = self._told_s()
        best = max(told_s, key=told_s.__getitem__)
        if told_s[best] < max(self._settings.voiced_s, ZOOM_AGREES * sum(told_s.values())):
            return []
        return self._decide(best, "zoom")

    def note_transcript(self, key: UtteranceKey, language: str, is_poor: bool | None) -> list[Step] | None:
        """An utterance was transcribed; None when it has another language by now, or was transcribed before."""
        if not self._may_change:
            return []
        given = self._given.get(key)
        if given is None or given.language != language or given.is_transcribed:
            return None
        given.is_transcribed, given.is_poor = True, is_poor
        return self._look_back()

    @property
    def is_awaited(self) -> bool:
        """It has utterances that wait for its pin."""
        return bool(self._waiting)

    @property
    def is_undecided(self) -> bool:
        """It has utterances that wait, and all the evidence that was asked for."""
        return self.is_awaited and None not in self._clues.values()

    @property
    def is_asked_in_vain(self) -> bool:
        """So much was listened to as is to be at most, and it speaks for none of the languages."""
        return self.is_undecided and self._found() is None and self._heard_s() >= self._settings.most_voiced_s

    def settle(self, last_resort: str) -> list[Step]:
        """No more is listened to: decide by what there is; `last_resort` is for who left no evidence."""
        if (found := self._found()) is not None:
            return self._decide(found[0], "detected", found[1])
        told_s = self._told_s()
        if told_s:
            return self._decide(max(told_s, key=told_s.__getitem__), "zoom")
        return self._decide(last_resort, "fallback")

    # Before the pin

    def _listen(self) -> list[Step]:
        """Ask for as much evidence as is wanted; decide by what there is."""
        found, heard_s = self._found(), self._heard_s()
        if None not in self._clues.values() and heard_s >= self._wanted_s:
            is_enough = heard_s >= self._settings.most_voiced_s
            if found is not None and (is_enough or found[1] >= self._settings.certain):
                return self._decide(found[0], "detected", found[1])
            self._wanted_s = min(heard_s + self._settings.voiced_s, self._settings.most_voiced_s)
        return [
            self._ask(utterance)
            for utterance in self._waiting
            if utterance.key not in self._clues and self._heard_s() < self._wanted_s
        ]

    def _ask(self, utterance: Utterance) -> Unclear:
        self._clues[utterance.key] = None
        return Unclear(utterance, self._settings.among)

    def _heard_s(self) -> float:
        """Seconds of speech that evidence was had of, or is waited for."""
        lengths_s = {one.key: one.duration_ms / 1000 for one in self._waiting}
        return sum(lengths_s[key] for key, clue in self._clues.items() if clue is None or clue.probabilities)

    def _found(self) -> tuple[str, float] | None:
        return weigh(filter(None, self._clues.values()), self._settings.among)

    def _told_s(self) -> dict[str, float]:
        """Seconds that Zoom transcribed, by language."""
        told_s: dict[str, float] = {}
        for language, length_s in self._told.values():
            told_s[language] = told_s.get(language, 0.0) + length_s
        return told_s

    def _decide(self, language: str, source: str, confidence: float | None = None) -> list[Step]:
        self.pin = LanguagePin(language, source, confidence, self._channel_id)
        self._clues.clear()
        self._told.clear()
        return [self.pin, *self._hand_out()]

    # After it

    def _hand_out(self) -> list[Step]:
        assert self.pin is not None
        ready, self._waiting = self._waiting, []
        if self._may_change:
            self._given |= {one.key: _Given(one, self.pin.language) for one in ready}
        return [Pinned(one, self.pin.language) for one in ready]

    def _look_back(self) -> list[Step]:
        """Go over what is transcribed, in order, as far as it is known: how many poor ones are in a row?"""
        while self._given and not self._is_examining:
            key, last = next(iter(self._given.items()))
            if not last.is_transcribed:
                break
            del self._given[key]
            if last.is_poor is False:
                self._row.clear()
            elif last.is_poor or self._row:
                self._row.append(last)
            if last.is_poor and self._configured is None and self._is_row_long:
                self._is_examining = True
                return [self._ask(one.utterance) for one in self._row if one.is_poor]
        return []

    @property
    def _is_row_long(self) -> bool:
        poor = [one.utterance.duration_ms for one in self._row if one.is_poor]
        return len(poor) >= self._settings.poor_in_a_row and sum(poor) / 1000 >= self._settings.voiced_s

    def _examine(self) -> list[Step]:
        """The evidence of a row of poor utterances is there."""
        assert self.pin is not None
        found = self._found()
        row, self._row = self._row, []
        self._is_examining = False
        self._clues.clear()
        is_sure = found is not None and found[1] >= self._settings.certain
        if found is None or not is_sure or found[0] == self.pin.language or self._coming:
            return self._look_back()  # what was understood poorly is in no other language
        first = row[0].utterance
        self.pin = LanguagePin(
            found[0],
            "detected",
            found[1],
            self._channel_id,
            self.pin.number + 1,
            first.channel_id,
            first.start_timestamp_ms,
        )
        self._waiting = [one.utterance for one in chain(row, self._given.values())]
        self._given.clear()
        return [self.pin, *self._hand_out()]


def _has_reached(pin: LanguagePin, utterance: Utterance) -> bool:
    """Whether the pin holds from this utterance on."""
    return pin.since_timestamp_ms is None or (
        utterance.channel_id == pin.since_channel_id
        and utterance.start_timestamp_ms >= pin.since_timestamp_ms
    )
