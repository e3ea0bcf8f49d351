"""CORE: the newest moment that packets tell of, whatever a single wrong timestamp says."""

from __future__ import annotations

from collections.abc import Sequence

FAR_AHEAD_MS = 10_000
"""A packet so far ahead of all others waits until another one confirms it."""
LONGEST_HOLE_MS = 24 * 3_600_000
"""No leg is quiet for longer: the clock was set forward."""


def is_confirmed(newest_ms: int, far_ms: int, timestamp_ms: int) -> bool:
    """Whether a packet far ahead is by the next one: near it, or further ahead.

    The latter is of somebody who says a word every now and then.
    """
    if abs(timestamp_ms - far_ms) <= FAR_AHEAD_MS:
        return True
    is_further = far_ms < timestamp_ms <= far_ms + LONGEST_HOLE_MS
    return is_further and far_ms <= newest_ms + LONGEST_HOLE_MS


class Newest:
    """That of one stream, of all its tracks."""

    __slots__ = ("_far_ms", "_is_first", "ms")  # asked once per packet

    def __init__(self) -> None:
        self.ms: int | None = None
        """Zoom's epoch milliseconds; None before the first packet."""
        self._far_ms: int | None = None
        self._is_first = True

    def take(self, timestamp_ms: int) -> bool:
        """Take in the timestamp of a packet; tells whether it is believed, for now."""
        newest_ms = self.ms
        if newest_ms is None:
            self.ms = timestamp_ms
            return True
        is_second, self._is_first = self._is_first, False
        if newest_ms < timestamp_ms <= newest_ms + FAR_AHEAD_MS:  # nearly always
            self.ms = timestamp_ms
        elif timestamp_ms > newest_ms:
            far_ms, self._far_ms = self._far_ms, timestamp_ms
            if far_ms is None or not is_confirmed(newest_ms, far_ms, timestamp_ms):
                return False
            self.ms = timestamp_ms
        elif is_second and timestamp_ms < newest_ms - FAR_AHEAD_MS:  # the very first one was the wrong one
            self.ms, self._far_ms = timestamp_ms, newest_ms
        return True

    def take_all(self, times_ms: Sequence[int]) -> int:
        """The same of several, in order; there is one at least. Returns the newest moment."""
        newest_ms, latest_ms = self.ms, max(times_ms)
        if (
            newest_ms is not None and not self._is_first and latest_ms <= newest_ms + FAR_AHEAD_MS
        ):  # nearly always
            newest_ms = self.ms = max(newest_ms, latest_ms)
            return newest_ms
        for timestamp_ms in times_ms:
            self.take(timestamp_ms)
        assert self.ms is not None
        return self.ms
