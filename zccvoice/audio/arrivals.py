"""CORE: packets of a track that have no place on its axis: those that wait for one, those that came too late.

Late sound for a hole that is closed is left out, and so are stragglers of any kind. A clock that was set back
sends late packets as well, and they are the call. It is known by a run of them with nothing in time between:

- Ten onto sound that was placed, and are not what it was: no straggler does that.
- Those that fall into a gap may be late sound for it, however many they are. They do not count among the ten, but
  they are kept. Should the run go on until it has left the gap, or for longer than Zoom can have buffered
  (`LONGEST_BURST_MS`), it was a clock that was set back into the gap: then none of it is lost, it only comes late.
  When something comes in time before that, or the track ends, they were stragglers.

So a clock that is set back into a gap, and set right or silent within a minute of sound, loses what it sent. To
believe it sooner would put every late burst at the end of the axis, where it never was.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from zccvoice.audio.frame import SAMPLES_PER_MS

LATE_BEFORE_STEP = 10
"""So many packets in a row that all come too late are a clock that was set back, not stragglers."""
LONGEST_BURST_MS = 70_000
"""Zoom buffers a minute of sound: more than this is no late burst, nor what comes again after an interruption."""
_GAPS_KNOWN = 256


@dataclass(order=True, slots=True)
class Waiting:
    """A packet that came, before it has a place."""

    timestamp_ms: int
    payload: bytes = field(compare=False)
    sample_count: int = field(compare=False)
    source: tuple[int, int] | None = field(compare=False)

    def is_again(self, other: Waiting) -> bool:
        """Whether the other one is the same sound of the same time."""
        return self.timestamp_ms == other.timestamp_ms and self.payload == other.payload


class Late:
    """The packets in a row that came too late, and whether they tell of a clock that was set back."""

    def __init__(self) -> None:
        self._run: list[tuple[Waiting, bool]] = []  # and whether it falls onto sound
        self._onto_sound = self._samples = 0
        self._gaps: deque[range] = deque(maxlen=_GAPS_KNOWN)

    def __len__(self) -> int:
        return len(self._run)

    def note_gap(self, start: int, end: int) -> None:
        """The axis has a gap there."""
        self._gaps.append(range(start, end))

    def forget_gaps(self) -> None:
        """The clock was set: positions mean other times from now on."""
        self._gaps.clear()

    def tells_of_set_back(self, packet: Waiting, when: range) -> bool:
        """Take in a late packet.

        Args:
            packet: the newest one of the run.
            when: where on the axis its middle is, by the clock that is believed, as far as that tells.

        Returns:
            Whether the run is a clock that was set back.
        """
        is_onto_sound = not any(gap.start < when.stop and when.start < gap.stop for gap in self._gaps)
        self._run.append((packet, is_onto_sound))
        self._onto_sound += is_onto_sound
        self._samples += packet.sample_count
        is_burst = self._samples <= LONGEST_BURST_MS * SAMPLES_PER_MS
        if self._onto_sound < LATE_BEFORE_STEP and is_burst:
            return False
        first, was_onto_sound = self._run[0]
        if first < packet or (len(when) > 1 and first.payload != packet.payload):
            return True
        del self._run[0]  # a clock that stands still was not set back
        self._onto_sound -= was_onto_sound
        self._samples -= first.sample_count
        return False

    def end(self) -> list[Waiting]:
        """The run is over: something was placed. Returns it, in order of arrival."""
        run = [packet for packet, _ in self._run]
        self._run.clear()
        self._onto_sound = self._samples = 0
        return run
