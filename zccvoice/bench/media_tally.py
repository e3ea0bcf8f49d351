"""What a client of `bench media` did, and what it cost."""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass, field
from pathlib import Path

import trio

SETTLED_S = 1.5
"""After the last stream has sent something, before it is measured."""
CONNECTED_S = 20.0
"""Streams that have not sent anything by then count as lost."""


@dataclass(slots=True)
class Tally:
    """What one client did in the time that was measured."""

    streams: int = 0
    """That sent something."""
    messages: int = 0
    """With audio; a bare socket does not look, and counts bytes."""
    received_bytes: int = 0
    cpu_s: float = 0.0
    wall_s: float = 0.0
    memory_bytes: int = 0
    """More than before the streams were connected."""
    delays_ms: list[float] = field(default_factory=list)
    """From a packet's arrival, had it come as soon as the soonest of its stream, until its track has it, which
    gathers sound for up to a second before it decides."""
    lags_ms: list[float] = field(default_factory=list)
    """Of Trio's loop: how much too late a task wakes up that sleeps for 20 ms."""


class Watch:
    """What is counted while a client runs."""

    def __init__(self, streams: int) -> None:
        self.tally = Tally()
        self.waiting = {f"S{number}" for number in range(streams)}
        self.all_there = trio.Event()
        self.earliest_s: dict[str, float] = {}
        self.memory = memory_bytes()

    def heard(self, stream_id: str) -> None:
        """A stream has sent something."""
        if self.waiting:
            self.waiting.discard(stream_id)
            if not self.waiting:
                self.all_there.set()

    def begin(self) -> None:
        """From now on it counts."""
        self.tally.messages = self.tally.received_bytes = 0
        self.tally.delays_ms.clear()
        self.tally.lags_ms.clear()
        self._cpu_s, self._begin_s = cpu_s(), time.monotonic()

    def end(self, streams: int) -> Tally:
        """Until now it counted."""
        tally = self.tally
        tally.cpu_s, tally.wall_s = cpu_s() - self._cpu_s, time.monotonic() - self._begin_s
        tally.streams = streams - len(self.waiting)
        tally.memory_bytes = memory_bytes() - self.memory
        return tally


def cpu_s() -> float:
    """Of this process, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def memory_bytes() -> int:
    """Resident, as far as it is not a file's."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0
