"""A daemon and a simulated Zoom on one machine: what `zccvoice demo` and the benches play calls through.

The daemon is the real one, in a process of its own, with secrets made for the occasion; Zoom is the simulator,
in this process. Nothing leaves the loopback interface.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import trio

from zccvoice.config.sources import is_setting
from zccvoice.errors import ZccvoiceError
from zccvoice.simulator.play import simulate
from zccvoice.simulator.progress import OnProgress, Violation
from zccvoice.simulator.scenario import Scenario
from zccvoice.simulator.truth import CallTruth
from zccvoice.simulator.zoom import ZoomApp

START_S = 120.0
"""How long the daemon may take to start (the first time it makes its database)."""
STORED_S = 300.0
"""How long after the last call the daemon may take to store everything."""
DEMO_RULES = Path(__file__).parent / "rules.toml"
"""Rules for the demo calls."""


class RehearsalError(ZccvoiceError):
    """The daemon did not do its part; the message holds the end of its log."""


@dataclass(slots=True)
class Rehearsal:
    """What happened."""

    truths: tuple[CallTruth, ...] = ()
    """What was really sent, one per call, in the order of the scenarios; none when the daemon failed Zoom's
    validation of its endpoint."""
    violations: tuple[Violation, ...] = ()
    """What the daemon did that Zoom's protocol does not allow."""
    lags_s: dict[str, float] = field(default_factory=dict)
    """By engagement: seconds from the end of its stream to its row in Postgres."""
    timings_s: dict[str, float] = field(default_factory=dict)
    """Wall-clock seconds: start of the daemon, the calls, until all was stored, stop."""
    metrics_before: str = ""
    """The daemon's ``/metrics`` before the calls."""
    metrics_after: str = ""
    """And after them."""


async def rehearse(
    scenarios: Sequence[Scenario],
    folder: Path,
    *,
    config_file: Path,
    speed: float,
    settings: Mapping[str, str] | None = None,
    on_progress: OnProgress | None = None,
) -> Rehearsal:
    """Start the daemon, play all scenarios at once, wait until all is stored, stop the daemon.

    Args:
        scenarios: with engagement ids that the database does not know yet.
        folder: for the daemon's log, ``daemon.log``.
        config_file: the daemon's settings; secrets and the door's port are added through its environment.
        speed: times faster than real.
        settings: more environment variables for the daemon.
        on_progress: hears of every call.

    Cancelling it stops the daemon (politely for ten seconds) and ends the calls.

    Raises:
        RehearsalError: the daemon ended early, or did not store a call in time.
    """
    app = ZoomApp("rehearsal", secrets.token_hex(16), secrets.token_hex(16))
    result = Rehearsal()
    watch = _Stopwatch(result.timings_s)
    async with running_daemon(folder, config_file, app, settings) as daemon:
        url = await daemon.url()
        watch.lap("daemon_start")
        result.metrics_before = await daemon.metrics()
        simulation = await simulate(scenarios, app, url, speed=speed, on_progress=on_progress)
        result.truths, result.violations = simulation.truths, simulation.violations
        watch.lap("calls")
        await daemon.stored([truth.engagement_id for truth in simulation.truths])
        watch.lap("until_stored")
        result.lags_s = daemon.lags_s
        result.metrics_after = await daemon.metrics()
        status = await daemon.stop()
    watch.lap("daemon_stop")
    if status != 0:
        raise daemon.failure(f"the daemon ended with status {status}")
    return result


@asynccontextmanager
async def running_daemon(
    folder: Path, config_file: Path, app: ZoomApp, settings: Mapping[str, str] | None = None
) -> AsyncGenerator[Daemon]:
    """A daemon that starts now; leaving the block stops it, politely for ten seconds.

    Args:
        folder: for its log, ``daemon.log``.
        config_file: its settings, without secrets.
        app: the secrets it shares with Zoom.
        settings: more environment variables for it.
    """
    environment = {
        **{name: value for name, value in os.environ.items() if not is_setting(name)},
        "ZCCVOICE_ZOOM__CLIENT_ID": app.client_id,
        "ZCCVOICE_ZOOM__CLIENT_SECRET": app.client_secret,
        "ZCCVOICE_DOOR__SECRET_TOKEN": app.secret_token,
        "ZCCVOICE_DOOR__PORT": "0",
        "ZCCVOICE_LOG__FORMAT": "json",
        **(settings or {}),
    }
    process = await trio.lowlevel.open_process(
        [sys.executable, "-m", "zccvoice", "serve", "--config", str(config_file)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,  # a Ctrl-C in the terminal is ours to pass on
    )
    daemon = Daemon(process, folder / "daemon.log")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(daemon.follow)
        try:
            yield daemon
        finally:
            with trio.CancelScope(shield=True):
                with trio.move_on_after(10):
                    await daemon.stop()
                process.kill()  # does nothing to one that has ended
                await process.wait()
            nursery.cancel_scope.cancel()


def write_config(
    folder: Path, scenarios: Sequence[Scenario], *, model: str = "demo", rules: Path | None = None
) -> Path:
    """Write the daemon's settings for a rehearsal into `folder`: no secrets, a database beside them.

    Every scenario's language is pinned by its queue, as a contact centre would configure it. Calls are judged by
    the rules in the file `rules`, if there is one.
    """
    queues = {scenario.queue.name: scenario.language for scenario in scenarios}
    lines = [
        "# Written by zccvoice; secrets and the port come from the environment.",
        "[data]",
        f"folder = {_toml(str(folder / 'data'))}",
        "[zoom]",
        'allowed_hosts = ["127.0.0.1"]',
        "[speech]",
        f"model = {_toml(model)}",
        "[language.queues]",
        *(f"{_toml(queue)} = {_toml(language)}" for queue, language in queues.items()),
        *(["[rules]", f"file = {_toml(str(rules))}"] if rules is not None else []),
    ]
    path = folder / "zccvoice.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def new_calls(scenarios: Sequence[Scenario]) -> list[Scenario]:
    """The scenarios with ids of their own, so that playing them again makes new calls."""
    moment = f"{time.time_ns() // 1_000_000:x}"
    return [
        replace(
            scenario,
            engagement_id=f"{scenario.engagement_id}-{moment}-{number}",
            stream_id=secrets.token_hex(16),
        )
        for number, scenario in enumerate(scenarios)
    ]


def _toml(text: str) -> str:
    """A TOML basic string; JSON's escapes are among TOML's."""
    return json.dumps(text, ensure_ascii=False)


def figures(exposition: str) -> dict[str, float]:
    """The samples of a ``/metrics`` page, by name with labels as written."""
    rows = (line.rpartition(" ") for line in exposition.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in rows}


class _Stopwatch:
    def __init__(self, laps_s: dict[str, float]) -> None:
        self._laps_s = laps_s
        self._since = time.monotonic()

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self._laps_s[name], self._since = round(now - self._since, 3), now


class Daemon:
    """The daemon's process, seen through its log."""

    def __init__(self, process: trio.Process, log_file: Path) -> None:
        self.process = process
        self.lags_s: dict[str, float] = {}
        """By engagement: seconds from the end of its stream to its row."""
        self._log_file = log_file
        self._last_lines: deque[str] = deque(maxlen=12)
        self._url: str | None = None
        self._changed = trio.Event()
        self._is_over = False

    async def stop(self) -> int:
        """Ask it to stop, and wait until it has; returns its exit status."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()

    async def follow(self) -> None:
        """Copy its log to the file, and note what is said in it, until it ends."""
        assert self.process.stderr is not None
        rest = b""
        try:
            with self._log_file.open("wb") as log_file:
                async for chunk in self.process.stderr:
                    log_file.write(chunk)
                    log_file.flush()
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        self._read(line.decode("utf-8", "replace"))
        finally:
            self._is_over = True
            self._announce()

    def _read(self, line: str) -> None:
        self._last_lines.append(line)
        try:
            entry: dict[str, Any] = json.loads(line)
        except ValueError:
            return
        match entry.get("event"):
            case "ready":
                self._url = entry["url"]
            case "call stored":
                self.lags_s[entry["engagement_id"]] = entry["lag_s"]
            case _:
                return
        self._announce()

    def _announce(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    async def url(self) -> str:
        """The webhook URL, once the daemon listens."""
        with trio.move_on_after(START_S):
            while self._url is None and not self._is_over:
                await self._changed.wait()
        if self._url is None:
            raise self.failure("the daemon did not start")
        return self._url

    async def stored(self, engagement_ids: Sequence[str]) -> None:
        """Wait until all these calls are in the database."""
        missing = set(engagement_ids) - self.lags_s.keys()
        with trio.move_on_after(STORED_S):
            while missing and not self._is_over:
                await self._changed.wait()
                missing -= self.lags_s.keys()
        if missing:
            raise self.failure(f"not stored: {', '.join(sorted(missing))}")

    async def metrics(self) -> str:
        """Its ``/metrics`` page."""
        origin = "/".join((await self.url()).split("/")[:3])

        def fetch() -> str:
            with urllib.request.urlopen(f"{origin}/metrics", timeout=10) as answer:  # noqa: S310 (our own URL)
                return str(answer.read().decode())

        return await trio.to_thread.run_sync(fetch)

    def failure(self, what: str) -> RehearsalError:
        """An error with the end of the log."""
        return RehearsalError(
            "\n".join([f"{what}; its log ({self._log_file}) ends with:", *self._last_lines])
        )
