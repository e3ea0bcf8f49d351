"""A small call, and a client written by hand from Zoom's documents: no code of ours but the server's."""

from __future__ import annotations

import hashlib
import hmac
import json
import tomllib
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
import trio_websocket
from trio_websocket import WebSocketConnection

from zccvoice.simulator.progress import OnProgress
from zccvoice.simulator.scenario import Scenario, parse_scenario
from zccvoice.simulator.timing import Timing
from zccvoice.simulator.webhooks import Deliver
from zccvoice.simulator.zoom import Zoom, ZoomApp

OpenServer = Callable[..., AbstractAsyncContextManager[tuple[Zoom, "Client"]]]
"""What the fixture `in_memory` gives."""

MakeScenario = Callable[..., Scenario]
"""What the fixture `small` gives."""

EVENT_TS_MS = 1_781_000_000_000

SMALL = """
title = "A small call"
engagement_id = "Qm9vLXNhbXBsZS1pZA"
stream_id = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
duration_ms = 10_000
seed = 3

[queue]
id = "q_MadeUp"
name = "Orders"
account_id = "acc_Made_Up"

[[participant]]
side = "consumer"
channel_id = "ch-7f31"
display_name = "Ana Example"
user_id = "contact_42"
phone_number = "+15555550123"

[[participant]]
side = "agent"
channel_id = "ch-90c2"
display_name = "Lee Agent"
user_id = "agent_7"

[[event]]
name = "consumer_answered"
at_ms = 4_000

[[event]]
name = "user_answered"
at_ms = 9_000
"""


@pytest.fixture
def small() -> Any:
    """Makes the small call, with more TOML at its end and other top-level fields."""

    def make(more: str = "", **fields: Any) -> Any:
        return parse_scenario(tomllib.loads(SMALL + more) | fields, name="small.toml", folder=Path())

    return make


@pytest.fixture
def app() -> Any:
    return ZoomApp("demo-client-id", "demo-client-secret", "demo-webhook-secret")


class Client:
    """One client of one call: what it received, by connection, as parsed JSON."""

    def __init__(self, connect: Any, scenario: Scenario) -> None:
        self.connect = connect  # path → an open WebSocket
        self.scenario = scenario
        message = f"demo-client-id,{scenario.engagement_id},{scenario.stream_id}".encode()
        self.ids = {
            "protocol_version": 1,
            "engagement_id": scenario.engagement_id,
            "rtms_stream_id": scenario.stream_id,
            "signature": hmac.new(b"demo-client-secret", message, hashlib.sha256).hexdigest(),
        }
        self.signaling: list[Any] = []
        self.media: list[Any] = []
        self.raw: list[str | bytes] = []
        self.samples: defaultdict[str, int] = defaultdict(int)
        self.answers_keep_alive = True
        self.closed: dict[str, int | None] = {}

    async def say(self, websocket: WebSocketConnection, msg_type: Any, **fields: Any) -> None:
        await websocket.send_message(json.dumps({"msg_type": msg_type} | fields))

    async def open_signaling(self, **fields: Any) -> Any:
        websocket = await self.connect("/signaling")
        await self.say(websocket, 1, **(self.ids | {"sequence": 1} | fields))
        return websocket, json.loads(await websocket.get_message())

    async def open_media(self, path: Any = "/media/all", **fields: Any) -> Any:
        websocket = await self.connect(path)
        await self.say(websocket, 3, **(self.ids | {"media_type": 32} | fields))
        return websocket, json.loads(await websocket.get_message())

    async def ready(self, signaling: WebSocketConnection) -> None:
        await self.say(signaling, 7, rtms_stream_id=self.scenario.stream_id)

    async def listen(self, websocket: WebSocketConnection, name: str) -> None:
        """Take everything until the connection ends; answer keep-alive requests."""
        try:
            while True:
                raw = await websocket.get_message()
                self.raw.append(raw)
                try:
                    message = json.loads(raw)
                except ValueError:
                    continue
                getattr(self, name).append(message)
                if message["msg_type"] == 14:
                    self.samples[message["content"]["channel_id"]] += message["content"]["length"] // 2
                if message["msg_type"] == 12 and self.answers_keep_alive:
                    await self.say(
                        websocket, 13, timestamp=message["timestamp"], sequence=message["sequence"]
                    )
        except trio_websocket.ConnectionClosed as closed:
            self.closed[name] = closed.reason.code if closed.reason else None

    async def take_call(self, audio: Any = None, **signaling_fields: Any) -> Any:
        """The whole call, from connecting to its end."""
        signaling, answer = await self.open_signaling(**signaling_fields)
        assert answer["status_code"] == 0, answer
        media, accepted = await self.open_media(media_params={"audio": audio} if audio else None)
        assert accepted["status_code"] == 0, accepted
        await self.ready(signaling)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.listen, signaling, "signaling")
            nursery.start_soon(self.listen, media, "media")
        return answer, accepted

    def of_type(self, msg_type: Any) -> Any:
        return [one for one in self.signaling + self.media if one["msg_type"] == msg_type]

    def audio(self, channel_id: str) -> Any:
        contents = (one["content"] for one in self.media if one["msg_type"] == 14)
        return [one for one in contents if one["channel_id"] == channel_id]


@pytest.fixture
def threads_inline(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Work for threads is done at once, so that a clock that jumps when all tasks wait does not run away."""

    async def run_sync(function: Any, *args: Any, **_: Any) -> Any:
        await trio.lowlevel.checkpoint()
        return function(*args)

    monkeypatch.setattr(trio.to_thread, "run_sync", run_sync)


@pytest.fixture
def in_memory(app: ZoomApp, threads_inline: None) -> Any:
    """A server and clients without sockets, in virtual time: ``async with in_memory(…) as (zoom, client)``."""

    @asynccontextmanager
    async def open_server(
        scenario: Scenario,
        *,
        deliver: Deliver | None = None,
        speed: float = 1.0,
        timing: Timing | None = None,
        on_progress: OnProgress | None = None,
    ) -> Any:
        zoom = Zoom(app, deliver=deliver, speed=speed, timing=timing or Timing(), on_progress=on_progress)
        async with AsyncExitStack() as stack:
            nursery = await stack.enter_async_context(trio.open_nursery())

            async def connect(path: Any) -> Any:
                near: Any
                near, far = trio.testing.memory_stream_pair()
                nursery.start_soon(zoom.serve_stream, far)
                return await trio_websocket.wrap_client_stream(nursery, near, "zoom.test", path)

            yield zoom, Client(connect, scenario)
            nursery.cancel_scope.cancel()

    return open_server
