"""WebSockets around the connection cores: connecting, and one conversation from handshake to end.

A conversation is served by one task: send what the core wants sent (answers to keep-alives first of all), wait for
the next messages or the core's timer, hand on what happened. As long as all that comes can be handed on at once,
which is nearly always, it only waits and hands on: everything else costs more than a packet does.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from math import inf
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import trio
import trio_websocket

from zccvoice.config import ZoomConfig
from zccvoice.daemon.log import get_logger
from zccvoice.daemon.tcp import open_tcp
from zccvoice.daemon.tls import WholeReads
from zccvoice.daemon.transport import EventsSend
from zccvoice.daemon.websocket_client import WebSocketClient, agree
from zccvoice.errors import ConnectionFailedError, HandshakeRefusedError, RemoteProtocolError
from zccvoice.rtms import media, signaling, wire
from zccvoice.rtms.events import MessageRejected

UNREAD_S = 1.0
"""What has lain in the socket is read in far less time."""
GOODBYE_S = 2.0
"""How long closing a connection may take."""

Connect: TypeAlias = Callable[[str, float], AbstractAsyncContextManager[Any]]
"""(URL, seconds to connect) → a `WebSocketClient` to use in ``async with``.

Entering it leaves no cancel scope open, and no nursery."""
OnEvent: TypeAlias = Callable[[Any], Awaitable[None] | None]
"""Takes an event of a core: at once, or by what it returns, which is awaited before the next one is told."""
Core: TypeAlias = signaling.SignalingConnection | media.MediaConnection
log = get_logger()


@asynccontextmanager
async def connect_websocket(
    url: str, timeout_s: float, tls_context: Callable[[], ssl.SSLContext] = ssl.create_default_context
) -> AsyncGenerator[WebSocketClient]:
    """A connection to `url`; certificates of ``wss://`` are checked with what `tls_context` gives.

    Raises:
        trio.TooSlowError: not there after `timeout_s`.
        OSError: not reached.
    """
    parts = urlsplit(url)
    host, resource = parts.hostname or "", (parts.path or "/") + (parts.query and f"?{parts.query}")
    deadline = trio.current_time() + timeout_s
    stream: trio.abc.Stream
    with trio.fail_at(deadline):
        if parts.scheme == "wss":
            tcp, context = await open_tcp(host, parts.port or 443), tls_context()
            context.sslobject_class = WholeReads
            stream = trio.SSLStream(tcp, context, server_hostname=host, https_compatible=True)
        else:
            stream = await open_tcp(host, parts.port or 80)
    async with speak_websocket(stream, parts.netloc, resource, deadline) as websocket:
        yield websocket


@asynccontextmanager
async def speak_websocket(
    stream: trio.abc.Stream, host: str, resource: str, deadline: float = inf
) -> AsyncGenerator[WebSocketClient]:
    """The WebSocket's client on a connected `stream`, which is closed in every case.

    Args:
        stream: connected; for ``wss://`` with TLS.
        host: for the request.
        resource: path and query.
        deadline: when the server must have agreed, monotonic seconds.
    """
    try:
        with trio.fail_at(deadline):
            ahead = await agree(stream, host, resource)
        websocket = WebSocketClient(stream, ahead)
        try:
            yield websocket
        finally:
            with trio.move_on_after(GOODBYE_S) as goodbye:
                await websocket.say_goodbye()
            if goodbye.cancelled_caught:
                log.info("no answer to our goodbye")
    finally:
        await trio.aclose_forcefully(stream)


class Line:
    """One connection of a stream: who is at the other end, and what is told of it."""

    def __init__(
        self,
        name: str,
        settings: ZoomConfig,
        events_send: EventsSend,
        connect: Connect | None = None,
    ) -> None:
        """Prepare.

        Args:
            name: for errors and the log: ``signaling``, ``media`` …
            settings: hosts that are allowed, and time limits.
            events_send: where messages that are not understood are told.
            connect: makes connections, if not `connect_websocket`.
        """
        self.name = name
        self._settings = settings
        self._events_send = events_send
        self._connect = connect or partial(connect_websocket, tls_context=settings.tls_context)

    @asynccontextmanager
    async def open(self, url: str, attempt: trio.CancelScope) -> AsyncGenerator[Any]:
        """Connect, after a look at the allow-list; says goodbye at the end of the block.

        A block that is to be left early is cancelled by a scope inside it, which leaves time for the goodbye.

        Args:
            url: where.
            attempt: cancelling it calls connecting off; without effect on a connection that is there.

        Raises:
            ForbiddenHostError: not allowed.
            ConnectionFailedError: not reached, or called off.
        """
        self._settings.allow(url)
        async with AsyncExitStack() as connection:
            try:
                with attempt:
                    websocket = await connection.enter_async_context(
                        self._connect(url, self._settings.handshake_timeout_s)
                    )
            except Exception as error:
                # Whatever the libraries below raise while connecting, groups of errors included, has one meaning.
                raise ConnectionFailedError(f"{self.name} server: {_reason(error)}") from error
            if attempt.cancelled_caught:
                raise ConnectionFailedError(f"{self.name} server: called off")
            yield websocket

    async def converse(self, websocket: Any, core: Core, on_event: OnEvent) -> str:
        """Serve one connection until it or its core is done; returns how that came about, in words.

        Raises:
            HandshakeRefusedError: by Zoom's answer.
            ConnectionFailedError: no answer to the handshake, or hung up before it.
        """
        patience_s = inf if core.is_open else self._settings.handshake_timeout_s
        until_open = trio.CancelScope(deadline=trio.current_time() + patience_s)
        try:
            with until_open:
                while not core.is_done:
                    await send_pending(websocket, core)
                    waiting = await self._receive(websocket, core, on_event)
                    if core.is_open:
                        until_open.deadline = inf
                    if waiting is not None:
                        await waiting
        except trio_websocket.ConnectionClosed as closed:
            if not core.is_open:
                raise ConnectionFailedError(
                    f"{self.name} hung up in the handshake, {_words(closed)}; wrong credentials look like that too"
                ) from None
            return f"closed by Zoom, {_words(closed)}"
        if until_open.cancelled_caught:
            raise ConnectionFailedError(f"{self.name} handshake unanswered")
        return "ended"

    async def _receive(self, websocket: Any, core: Core, on_event: OnEvent) -> Awaitable[None] | None:
        """Take in what comes, until something else is to be done; returns what is to be awaited, if it is that."""
        timer, state = core.get_timer(), core.state
        # After a time in which we could not read, what waits in the socket is not silence.
        deadline = inf if timer is None else max(timer, trio.current_time() + UNREAD_S)
        waiting: Awaitable[None] | None = None
        with trio.CancelScope(deadline=deadline) as silence:
            while waiting is None and core.state is state and not core.has_messages_to_send:
                waiting = _begun(self._handle(await websocket.get_messages(), core, on_event))
        if silence.cancelled_caught:
            core.handle_timer(trio.current_time())  # what came meanwhile may have moved the timer
        return waiting

    def _handle(self, messages: Sequence[bytes], core: Core, on_event: OnEvent) -> Iterator[Awaitable[None]]:
        """Take in messages and hand on what they bring; gives what is to be awaited before it goes on."""
        now = trio.current_time()
        for message in messages:
            if core.is_done:
                break
            try:
                core.receive_message(wire.decode(message), now)
            except RemoteProtocolError as error:
                yield from _handed_on(core, on_event)  # what came before it
                if core.is_done or isinstance(error, HandshakeRefusedError):
                    raise  # it was the end of this connection, not only of the message
                core.receive_garbage(now)
                yield self._events_send.send(MessageRejected(self.name, str(error)))
        yield from _handed_on(core, on_event)


async def send_pending(websocket: Any, core: Core) -> None:
    """Send what the core wants to go out now; a connection that is just gone tells its own task."""
    for message in core.messages_to_send():
        await websocket.send_message(wire.encode(message))


def _handed_on(core: Core, on_event: OnEvent) -> Iterator[Awaitable[None]]:
    while (event := core.next_event()) is not None:
        if (waiting := on_event(event)) is not None:
            yield waiting


def _begun(steps: Iterator[Awaitable[None]]) -> Awaitable[None] | None:
    """Go on until something is to be awaited, and return what does that and all that follows; None at the end."""
    first = next(steps, None)
    return None if first is None else _finished(first, steps)


async def _finished(first: Awaitable[None], steps: Iterator[Awaitable[None]]) -> None:
    await first
    for step in steps:
        await step


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
