"""``zccvoice bench``: measurements."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from zccvoice.bench import BenchResult, analytics, asr, audio, batches, demo, media, store, vad, webhooks
from zccvoice.cli.settings import positive
from zccvoice.config import VadConfig

_UTTERANCES = f"size of the made-up year, at least 1000 (default: {store.UTTERANCES})"
_ASR = f"utterances that each path decodes, 16 to 1000 (default: {asr.UTTERANCES})"
_ASR_MODEL = (
    "weights, or random-tiny, -base or -small, which have the shapes and know nothing (default: demo)"
)
_DEVICE = "where it runs, as speech.device (default: auto)"
_COMPUTE_TYPE = "as speech.compute_type (default: int8 on CPUs, float16 on GPUs)"
_BATCHED = f"decoded at each size of batches, 16 to 1000 (default: {batches.UTTERANCES})"
_LIVE = f"demo calls played at once, 0 to 100 (default: {analytics.LIVE_CALLS})"
_AUDIO_ROUNDS = "times each case is measured; the least counts (default: 7)"
_ROUNDS = "times each demo call is played, 1 to 100 (default: 2)"

_DETECTOR = "speech.vad.detector of the trial (default: both)"
_HALF = "half of the set: the one thresholds were found with, or the other (default: held out)"


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "bench", description="Measure how fast a part of the program is on this machine."
    )
    benches = parser.add_subparsers(required=True, metavar="NAME")
    one = benches.add_parser(
        "asr", help="what recognition costs, beside faster-whisper, and how soon text is there"
    )
    one.add_argument("--model", default="demo", help=_ASR_MODEL)
    one.add_argument(
        "--utterances", type=int, choices=range(16, 1001), default=asr.UTTERANCES, metavar="N", help=_ASR
    )
    _add_form(one)
    one.set_defaults(run=_run_asr)
    one = benches.add_parser("analytics", help="scorecards per second, stored calls again, hang-up to row")
    one.add_argument("--utterances", type=_size, default=store.UTTERANCES, metavar="N", help=_UTTERANCES)
    one.add_argument(
        "--live-calls", type=int, choices=range(101), default=analytics.LIVE_CALLS, metavar="N", help=_LIVE
    )
    _add_form(one)
    one.set_defaults(run=_run_analytics)
    one = benches.add_parser("audio", help="microseconds per 20 ms of a track by stage, streams per core")
    one.add_argument("--rounds", type=int, choices=range(1, 101), default=7, metavar="N", help=_AUDIO_ROUNDS)
    _add_form(one)
    one.set_defaults(run=_run_audio)
    one = benches.add_parser("batches", help="sound recognized in a second, by utterances decoded together")
    one.add_argument("--model", default="demo", help=_ASR_MODEL)
    one.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help=_DEVICE)
    one.add_argument("--compute-type", default="default", metavar="TYPE", help=_COMPUTE_TYPE)
    one.add_argument(
        "--utterances",
        type=int,
        choices=range(16, 1001),
        default=batches.UTTERANCES,
        metavar="N",
        help=_BATCHED,
    )
    _add_form(one)
    one.set_defaults(run=_run_batches)
    one = benches.add_parser("demo", help="CPU seconds per call minute by stage, hang-up to row")
    one.add_argument("--rounds", type=int, choices=range(1, 101), default=2, metavar="N", help=_ROUNDS)
    one.add_argument("--speed", type=positive, default=4.0, help="times faster than real (default: 4)")
    one.add_argument("--model", default="demo", help="weights (default: demo)")
    _add_form(one)
    one.set_defaults(run=_run_demo)
    one = benches.add_parser("media", help="calls per core from the socket to the VAD, beside Zoom's SDK")
    one.add_argument(
        "--seconds", type=positive, default=media.SECONDS, help="for each measurement (default: 2)"
    )
    _add_form(one)
    one.set_defaults(run=_run_media)
    one = benches.add_parser("store", help="write path, journal, replay, and a year's calls asked about")
    one.add_argument("--utterances", type=_size, default=store.UTTERANCES, metavar="N", help=_UTTERANCES)
    one.add_argument("--plans", type=Path, metavar="FILE", help="write how Postgres answers each question")
    _add_form(one)
    one.set_defaults(run=_run_store)
    one = benches.add_parser("webhooks", help="how soon webhooks are answered, on disk before")
    one.add_argument("--rate", type=positive, default=webhooks.RATE_PER_S, help="per second (default: 200)")
    one.add_argument("--seconds", type=positive, default=webhooks.SECONDS, help="for how long (default: 15)")
    one.add_argument(
        "--folder", type=Path, help="a folder on the disk to measure (default: for temporary files)"
    )
    _add_form(one)
    one.set_defaults(run=_run_webhooks)
    one = benches.add_parser("vad", help="speech found in a labelled set, by condition")
    one.add_argument("--detector", choices=("both", "webrtc", "silero"), default="both", help=_DETECTOR)
    one.add_argument("--half", choices=vad.HALVES, default="held out", help=_HALF)
    _add_form(one)
    one.set_defaults(run=_run_vad)


def _add_form(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a wanted bound is missed")


def _run_asr(options: argparse.Namespace) -> int:
    return show(asr.run(model=options.model, utterances=options.utterances), options)


def _run_analytics(options: argparse.Namespace) -> int:
    result = analytics.run(utterances=options.utterances, live_calls=options.live_calls, on_progress=_tell)
    return show(result, options)


def _tell(said: str) -> None:
    print(said, file=sys.stderr)


def _run_audio(options: argparse.Namespace) -> int:
    return show(audio.run(rounds=options.rounds), options)


def _run_batches(options: argparse.Namespace) -> int:
    result = batches.run(
        model=options.model,
        device=options.device,
        compute_type=options.compute_type,
        utterances=options.utterances,
    )
    return show(result, options)


def _run_demo(options: argparse.Namespace) -> int:
    return show(demo.run(rounds=options.rounds, speed=options.speed, model=options.model), options)


def _run_media(options: argparse.Namespace) -> int:
    return show(media.run(seconds=options.seconds), options)


def _size(text: str) -> int:
    number = int(text)
    if number < 1_000:
        raise argparse.ArgumentTypeError(f"expected at least 1000, got {number}")
    return number


def _run_store(options: argparse.Namespace) -> int:
    return show(store.run(utterances=options.utterances, plans=options.plans, on_progress=_tell), options)


def _run_webhooks(options: argparse.Namespace) -> int:
    result = webhooks.run(rate_per_s=options.rate, seconds=options.seconds, folder=options.folder)
    return show(result, options)


def _run_vad(options: argparse.Namespace) -> int:
    return show(vad.run(VadConfig(detector=options.detector), options.half), options)


def show(result: BenchResult, options: argparse.Namespace) -> int:
    """Print a result in the form that was asked for; the exit status, 1 only with ``--check``."""
    if options.json:
        print(json.dumps(result.document(), ensure_ascii=False))
    else:
        _print_table(result)
    return 1 if options.check and not result.is_met else 0


def _print_table(result: BenchResult) -> None:
    console = Console()
    document = result.document()
    table = Table(title=f"bench {result.bench}", title_justify="left")
    for name in ("figure", "value", "unit", "how"):
        table.add_column(name, justify="right" if name == "value" else "left")
    for name, figure in result.figures.items():
        table.add_row(name, f"{figure.value:g}", figure.unit, figure.how)
    console.print(table)
    if result.cases:
        console.print(_cases(result))
    for one in result.wanted:
        sign = "≥" if one.is_least else "≤"
        verdict = "met" if one.is_met else "MISSED"
        console.print(f"wanted {one.name} {sign} {one.bound:g}: {one.value:g}, {verdict}")
    console.print(", ".join(f"{key} {value}" for key, value in document["machine"].items()), style="dim")


def _cases(result: BenchResult) -> Table:
    columns = list(next(iter(result.cases.values())))
    table = Table("case", *columns, box=box.SIMPLE_HEAD, pad_edge=False)
    table.columns[0].no_wrap = True
    for column in table.columns[1:]:
        column.justify = "right"
    for case, values in result.cases.items():
        table.add_row(case, *("" if values[name] is None else f"{values[name]:g}" for name in columns))
    return table
