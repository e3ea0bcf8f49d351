"""The load of `bench media`: meetings of two people, played at real speed by a simulator in its own process."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

import trio

from zccvoice.rtms.enums import Product
from zccvoice.rtms.webhook import StreamStarted
from zccvoice.simulator.demo import demo_scenarios
from zccvoice.simulator.scenario import Scenario, load_scenario
from zccvoice.simulator.webhooks import WebhookAnswer, WebhookRequest
from zccvoice.simulator.zoom import Zoom, ZoomApp, running_zoom

APP = ZoomApp("bench", "bench-secret", "bench-token")
LONGEST_MS = 120_000
SIDES = 2
READY_S = 60.0
TICK_S = 0.02
FADING = 0.98
"""Of the lateness with each tick: two thirds of it in a second."""


@dataclass(frozen=True, slots=True)
class Load:
    """The meetings."""

    streams: list[StreamStarted]
    lateness_s: Any
    """A number that the simulator keeps in memory shared with us."""

    @property
    def late_ms(self) -> float:
        """How much too late the simulator came to anything in the last second or so."""
        return float(self.lateness_s.value) * 1_000


@contextmanager
def simulated(count: int, *, is_idle: bool = False) -> Iterator[Load]:
    """So many meetings that wait for a client, each with `SIDES` people who talk, or are muted.

    Raises:
        RuntimeError: the simulator does not come up.
    """
    context = multiprocessing.get_context("spawn")
    near, far = context.Pipe()
    lateness_s = context.Value("d", 0.0)
    process = context.Process(target=_serve, args=(far, lateness_s, count, is_idle), daemon=True)
    process.start()
    far.close()
    try:
        yield Load(_announced(near, count), lateness_s)
    finally:
        process.kill()
        process.join()
        near.close()


def _announced(pipe: Connection, count: int) -> list[StreamStarted]:
    try:
        if pipe.poll(READY_S):
            streams: list[StreamStarted] = pipe.recv()
            return streams
    except EOFError:  # it is gone
        pass
    raise RuntimeError(f"expected {count} simulated calls within {READY_S:g} s, got none")


def pin(*, is_load: bool) -> None:
    """Give the last core to whoever is measured and the others to the load, where the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) > 1:
            os.sched_setaffinity(0, cores[:-1] if is_load else cores[-1:])


def _serve(pipe: Connection, lateness_s: Any, count: int, is_idle: bool) -> None:
    pin(is_load=True)
    trio.run(_play, pipe, lateness_s, _meeting(is_idle), count)


async def _note_lateness(lateness_s: Any) -> None:
    while True:
        due = trio.current_time() + TICK_S
        await trio.sleep_until(due)
        lateness_s.value = max(trio.current_time() - due, lateness_s.value * FADING)


def _meeting(is_idle: bool) -> Scenario:
    """The first demo call as a meeting: the SDK drops the audio of contact-centre calls."""
    call = load_scenario(demo_scenarios()[0])
    numbers = {one.channel_id: str(16_778_240 + 1_024 * at) for at, one in enumerate(call.participants)}
    begin_ms = LONGEST_MS if is_idle else 0
    return replace(
        call,
        product=Product.MEETING,
        participants=tuple(
            replace(one, channel_id=numbers[one.channel_id], from_ms=begin_ms) for one in call.participants
        ),
        speech=tuple(replace(one, channel_id=numbers[one.channel_id]) for one in call.speech),
        holds=(),
        events=(),
        duration_ms=LONGEST_MS,
    )


async def _play(pipe: Connection, lateness_s: Any, meeting: Scenario, count: int) -> None:
    announced: list[str] = []
    all_announced = trio.Event()

    async def deliver(request: WebhookRequest) -> WebhookAnswer:
        announced.append(json.loads(request.body)["payload"]["rtms_stream_id"])
        if len(announced) == count:
            all_announced.set()
        return WebhookAnswer(200, b"")

    async def play(zoom: Zoom, number: int) -> None:
        await zoom.play(replace(meeting, engagement_id=f"E{number}", stream_id=f"S{number}"))

    async with running_zoom(APP, deliver=deliver) as zoom, trio.open_nursery() as nursery:
        nursery.start_soon(_note_lateness, lateness_s)
        for number in range(count):
            nursery.start_soon(play, zoom, number)
        await all_announced.wait()
        now_ms = int(time.time() * 1_000)
        pipe.send(
            [
                StreamStarted(Product.MEETING, f"E{number}", f"S{number}", zoom.signaling_url, now_ms)
                for number in range(count)
            ]
        )
