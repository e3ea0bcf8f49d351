"""A client's webhook endpoint, and a call that goes wrong for a client that comes back."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import trio
import trio.testing

from zccvoice.simulator.truth import CallTruth
from zccvoice.simulator.webhooks import WebhookAnswer, WebhookRequest
from zccvoice.simulator.zoom import Zoom

from .conftest import EVENT_TS_MS, Client


class Endpoint:
    """The client's webhook endpoint: a client hears of its stream here."""

    def __init__(self) -> None:
        self.posted: list[Any] = []
        self.client: Client | None = None

    async def deliver(self, request: WebhookRequest) -> Any:
        await trio.lowlevel.checkpoint()
        envelope = json.loads(request.body)
        self.posted.append(envelope)
        if envelope["event"].endswith("_started") and self.client is not None:
            self.client.signaling_path = urlsplit(envelope["payload"]["server_urls"]).path
        return WebhookAnswer(200, b"")

    def names(self) -> list[str]:
        return [one["event"].rpartition("_")[2] for one in self.posted]


async def suffered(zoom: Zoom, client: Client, endpoint: Endpoint, *, events: Any = ()) -> CallTruth:
    """Play the client's scenario to it while it comes back as often as need be; the truth."""
    truths = []
    endpoint.client, client.events = client, list(events)

    async def play() -> None:
        truths.append(await zoom.play(client.scenario, event_ts_ms=EVENT_TS_MS))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(play)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(client.stay)
    return truths[0]


def mishap(kind: str, at_ms: int = 3_000, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "at_ms": at_ms, **more}
