"""``zccvoice bench webhooks``: how soon webhooks are answered, each only after its event is on the disk.

The real door and the real journal with its syncs, in a process of their own, over HTTP on the loopback interface,
one connection per webhook. Webhooks are due at a steady rate whatever becomes of the earlier ones, and each one's
time counts from when it was due, so that a stall shows in all that it delays.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import trio

from zccvoice.bench import BenchResult, Figure, Wanted, percentile
from zccvoice.bench.journal import new_shelf
from zccvoice.config import AppCredentials, DoorConfig, LogConfig
from zccvoice.daemon import log
from zccvoice.daemon.door import Door
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.webhook_journal import WebhookJournal
from zccvoice.rtms.webhook import WebhookEvent, WebhookReceiver
from zccvoice.simulator.webhooks import Deliver, post_to, signed

RATE_PER_S = 200.0
SECONDS = 15.0
WANTED_P99_MS = 500.0
"""Zoom waits three seconds; what comes later is repeated."""
WAITING = 1_000
"""Events that nobody has taken yet, as in the daemon; there is always somebody who takes them."""


def run(
    *, rate_per_s: float = RATE_PER_S, seconds: float = SECONDS, folder: Path | None = None
) -> BenchResult:
    """Measure; takes `seconds` and a moment.

    Args:
        rate_per_s: webhooks per second.
        seconds: for how long.
        folder: where the journal is written, and removed; where temporary files are, when None.

    Raises:
        DoorError: no port is to be had.
        JournalError: the folder cannot be used.
    """
    token = secrets.token_urlsafe()
    with tempfile.TemporaryDirectory(prefix="zccvoice-bench-", dir=folder) as name:
        with _door(Path(name), token) as (url, usage):
            answers = trio.run(partial(_post, url, token, rate_per_s, seconds))
            cpu_s = usage()
        kept = len(WebhookJournal(new_shelf(Path(name))).recent())
    return _result(answers, kept, cpu_s, rate_per_s)


def _result(answers: Answers, kept: int, cpu_s: float, rate_per_s: float) -> BenchResult:
    measured_ms, refused = answers.after_ms, answers.refused
    result = BenchResult("webhooks")
    how = f"due to answered, {len(measured_ms)} webhooks at {rate_per_s:g} per second"
    for name, value in (
        ("answer_p50", percentile(measured_ms, 50)),
        ("answer_p99", percentile(measured_ms, 99)),
        ("answer_max", max(measured_ms)),
    ):
        result.figures[name] = Figure(round(value, 2), "ms", how)
    result.figures["refused"] = Figure(refused, "webhooks", "answered other than 200, or not at all")
    result.figures["cpu"] = Figure(
        round(cpu_s * 1000 / len(measured_ms), 2), "CPU ms / webhook", "the process of the door"
    )
    result.figures["kept"] = Figure(kept, "webhooks", "read back from the journal afterwards")
    result.wanted += [
        Wanted("answer_p99", WANTED_P99_MS, result.figures["answer_p99"].value),
        Wanted("refused", 0, refused),
        Wanted("kept", len(measured_ms), kept, is_least=True),
    ]
    return result


@dataclass(slots=True)
class Answers:
    """What came back."""

    after_ms: list[float] = field(default_factory=list)
    refused: int = 0
    """Answered other than 200, or not at all."""


@contextmanager
def _door(folder: Path, token: str) -> Iterator[tuple[str, Callable[[], float]]]:
    """A door in a process of its own: its URL, and what tells its CPU seconds."""
    context = multiprocessing.get_context("spawn")
    near, far = context.Pipe()
    process = context.Process(target=_serve, args=(far, folder, token))
    process.start()
    far.close()

    def usage() -> float:
        near.send("usage")
        return float(near.recv())

    try:
        yield near.recv(), usage
    finally:
        near.close()
        process.join()


def _serve(pipe: Connection, folder: Path, token: str) -> None:
    """Run the door until the other end of the pipe is closed."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        log.configure(LogConfig(), nowhere)
        trio.run(_serve_until_closed, pipe, WebhookJournal(new_shelf(folder)), token)


async def _serve_until_closed(pipe: Connection, webhooks: WebhookJournal, token: str) -> None:
    app = AppCredentials.model_validate({"client_id": "x", "client_secret": "x", "secret_token": token})
    events_send, events_receive = trio.open_memory_channel[WebhookEvent](WAITING)
    settings = DoorConfig(port=0)
    door = Door(settings, WebhookReceiver([app]), events_send, Metrics(), keep=webhooks.keep)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(webhooks.run)
        nursery.start_soon(_take_all, events_receive)
        url = await nursery.start(door.run, trio.Event())
        pipe.send(url + settings.path)
        begin = time.process_time()
        with suppress(EOFError):
            while True:
                await trio.to_thread.run_sync(pipe.recv)
                pipe.send(time.process_time() - begin)
        nursery.cancel_scope.cancel()


async def _take_all(events_receive: trio.MemoryReceiveChannel[WebhookEvent]) -> None:
    async for _ in events_receive:
        pass


async def _post(url: str, token: str, rate_per_s: float, seconds: float) -> Answers:
    answers = Answers()
    deliver = post_to(url)
    begin = trio.current_time()
    async with trio.open_nursery() as nursery:
        for number in range(int(rate_per_s * seconds)):
            due = begin + number / rate_per_s
            await trio.sleep_until(due)
            nursery.start_soon(_post_one, deliver, token, number, due, answers)
    return answers


async def _post_one(deliver: Deliver, token: str, number: int, due: float, answers: Answers) -> None:
    payload = {"engagement_id": f"E{number}", "rtms_stream_id": f"S{number}", "server_urls": "wss://x"}
    request = signed(token, "contact_center.voice_rtms_started", int(time.time() * 1000), payload)
    try:
        answer = await deliver(request)
    except (OSError, trio.BrokenResourceError):
        answers.refused += 1
    else:
        answers.refused += answer.status != 200 or json.loads(answer.body) != {"status": "ok"}
    answers.after_ms.append((trio.current_time() - due) * 1000)
