"""Which utterances are decoded together, and when; a core.

Utterances of all calls wait here, by reference. Whoever is free takes a batch of those that get the same window,
at once: batches grow by themselves while all workers are busy, and nobody waits for one to fill.

Order is that of due times. An utterance is due when it was heard, but the utterances of one call fall due no
faster than they were spoken: a call that comes with an hour of sound at once takes its place among the others
instead of standing before them. Calls are *live* until one of their utterances has waited too long; then the call
is *late* and goes behind the live ones until nothing of it waits, as does work on the past. A share of the batches
is kept for what stands behind, so that nothing waits for ever. Nothing is dropped but what is withdrawn.

When what is due has waited too long, windows widen: neighbours of one track that all wait share a window, where
the weights learnt such windows (see `packing`). That is over as soon as the lag is.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Collection, Hashable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Generic, TypeVar

from zccvoice.speech.window import LONGEST_S, PACKED_S, PAUSE_S, Windows

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
    """Most windows."""
    seconds: float
    """Most seconds of windows; one window always may."""
    late_after_s: float
    """How long an utterance of a live call waits before its call is late."""
    widen_after_s: float = 0.0
    """How long what is due has waited when utterances begin to share windows; 0: they never do."""

    def count(self, window_s: float) -> int:
        """How many windows of that size go together."""
        return max(1, min(self.items, int(self.seconds / window_s)))


@dataclass(frozen=True, slots=True, eq=False)
class Batch(Generic[Item]):
    """What is decoded together."""

    windows: list[list[Item]]
    """What each window holds: one, or neighbours of one track in their order."""
    window_s: float
    """Length of the longest."""
    sound_s: float
    """Of all items together."""

    @property
    def items(self) -> list[Item]:
        """Those of all windows."""
        return [item for window in self.windows for item in window]

    @property
    def fill_ratio(self) -> float:
        """How much of the windows is sound, 0–1."""
        return self.sound_s / (self.window_s * len(self.windows))


@dataclass(order=True, slots=True)
class _Waiting(Generic[Item]):
    due: float
    number: int
    item: Item = field(compare=False)
    call: str = field(compare=False)
    sound_s: float = field(compare=False)
    heard_at: float = field(compare=False)
    track: Hashable = field(compare=False)
    is_taken: bool = field(default=False, compare=False)


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
        self._tracks: dict[Hashable, deque[_Waiting[Item]]] = {}
        self._number = 0
        self._taken = 0

    def __len__(self) -> int:
        """Utterances that wait."""
        return sum(line.waiting for line in self._calls.values())

    @property
    def late_calls(self) -> int:
        """Calls that are finished behind the others."""
        return sum(line.urgency is Urgency.LATE for line in self._calls.values())

    def put(
        self,
        item: Item,
        call: str,
        sound_s: float,
        heard_at: float,
        *,
        is_live: bool = True,
        track: Hashable = None,
    ) -> None:
        """Have an utterance wait.

        Args:
            item: what `take` gives back.
            call: that it belongs to; an id of any kind.
            sound_s: length of its sound, seconds.
            heard_at: monotonic seconds when it was complete.
            is_live: False for what is left of calls that are over.
            track: utterances of a call that were put with the same one may share a window; None: never.
        """
        line = self._calls.setdefault(call, _CallLine(Urgency.LIVE if is_live else Urgency.BACKLOG))
        due = max(heard_at, line.last_due + sound_s) if line.waiting else heard_at
        line.last_due, line.waiting = due, line.waiting + 1
        self._number += 1
        waiting = _Waiting(due, self._number, item, call, sound_s, heard_at, track)
        self._push(line.urgency, waiting)
        if track is not None and self._limits.widen_after_s and self._windows.takes_several:
            self._tracks.setdefault(track, deque()).append(waiting)

    def withdraw(self, item: Item) -> None:
        """Have an utterance wait no longer: nobody wants it. One that was taken is left to whoever took it."""
        for heap in self._heaps.values():
            for one in heap:
                if one.item is item and not one.is_taken:
                    self._take_out([one])
                    return

    def take(self, now: float) -> Batch[Item] | None:
        """What is to be decoded next, by whoever is free; None when nothing waits."""
        self._demote(now)
        key = self._next_key()
        if key is None:
            return None
        self._taken += 1
        lag_s = now - self._heaps[key][0].heard_at
        is_wide = 0 < self._limits.widen_after_s <= lag_s and self._windows.takes_several
        windows = self._take_wide(key[0]) if is_wide else self._take_alike(key)
        lengths = [_packed_s(window) for window in windows]
        return Batch(
            [[one.item for one in window] for window in windows],
            self._windows.size_s(max(lengths)),
            sum(one.sound_s for window in windows for one in window),
        )

    def _take_alike(self, key: tuple[Urgency, float]) -> list[list[_Waiting[Item]]]:
        """Those that get the same window, each in its own."""
        windows: list[list[_Waiting[Item]]] = []
        while key in self._heaps and len(windows) < self._limits.count(key[1]):
            windows.append([self._heaps[key][0]])
            self._take_out(windows[-1])
        return windows

    def _take_wide(self, urgency: Urgency) -> list[list[_Waiting[Item]]]:
        """The oldest, each with those of its track that come after it and fit in."""
        windows: list[list[_Waiting[Item]]] = []
        while len(windows) < self._limits.count(LONGEST_S):
            oldest = min((heap[0] for (one, _), heap in self._heaps.items() if one is urgency), default=None)
            if oldest is None:
                break
            window = [oldest]
            for one in self._tracks.get(oldest.track, ()):
                if one is not oldest and not one.is_taken:
                    if _packed_s([*window, one]) > PACKED_S:
                        break
                    window.append(one)
            self._take_out(window)
            windows.append(window)
        return windows

    def _take_out(self, window: list[_Waiting[Item]]) -> None:
        """Heaps and tracks hold what was taken out of their middle until it comes to be their first."""
        for one in window:
            one.is_taken = True
            line = self._tracks.get(one.track, deque())
            while line and line[0].is_taken:
                line.popleft()
            if not line:
                self._tracks.pop(one.track, None)
        keys = {(self._calls[one.call].urgency, self._windows.size_s(one.sound_s)) for one in window}
        for key in keys:
            heap = self._heaps[key]
            while heap and heap[0].is_taken:
                heapq.heappop(heap)
            if not heap:
                del self._heaps[key]
        for one in window:
            self._leave(one.call)

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
            for waiting in (one for one in heap if not one.is_taken):
                self._push(self._calls[waiting.call].urgency, waiting)


def _packed_s(window: list[_Waiting[Item]]) -> float:
    """How much sound there is in a window, with the quiet between."""
    return sum(one.sound_s for one in window) + PAUSE_S * (len(window) - 1)
