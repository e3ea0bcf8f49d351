"""CORE: when nobody listened to a stream, and what its legs are known to have sent meanwhile."""

from __future__ import annotations

from collections.abc import Iterable

from zccvoice.audio.timeline import WINDOW_MS, Timeline
from zccvoice.daemon.transport import SHUTDOWN
from zccvoice.rtms.enums import is_end_by_zoom
from zccvoice.rtms.events import StreamEnded

LIVE_LEG_MS = 2_000
"""A leg that was quiet for longer before a break, or after it, is not known to have missed anything."""


def cause_of_break(ended: StreamEnded | None) -> str:
    """Why nobody listened between this end of a stream and now, when it goes on."""
    if ended is None or ended.cause == SHUTDOWN:
        return "daemon_down"
    return "stream_stopped" if is_end_by_zoom(ended.cause) else "connection_lost"


class Breaks:
    """The breaks in the reception of one stream. Times are Zoom's, epoch milliseconds."""

    def __init__(self) -> None:
        self.first_packet_ms: int | None = None
        """When Zoom captured the first packet, if it has told."""
        self._stopped_ms: int | None = None
        self._heard_ms: int | None = None
        self._cause: str | None = None
        self._missed_beginning: tuple[int, str] | None = None

    def note_started(self, at_ms: int) -> None:
        """Zoom has announced the stream: if that was after its end, it goes on."""
        if self._stopped_ms is not None and at_ms > self._stopped_ms:
            self._stopped_ms = None

    def note_stopped(self, at_ms: int | None) -> None:
        """Zoom has told the end, on signaling or by webhook; the one that comes later may tell a later time."""
        if at_ms is not None:
            self._stopped_ms = at_ms if self._stopped_ms is None else min(self._stopped_ms, at_ms)

    def begin(self, cause: str) -> None:
        """Nobody listens from the last packet on until the next one."""
        self._cause = cause

    def mend(self, first_ms: int, timelines: Iterable[Timeline]) -> None:
        """Packets come, the first of them from then: what is missing before it is lost, if there was a break."""
        if self._cause is None:
            return
        if self._heard_ms is None:
            self._missed_beginning = first_ms, self._cause
        else:
            for timeline in timelines:
                timeline.expect_loss(self._heard_ms, first_ms, self._cause)
        self._cause = None

    def note_heard(self, timestamp_ms: int) -> None:
        """Packets have come, the newest of them from then."""
        self._heard_ms = timestamp_ms

    def missed_by(self, timeline: Timeline, end_ms: int) -> list[tuple[int, int, str]]:
        """What a leg missed before its first packet, and after its last one, which ends at `end_ms`.

        It lies outside of the leg's axis, and is known only of a leg that was live at the other side of the break.

        Returns:
            From when, until when, cause.
        """
        missed = []
        if self._missed_beginning is not None and self.first_packet_ms is not None:
            until_ms, cause = self._missed_beginning
            begin_ms = timeline.first_timestamp_ms
            is_live = begin_ms is not None and begin_ms <= until_ms + LIVE_LEG_MS
            if is_live and until_ms - self.first_packet_ms > WINDOW_MS:
                missed.append((self.first_packet_ms, until_ms, cause))
        if self._cause is not None and self._stopped_ms is not None and self._heard_ms is not None:
            is_live = end_ms >= self._heard_ms - LIVE_LEG_MS
            if is_live and self._stopped_ms > end_ms:
                missed.append((end_ms, self._stopped_ms, self._cause))
        return missed
