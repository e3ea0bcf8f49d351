"""`StreamReceiver` on trio-websocket: the thin shell around the signaling and media cores.

    run ── signaling connection ──► SignalingOpened ──► media connection, in a task beside it
                 │ TERMINATED, or closed                      │ closed, or 2 s after signaling ended
                 └──────────────► StreamEnded ◄───────────────┘

Each connection is served by one task: send what the core wants sent (answers to keep-alives first of all),
hand on what happened, wait for the next message or the core's timer.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

import trio
import trio_websocket

from zccvoice.config import ZoomConfig
from zccvoice.daemon.audio_format import wanted_audio
from zccvoice.daemon.log import get_logger
from zccvoice.errors import (
    ConnectionFailedError,
    HandshakeRefusedError,
    RemoteProtocolError,
    ZccvoiceError,
)
from zccvoice.rtms import media, signaling, wire
from zccvoice.rtms.events import MediaOpened, MessageRejected, StreamEnded, StreamEvent
from zccvoice.rtms.identity import StreamIdentity
from zccvoice.rtms.webhook import StreamStarted

MEDIA_DRAIN_S = 2.0
"""How long after the end of signaling we read what is still on its way on the media connection."""
TERMINATION_WAIT_S = 5.0
"""How long after the loss of the media connection we wait for signaling to say why."""
UNREAD_S = 1.0
"""What has lain in the socket is read in far less time."""
GOODBYE_S = 2.0
"""How long closing a connection may take."""
LONGEST_MESSAGE_BYTES = 2**20
"""Four times the largest audio message there is (one second of stereo at 48 kHz)."""
RECEIVE_BUFFER_BYTES = 2**16
"""Several messages per system call when they come in bursts."""

Connect: TypeAlias = Callable[[str, float], AbstractAsyncContextManager[Any]]
"""(URL, seconds to connect) → a `trio_websocket.WebSocketConnection` to use in ``async with``."""
Core: TypeAlias = signaling.SignalingConnection | media.MediaConnection
log = get_logger()


def connect_websocket(url: str, timeout_s: float) -> AbstractAsyncContextManager[Any]:
    """A connection to `url`; certificates of ``wss://`` are checked against the system's store."""
    return trio_websocket.open_websocket_url(
        url,
        ssl_context=ssl.create_default_context() if url.startswith("wss://") else None,
        max_message_size=LONGEST_MESSAGE_BYTES,
        receive_buffer_size=RECEIVE_BUFFER_BYTES,
        connect_timeout=timeout_s,
        disconnect_timeout=GOODBYE_S,
    )


class WebSocketReceiver:
    """One stream's two connections. See `daemon.transport.StreamReceiver`."""

    def __init__(
        self,
        settings: ZoomConfig,
        started: StreamStarted,
        events_send: trio.MemorySendChannel[StreamEvent],
        connect: Connect = connect_websocket,
    ) -> None:
        self._settings = settings
        self._events_send = events_send
        self._connect = connect
        self._server_url = started.server_url
        self._identity = StreamIdentity.sign(
            started.product,
            started.engagement_id,
            started.stream_id,
            settings.client_id,
            settings.client_secret.get_secret_value(),
        )
        self._ended: StreamEnded | None = None
        self._failure: ZccvoiceError | None = None
        # These scopes lie inside the connections' context managers: cancelling one ends the conversation and
        # leaves the library its reader task for the closing handshake.
        self._signaling_scope = trio.CancelScope()
        self._media_scope = trio.CancelScope()

    def stop(self, cause: str) -> None:
        """See `daemon.transport.StreamReceiver`."""
        self._end(cause, "stopped by us")
        self._signaling_scope.cancel()
        self._media_scope.cancel()

    async def run(self) -> None:
        """See `daemon.transport.StreamReceiver`."""
        async with self._events_send:
            async with trio.open_nursery() as connections:
                await self._noting_failure(self._serve_signaling, connections)
            if self._failure is not None:
                raise self._failure
            self._end("connection_lost", "the media connection was lost")
            assert self._ended is not None
            await self._events_send.send(self._ended)

    async def _noting_failure(self, serve: Callable[..., Awaitable[None]], *args: object) -> None:
        """A failure of one connection ends both; the first one is what `run` raises.

        Once the end of the stream is known, nothing that goes wrong is its reason.
        """
        try:
            await serve(*args)
        except ZccvoiceError as error:
            if self._ended is None:
                self._failure = error
            else:
                log.info("failed after the end", problem=type(error).__name__, detail=str(error))
            self.stop("failed")

    def _end(self, cause: str, detail: str) -> None:
        """Note why the stream is over; what was noted first stands."""
        self._ended = self._ended or StreamEnded(cause, detail)

    async def _serve_signaling(self, connections: trio.Nursery) -> None:
        core = signaling.SignalingConnection(
            self._identity, silence_timeout_s=self._settings.silence_timeout_s, now=trio.current_time()
        )
        async with self._open(self._server_url, "signaling") as websocket:

            async def announce_media() -> None:
                core.announce_media()
                await _send_pending(websocket, core)

            async def on_event(event: signaling.SignalingEvent) -> None:
                match event:
                    case signaling.SignalingOpened():
                        log.info("signaling open", media_urls=",".join(sorted(event.media_urls)))
                        connections.start_soon(self._noting_failure, self._serve_media, event, announce_media)
                    case StreamEnded():
                        self._end(event.cause, event.detail)
                    case _:
                        await self._events_send.send(event)

            with self._signaling_scope:
                closed = await self._converse(websocket, core, "signaling", on_event)
                self._end("connection_lost", f"signaling {closed}")
            # What is still on its way on media is read while signaling says goodbye.
            self._media_scope.deadline = trio.current_time() + MEDIA_DRAIN_S

    async def _serve_media(
        self, opened: signaling.SignalingOpened, announce_media: Callable[[], Awaitable[None]]
    ) -> None:
        core = media.MediaConnection(
            self._identity,
            wanted_audio(self._settings),
            silence_timeout_s=self._settings.silence_timeout_s,
            now=trio.current_time(),
        )

        async def on_event(event: media.MediaEvent) -> None:
            match event:
                case media.MediaSilent():
                    log.warning("media silent", detail=event.detail)
                case MediaOpened():
                    await self._events_send.send(event)
                    await announce_media()
                    log.info("media open", codec=event.audio.codec, send_rate_ms=event.audio.send_rate)
                case _:
                    await self._events_send.send(event)

        url = opened.media_urls.get("audio") or opened.media_urls.get("all")
        if url is None:
            raise RemoteProtocolError(f"no media URL for audio among {sorted(opened.media_urls)}")
        async with self._open(url, "media") as websocket:
            with self._media_scope:
                closed = await self._converse(websocket, core, "media", on_event)
                log.info("media closed", how=closed)
        self._signaling_scope.deadline = trio.current_time() + TERMINATION_WAIT_S

    @asynccontextmanager
    async def _open(self, url: str, which: str) -> AsyncGenerator[Any]:
        """Connect, after a look at the allow-list."""
        self._settings.allow(url)
        is_connected = False
        try:
            async with self._connect(url, self._settings.handshake_timeout_s) as websocket:
                is_connected = True
                yield websocket
        except trio_websocket.DisconnectionTimeout:
            log.info("no answer to our goodbye", connection=which)
        except Exception as error:
            # Whatever the libraries below raise while connecting, groups of errors included, has one meaning.
            if is_connected:
                raise
            raise ConnectionFailedError(f"{which} server: {_reason(error)}") from error

    async def _converse(
        self, websocket: Any, core: Core, which: str, on_event: Callable[[Any], Awaitable[None]]
    ) -> str:
        """Serve one connection until it or its core is done; returns how that came about, in words.

        Raises:
            HandshakeRefusedError: by Zoom's answer.
            ConnectionFailedError: no answer to the handshake, or hung up before it.
        """
        until_open = trio.CancelScope(deadline=trio.current_time() + self._settings.handshake_timeout_s)
        try:
            with until_open:
                while not core.is_done:
                    await _send_pending(websocket, core)
                    if core.is_open:
                        until_open.deadline = float("inf")
                    await _hand_on(core, on_event)
                    await self._receive_one(websocket, core, which)
        except trio_websocket.ConnectionClosed as closed:
            if not core.is_open:
                raise ConnectionFailedError(f"{which} hung up in the handshake, {_words(closed)}") from None
            return f"closed by Zoom, {_words(closed)}"
        if until_open.cancelled_caught:
            raise ConnectionFailedError(f"{which} handshake unanswered")
        await _hand_on(core, on_event)
        return "ended"

    async def _receive_one(self, websocket: Any, core: Core, which: str) -> None:
        timer = core.get_timer()
        with trio.CancelScope() as silence:
            if timer is not None:
                # After a time in which we could not read, what waits in the socket is not silence.
                silence.deadline = max(timer, trio.current_time() + UNREAD_S)
            raw = await websocket.get_message()
        now = trio.current_time()
        if silence.cancelled_caught:
            core.handle_timer(now)
            return
        try:
            core.receive_message(wire.decode(raw), now)
        except HandshakeRefusedError:
            raise
        except RemoteProtocolError as error:
            if core.is_done:  # it was the end of this connection, not only of the message
                raise
            core.receive_garbage(now)
            await self._events_send.send(MessageRejected(which, str(error)))


async def _send_pending(websocket: Any, core: Core) -> None:
    for message in core.messages_to_send():
        await websocket.send_message(wire.encode(message))


async def _hand_on(core: Core, on_event: Callable[[Any], Awaitable[None]]) -> None:
    while (event := core.next_event()) is not None:
        await on_event(event)


def _reason(error: BaseException) -> str:
    """An error of the libraries below in a line: its own words, or those of what caused it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    while not str(error) and error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _words(closed: trio_websocket.ConnectionClosed) -> str:
    """How the WebSocket was closed; a lost TCP connection has no code."""
    if closed.reason is None:
        return "connection lost"
    return f"code {closed.reason.code}"
