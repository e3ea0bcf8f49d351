"""Zoom's patience with a client that is not connected: how long it waits, and what it says meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from zccvoice.rtms.enums import EventType, StopReason, StreamState
from zccvoice.rtms.messages import StreamStateUpdate
from zccvoice.simulator.phrasing import Phrasing
from zccvoice.simulator.progress import Stage

if TYPE_CHECKING:
    from zccvoice.simulator.call import Call


async def watch_signaling(call: Call) -> None:
    """Whoever loses signaling loses media too, and has a window to come back; then the call ends."""
    here = call.attendance
    with trio.move_on_after(call.timing.start_window_s) as first_window:
        await here.until(lambda: here.signaling is not None)
    if first_window.cancelled_caught:
        call.complain("no signaling connection after the started webhook")
        call.end(StopReason.CONNECTION_TIMEOUT)
        return
    async with trio.open_nursery() as posting:
        while True:
            await here.until(lambda: here.signaling is None)
            for media in list(here.media):
                await media.link.abort()
            if not call.is_moving:  # the second started webhook says it all
                posting.start_soon(call.announcements.interrupted, call.now_ms())
            with trio.move_on_after(call.timing.signaling_window_s) as window:
                await here.until(lambda: here.signaling is not None)
            if window.cancelled_caught:
                call.end(StopReason.AWAIT_RECONNECTION_TIMEOUT)
                return


async def watch_media(call: Call) -> None:
    """The same for the connection that carries audio; signaling is told how it stands."""
    here, phrasing = call.attendance, Phrasing(call.scenario, call.event_ts_ms)
    await here.until(lambda: here.signaling is not None)
    window_s = call.timing.start_window_s
    while True:
        with trio.move_on_after(window_s) as window:
            await here.until(here.has_audio)
        if window.cancelled_caught:
            call.complain("no ready audio connection in time")
            call.end(StopReason.AWAIT_RECONNECTION_TIMEOUT)
            return
        await here.tell(StreamStateUpdate(state=StreamState.ACTIVE, timestamp=call.now_ms()))
        await here.until(lambda: not here.has_audio())
        call.ledger.interruptions_count += 1
        call.report(Stage.INTERRUPTED)
        window_s = call.timing.media_window_s
        await here.tell(phrasing.plain_event(EventType.MEDIA_CONNECTION_INTERRUPTED, call.now_ms()))
        lost = StopReason.DATA_CONNECTION_INTERRUPTED
        await here.tell(
            StreamStateUpdate(state=StreamState.INTERRUPTED, reason=lost, timestamp=call.now_ms())
        )
