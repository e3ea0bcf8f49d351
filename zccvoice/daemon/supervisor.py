"""One call per stream: starts it, ignores Zoom's repetitions, ends it, and keeps its failures to itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import trio

from zccvoice.daemon.call import Call
from zccvoice.daemon.endings import REMEMBERED_S, RETAKEN_CAUSES, SUPERSEDED, Endings
from zccvoice.daemon.log import bind_ids, get_logger
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.transport import SHUTDOWN
from zccvoice.rtms.enums import StopReason
from zccvoice.rtms.webhook import (
    StreamInterrupted,
    StreamStarted,
    StreamStopped,
    WebhookEvent,
    is_ended_by,
    is_meant,
    may_be_of_one_app,
)

STOP_GRACE_S = 10.0
"""How long after the stopped webhook a stream may still finish by itself."""

MakeCall: TypeAlias = Callable[[StreamStarted, bool], Call]
"""(announcement, whether it is news) → the call."""
Delete: TypeAlias = Callable[[StreamStopped], Awaitable[Sequence[str]]]
"""Deletes everything there is of the streams that a revocation means, and tells which these are: none of another
app than those that signed. Without a stream's id those that are being written are left to their calls."""
log = get_logger()


@dataclass(slots=True, eq=False)
class _Running:
    """A running call, and whether Zoom has announced its end."""

    call: Call
    announced: StreamStarted
    """The newest of its announcements, by Zoom's clock."""
    is_end_announced: trio.Event = field(default_factory=trio.Event)
    end_cause: str = "stopped"
    announced_again: StreamStarted | None = None
    """Zoom wants it received once more, and it was over by then: when it has been finished."""
    tasks: trio.Nursery | None = None
    """For what is to be done beside the call, while it runs."""
    interrupted_ms: int = 0
    """When its newest interruption was, by Zoom's clock."""


class Supervisor:
    """All running calls."""

    def __init__(self, make_call: MakeCall, delete: Delete, metrics: Metrics) -> None:
        self._make_call = make_call
        self._delete = delete
        self._metrics = metrics
        self._running: dict[str, _Running] = {}
        self._endings = Endings()
        # In order: when they ended, in monotonic seconds.
        self._lost: dict[str, tuple[float, StreamStarted]] = {}
        self._is_stopping = False

    @property
    def active_streams(self) -> int:
        """Streams that are being received."""
        return len(self._running)

    def keep_sound(self, engagement_id: str, is_kept: bool) -> int:
        """From now on keep nothing audible of a call, or keep it again; tells how many streams of it run."""
        calls = self._calls_of(engagement_id)
        for call in calls:
            call.keep_sound(is_kept)
        return len(calls)

    def pause_sound(self, engagement_id: str, end_ms: int) -> None:
        """Keep nothing audible of a call up to this moment of Zoom's clock; to be told again changes nothing."""
        for call in self._calls_of(engagement_id):
            call.pause_sound(end_ms)

    def _calls_of(self, engagement_id: str) -> list[Call]:
        return [one.call for one in self._running.values() if one.call.engagement_id == engagement_id]

    async def run(
        self,
        webhooks_receive: trio.MemoryReceiveChannel[WebhookEvent],
        unfinished: Iterable[StreamStarted] = (),
        missed: Iterable[WebhookEvent] = (),
        stopped: Iterable[StreamStopped] = (),
    ) -> None:
        """Run calls until the channel ends; then hang up on those that still run, and wait for them.

        Cancelling it drops the calls at once.

        Args:
            webhooks_receive: what Zoom tells.
            unfinished: streams whose journals an earlier daemon left unfinished: first of all, since Zoom waits
                for them no longer than a minute.
            missed: what Zoom had told an earlier daemon, and nobody has acted upon.
            stopped: what it had told an earlier daemon to be over: one of those, or a start that may still come.
        """
        stopped = list(stopped)
        for stop in stopped:
            self._endings.note(stop, trio.current_time())
        async with trio.open_nursery() as calls:
            for started in unfinished:
                self._begin(started, calls, is_announced=False)
            for stop in stopped:
                if stop.reason is not StopReason.STREAM_REVOKED:  # that is deleted by now
                    self._announce_end(stop, self._ended_by(stop))
            for event in missed:
                self._handle_safely(event, calls)
            async with webhooks_receive:
                async for event in webhooks_receive:
                    self._handle_safely(event, calls)
            self._is_stopping = True
            for running in self._running.values():
                running.call.stop(SHUTDOWN)

    def _handle_safely(self, event: WebhookEvent, calls: trio.Nursery) -> None:
        try:
            self._handle(event, calls)
        except Exception:  # the edge of one webhook: the running calls go on
            ids = {"engagement_id": event.engagement_id, "stream_id": event.stream_id}
            log.exception("webhook lost to a defect", **ids)

    def _handle(self, event: WebhookEvent, calls: trio.Nursery) -> None:
        ids = {"engagement_id": event.engagement_id, "stream_id": event.stream_id}
        match event:
            case StreamStarted():
                if (running := self._running.get(event.stream_id)) is not None:
                    self._announce_again(running, event)
                elif self._endings.is_void(event, trio.current_time()):
                    log.info("start of an ended stream ignored", **ids)
                else:
                    self._retire_others(event)
                    self._begin(event, calls, is_announced=True)
            case StreamStopped():
                self._stop(event, calls)
            case StreamInterrupted():
                log.warning("interruption announced", **ids)
                for running in self._meant_by(event):
                    if event.event_ts_ms > max(running.interrupted_ms, running.announced.event_ts_ms):
                        running.interrupted_ms = event.event_ts_ms
                        running.call.note_interrupted(event)

    def _announce_again(self, running: _Running, started: StreamStarted) -> None:
        ids = {"engagement_id": started.engagement_id, "stream_id": started.stream_id}
        if not may_be_of_one_app(running.announced, started):
            log.error("a stream is not moved by who signs for another app", **ids)
            return
        # Repeated for an hour, and overtaken by failover or by the end.
        newest = running.announced_again or running.announced
        if started.event_ts_ms < newest.event_ts_ms or self._endings.is_void(started, trio.current_time()):
            log.info("older start ignored", **ids)
            return
        log.info("stream announced again", **ids)
        if running.call.is_ending or running.is_end_announced.is_set():
            running.announced_again = started
            if running.tasks is not None:
                running.tasks.start_soon(running.call.make_way, started)
        else:
            running.announced = replace(started, client_id=running.announced.client_id)
            running.call.announce_again(started)

    def _retire_others(self, started: StreamStarted) -> None:
        """A transfer, or a failover with a new id: the older stream of the app may be over without a word."""
        for call in self._calls_of(started.engagement_id):
            is_older = call.started.event_ts_ms <= started.event_ts_ms
            if is_older and call.started.client_id == started.client_id:
                call.note_successor(started)
                call.retire(SUPERSEDED)

    def _begin(self, started: StreamStarted, calls: trio.Nursery, *, is_announced: bool) -> Call:
        running = _Running(self._make_call(started, is_announced), started)
        self._running[started.stream_id] = running
        self._lost.pop(started.stream_id, None)
        if self._is_stopping:  # announced again before: its journal tells the next daemon
            running.call.stop(SHUTDOWN)
        calls.start_soon(self._run, running, calls)
        return running.call

    def _meant_by(self, event: StreamStopped | StreamInterrupted) -> list[_Running]:
        return [one for one in self._running.values() if is_meant(event, one.announced)]

    def _stop(self, event: StreamStopped, calls: trio.Nursery) -> None:
        ids = {"engagement_id": event.engagement_id, "stream_id": event.stream_id}
        meant = self._meant_by(event)
        if event.stream_id in self._running and not meant:
            log.error("a stream is not ended by who signs for another app", **ids)
            return
        self._endings.note(event, trio.current_time())  # a start that this stop has overtaken is void
        stopped = self._ended_by(event)
        log.info("stop announced", **ids, reason=_cause_of(event), running=len(stopped))
        if event.reason is not StopReason.STREAM_REVOKED:
            self._announce_end(event, stopped)
            self._close_lost(event, calls)
            return
        if event.stream_id is None or not stopped:
            calls.start_soon(self._delete_safely, event)
        for running in stopped:
            running.call.revoke()

    def _close_lost(self, event: StreamStopped, calls: trio.Nursery) -> None:
        """Streams that ended when we lost them: only now it is known how much of them we missed."""
        lost = [one for _, one in self._lost.values() if is_ended_by(event, one)]
        for started in lost:
            self._begin(started, calls, is_announced=False).late_stop = event

    def _ended_by(self, event: StreamStopped) -> list[_Running]:
        return [one for one in self._meant_by(event) if is_ended_by(event, one.announced)]

    def _announce_end(self, event: StreamStopped, stopped: Iterable[_Running]) -> None:
        for running in stopped:
            running.end_cause = _cause_of(event)
            running.call.note_stopped(event, running.end_cause)
            running.is_end_announced.set()

    async def _run(self, running: _Running, calls: trio.Nursery) -> None:
        call = running.call
        bind_ids(call.engagement_id, call.stream_id)
        self._metrics.active_streams.inc()
        try:
            log.info("call begins")
            async with trio.open_nursery() as tasks:
                running.tasks = tasks
                tasks.start_soon(_stop_when_announced, running)
                await call.run()
                running.tasks = None
                tasks.cancel_scope.cancel()
        except Exception:  # the edge of one call: whatever is wrong with it, the others go on
            log.exception("call lost")
        finally:
            self._metrics.active_streams.dec()
            del self._running[call.stream_id]
            # One that was lost to a defect has no cause: whoever announces it again is not told that it is over.
            if call.end_cause in RETAKEN_CAUSES:
                self._note_lost(running.announced, trio.current_time())
            elif call.end_cause is not None:
                self._endings.note(_end_of(running), trio.current_time())
        if call.is_revoked:
            await self._delete_safely(_end_of(running))
        elif (again := running.announced_again) is not None and (call.end_cause or call.has_made_way):
            self._handle_safely(again, calls)

    def _note_lost(self, announced: StreamStarted, now: float) -> None:
        if not self._endings.is_void(announced, now):  # else its end was told
            self._lost[announced.stream_id] = now, announced
        for stream_id, (ended_at, _) in list(self._lost.items()):
            if ended_at >= now - REMEMBERED_S:
                break
            del self._lost[stream_id]

    async def _delete_safely(self, revoked: StreamStopped) -> None:
        ids = {"engagement_id": revoked.engagement_id, "stream_id": revoked.stream_id}
        try:
            deleted = await self._delete(revoked)
        except (
            Exception
        ):  # the edge of one deletion; it is in the webhooks' journal and done at the next start
            log.exception("revoked stream not deleted", **ids)
            return
        for stream_id in deleted:  # what was revoked is over for good
            self._endings.note(replace(revoked, stream_id=stream_id), trio.current_time())
        if not deleted and revoked.stream_id is None:
            log.error(
                "revoked without a stream's id, and none of the call is known: zccvoice db erase", **ids
            )
        elif not deleted:
            log.error("a stream is not revoked by who signs for another app", **ids)


def _end_of(running: _Running) -> StreamStopped:
    """How Zoom would have told that a call is over."""
    call, announced = running.call, running.announced
    ended_ms = max(call.ended_ms or 0, announced.event_ts_ms)
    reason = StopReason.STREAM_REVOKED if call.is_revoked else None
    return StreamStopped(announced.product, call.engagement_id, call.stream_id, ended_ms, reason)


def _cause_of(stopped: StreamStopped) -> str:
    return "stopped" if stopped.reason is None else stopped.reason.name.lower()


async def _stop_when_announced(running: _Running) -> None:
    """The stopped webhook may overtake the last audio: let the stream end by itself first."""
    await running.is_end_announced.wait()
    await trio.sleep(STOP_GRACE_S)
    running.call.stop(running.end_cause)
