"""The webhooks of one call, as its product names them and its dialect lays them out."""

from __future__ import annotations

from functools import partial
from typing import Any

from zccvoice.simulator.products import TRAITS, started_extras
from zccvoice.simulator.scenario import Scenario
from zccvoice.simulator.timing import Timing
from zccvoice.simulator.webhooks import Complain, Deliver, deliver_with_retries, signed


class Announcements:
    """Posts them, each on Zoom's schedule until it is taken.

    Args:
        scenario: the call.
        deliver: carries webhooks; None when whoever connects knows of the call without.
        secret_token: signs them.
        timing: of the retries.
        complain: told of every attempt that failed.
    """

    def __init__(
        self,
        scenario: Scenario,
        deliver: Deliver | None,
        secret_token: str,
        timing: Timing,
        complain: Complain,
    ) -> None:
        self._scenario = scenario
        self._deliver = deliver
        self._secret_token = secret_token
        self._timing = timing
        self._complain = complain
        self._traits = TRAITS[scenario.product]

    async def started(self, event_ts_ms: int, server_url: str) -> None:
        """A stream is there, at this signaling URL."""
        scenario = self._scenario
        extras = started_extras(scenario.product, scenario.queue.account_id, scenario.title)
        await self._post("started", event_ts_ms, {**extras, "server_urls": server_url})

    async def interrupted(self, event_ts_ms: int) -> None:
        """Signaling was lost."""
        await self._post("interrupted", event_ts_ms, {})

    async def stopped(self, event_ts_ms: int, stop_reason: int) -> None:
        """The stream has ended."""
        await self._post("stopped", event_ts_ms, {"stop_reason": stop_reason})

    async def concurrency_limited(self, event_ts_ms: int) -> None:
        """Account level: a stream of this engagement was refused, too many were running."""
        ids = {self._traits.id_key: self._scenario.engagement_id}
        fields = {"operator_id": "usr_Simulated", "concurrency_number": 2_000, "id_field": ids}
        await self._send("rtms.concurrency_limited", event_ts_ms, fields)

    async def concurrency_near_limit(self, event_ts_ms: int) -> None:
        """Account level: soon too many will be running."""
        fields = {"concurrency_limit": 2_000, "concurrency_number": 1_800, "percentage": 90}
        await self._send("rtms.concurrency_near_limit", event_ts_ms, fields)

    async def _post(self, what: str, event_ts_ms: int, more: dict[str, Any]) -> None:
        scenario = self._scenario
        ids = {self._traits.id_key: scenario.engagement_id, "rtms_stream_id": scenario.stream_id}
        payload: dict[str, Any] = ids | more
        if scenario.dialect.nested_webhooks:
            payload = {"account_id": scenario.queue.account_id, "object": payload}
        await self._send(f"{self._traits.webhook}_{what}", event_ts_ms, payload)

    async def _send(self, event: str, event_ts_ms: int, payload: dict[str, Any]) -> None:
        if self._deliver is not None:
            make_request = partial(signed, self._secret_token, event, event_ts_ms, payload)
            await deliver_with_retries(self._deliver, make_request, self._timing, self._complain)
