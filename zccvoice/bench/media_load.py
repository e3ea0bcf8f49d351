"""The load of `bench media`: meetings of two people, played at real speed by a simulator in its own process."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection

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


@contextmanager
def simulated(count: int, *, is_idle: bool = False) -> Iterator[list[StreamStarted]]:
    """So many meetings that wait for a client, each with `SIDES` people who talk, or are muted."""
    context = multiprocessing.get_context("spawn")
    near, far = context.Pipe()
    process = context.Process(target=_serve, args=(far, count, is_idle), daemon=True)
    process.start()
    try:
        yield near.recv()
    finally:
        process.kill()
        process.join()
        near.close()
        far.close()


def pin(*, is_load: bool) -> None:
    """Give the last core to whoever is measured and the others to the load, where the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) > 1:
            os.sched_setaffinity(0, cores[:-1] if is_load else cores[-1:])


def _serve(pipe: Connection, count: int, is_idle: bool) -> None:
    pin(is_load=True)
    trio.run(_play, pipe, _meeting(is_idle), count)


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


async def _play(pipe: Connection, meeting: Scenario, count: int) -> None:
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
