"""CORE: when Zoom captured nothing of a track, because it was paused. Times are Zoom's, epoch milliseconds."""

from __future__ import annotations

from math import inf


class Pauses:
    """The pauses of one track."""

    def __init__(self) -> None:
        self._spans: list[tuple[int, float]] = []

    def begin(self, from_ms: int) -> None:
        """Zoom announced that it captures nothing from here on."""
        if not self._spans or self._spans[-1][1] < inf:
            self._spans.append((from_ms, inf))

    def end(self, until_ms: int) -> None:
        """The pause is over, if there is one."""
        if self._spans and self._spans[-1][1] == inf:
            self._spans[-1] = (self._spans[-1][0], until_ms)

    def add(self, from_ms: int, until_ms: int) -> None:
        """A pause whose end is known; one that goes on now is not touched by it."""
        self._spans.insert(0, (from_ms, until_ms))

    def cover(self, from_ms: float, until_ms: float, slack_ms: int) -> bool:
        """Whether one of them is all of this time, but for some on either side."""
        return any(
            start_ms <= from_ms + slack_ms and end_ms >= until_ms - slack_ms
            for start_ms, end_ms in self._spans
        )

    def first_in(self, from_ms: float, until_ms: float, slack_ms: int) -> tuple[float, float] | None:
        """What of this time is in the first of them, with so little on either side as may be; None for nothing."""
        for start_ms, end_ms in sorted(self._spans):
            if max(start_ms, from_ms) < min(end_ms, until_ms):
                return (
                    from_ms if start_ms <= from_ms + slack_ms else start_ms,
                    until_ms if end_ms >= until_ms - slack_ms else end_ms,
                )
        return None

    def outside(self, from_ms: int, until_ms: int) -> list[tuple[int, int]]:
        """What of this time is in none of them."""
        parts, at_ms = [], from_ms
        for start_ms, end_ms in sorted(self._spans):
            if end_ms <= start_ms:  # told by two clocks
                continue
            if at_ms < (next_ms := min(start_ms, until_ms)):
                parts.append((at_ms, next_ms))
            at_ms = max(at_ms, int(min(end_ms, until_ms)))
        return [*parts, (at_ms, until_ms)] if at_ms < until_ms else parts
