"""The HTTP door: webhooks in, plus ``/healthz`` and ``/metrics``. A bare ASGI function on Hypercorn's Trio worker.

A webhook is judged by `rtms.webhook`, its event written to disk and handed to the supervisor, and only then
answered: Zoom does not repeat what was answered 200. When the disk is full Zoom is told to come again (503).
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

import trio

from zccvoice.config import DoorConfig
from zccvoice.daemon.asgi import (
    BodyTooLargeError,
    BodyTooSlowError,
    Receive,
    Scope,
    Send,
    answer,
    answer_with,
    body_of,
    headers_of,
    lifespan,
    listen,
)
from zccvoice.daemon.log import get_logger
from zccvoice.daemon.metrics import Metrics
from zccvoice.errors import JournalError
from zccvoice.rtms.webhook import AccountNotice, WebhookEvent, WebhookReceiver

Keep = Callable[[WebhookEvent], Awaitable[None]]
"""Returns when the event is on disk; raises `JournalError`."""
EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus' text format."""
log = get_logger()


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
        async with self._webhooks_send:
            await listen(
                self, self._settings.host, self._settings.port, closing, what="door", task_status=task_status
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI scope."""
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
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
                    await answer(send, 500, {"status": "refused", "problem": "defect"})
            case "GET", "/healthz":
                await answer(send, 200, {"status": "ok"})
            case "GET", "/metrics":
                await answer_with(send, 200, self._metrics.exposition(), EXPOSITION_TYPE)
            case _, path if path in (self._settings.path, "/healthz", "/metrics"):
                await answer(send, 405, {"status": "refused", "problem": "method_not_allowed"})
            case _:
                await answer(send, 404, {"status": "refused", "problem": "not_found"})

    async def _webhook(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await body_of(receive, self._settings.max_body_bytes)
        except BodyTooLargeError:
            self._metrics.webhooks.labels("too_large").inc()
            await answer(send, 413, {"status": "refused", "problem": "too_large"})
            return
        except BodyTooSlowError:
            self._metrics.webhooks.labels("too_slow").inc()
            await answer(send, 408, {"status": "refused", "problem": "too_slow"})
            return
        if body is None:
            return
        headers = headers_of(scope)
        verdict = self._receiver.receive(headers, body, self._wall_clock())
        tracking_id = headers.get("x-zm-trackingid")
        if verdict.problem is not None:
            self._metrics.webhooks.labels(verdict.problem.value).inc()
            log.warning(
                "webhook not used",
                problem=verdict.problem.value,
                detail=verdict.detail,
                status=verdict.status,
                tracking_id=tracking_id,
            )
        elif verdict.event is not None:
            if (trouble := await self._take_in(verdict.event)) is not None:
                # Zoom repeats what was not answered with 200.
                self._metrics.webhooks.labels(trouble).inc()
                await answer(send, 503, {"status": "refused", "problem": trouble})
                return
            self._metrics.webhooks.labels("accepted").inc()
            log.info(
                "webhook accepted",
                kind=type(verdict.event).__name__,
                product=verdict.event.product.value,
                engagement_id=verdict.event.engagement_id,
                stream_id=verdict.event.stream_id,
                tracking_id=tracking_id,
            )
        elif verdict.notice is not None:
            self._metrics.webhooks.labels("account_notice").inc()
            self._metrics.note_account_notice(verdict.notice)
            log.warning("account notice from Zoom", **_told(verdict.notice), tracking_id=tracking_id)
        else:
            self._metrics.webhooks.labels("challenge").inc()
            log.info("webhook endpoint validated", tracking_id=tracking_id)
        await answer(send, verdict.status, verdict.document)

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


def _told(notice: AccountNotice) -> dict[str, Any]:
    fields = {**asdict(notice), "kind": notice.kind.value}
    return {name: value for name, value in fields.items() if value is not None}
