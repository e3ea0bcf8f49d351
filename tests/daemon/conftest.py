"""The daemon's parts in virtual time: the simulated Zoom on memory streams, no sockets, no threads."""

from __future__ import annotations

import errno
import os
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from zccvoice.config import ZoomConfig
from zccvoice.daemon.websocket import speak_websocket
from zccvoice.rtms.enums import Product
from zccvoice.rtms.webhook import StreamStarted
from zccvoice.simulator.scenario import Scenario, parse_scenario
from zccvoice.simulator.timing import Timing
from zccvoice.simulator.zoom import Zoom, ZoomApp

CALL = """
title = "A call in memory"
engagement_id = "Qm9vLXNhbXBsZS1pZA=="
stream_id = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
duration_ms = 8_000
seed = 3
stop_reason = "customer_disconnected"

[queue]
id = "q_MadeUp"
name = "Orders"

[[participant]]
side = "consumer"
channel_id = "ch-c"
display_name = "Ana Example"
user_id = "contact_42"
phone_number = "+15555550123"

[[participant]]
side = "agent"
channel_id = "ch-a"
display_name = "Lee Agent"
user_id = "agent_7"

[[event]]
name = "consumer_answered"
at_ms = 100

[[event]]
name = "user_answered"
at_ms = 200
"""

APP = ZoomApp("demo-client-id", "demo-client-secret", "demo-webhook-secret")
SETTINGS = ZoomConfig(
    client_id=APP.client_id,
    client_secret=APP.client_secret,
    allowed_hosts=("127.0.0.1",),
)


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work for threads is done at once: a clock that jumps when all tasks wait must not run away from it."""

    async def run_sync(function: Callable[..., Any], *args: Any, **_: Any) -> Any:
        await trio.lowlevel.checkpoint()
        return function(*args)

    def start_thread_soon(function: Callable[[], object], deliver: Callable[[object], None]) -> None:
        deliver(function())

    monkeypatch.setattr(trio.to_thread, "run_sync", run_sync)
    monkeypatch.setattr(trio.lowlevel, "start_thread_soon", start_thread_soon)


class MemoryZoom:
    """A simulated Zoom whose WebSockets are memory streams."""

    def __init__(self, nursery: trio.Nursery, scenario: Scenario) -> None:
        self.scenario = scenario
        self.zoom = Zoom(APP, deliver=None, timing=Timing(), origin="ws://127.0.0.1:1")
        self._nursery = nursery
        self.connected: list[str] = []
        self.receiver: Any = None
        """Whoever receives the call now."""
        self.servers: list[trio.testing.MemorySendStream | Any] = []
        self.started = StreamStarted(
            Product.CONTACT_CENTER,
            scenario.engagement_id,
            scenario.stream_id,
            "ws://127.0.0.1:1/signaling",
            1_781_000_000_000,
        )

    @asynccontextmanager
    async def connect(self, url: str, timeout_s: float) -> AsyncIterator[Any]:
        """As `daemon.websocket.connect_websocket`."""
        path = "/" + url.split("/", 3)[3]
        self.connected.append(path)
        near, far = trio.testing.memory_stream_pair()
        self.servers.append(far)
        self._nursery.start_soon(self.zoom.serve_stream, far)
        async with speak_websocket(near, "127.0.0.1", path) as websocket:
            yield websocket


@pytest.fixture
def memory_zoom(no_threads: None) -> Callable[..., Any]:
    """``async with memory_zoom(more_toml, **fields) as zoom``: a call that can be played."""

    @asynccontextmanager
    async def make(more: str = "", **fields: Any) -> AsyncIterator[MemoryZoom]:
        scenario = parse_scenario(tomllib.loads(CALL + more) | fields, name="call.toml", folder=Path())
        async with trio.open_nursery() as nursery:
            yield MemoryZoom(nursery, scenario)
            nursery.cancel_scope.cancel()

    return make


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], None]:
    """``disk(n)``: from now on there is room for n more bytes; None is for as many as you like."""
    room: list[int | None] = [None]
    real = os.pwrite

    def pwrite(descriptor: int, data: bytes, offset: int) -> int:
        if room[0] is None:
            return real(descriptor, data, offset)
        if room[0] == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = real(descriptor, data[: room[0]], offset)
        room[0] -= done
        return done

    def limit(count: int | None) -> None:
        room[0] = count

    monkeypatch.setattr(os, "pwrite", pwrite)
    return limit
