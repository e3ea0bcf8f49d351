"""CORE: streams that are over, and announcements that are void because of it. No I/O, no clock.

Zoom repeats an unanswered webhook for more than an hour, and a stop may overtake its start: what comes late must
not begin again what is over. The times that Zoom tells decide, not the order in which webhooks come.
"""

from __future__ import annotations

from collections import deque

from zccvoice.rtms.webhook import StreamStarted, StreamStopped, is_ended_by

SUPERSEDED = "superseded"
"""End of a stream whose connections were lost after another one of its engagement had begun; and an event of it:
when that one began."""
REVOKED = "stream_revoked"
"""Zoom's stop reason 8: stored data must be deleted at once."""
RETAKEN_CAUSES = frozenset(
    {"connection_failed", "connection_lost", "silent", "internal_error", "daemon_down"}
)
"""A stream that ended so may be announced again (a repeated webhook, a server that moved) and is taken up."""
REMEMBERED_S = 90 * 60
"""How long an end is remembered: Zoom repeats an unanswered webhook for up to 85 minutes."""


class Endings:
    """Those of the last ninety minutes."""

    def __init__(self) -> None:
        self._ends: dict[str, list[StreamStopped]] = {}  # by whom they mean, the oldest first
        self._noted: deque[tuple[float, str]] = deque()

    def note(self, stopped: StreamStopped, now: float) -> None:
        """A stream is over, or all of an engagement that had begun by then.

        Args:
            stopped: by Zoom's webhook, or what it would say.
            now: monotonic seconds.
        """
        self._forget(now - REMEMBERED_S)
        whom = stopped.stream_id or stopped.engagement_id
        self._ends.setdefault(whom, []).append(stopped)
        self._noted.append((now, whom))

    def is_void(self, started: StreamStarted, now: float) -> bool:
        """Whether an announcement is of a time before an end that means it."""
        self._forget(now - REMEMBERED_S)
        of_it = (*self._ends.get(started.stream_id, ()), *self._ends.get(started.engagement_id, ()))
        return any(is_ended_by(one, started) for one in of_it)

    def _forget(self, horizon: float) -> None:
        while self._noted and self._noted[0][0] < horizon:
            _, whom = self._noted.popleft()
            ends = self._ends[whom]
            ends.pop(0)
            if not ends:
                del self._ends[whom]
