"""A small call, and a client written by hand from Zoom's documents: no code of ours but the server's."""

from __future__ import annotations

import hashlib
import hmac
import json
import tomllib
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
import trio_websocket
from trio_websocket import WebSocketConnection

from zccvoice.rtms.enums import Product
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


MEETING = """
title = "A small meeting"
product = "meeting"
engagement_id = "Zm9vL2Jhcg+1=="
stream_id = "11112222333344445555666677778888"
duration_ms = 10_000
seed = 3

[[participant]]
channel_id = "16778240"
display_name = "Ana Example"

[[participant]]
channel_id = "16779264"
display_name = "Lee Agent"

[[participant]]
channel_id = "16780288"
display_name = "Joe Later"
from_ms = 4_000
to_ms = 8_000
"""


@pytest.fixture
def meeting() -> Any:
    """Makes the small meeting, as `small` makes the call."""

    def make(more: str = "", *, folder: Path = Path(), **fields: Any) -> Any:
        return parse_scenario(tomllib.loads(MEETING + more) | fields, name="meeting.toml", folder=folder)

    return make


@pytest.fixture
def app() -> Any:
    return ZoomApp("demo-client-id", "demo-client-secret", "demo-webhook-secret")


ID_KEYS = {
    Product.CONTACT_CENTER: "engagement_id",
    Product.MEETING: "meeting_uuid",
    Product.WEBINAR: "webinar_uuid",
    Product.VIDEO_SDK: "session_id",
    Product.PHONE: "call_id",
}


def track_of(content: Any) -> str:
    """Whose audio or transcript it is, under either name."""
    return str(content.get("channel_id", content.get("user_id")))


class Client:
    """One client of one call: what it received, by connection, as parsed JSON."""

    def __init__(self, connect: Any, scenario: Scenario) -> None:
        self.connect = connect  # path → an open WebSocket
        self.scenario = scenario
        message = f"demo-client-id,{scenario.engagement_id},{scenario.stream_id}".encode()
        self.ids = {
            "protocol_version": 1,
            ID_KEYS[scenario.product]: scenario.engagement_id,
            "rtms_stream_id": scenario.stream_id,
            "signature": hmac.new(b"demo-client-secret", message, hashlib.sha256).hexdigest(),
        }
        self.signaling: list[Any] = []
        self.media: list[Any] = []
        self.raw: list[str | bytes] = []
        self.samples: defaultdict[str, int] = defaultdict(int)
        self.answers_keep_alive = True
        self.closed: dict[str, int | None] = {}
        self.signaling_path = "/signaling"
        self.events: list[int] = []  # subscribed to on every signaling connection
        self.refusals: list[int] = []
        self.connected_at: list[float] = []
        self.audio_params: dict[str, int] = {"data_opt": 2}

    async def say(self, websocket: WebSocketConnection, msg_type: Any, **fields: Any) -> None:
        await websocket.send_message(json.dumps({"msg_type": msg_type} | fields))

    async def open_signaling(self, **fields: Any) -> Any:
        websocket = await self.connect(self.signaling_path)
        await self.say(websocket, 1, **(self.ids | {"sequence": 1} | fields))
        return websocket, json.loads(await websocket.get_message())

    async def open_media(self, path: Any = "/media/all", **fields: Any) -> Any:
        websocket = await self.connect(self.signaling_path.removesuffix("/signaling") + path)
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
                if not isinstance(message, dict):
                    continue
                getattr(self, name).append(message)
                if message["msg_type"] == 14 and "length" in message["content"]:
                    self.samples[track_of(message["content"])] += message["content"]["length"] // 2
                if message["msg_type"] == 12 and self.answers_keep_alive:
                    await self.say(
                        websocket, 13, timestamp=message["timestamp"], sequence=message["sequence"]
                    )
        except trio_websocket.ConnectionClosed as closed:
            self.closed[name] = code = closed.reason.code if closed.reason else None
            if code in (1002, 1007):  # its library gives up on the connection and leaves it open
                await trio.aclose_forcefully(websocket._stream)

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

    async def stay(self, retry_s: float = 0.5) -> None:
        """Connect, and again whenever a connection is lost, until the stream is terminated."""
        while not any(one["state"] == 4 for one in self.signaling if one["msg_type"] == 8):
            with suppress(trio_websocket.ConnectionClosed):
                await self._one_life()
            await trio.sleep(retry_s)

    async def _one_life(self) -> None:
        signaling, answer = await self.open_signaling()
        if answer["status_code"]:
            self.refusals.append(answer["status_code"])
            await signaling.aclose()
            return
        self.connected_at.append(trio.current_time())
        if self.events:
            await self.say(signaling, 5, events=[{"event_type": n, "subscribe": True} for n in self.events])
        async with trio.open_nursery() as nursery:

            async def listen_to_signaling() -> None:
                await self.listen(signaling, "signaling")
                await trio.sleep(0.1)  # what has come on the other connection is read
                nursery.cancel_scope.cancel()

            nursery.start_soon(listen_to_signaling)
            while True:
                await self._one_media_life(signaling)
                await trio.sleep(0.2)

    async def _one_media_life(self, signaling: WebSocketConnection) -> None:
        try:
            media, accepted = await self.open_media(media_params={"audio": self.audio_params})
        except trio_websocket.ConnectionClosed:
            return
        if accepted["status_code"]:
            self.refusals.append(accepted["status_code"])
            await media.aclose()
            return
        try:
            await self.ready(signaling)
        except trio_websocket.ConnectionClosed:
            return
        await self.listen(media, "media")

    def of_type(self, msg_type: Any) -> Any:
        return [one for one in self.signaling + self.media if one["msg_type"] == msg_type]

    def audio(self, channel_id: str) -> Any:
        contents = (one["content"] for one in self.media if one["msg_type"] == 14 and "content" in one)
        return [one for one in contents if track_of(one) == channel_id]


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


async def played(
    zoom: Zoom, client: Client, scenario: Scenario, announced: trio.Event | None = None, **kwargs: Any
) -> Any:
    """Play a call to a client that takes all of it; the truth and the two handshake answers.

    The client connects once `announced` is set: over sockets the sound takes real time to make.
    """
    results: dict[str, Any] = {}

    async def play() -> None:
        results["truth"] = await zoom.play(scenario, event_ts_ms=EVENT_TS_MS)

    async def take() -> None:
        if announced is not None:
            await announced.wait()
        results["answers"] = await client.take_call(**kwargs)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(play)
        nursery.start_soon(take)
    answer, accepted = results["answers"]
    return results["truth"], answer, accepted
