"""``zccvoice demo``: the main job on real input, on this machine alone.

Starts the daemon, plays the demo calls to it as Zoom would, and shows what a supervisor would see. The voices are
synthetic and the weights know only them; everything else is the real thing.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import trio
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from zccvoice.analytics.record import Side
from zccvoice.cli import settings
from zccvoice.config import Config
from zccvoice.config.sources import is_setting
from zccvoice.rehearsal import DEMO_RULES, Rehearsal, RehearsalError, new_calls, rehearse, write_config
from zccvoice.reports.calls import CallReport, CallsReport, call_report
from zccvoice.reports.html import write_html
from zccvoice.reports.text import print_calls, print_transcript
from zccvoice.simulator import progress, scenario
from zccvoice.simulator.demo import demo_scenarios
from zccvoice.simulator.truth import CallTruth
from zccvoice.speech.word_errors import WordErrors, word_errors
from zccvoice.store.database import transaction, upgrade

_SIDES = {scenario.Side.AGENT: Side.AGENT, scenario.Side.CONSUMER: Side.CUSTOMER}


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "demo",
        description="Play the demo calls to a daemon of its own, and show what the database has then.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document instead")
    parser.add_argument(
        "--speed", type=settings.positive, default=4.0, help="times faster than real (default: 4)"
    )
    parser.add_argument("--model", default="demo", help="weights; the demo voices suit the demo weights only")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("var/demo"),
        help="for database, log and pages (default: var/demo)",
    )
    parser.set_defaults(run=run)


@dataclass(frozen=True, slots=True)
class PlayedCall:
    """One demo call: what was said, and what came out."""

    truth: CallTruth
    report: CallReport

    @property
    def errors(self) -> WordErrors:
        """Words in error, each side against its script."""
        total = WordErrors(0, 0)
        for simulated, side in _SIDES.items():
            said = " ".join(one.text for one in self.truth.utterances if one.side is simulated)
            heard = " ".join(one.text or "" for one in self.report.utterances if one.side is side)
            total += word_errors(said, heard)
        return total


def run(options: argparse.Namespace) -> int:
    """0 when every call came out as it should; 1 when the daemon broke Zoom's protocol."""
    begin = time.monotonic()
    folder: Path = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    scenarios = [scenario.load_scenario(path) for path in demo_scenarios()]
    calls = new_calls(scenarios)
    config_file = write_config(folder, scenarios, model=options.model, rules=DEMO_RULES)
    config = _database_settings(config_file)
    console = Console(stderr=True, highlight=False)
    console.print(f"Starting database and daemon; its log is {folder / 'daemon.log'}")
    with settings.database(config) as engine:
        upgrade(engine)
        with _Bars(console) as bars:
            play = partial(
                rehearse, calls, folder, config_file=config_file, speed=options.speed, on_progress=bars.show
            )
            rehearsal = trio.run(play)
        with transaction(engine) as connection:
            reports = [call_report(connection, truth.engagement_id) for truth in rehearsal.truths]
    played = [
        PlayedCall(truth, report)
        for truth, report in zip(rehearsal.truths, reports, strict=True)
        if report is not None
    ]
    if len(played) != len(calls):
        raise RehearsalError(f"{len(calls)} calls were to be played, {len(played)} are in the database")
    pages = write_html((call.report for call in played), folder / "report")
    rehearsal.timings_s["all"] = round(time.monotonic() - begin, 3)
    if options.json:
        print(json.dumps(_document(played, rehearsal, pages, config_file), ensure_ascii=False, indent=2))
    else:
        _print(played, rehearsal, pages, config_file, options.speed)
    return 1 if rehearsal.violations else 0


def _database_settings(config_file: Path) -> Config:
    """The settings of the demo's own database, whatever the environment says of another one."""
    options = argparse.Namespace(config=config_file, set=[])
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if is_setting(name)}
    try:
        return settings.load(options)
    finally:
        os.environ.update(hidden)


class _Bars:
    """A bar per call."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[stage]}"), console=console
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> _Bars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, moment: progress.Progress) -> None:
        """See `simulator.progress.OnProgress`."""
        if moment.engagement_id not in self._tasks:
            self._tasks[moment.engagement_id] = self._progress.add_task(
                moment.title, total=moment.duration_ms, stage=""
            )
        position_s, duration_s = moment.position_ms // 1000, moment.duration_ms // 1000
        self._progress.update(
            self._tasks[moment.engagement_id],
            completed=moment.position_ms,
            stage=f"{moment.stage.value}, {position_s} of {duration_s} s",
        )


def _print(
    played: Sequence[PlayedCall], rehearsal: Rehearsal, pages: Path, config_file: Path, speed: float
) -> None:
    newest_first = tuple(call.report.call for call in reversed(played))
    for call in played:
        print(
            f"\n{call.truth.title} ({call.report.call.language}), {_percent(call.errors.rate)} of words in error"
        )
        print_transcript(call.report, sys.stdout)
    print()
    print_calls(CallsReport(None, None, newest_first), sys.stdout)
    timings = rehearsal.timings_s
    total = _total_errors(played)
    lag_s = max(rehearsal.lags_s.values())
    print(
        f"{len(played)} calls at {speed:g} times real speed in {timings['calls']:.1f} s; the last row was there "
        f"{lag_s:.2f} s after hang-up at the latest; {_percent(total.rate)} of {total.reference_words} words "
        f"in error; {timings['all']:.1f} s in all."
    )
    for violation in rehearsal.violations:
        print(f"Protocol violation: {violation.what}")
    print(f"\nHTML report:  {pages}")
    print(f"SQL:          {_sql_line(config_file)}")
    rules = shlex.quote(str(DEMO_RULES))
    print(f"Rules:        {_command(f'rules test {rules} --since 1h', config_file)}")


def _sql_line(config_file: Path) -> str:
    return _command("db open", config_file)


def _command(words: str, config_file: Path) -> str:
    program = Path(sys.argv[0]).resolve()
    name = str(program) if program.name == "zccvoice" else f"{sys.executable} -m zccvoice"
    return f"{name} {words} --config {shlex.quote(str(config_file))}"


def _document(
    played: Sequence[PlayedCall], rehearsal: Rehearsal, pages: Path, config_file: Path
) -> dict[str, Any]:
    return {
        "engagements": [
            {
                "engagement_id": call.report.call.engagement_id,
                "title": call.truth.title,
                "queue_name": call.report.call.queue_name,
                "language": call.report.call.language,
                "word_error_rate": round(call.errors.rate, 4),
                "utterances": [
                    {
                        "side": one.side,
                        "start_ms": one.start_ms,
                        "end_ms": one.end_ms,
                        "text": one.text,
                        "language": one.language,
                    }
                    for one in call.report.utterances
                ],
                "measures": None
                if call.report.call.scorecard is None
                else asdict(call.report.call.scorecard),
                "truth": asdict(call.truth),
            }
            for call in played
        ],
        "word_error_rate": round(_total_errors(played).rate, 4),
        "timings_s": rehearsal.timings_s,
        "scorecard_lags_s": rehearsal.lags_s,
        "violations": [violation.what for violation in rehearsal.violations],
        "report": str(pages),
        "sql": _sql_line(config_file),
    }


def _total_errors(played: Sequence[PlayedCall]) -> WordErrors:
    return sum((call.errors for call in played), WordErrors(0, 0))


def _percent(ratio: float) -> str:
    return f"{ratio * 100:.1f} %"
