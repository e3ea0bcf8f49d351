from __future__ import annotations

import json
import socket
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from zccvoice.config import AppCredentials, DoorConfig
from zccvoice.daemon.door import Door
from zccvoice.daemon.metrics import Metrics
from zccvoice.errors import DoorError, JournalFullError
from zccvoice.rtms.signature import webhook_signature
from zccvoice.rtms.webhook import StreamStarted, WebhookEvent, WebhookReceiver

SECRET, NOW_S = "demo-webhook-secret", 1_781_000_001.0
RECEIVER = WebhookReceiver(
    [AppCredentials.model_validate({"client_id": "app", "client_secret": "x", "secret_token": SECRET})]
)
STARTED = json.dumps(
    {
        "event": "contact_center.voice_rtms_started",
        "event_ts": 1781000000123,
        "payload": {"engagement_id": "E", "rtms_stream_id": "S", "server_urls": "wss://a.zoom.us"},
    }
).encode()


async def forget(event: WebhookEvent) -> None:
    await trio.lowlevel.checkpoint()


class Visitor:
    """Speaks ASGI to a door, in memory."""

    def __init__(self, waiting: int = 10) -> None:
        self.webhooks_send, self.webhooks_receive = trio.open_memory_channel[WebhookEvent](waiting)
        self.metrics = Metrics()
        self.kept: list[WebhookEvent] = []
        self.trouble: Exception | None = None
        settings = DoorConfig(max_body_bytes=2048)
        self.door = Door(
            settings, RECEIVER, self.webhooks_send, self.metrics, keep=self._keep, wall_clock=lambda: NOW_S
        )

    async def _keep(self, event: WebhookEvent) -> None:
        await trio.lowlevel.checkpoint()
        if self.trouble is not None:
            raise self.trouble
        self.kept.append(event)

    async def ask(
        self, method: str, path: str, body: bytes = b"", *, signed: bool = True, pieces: int = 1
    ) -> tuple[int, bytes]:
        headers = []
        if signed:
            timestamp = str(int(NOW_S))
            signature = webhook_signature(SECRET, timestamp, body)
            headers = [
                (b"X-Zm-Signature", signature.encode()),
                (b"x-zm-request-timestamp", timestamp.encode()),
            ]
        step = max(1, -(-len(body) // pieces))
        chunks = [body[at : at + step] for at in range(0, len(body), step)] or [b""]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            chunk = chunks.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self.door({"type": "http", "method": method, "path": path, "headers": headers}, receive, send)
        return sent[0]["status"], sent[1]["body"]

    def counted(self, outcome: str) -> float:
        return self.metrics.registry.get_sample_value("zccvoice_webhooks_total", {"outcome": outcome}) or 0


async def test_a_started_webhook_goes_to_the_supervisor() -> None:
    visitor = Visitor()
    status, body = await visitor.ask("POST", "/zoom/webhook", STARTED, pieces=5)
    assert (status, json.loads(body)) == (200, {"status": "ok"})
    event = visitor.webhooks_receive.receive_nowait()
    assert isinstance(event, StreamStarted)
    assert (event.engagement_id, event.stream_id) == ("E", "S")
    assert visitor.counted("accepted") == 1


async def test_an_unsigned_one_does_not() -> None:
    visitor = Visitor()
    status, _ = await visitor.ask("POST", "/zoom/webhook", STARTED, signed=False)
    assert status == 401
    assert visitor.webhooks_receive.statistics().current_buffer_used == 0
    assert visitor.counted("bad_signature") == 1


async def test_a_full_house_asks_zoom_to_come_again() -> None:
    visitor = Visitor(waiting=1)
    assert (await visitor.ask("POST", "/zoom/webhook", STARTED))[0] == 200
    assert (await visitor.ask("POST", "/zoom/webhook", STARTED))[0] == 503
    assert visitor.counted("busy") == 1


async def test_a_body_that_is_too_large_is_not_read_to_its_end() -> None:
    visitor = Visitor()
    status, _ = await visitor.ask("POST", "/zoom/webhook", b"x" * 5000, pieces=50)
    assert status == 413
    assert visitor.counted("too_large") == 1


async def test_other_paths_and_methods() -> None:
    visitor = Visitor()
    assert (await visitor.ask("GET", "/zoom/webhook"))[0] == 405
    assert (await visitor.ask("GET", "/"))[0] == 404
    assert (await visitor.ask("POST", "/elsewhere", STARTED))[0] == 404
    status, body = await visitor.ask("GET", "/healthz")
    assert (status, json.loads(body)) == (200, {"status": "ok"})
    status, body = await visitor.ask("GET", "/metrics")
    assert status == 200
    assert b"zccvoice_active_streams 0.0" in body


async def test_a_client_that_goes_away_leaves_nothing() -> None:
    visitor = Visitor()

    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        raise AssertionError(message)

    await visitor.door({"type": "http", "method": "POST", "path": "/zoom/webhook", "headers": []}, gone, send)


async def test_a_body_that_dribbles_in_is_not_waited_for(autojump_clock: MockClock) -> None:
    visitor, sent = Visitor(), []

    async def dribble() -> dict[str, Any]:
        await trio.sleep(3)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await visitor.door(
        {"type": "http", "method": "POST", "path": "/zoom/webhook", "headers": []}, dribble, send
    )
    assert sent[0]["status"] == 408
    assert trio.current_time() < 30
    assert visitor.counted("too_slow") == 1


async def test_a_defect_is_answered_counted_and_does_not_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = Visitor()

    def fail(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(visitor.door._receiver, "receive", fail)
    assert (await visitor.ask("POST", "/zoom/webhook", STARTED))[0] == 500
    assert visitor.counted("defect") == 1


async def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        send, _ = trio.open_memory_channel[WebhookEvent](1)
        settings = DoorConfig(port=taken.getsockname()[1])
        with pytest.raises(
            DoorError, match=r"cannot listen on 127\.0\.0\.1 port \d+: Address already in use$"
        ):
            await Door(settings, RECEIVER, send, Metrics(), keep=forget).run(trio.Event())


async def test_it_listens_tells_where_and_stops_when_told() -> None:
    send, receive = trio.open_memory_channel[WebhookEvent](1)
    settings = DoorConfig(port=0)
    closing = trio.Event()
    async with trio.open_nursery() as nursery:
        url = await nursery.start(Door(settings, RECEIVER, send, Metrics(), keep=forget).run, closing)
        stream = await trio.open_tcp_stream("127.0.0.1", int(url.rpartition(":")[2]))
        async with stream:
            await stream.send_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert (await stream.receive_some(100)).startswith(b"HTTP/1.1 200")
        closing.set()
    assert [event async for event in receive] == []


async def test_a_webhook_is_written_down_before_it_is_answered() -> None:
    visitor = Visitor()
    assert (await visitor.ask("POST", "/zoom/webhook", STARTED))[0] == 200
    assert visitor.kept == [visitor.webhooks_receive.receive_nowait()]


async def test_a_webhook_that_cannot_be_written_down_is_to_come_again() -> None:
    visitor = Visitor()
    visitor.trouble = JournalFullError("no room")
    status, body = await visitor.ask("POST", "/zoom/webhook", STARTED)
    assert (status, json.loads(body)["problem"]) == (503, "not_stored")
    assert (
        visitor.metrics.registry.get_sample_value("zccvoice_webhooks_total", {"outcome": "not_stored"}) == 1
    )
    with pytest.raises(trio.WouldBlock):
        visitor.webhooks_receive.receive_nowait()


async def test_notices_of_the_account_are_counted_and_are_no_errors() -> None:
    visitor = Visitor()
    body = json.dumps(
        {
            "event": "rtms.concurrency_near_limit",
            "event_ts": 1781000000123,
            "payload": {"concurrency_limit": 2000, "concurrency_number": 1900, "percentage": 95},
        }
    ).encode()
    assert (await visitor.ask("POST", "/zoom/webhook", body))[0] == 200
    assert visitor.counted("account_notice") == 1
    value = visitor.metrics.registry.get_sample_value
    assert value("zccvoice_account_notices_total", {"event": "rtms.concurrency_near_limit"}) == 1
    assert value("zccvoice_account_notices_total", {"event": "rtms.concurrency_limited"}) == 0
    assert value("zccvoice_account_streams") == 1900
    assert value("zccvoice_account_streams_limit") == 2000
    assert visitor.kept == []
