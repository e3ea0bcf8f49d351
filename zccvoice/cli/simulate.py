"""``zccvoice simulate``: Zoom's side of calls, against a daemon that runs elsewhere."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import trio

from zccvoice.cli.settings import positive
from zccvoice.errors import ConfigError
from zccvoice.rehearsal import new_calls
from zccvoice.simulator.certificates import Authority
from zccvoice.simulator.play import simulate
from zccvoice.simulator.progress import Progress, Stage
from zccvoice.simulator.scenario import load_scenario
from zccvoice.simulator.truth import CallTruth
from zccvoice.simulator.zoom import ZoomApp


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "simulate",
        description="Be Zoom: send signed webhooks to a daemon and play scenarios to it over WebSockets. The "
        "daemon must allow this host (zoom.allowed_hosts). Credentials come from the environment, under the "
        "names that the daemon uses: ZCCVOICE_ZOOM__CLIENT_ID, ZCCVOICE_ZOOM__CLIENT_SECRET, "
        "ZCCVOICE_DOOR__SECRET_TOKEN.",
    )
    parser.add_argument("scenarios", nargs="+", type=Path, metavar="SCENARIO.toml")
    parser.add_argument("--webhook", required=True, metavar="URL", help="the daemon's webhook endpoint")
    parser.add_argument("--speed", type=positive, default=1.0, help="times faster than real (default: 1)")
    parser.add_argument("--host", default="127.0.0.1", help="address to serve the WebSockets on")
    parser.add_argument("--port", type=int, default=0, help="port to serve them on (default: any)")
    parser.add_argument("--copies", type=int, default=1, metavar="N", help="play each scenario N times")
    parser.add_argument(
        "--apart", type=float, default=0.0, metavar="S", help="seconds between the beginnings of two calls"
    )
    parser.add_argument(
        "--ca",
        type=Path,
        metavar="FILE",
        help="serve wss://localhost, and write to FILE the certificate of the authority made for it",
    )
    parser.add_argument(
        "--as-is", action="store_true", help="keep the scenario's ids; otherwise every run is a new call"
    )
    parser.add_argument("--json", action="store_true", help="print the truth of each call, one JSON per line")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """0 when every call was played and the client made no mistake, 1 otherwise."""
    app = _app_from_environment()
    if options.as_is and options.copies > 1:
        raise ConfigError(["--copies: each copy is a call of its own, which --as-is rules out"])
    scenarios = [load_scenario(path) for path in options.scenarios] * options.copies
    if not options.as_is:
        scenarios = new_calls(scenarios)
    authority = None
    if options.ca is not None:
        authority = Authority()
        authority.write(options.ca)
    play = partial(
        simulate,
        scenarios,
        app,
        options.webhook,
        speed=options.speed,
        host=options.host,
        port=options.port,
        apart_s=options.apart,
        authority=authority,
        on_progress=_tell,
    )
    simulation = trio.run(play)
    for truth in simulation.truths:
        if options.json:
            print(truth.to_json())
        else:
            print(*map(_summary, truth.streams()), sep="\n")
    for violation in simulation.violations:
        print(f"violation: {violation.engagement_id}: {violation.what}", file=sys.stderr)
    return 1 if simulation.violations else 0


def _summary(truth: CallTruth) -> str:
    packets = sum(track.packets_sent_count for track in truth.tracks)
    lost = sum(track.packets_lost_count for track in truth.tracks)
    return (
        f"{truth.title}: engagement {truth.engagement_id}, stream {truth.stream_id}, "
        f"{truth.duration_ms / 1000:.1f} s, "
        f"{packets} packets sent, {lost} lost, {len(truth.utterances)} utterances"
    )


def _tell(progress: Progress) -> None:
    if progress.stage is not Stage.PLAYING:
        print(f"{progress.title}: {progress.stage.value}", file=sys.stderr)


def _app_from_environment() -> ZoomApp:
    names = ("ZCCVOICE_ZOOM__CLIENT_ID", "ZCCVOICE_ZOOM__CLIENT_SECRET", "ZCCVOICE_DOOR__SECRET_TOKEN")
    if missing := [f"{name}: required in the environment" for name in names if not os.environ.get(name)]:
        raise ConfigError(missing)
    return ZoomApp(*(os.environ[name] for name in names))
