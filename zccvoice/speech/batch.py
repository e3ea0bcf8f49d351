"""Which utterances are decoded together, and when; a core.

Utterances of all calls wait here, by reference. Whoever is free takes a batch of those that get the same window,
at once: batches grow by themselves while all workers are busy, and nobody waits for one to fill.

Order is that of due times. An utterance is due when it was heard, but the utterances of one call fall due no
faster than they were spoken: a call that comes with an hour of sound at once takes its place among the others
instead of standing before them. Calls are *live* until one of their utterances has waited too long; then the call
is *late* and goes behind the live ones until nothing of it waits, as does work on the past. A share of the batches
is kept for what stands behind, so that nothing waits for ever. Nothing is ever dropped.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Generic, TypeVar

from zccvoice.speech.window import Windows

BEHIND_EVERY = 4
"""Of so many batches one is for what stands behind the live calls, if anything does."""

Item = TypeVar("Item")


class Urgency(IntEnum):
    """Who goes first."""

    LIVE = 0
    LATE = 1
    BACKLOG = 2
    """Of calls that are over: what an earlier daemon left."""


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Bounds of what is decoded together."""

    items: int
    """Most utterances."""
    seconds: float
    """Most seconds of windows; one window always may."""
    late_after_s: float
    """How long an utterance of a live call waits before its call is late."""

    def count(self, window_s: float) -> int:
        """How many windows of that size go together."""
        return max(1, min(self.items, int(self.seconds / window_s)))


@dataclass(frozen=True, slots=True, eq=False)
class Batch(Generic[Item]):
    """What is decoded together."""

    items: list[Item]
    window_s: float
    sound_s: float
    """Of all items together."""

    @property
    def fill_ratio(self) -> float:
        """How much of the windows is sound, 0–1."""
        return self.sound_s / (self.window_s * len(self.items))


@dataclass(order=True, slots=True)
class _Waiting(Generic[Item]):
    due: float
    number: int
    item: Item = field(compare=False)
    call: str = field(compare=False)
    sound_s: float = field(compare=False)
    heard_at: float = field(compare=False)


@dataclass(slots=True)
class _CallLine:
    """What is known of a call while something of it waits."""

    urgency: Urgency
    waiting: int = 0
    last_due: float = 0.0


class BatchQueue(Generic[Item]):
    """Everything that waits for the recognizer."""

    def __init__(self, windows: Windows, limits: BatchLimits) -> None:
        self._windows = windows
        self._limits = limits
        self._heaps: dict[tuple[Urgency, float], list[_Waiting[Item]]] = {}
        self._calls: dict[str, _CallLine] = {}
        self._number = 0
        self._taken = 0

    def __len__(self) -> int:
        """Utterances that wait."""
        return sum(line.waiting for line in self._calls.values())

    @property
    def late_calls(self) -> int:
        """Calls that are finished behind the others."""
        return sum(line.urgency is Urgency.LATE for line in self._calls.values())

    def put(self, item: Item, call: str, sound_s: float, heard_at: float, *, is_live: bool = True) -> None:
        """Have an utterance wait.

        Args:
            item: what `take` gives back.
            call: that it belongs to; an id of any kind.
            sound_s: length of its sound, seconds.
            heard_at: monotonic seconds when it was complete.
            is_live: False for what is left of calls that are over.
        """
        line = self._calls.setdefault(call, _CallLine(Urgency.LIVE if is_live else Urgency.BACKLOG))
        due = max(heard_at, line.last_due + sound_s) if line.waiting else heard_at
        line.last_due, line.waiting = due, line.waiting + 1
        self._number += 1
        waiting = _Waiting(due, self._number, item, call, sound_s, heard_at)
        self._push(line.urgency, waiting)

    def take(self, now: float) -> Batch[Item] | None:
        """What is to be decoded next, by whoever is free; None when nothing waits."""
        self._demote(now)
        key = self._next_key()
        if key is None:
            return None
        self._taken += 1
        heap = self._heaps[key]
        count = min(len(heap), self._limits.count(key[1]))
        taken = [heapq.heappop(heap) for _ in range(count)]
        if not heap:
            del self._heaps[key]
        for one in taken:
            self._leave(one.call)
        return Batch([one.item for one in taken], key[1], sum(one.sound_s for one in taken))

    def _push(self, urgency: Urgency, waiting: _Waiting[Item]) -> None:
        key = urgency, self._windows.size_s(waiting.sound_s)
        heapq.heappush(self._heaps.setdefault(key, []), waiting)

    def _leave(self, call: str) -> None:
        line = self._calls[call]
        line.waiting -= 1
        if not line.waiting:
            del self._calls[call]

    def _next_key(self) -> tuple[Urgency, float] | None:
        keys: Collection[tuple[Urgency, float]] = self._heaps.keys()
        if self._taken % BEHIND_EVERY == BEHIND_EVERY - 1:
            keys = {key for key in keys if key[0] is not Urgency.LIVE} or keys
            return min(keys, key=lambda key: self._heaps[key][0], default=None)
        return min(keys, key=lambda key: (key[0], self._heaps[key][0]), default=None)

    def _demote(self, now: float) -> None:
        """Calls with an utterance that has waited too long go behind the live ones, with all that they have."""
        too_old = now - self._limits.late_after_s
        late = {
            heap[0].call
            for (urgency, _), heap in self._heaps.items()
            if urgency is Urgency.LIVE and heap[0].heard_at < too_old
        }
        if not late:
            return
        for call in late:
            self._calls[call].urgency = Urgency.LATE
        for key in [key for key in self._heaps if key[0] is Urgency.LIVE]:
            heap = self._heaps.pop(key)
            for waiting in heap:
                self._push(self._calls[waiting.call].urgency, waiting)
