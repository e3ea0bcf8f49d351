"""What the program's HTTP servers have in common: bare ASGI functions on Hypercorn's Trio worker."""

from __future__ import annotations

import json
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import trio
from hypercorn.config import Config as HypercornConfig
from hypercorn.trio import serve

from zccvoice.errors import DoorError

IDLE_S = 10
"""How long a connection may be silent."""
REQUEST_S = 10
"""How long a client may take for the body of its request."""
GRACE_S = 3
"""What requests under way get when the server is to stop."""
LARGEST_HEADER_BYTES = 16_384
BACKLOG = 1_024
"""Connections that the system holds until we accept them: five seconds of 200 webhooks a second. Others it drops
without a word, and who connects tries again a second later."""

Scope: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]
Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


class BodyTooLargeError(Exception):
    """A request's body is longer than allowed."""


class BodyTooSlowError(Exception):
    """A request's body was not there after `REQUEST_S`."""


async def listen(
    application: Application,
    host: str,
    port: int,
    closing: trio.Event,
    *,
    what: str,
    grace_s: float = GRACE_S,
    may_take_long: bool = False,
    task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until `closing` is set, and requests under way for `grace_s` more; tells the URL when it listens.

    Args:
        application: answers one scope.
        host: address to listen on.
        port: 0 lets the system choose.
        closing: ends it.
        what: the server's name in errors.
        grace_s: as above.
        may_take_long: whether an answer may take longer than `IDLE_S`. If not, who is silent for so long is taken
            for one that has left; if so, ``http.disconnect`` tells of those alone that have.
        task_status: as above.

    Raises:
        DoorError: the address cannot be listened on.
    """
    server = HypercornConfig()
    server.bind = [f"fd://{_open(host, port, what).detach()}"]
    server.accesslog = server.errorlog = None
    server.graceful_timeout = grace_s
    server.keep_alive_timeout = IDLE_S
    server.read_timeout = None if may_take_long else IDLE_S
    server.backlog = BACKLOG
    server.h11_max_incomplete_size = LARGEST_HEADER_BYTES
    server.include_server_header = False

    async def run(*, task_status: trio.TaskStatus[list[str]]) -> None:
        await serve(
            application,  # type: ignore[arg-type]
            server,
            shutdown_trigger=closing.wait,
            task_status=task_status,
            mode="asgi",
        )

    async with trio.open_nursery() as nursery:
        binds = await nursery.start(run)
        task_status.started(binds[0])


def _open(host: str, port: int, what: str) -> socket.socket:
    """The listening socket; we make it, because a server that fails to leaves it open."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason, _, _ = str(error.strerror).partition(" (while attempting to bind")  # where, we say ourselves
        raise DoorError(f"{what}: cannot listen on {host} port {port}: {reason}") from None


async def lifespan(receive: Receive, send: Send) -> None:
    """Answer the server's start and end."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            await send({"type": "lifespan.shutdown.complete"})
            return


def headers_of(scope: Scope) -> dict[str, str]:
    """A request's headers by their names in lower case."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


async def body_of(receive: Receive, longest_bytes: int) -> bytes | None:
    """The whole body, None when the client went away.

    Raises:
        BodyTooLargeError: as soon as it is.
        BodyTooSlowError: it took longer than `REQUEST_S`.
    """
    body = bytearray()
    with trio.move_on_after(REQUEST_S):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if len(body) > longest_bytes:
                raise BodyTooLargeError
            if not message.get("more_body", False):
                return bytes(body)
    raise BodyTooSlowError


async def answer(send: Send, status: int, document: object, headers: Mapping[str, str] | None = None) -> None:
    """Answer with JSON."""
    body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    await answer_with(send, status, body, "application/json", headers)


async def answer_with(
    send: Send, status: int, body: bytes, content_type: str, headers: Mapping[str, str] | None = None
) -> None:
    """Answer with any content."""
    told = {"content-type": content_type, "content-length": str(len(body)), **(headers or {})}
    fields = [(name.encode(), value.encode()) for name, value in told.items()]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})
