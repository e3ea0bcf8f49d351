"""Webhooks: the bytes and signature that go out, delivery over HTTP, retries, the validation probe."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from functools import partial
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from zccvoice.errors import ScenarioError
from zccvoice.simulator.timing import Timing
from zccvoice.simulator.webhooks import (
    WebhookAnswer,
    WebhookRequest,
    deliver_with_retries,
    post_to,
    probe,
    signed,
)

from .conftest import EVENT_TS_MS, MakeScenario, OpenServer

SECRET = "demo-webhook-secret"
VECTOR_BODY = (
    b'{"event":"contact_center.voice_rtms_started","event_ts":1781000000123,"payload":'
    b'{"engagement_id":"ENG-0001/abc+Zz==","rtms_stream_id":"0a1b2c3d4e5f60718293a4b5c6d7e8f9",'
    b'"server_urls":"wss://rtms.example.test:443/signaling"}}'
)


def test_a_signed_webhook_is_that_of_the_test_vector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_781_000_001.9)
    request = signed(
        SECRET,
        "contact_center.voice_rtms_started",
        1_781_000_000_123,
        {
            "engagement_id": "ENG-0001/abc+Zz==",
            "rtms_stream_id": "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
            "server_urls": "wss://rtms.example.test:443/signaling",
        },
    )
    assert request.body == VECTOR_BODY
    assert request.headers["x-zm-request-timestamp"] == "1781000001"
    assert (
        request.headers["x-zm-signature"]
        == "v0=f3d7f9a13b28d4e83e0c40d57440310777d74fc3fdf8cba3b7500901373e653e"
    )


class Endpoint:
    """Takes webhooks; answers with the statuses it was given, then 200."""

    def __init__(self, *statuses: Any) -> None:
        self.statuses = list(statuses)
        self.seen: list[tuple[float, Any]] = []

    async def __call__(self, request: WebhookRequest) -> Any:
        timestamp = request.headers["x-zm-request-timestamp"].encode()
        expected = hmac.new(
            SECRET.encode(), b"v0:" + timestamp + b":" + request.body, hashlib.sha256
        ).hexdigest()
        assert request.headers["x-zm-signature"] == f"v0={expected}"
        self.seen.append((trio.current_time(), json.loads(request.body)))
        status = self.statuses.pop(0) if self.statuses else 200
        if status is None:
            await trio.sleep_forever()
        return WebhookAnswer(status, b"")


@pytest.mark.parametrize(
    ("statuses", "at_s", "taken"),
    [
        ((), [0], True),
        ((204,), [0], True),
        ((500,), [0, 300], True),
        ((None, 404), [0, 303, 1_503], True),
        ((500, 500, 500, 500), [0, 300, 1_500, 5_100], False),
        ((None, None, None, None), [0, 303, 1_506, 5_109], False),
    ],
)
async def test_zooms_schedule_of_retries(
    autojump_clock: MockClock, statuses: Any, at_s: Any, taken: Any
) -> None:
    complaints: list[str] = []
    endpoint = Endpoint(*statuses)
    began_s = trio.current_time()
    make = partial(signed, SECRET, "contact_center.voice_rtms_started", EVENT_TS_MS, {"engagement_id": "e"})
    assert await deliver_with_retries(endpoint, make, Timing(), complaints.append) is taken
    assert [seen_s - began_s for seen_s, _ in endpoint.seen] == pytest.approx(at_s)
    assert len(complaints) == len([one for one in statuses if one not in (200, 204)])


async def test_a_call_posts_started_and_stopped(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario
) -> None:
    endpoint = Endpoint()
    scenario = small()
    async with in_memory(scenario, deliver=endpoint) as (zoom, client), trio.open_nursery() as nursery:
        nursery.start_soon(partial(zoom.play, scenario, event_ts_ms=EVENT_TS_MS))
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(client.take_call)
    ids = {"engagement_id": "Qm9vLXNhbXBsZS1pZA", "rtms_stream_id": "0a1b2c3d4e5f60718293a4b5c6d7e8f9"}
    started, stopped = (envelope for _, envelope in endpoint.seen)
    assert started == {
        "event": "contact_center.voice_rtms_started",
        "event_ts": EVENT_TS_MS,
        "payload": ids | {"server_urls": zoom.signaling_url},
    }
    assert stopped == {
        "event": "contact_center.voice_rtms_stopped",
        "event_ts": EVENT_TS_MS + 10_000,
        "payload": ids | {"stop_reason": 21},
    }
    assert not zoom.violations


async def test_the_started_webhook_may_come_twice(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario
) -> None:
    endpoint = Endpoint()
    scenario = small("[faults]\nrepeated_webhook = true\n")
    async with in_memory(scenario, deliver=endpoint) as (zoom, client), trio.open_nursery() as nursery:
        nursery.start_soon(zoom.play, scenario)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(client.take_call)
    bodies = [json.dumps(envelope) for _, envelope in endpoint.seen]
    assert len(bodies) == 3
    assert bodies[0] == bodies[1]


async def test_signaling_lost_is_posted_as_interrupted(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario
) -> None:
    endpoint = Endpoint()
    scenario = small()
    async with in_memory(scenario, deliver=endpoint) as (zoom, client), trio.open_nursery() as nursery:
        nursery.start_soon(zoom.play, scenario)
        await trio.testing.wait_all_tasks_blocked()
        signaling, _ = await client.open_signaling()
        media, _ = await client.open_media()
        await client.ready(signaling)
        nursery.start_soon(client.listen, media, "media")
        await trio.sleep(3)
        await signaling.aclose()
        await trio.sleep(30)
        assert "media" in client.closed  # whoever loses signaling loses media too
        assert len(client.audio("ch-7f31")) < 160
        nursery.start_soon(client.take_call)  # still inside the window
    assert [envelope["event"].rpartition("_")[2] for _, envelope in endpoint.seen] == [
        "started",
        "interrupted",
        "stopped",
    ]
    assert len({packet["timestamp"] for packet in client.audio("ch-7f31")}) == 500


async def test_nobody_comes_back(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario
) -> None:
    endpoint = Endpoint()
    scenario, truths = small(), []
    async with in_memory(scenario, deliver=endpoint) as (zoom, client), trio.open_nursery() as nursery:

        async def play() -> None:
            truths.append(await zoom.play(scenario))

        nursery.start_soon(play)
        await trio.testing.wait_all_tasks_blocked()
        signaling, _ = await client.open_signaling()
        media, _ = await client.open_media()
        await client.ready(signaling)
        nursery.start_soon(client.listen, media, "media")
        await trio.sleep(3)
        await signaling.aclose()
        left_s = trio.current_time()
    assert endpoint.seen[-1][0] - left_s == pytest.approx(60, abs=0.1)
    assert endpoint.seen[-1][1]["payload"]["stop_reason"] == truths[0].stop_reason == 19


# The probe


def answering(**change: Any) -> Any:
    """An endpoint that answers the challenge rightly but for `change`."""

    async def deliver(request: WebhookRequest) -> Any:
        fields = json.loads(request.body)
        assert fields["event"] == "endpoint.url_validation"
        plain = fields["payload"]["plainToken"]
        token = hmac.new(SECRET.encode(), plain.encode(), hashlib.sha256).hexdigest()
        answer = {"plainToken": plain, "encryptedToken": token} | change
        status, body = answer.pop("status", 200), answer.pop("body", None)
        return WebhookAnswer(status, json.dumps(answer).encode() if body is None else body)

    return deliver


async def test_a_right_answer_passes() -> None:
    complaints: list[str] = []
    assert await probe(answering(), SECRET, Timing(), complaints.append)
    assert not complaints


@pytest.mark.parametrize(
    "change",
    [{"encryptedToken": "0" * 64}, {"plainToken": "x"}, {"status": 204}, {"body": b"OK"}, {"body": b"[]"}],
)
async def test_wrong_answers_do_not(change: Any) -> None:
    complaints: list[str] = []
    assert not await probe(answering(**change), SECRET, Timing(), complaints.append)
    assert len(complaints) == 1


async def test_no_answer_does_not(autojump_clock: MockClock) -> None:
    async def silent(_: Any) -> WebhookAnswer:
        await trio.sleep_forever()
        raise AssertionError

    async def unreachable(_: Any) -> WebhookAnswer:
        raise OSError("nobody there")

    for deliver in (silent, unreachable):
        complaints: list[str] = []
        assert not await probe(deliver, SECRET, Timing(), complaints.append)
        assert len(complaints) == 1


# HTTP


async def post_against(answer: Any, request: WebhookRequest) -> Any:
    """Post one webhook to a server that gives these bytes; what was received, and the answer."""
    received = bytearray()

    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            while not received.endswith(request.body):
                received.extend(await stream.receive_some())
            await stream.send_all(answer)

    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        port = listener.socket.getsockname()[1]
        try:
            answer_read = await post_to(f"http://127.0.0.1:{port}/zoom/webhook?x=1")(request)
            return bytes(received), answer_read
        finally:
            nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n{}",
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
    ],
)
async def test_answers_of_many_kinds_are_read(answer: Any) -> None:
    request = signed(SECRET, "e", 1, {"name": "ü"})
    received, got = await post_against(answer, request)
    assert got == WebhookAnswer(200, b"{}")
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /zoom/webhook?x=1 HTTP/1.1\r\n")
    assert b"content-type: application/json" in head.lower()
    assert f"content-length: {len(request.body)}".encode() in head.lower()
    assert body == request.body


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}"]
)
async def test_broken_answers_are_failed_attempts(answer: Any) -> Any:
    complaints: list[str] = []

    async def deliver(request: WebhookRequest) -> Any:
        try:
            return (await post_against(answer, request))[1]
        except ExceptionGroup as group:
            raise group.exceptions[0] from None

    make = partial(signed, SECRET, "e", 1, {})
    timing = Timing(webhook_retry_delays_s=())
    assert not await deliver_with_retries(deliver, make, timing, complaints.append)
    assert "could not be delivered" in complaints[0]


@pytest.mark.parametrize("url", ["https://x.test/", "x.test", "http:///path", "ftp://x.test"])
def test_other_urls_are_refused(url: Any) -> None:
    with pytest.raises(ScenarioError, match="http://"):
        post_to(url)
