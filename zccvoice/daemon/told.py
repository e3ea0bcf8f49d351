"""CORE: what a journal tells of a stream by now, against what is derived of it again.

A daemon that takes a stream up derives all facts once more, and writes down those that the journal does not have.
That it has a fact is not enough: another one about the same may have taken its place since (a queue that a call
comes back to, an utterance that was cut otherwise under other settings), or `StreamRestated` may have removed it.
What counts is told last, so it is told again. Which facts that is shows when all of the past was derived again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from zccvoice.store.facts import (
    REPINNED,
    CallEventSeen,
    ChatWritten,
    Fact,
    GapFound,
    LanguagePinned,
    OneWayFound,
    ParticipantSeen,
    StreamRestated,
    TrackClosed,
    UtteranceHeard,
    ZoomTranscribed,
)

_Key: TypeAlias = tuple[object, ...]
"""What a fact is about: of those of one key the last one counts."""


class Told:
    """The facts of one stream."""

    def __init__(self) -> None:
        """Nothing was told."""
        self._facts: set[Fact] = set()  # those that nothing has removed
        self._last: dict[_Key, Fact] = {}
        self._again: dict[_Key, Fact] = {}  # what is derived now, in order
        self._is_past = True

    def note(self, fact: Fact) -> None:
        """The journal has this next."""
        if isinstance(fact, StreamRestated):
            self._forget_stale(fact)
        self._facts.add(fact)
        for key in _keys_of(fact):
            self._last[key] = fact

    def news(self, derived: Iterable[Fact]) -> list[Fact]:
        """Those of the facts derived next that have to be told."""
        return [fact for fact in derived if (self._is_news if self._is_past else self._is_late_news)(fact)]

    def end_past(self) -> list[Fact]:
        """All that was received before has been derived again: what of it has to be told once more."""
        news: list[Fact] = []
        again, self._again, self._is_past = self._again, {}, False
        for key, fact in again.items():
            if self._last.get(key) != fact:
                self.note(fact)
                news.append(fact)
        self._facts.clear()
        return news

    def _is_news(self, fact: Fact) -> bool:
        for key in _keys_of(fact):
            self._again.pop(key, None)
            self._again[key] = fact
        if fact in self._facts:
            return False
        self.note(fact)
        return True

    def _is_late_news(self, fact: Fact) -> bool:
        """Whether it is none of the past: those are kept, and no others, for a call may go on for a day."""
        keys = [*_keys_of(fact)]
        if all(self._last.get(key) == fact for key in keys):
            return False
        for key in keys:
            self._last.pop(key, None)
        return True

    def _forget_stale(self, restated: StreamRestated) -> None:
        """What `store.removals.forget_stale` deletes, and no less: to tell too much again changes nothing."""
        utterances, gaps = set(restated.utterances), set(restated.gaps)
        pins, one_way = _set_of(restated.pins), _set_of(restated.one_way)

        def is_stale(fact: Fact) -> bool:
            match fact:
                case UtteranceHeard():
                    return (fact.channel_id, fact.start_timestamp_ms) not in utterances
                case GapFound():
                    return (fact.channel_id, fact.start_timestamp_ms) not in gaps
                case OneWayFound() if one_way is not None:
                    return (fact.channel_id, fact.start_timestamp_ms) not in one_way
                case LanguagePinned() if pins is not None:
                    return (fact.channel_id or "", fact.number) not in pins
                case CallEventSeen() if pins is not None:
                    return fact.name == REPINNED
            return False

        stale = {fact for fact in self._facts if is_stale(fact)}
        self._facts -= stale
        self._last = {key: fact for key, fact in self._last.items() if fact not in stale}


def _keys_of(fact: Fact) -> Iterator[_Key]:
    """Its row's, and where it tells something of its whole call, that kind of fact."""
    match fact:
        case UtteranceHeard() | GapFound() | OneWayFound() | ZoomTranscribed():
            yield type(fact), fact.channel_id, fact.start_timestamp_ms
        case CallEventSeen():
            yield type(fact), fact.name, fact.timestamp_ms, fact.channel_id
        case ChatWritten():
            yield type(fact), fact.message_id
        case TrackClosed():
            yield type(fact), fact.channel_id
        case ParticipantSeen():
            yield type(fact), fact.channel_id
            yield (type(fact),)
        case LanguagePinned():
            yield type(fact), fact.channel_id, fact.number
            yield (type(fact),)
        case _:
            yield (type(fact),)


def _set_of(keys: Iterable[tuple[str, int]] | None) -> set[tuple[str, int]] | None:
    return None if keys is None else set(keys)
