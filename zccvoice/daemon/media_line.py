"""One media connection of a stream: had again as often as it is lost, while the signaling connection is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from zccvoice.config import ZoomConfig
from zccvoice.daemon.log import get_logger
from zccvoice.daemon.websocket import Line, OnEvent
from zccvoice.errors import ConnectionFailedError, ZccvoiceError
from zccvoice.rtms.identity import StreamIdentity
from zccvoice.rtms.media import MediaAccepted, MediaConnection, MediaEvent
from zccvoice.rtms.media_plan import PlannedMedia
from zccvoice.rtms.recovery import MEDIA_WINDOW_S, Recovery

TERMINATION_WAIT_S = 5.0
"""A connection that is refused although it was there before: signaling, or a webhook, will say why."""
SUSPICIOUS_S = 11.0
"""Zoom sends something on every connection at least every ten seconds."""
log = get_logger()


class MediaLine:
    """See the module. `run` it once."""

    def __init__(
        self,
        planned: PlannedMedia,
        identity: StreamIdentity,
        line: Line,
        settings: ZoomConfig,
        *,
        announce: Callable[[], Awaitable[None]],
        on_event: OnEvent,
        on_lost: Callable[[float], None],
    ) -> None:
        """Prepare.

        Args:
            planned: the connection.
            identity: whose stream it is.
            line: how connections are made.
            settings: time limits.
            announce: tells Zoom, on signaling, that we are ready.
            on_event: what happens on the connection from then on.
            on_lost: called when a connection that was open is gone, with since when nothing could come on it
                (monotonic seconds).
        """
        self._planned = planned
        self._identity = identity
        self._line = line
        self._settings = settings
        self._announce = announce
        self._on_event = on_event
        self._on_lost = on_lost
        self._scope = trio.CancelScope()
        self._core: MediaConnection | None = None
        self._over_at: float | None = None
        self._was_open = False
        self._doubted = trio.Event()

    def hang_up(self, drain_s: float = 0) -> None:
        """End `run`, after reading for `drain_s` what is still on its way; at once when there is no connection."""
        self._over_at = trio.current_time()
        is_there = self._core is not None and self._core.is_open
        ends_at = self._over_at + (drain_s if is_there else 0)
        self._scope.deadline = min(self._scope.deadline, ends_at)

    def _has_hung_up(self) -> bool:
        return self._over_at is not None

    def doubt(self) -> None:
        """Zoom says that it lost a media connection: this one, unless something comes on it in time."""
        core = self._core
        if core is not None and core.is_open:
            self._doubted.set()

    async def run(self) -> ZccvoiceError | None:
        """Keep the connection until `hang_up`; returns None then, and why it was given up otherwise."""
        recovery = Recovery(MEDIA_WINDOW_S, trio.current_time())
        while not self._has_hung_up():
            problem = await self._attempt(recovery)
            if self._has_hung_up():
                break
            now = trio.current_time()
            at = recovery.next_attempt(problem, now)
            if at is None and not self._can_do_with_less():
                await self._pause(TERMINATION_WAIT_S if self._was_open else 0)
                return None if self._has_hung_up() else problem
            wait_s = 0 if at is None else at - now
            log.warning(
                "media lost", media=self._planned.name, problem=str(problem), again_in_s=round(wait_s, 1)
            )
            await self._pause(wait_s)
        return None

    async def _attempt(self, recovery: Recovery) -> ZccvoiceError:
        """One connection, from beginning to end; returns how that came about."""
        core = self._core = MediaConnection(
            self._identity,
            self._planned.media_type,
            self._planned.params,
            silence_timeout_s=self._settings.silence_timeout_s,
            now=trio.current_time(),
        )
        problem: ZccvoiceError = ConnectionFailedError("hung up")

        async def note_accepted() -> None:
            recovery.opened(trio.current_time())
            self._was_open = True
            await self._announce()
            log.info("media open", media=self._planned.name)

        def on_event(event: MediaEvent) -> Awaitable[None] | None:
            return note_accepted() if isinstance(event, MediaAccepted) else self._on_event(event)

        try:
            async with (
                self._line.open(self._planned.url, self._renewed_scope()) as websocket,
                trio.open_nursery() as beside,
            ):
                beside.start_soon(self._settle_doubts, core)
                try:
                    with self._renewed_scope():
                        how = await self._line.converse(websocket, core, on_event)
                        problem = ConnectionFailedError(f"media {how}")
                except ZccvoiceError as error:
                    problem = error
                beside.cancel_scope.cancel()
        except ZccvoiceError as error:
            problem = error
        self._core = None
        if core.is_open or (core.is_done and self._was_open):
            self._on_lost(self._deaf_since(core))
        return problem

    def _deaf_since(self, core: MediaConnection) -> float:
        """Since when nothing could come: a server that has said nothing for too long was gone before we knew."""
        now = trio.current_time()
        looked_at = now if self._over_at is None else self._over_at
        return core.last_heard if looked_at - core.last_heard > SUSPICIOUS_S else now

    async def _settle_doubts(self, core: MediaConnection) -> None:
        """End a conversation that was doubted and in which nothing came since; another one is not touched."""
        while True:
            self._doubted = trio.Event()
            await self._doubted.wait()
            doubted_at = trio.current_time()
            await trio.sleep_until(core.last_heard + SUSPICIOUS_S)
            if core.last_heard <= doubted_at:
                self._scope.cancel()

    def _can_do_with_less(self) -> bool:
        """Whether what was refused for good was audio and texts together; from now on it is audio alone."""
        alone = self._planned.audio_alone()
        if not self._planned.has_audio or alone.params == self._planned.params:
            return False
        log.warning("texts refused, going on with audio alone", media=self._planned.name)
        self._planned = alone
        return True

    async def _pause(self, seconds: float) -> None:
        with self._renewed_scope():
            await trio.sleep(seconds)

    def _renewed_scope(self) -> trio.CancelScope:
        self._scope = trio.CancelScope()
        if self._has_hung_up():
            self._scope.cancel()
        return self._scope
