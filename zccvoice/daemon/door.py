"""The HTTP door: webhooks in, plus ``/healthz`` and ``/metrics``. A bare ASGI function on Hypercorn's Trio worker.

A webhook is judged by `rtms.webhook`, its event written to disk and handed to the supervisor, and only then
answered: Zoom does not repeat what was answered 200. When the disk is full Zoom is told to come again (503).
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

import trio
from hypercorn.config import Config as HypercornConfig
from hypercorn.trio import serve

from zccvoice.config import DoorConfig
from zccvoice.daemon.log import get_logger
from zccvoice.daemon.metrics import Metrics
from zccvoice.errors import DoorError, JournalError
from zccvoice.rtms.webhook import AccountNotice, WebhookEvent, WebhookReceiver

IDLE_S = 10
"""How long a connection may be silent."""
REQUEST_S = 10
"""How long a client may take for the body of its request."""
LARGEST_HEADER_BYTES = 16_384
BACKLOG = 1_024
"""Connections that the system holds until we accept them: five seconds of 200 webhooks a second. Others it drops
without a word, and who connects tries again a second later."""

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Keep = Callable[[WebhookEvent], Awaitable[None]]
"""Returns when the event is on disk; raises `JournalError`."""
log = get_logger()


class BodyTooLargeError(Exception):
    """A request's body is longer than allowed."""


class Door:
    """The ASGI application."""

    def __init__(
        self,
        settings: DoorConfig,
        receiver: WebhookReceiver,
        webhooks_send: trio.MemorySendChannel[WebhookEvent],
        metrics: Metrics,
        *,
        keep: Keep,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._webhooks_send = webhooks_send
        self._metrics = metrics
        self._keep = keep
        self._wall_clock = wall_clock
        self._receiver = receiver

    async def run(
        self, closing: trio.Event, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Listen until `closing` is set; tells its URL when it listens. Ends the channel to the supervisor.

        Requests under way get three seconds more.

        Raises:
            DoorError: the address cannot be listened on.
        """
        server = HypercornConfig()
        server.bind = [f"fd://{self._open().detach()}"]
        server.accesslog = server.errorlog = None
        server.graceful_timeout = 3
        server.keep_alive_timeout = IDLE_S
        server.read_timeout = IDLE_S
        server.backlog = BACKLOG
        server.h11_max_incomplete_size = LARGEST_HEADER_BYTES
        server.include_server_header = False
        async with self._webhooks_send, trio.open_nursery() as nursery:
            binds = await nursery.start(self._listen, server, closing)
            task_status.started(binds[0])

    def _open(self) -> socket.socket:
        """The listening socket; we make it, because a server that fails to leaves it open."""
        host, port = self._settings.host, self._settings.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            return socket.create_server((host, port), family=family)
        except OSError as error:
            raise DoorError(f"door: cannot listen on {host} port {port}: {error.strerror}") from None

    async def _listen(
        self, server: HypercornConfig, closing: trio.Event, task_status: trio.TaskStatus[list[str]]
    ) -> None:
        await serve(
            self,  # type: ignore[arg-type]
            server,
            shutdown_trigger=closing.wait,
            task_status=task_status,
            mode="asgi",
        )

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """One ASGI scope."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        match scope["method"], scope["path"]:
            case "POST", self._settings.path:
                try:
                    await self._webhook(scope, receive, send)
                except Exception:  # the edge of one request: Zoom will come again
                    self._metrics.webhooks.labels("defect").inc()
                    log.exception("webhook failed")
                    await _answer(send, 500, {"status": "refused", "problem": "defect"})
            case "GET", "/healthz":
                await _answer(send, 200, {"status": "ok"})
            case "GET", "/metrics":
                await _send(send, 200, self._metrics.exposition(), "text/plain; version=0.0.4; charset=utf-8")
            case _, path if path in (self._settings.path, "/healthz", "/metrics"):
                await _answer(send, 405, {"status": "refused", "problem": "method_not_allowed"})
            case _:
                await _answer(send, 404, {"status": "refused", "problem": "not_found"})

    async def _webhook(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        body = None
        try:
            with trio.move_on_after(REQUEST_S) as patience:
                body = await self._body(receive)
        except BodyTooLargeError:
            self._metrics.webhooks.labels("too_large").inc()
            await _answer(send, 413, {"status": "refused", "problem": "too_large"})
            return
        if patience.cancelled_caught:
            self._metrics.webhooks.labels("too_slow").inc()
            await _answer(send, 408, {"status": "refused", "problem": "too_slow"})
            return
        if body is None:
            return
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        answer = self._receiver.receive(headers, body, self._wall_clock())
        tracking_id = headers.get("x-zm-trackingid")
        if answer.problem is not None:
            self._metrics.webhooks.labels(answer.problem.value).inc()
            log.warning(
                "webhook not used",
                problem=answer.problem.value,
                detail=answer.detail,
                status=answer.status,
                tracking_id=tracking_id,
            )
        elif answer.event is not None:
            if (trouble := await self._take_in(answer.event)) is not None:
                # Zoom repeats what was not answered with 200.
                self._metrics.webhooks.labels(trouble).inc()
                await _answer(send, 503, {"status": "refused", "problem": trouble})
                return
            self._metrics.webhooks.labels("accepted").inc()
            log.info(
                "webhook accepted",
                kind=type(answer.event).__name__,
                product=answer.event.product.value,
                engagement_id=answer.event.engagement_id,
                stream_id=answer.event.stream_id,
                tracking_id=tracking_id,
            )
        elif answer.notice is not None:
            self._metrics.webhooks.labels("account_notice").inc()
            self._metrics.note_account_notice(answer.notice)
            log.warning("account notice from Zoom", **_told(answer.notice), tracking_id=tracking_id)
        else:
            self._metrics.webhooks.labels("challenge").inc()
            log.info("webhook endpoint validated", tracking_id=tracking_id)
        await _answer(send, answer.status, answer.document)

    async def _take_in(self, event: WebhookEvent) -> str | None:
        """Write the event down and hand it on; tells what stands in the way, if anything does."""
        try:
            await self._keep(event)
            self._webhooks_send.send_nowait(event)
        except JournalError as error:
            log.error("webhook refused: it cannot be written down", problem=str(error))
            return "not_stored"
        except (trio.WouldBlock, trio.BrokenResourceError):
            return "busy"
        return None

    async def _body(self, receive: Receive) -> bytes | None:
        """The whole body, None when the client went away.

        Raises:
            BodyTooLargeError: as soon as it is.
        """
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if len(body) > self._settings.max_body_bytes:
                raise BodyTooLargeError
            if not message.get("more_body", False):
                return bytes(body)


def _told(notice: AccountNotice) -> dict[str, Any]:
    fields = {**asdict(notice), "kind": notice.kind.value}
    return {name: value for name, value in fields.items() if value is not None}


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            await send({"type": "lifespan.shutdown.complete"})
            return


async def _answer(send: Send, status: int, document: dict[str, str]) -> None:
    await _send(send, status, json.dumps(document, separators=(",", ":")).encode(), "application/json")


async def _send(send: Send, status: int, body: bytes, content_type: str) -> None:
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
