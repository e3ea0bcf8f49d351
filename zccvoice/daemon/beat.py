"""Waiting for a moment in company: who can wait a little wakes with others, and one deadline serves them all.

A deadline of its own for each of hundreds of connections, ten times a second, costs more than what is then read.
"""

from __future__ import annotations

import trio


class Beat:
    """A clock for who waits often and exactly so long: it goes while somebody waits, and else costs nothing."""

    def __init__(self, wait_s: float, parts: int) -> None:
        """Begin, inside `trio.run`, which the clock does not outlive.

        Args:
            wait_s: how long everybody waits, or up to one part less.
            parts: of that time; who began to wait in the same one wakes together.
        """
        self._part_s = wait_s / parts
        self._waiting = [trio.lowlevel.ParkingLot() for _ in range(parts)]
        self._part = 0
        self._is_going = False

    async def wait(self) -> None:
        """Return when the time is over. Cancelling it leaves nothing behind."""
        if not self._is_going:
            self._is_going = True
            trio.lowlevel.spawn_system_task(self._go)
        await self._waiting[self._part].park()

    async def _go(self) -> None:
        while any(self._waiting):
            await trio.sleep(self._part_s)
            self._part = (self._part + 1) % len(self._waiting)
            self._waiting[self._part].unpark_all()
        self._is_going = False
