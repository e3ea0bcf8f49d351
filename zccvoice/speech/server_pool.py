"""CORE: which of several recognition servers gets the next request.

The least busy healthy one; ties go round. A server that fails is left alone for a while, longer each time, and
then tried with a single request before it is trusted again. A server that leaves a request unanswered gets half as
many at a time, and one more for as many answers as it then gets requests: who shares a slow server finds his share
of it. A server that says when to come again is taken at its word, but never asked again at once. No I/O and no
clock: `now` is monotonic seconds, given to every call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0


@dataclass(slots=True)
class Server:
    """One recognition server, as the pool sees it."""

    url: str
    room: float
    """Requests that it gets at a time, as a number that grows by less than one."""
    under_way: int = 0
    """Requests that it is working on."""
    failures: int = 0
    """In a row; 0 is a healthy server."""
    resting_until: float = 0.0
    """It gets nothing before; monotonic seconds."""
    turn: int = 0
    """When it was last taken, in requests of the pool."""

    @property
    def is_trusted(self) -> bool:
        """Whether its last answer was a good one, or it has not been asked yet."""
        return not self.failures


class ServerPool:
    """The servers of one recognizer."""

    def __init__(self, urls: Sequence[str], *, most_at_once: int) -> None:
        """`most_at_once`: requests that one server gets at a time."""
        self.servers = tuple(Server(url, room=most_at_once) for url in urls)
        self.answers = 0
        """Requests that some server answered as it should."""
        self._most_at_once = most_at_once
        self._turns = 0

    @property
    def capacity(self) -> int:
        """Requests that all servers together take at once."""
        return len(self.servers) * self._most_at_once

    def take(self, now: float, *, avoid: Server | None = None) -> Server | None:
        """The server for one more request, or None while none has room; to be given back with one of the below.

        Args:
            now: monotonic seconds.
            avoid: the one that has just failed at this request: another is preferred.
        """
        free = [one for one in self.servers if self._has_room(one, now)]
        if not free:
            return None
        taken = min(free, key=lambda one: (one is avoid, not one.is_trusted, one.under_way, one.turn))
        self._turns += 1
        taken.turn = self._turns
        taken.under_way += 1
        return taken

    def succeeded(self, server: Server) -> None:
        """It answered as it should, be it that the request makes no sense."""
        server.under_way -= 1
        server.failures = 0
        server.room = min(self._most_at_once, server.room + 1 / server.room)
        self.answers += 1

    def failed(self, server: Server, now: float) -> None:
        """It could not be reached, broke off, or is out of order."""
        server.under_way -= 1
        server.failures += 1
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(server.failures - 1, 10))
        server.resting_until = max(server.resting_until, now + pause_s)

    def left_unanswered(self, server: Server, now: float) -> None:
        """Nothing came in time, or from a proxy that had waited in vain: it is away, or has too much to do."""
        server.room = max(1.0, server.room / 2)
        self.failed(server, now)

    def is_full(self, server: Server, now: float, retry_after_s: float = FIRST_PAUSE_S) -> None:
        """It is well and has too much to do: nothing more for so long."""
        server.under_way -= 1
        pause_s = min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, retry_after_s))
        server.resting_until = max(server.resting_until, now + pause_s)

    def given_up(self, server: Server) -> None:
        """The request was cancelled; nothing was learned of the server."""
        server.under_way -= 1

    def get_timer(self, now: float) -> float | None:
        """When `take` may give a server though nothing was given back: monotonic seconds, None if never."""
        return min((one.resting_until for one in self.servers if one.resting_until > now), default=None)

    def _has_room(self, server: Server, now: float) -> bool:
        return now >= server.resting_until and server.under_way < (
            int(server.room) if server.is_trusted else 1
        )
