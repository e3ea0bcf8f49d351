"""Hits of rules → one receiver on the network, signed, until it takes them.

What is to be posted waits in the database, so a restart loses none; a receiver may get one twice and tells by its
id. It is posted again ever more rarely, and given up after ``give_up_days``, which the log and the table say.
docs/rules.md tells receivers what comes and how to verify it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

import httpx
import trio
from sqlalchemy import Connection, Engine

from zccvoice.config.rules import RuleWebhookConfig
from zccvoice.daemon.log import get_logger
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.zoom_api import reason_of
from zccvoice.errors import ForbiddenHostError, StoreError
from zccvoice.store import deliveries
from zccvoice.store.database import transaction
from zccvoice.store.deliveries import Delivery

ID_HEADER = "Zccvoice-Delivery"
TIMESTAMP_HEADER = "Zccvoice-Timestamp"
SIGNATURE_HEADER = "Zccvoice-Signature"
POLL_S = 1.0
"""Between two looks into the database when nothing waits."""
AT_ONCE = 8
"""Posts under way at the same time."""
FIRST_RETRY_S = 1.0
LAST_RETRY_S = 3600.0
_T = TypeVar("_T")
log = get_logger()


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The value of the signature's header: ``v1=`` and HMAC-SHA256 in hex over ``timestamp.body``."""
    signed = timestamp.encode() + b"." + body
    return "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def retry_s(attempts_count: int) -> float:
    """How long to wait after so many attempts: a second, then twice as long each time, an hour at most."""
    return min(FIRST_RETRY_S * 2.0 ** min(attempts_count - 1, 20), LAST_RETRY_S)


def _utc_now() -> datetime:
    return datetime.now(UTC)


def open_client(settings: RuleWebhookConfig) -> httpx.AsyncClient:
    """The HTTP client: no redirects, and no proxy that the environment names, past ``allowed_hosts``.

    Without time-outs, which are ours: httpx knows none for a request as a whole.
    """
    tls = settings.tls_context()
    return httpx.AsyncClient(verify=tls, timeout=None, follow_redirects=False, trust_env=False)  # noqa: S113


class RuleWebhook:
    """The one task that posts."""

    def __init__(
        self,
        settings: RuleWebhookConfig,
        engine: Engine,
        metrics: Metrics,
        *,
        wall_clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._metrics = metrics
        self._wall_clock = wall_clock
        self._limiter = trio.CapacityLimiter(1)

    async def run(self) -> None:
        """Post what is due, again and again. Cancelling it leaves the rest, and what is under way, for later."""
        async with open_client(self._settings) as client:
            while True:
                count = 0
                try:
                    count = await self.post_due(client)
                except StoreError as error:
                    log.warning("hits not posted", problem=str(error))
                except Exception:  # the edge of one round
                    log.exception("hits not posted")
                if count < AT_ONCE:
                    await trio.sleep(POLL_S)

    async def post_due(self, client: httpx.AsyncClient) -> int:
        """Post what is due now, `AT_ONCE` at most; returns how many were posted, whatever came of it.

        Raises:
            StoreError: the database is away; what was posted may be posted again.
        """
        now, claim_s = self._wall_clock(), self._settings.timeout_s * 2 + 60
        due = await self._in_store(partial(deliveries.claim, now=now, claim_s=claim_s, at_most=AT_ONCE))
        problems: dict[str, str | None] = {}

        async def post(delivery: Delivery) -> None:
            problems[delivery.delivery_id] = await self._post(client, delivery)

        async with trio.open_nursery() as posting:
            for delivery in due:
                posting.start_soon(post, delivery)
        for delivery in due:
            await self._note(delivery, problems[delivery.delivery_id])
        return len(due)

    async def _post(self, client: httpx.AsyncClient, delivery: Delivery) -> str | None:
        """None when the receiver took it, otherwise why not."""
        settings, body = self._settings, delivery.body.encode()
        timestamp = str(int(self._wall_clock().timestamp()))
        headers = {
            "content-type": "application/json",
            ID_HEADER: delivery.delivery_id,
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: sign(settings.secret.get_secret_value(), timestamp, body),
        }
        try:
            settings.allow()
            with trio.fail_after(settings.timeout_s):
                async with client.stream("POST", settings.url, content=body, headers=headers) as response:
                    return None if response.is_success else f"HTTP {response.status_code}"
        except trio.TooSlowError:
            return f"no answer within {settings.timeout_s:g} s"
        except (httpx.HTTPError, httpx.InvalidURL, ForbiddenHostError) as error:
            return reason_of(error)

    async def _note(self, delivery: Delivery, problem: str | None) -> None:
        """What became of a delivery, in the database."""
        now, delivery_id = self._wall_clock(), delivery.delivery_id
        ids = {"delivery_id": delivery_id, "engagement_id": delivery.engagement_id}
        if problem is None:
            self._metrics.rule_posts.labels("delivered").inc()
            await self._in_store(partial(deliveries.note_delivered, delivery_id=delivery_id, now=now))
        elif now - delivery.created_at >= timedelta(days=self._settings.give_up_days):
            self._metrics.rule_posts.labels("given_up").inc()
            log.error("hit given up", **ids, attempts=delivery.attempts_count, problem=problem)
            await self._in_store(
                partial(deliveries.give_up, delivery_id=delivery_id, now=now, problem=problem)
            )
        else:
            self._metrics.rule_posts.labels("refused").inc()
            wait_s = retry_s(delivery.attempts_count)
            log.warning("hit not taken", **ids, retry_s=wait_s, problem=problem)
            due_at = now + timedelta(seconds=wait_s)
            await self._in_store(
                partial(deliveries.postpone, delivery_id=delivery_id, due_at=due_at, problem=problem)
            )

    async def _in_store(self, work: Callable[[Connection], _T]) -> _T:
        def run() -> _T:
            with transaction(self._engine) as connection:
                return work(connection)

        return await trio.to_thread.run_sync(run, limiter=self._limiter, abandon_on_cancel=True)
