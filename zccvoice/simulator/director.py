"""Makes the mishaps of a scenario happen, each at its moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from zccvoice.rtms.enums import SessionState, StreamState
from zccvoice.simulator.garbage import frames_of
from zccvoice.simulator.link import Link
from zccvoice.simulator.mishaps import Kind, Mishap, Where

if TYPE_CHECKING:
    from zccvoice.simulator.call import Call

_HANDSHAKE_KINDS = (Kind.REFUSE, Kind.SLOW)


def is_there_from_the_start(mishap: Mishap) -> bool:
    """Whether it befalls even the first handshakes; everything else waits for the first audio."""
    return mishap.at_ms == 0 and mishap.kind in _HANDSHAKE_KINDS


async def direct(
    call: Call, mishap: Mishap, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Wait for the mishap's moment, let it happen, and put right what lasts only a while; starts at its moment."""
    await call.clock.wait_until(mishap.at_ms)
    task_status.started()
    until_ms = mishap.at_ms + mishap.for_ms
    match mishap.kind:
        case Kind.REFUSE:
            call.admission.refuse(mishap)
        case Kind.SLOW:
            call.admission.delay_s = mishap.for_ms / 1_000
        case Kind.CLOSE | Kind.DROP | Kind.ABORT:
            await _end_links(call, mishap)
        case Kind.CUT:
            for link in _links(call, mishap.where):
                link.cut()
        case Kind.SILENCE:
            await _silence(call, mishap, until_ms)
        case Kind.NO_KEEP_ALIVE:
            await _stop_asking(call, mishap, until_ms)
        case Kind.OUTAGE:
            await _outage(call, until_ms)
        case Kind.FAILOVER:
            await call.move()
        case Kind.REPEAT_STARTED:
            await call.announce()
        case Kind.PAUSE:
            await _pause(call, until_ms)
        case Kind.STOP:
            call.end(mishap.reason)
        case Kind.GARBAGE:
            for link in _links(call, mishap.where):
                await link.send_bytes(frames_of(mishap.garbage))
        case Kind.CONCURRENCY_LIMITED:
            await call.announcements.concurrency_limited(call.now_ms())
        case Kind.CONCURRENCY_NEAR_LIMIT:
            await call.announcements.concurrency_near_limit(call.now_ms())


def _links(call: Call, where: Where) -> list[Link]:
    """The connections it befalls, if they are there. What the client does about it is no mistake."""
    here = call.attendance
    links = [link for link in here.links() if where is Where.BOTH or where.value == link.name]
    for link in links:
        link.was_provoked = True
    return links


async def _end_links(call: Call, mishap: Mishap) -> None:
    async with trio.open_nursery() as ending:
        for link in _links(call, mishap.where):
            match mishap.kind:
                case Kind.CLOSE:
                    ending.start_soon(link.close, mishap.code)
                case Kind.DROP:
                    ending.start_soon(link.drop)
                case _:
                    ending.start_soon(link.abort)


async def _silence(call: Call, mishap: Mishap, until_ms: int) -> None:
    links = _links(call, mishap.where)
    for link in links:
        link.silence()
    try:
        await call.clock.wait_until(until_ms)
    finally:
        for link in links:
            link.speak()


async def _stop_asking(call: Call, mishap: Mishap, until_ms: int) -> None:
    links = _links(call, mishap.where)
    for link in links:
        link.asks_keep_alive = False
    await call.clock.wait_until(until_ms)
    for link in links:
        link.asks_keep_alive = True


async def _outage(call: Call, until_ms: int) -> None:
    call.admission.is_out = True
    for link in _links(call, Where.BOTH):
        await link.abort()
    await call.clock.wait_until(until_ms)
    call.admission.is_out = False


async def _pause(call: Call, until_ms: int) -> None:
    """The states of a pause; that nothing is captured meanwhile is in the packet plan."""
    await call.tell_states(SessionState.PAUSED, StreamState.PAUSED)
    await call.clock.wait_until(until_ms)
    await call.tell_states(SessionState.RESUMED, StreamState.RESUMED)
