"""``zccvoice recompute``: measure stored calls again."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from zccvoice.analytics.sentiment import load_scorers
from zccvoice.analytics.thresholds import thresholds_with
from zccvoice.cli import periods, settings
from zccvoice.store.database import require_current_schema, transaction
from zccvoice.store.definitions import thresholds_version
from zccvoice.store.recompute import Outcome, recompute_all, stored_calls


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "recompute",
        description="Make the measures of stored calls anew, with the thresholds in force now; utterances that "
        "were stored without a sentiment get theirs. A call of which "
        "nothing changed is not touched; running calls are left alone. May be interrupted and begun again.",
    )
    periods.add_ends(parser)
    periods.add_zone(parser)
    parser.add_argument("--engagement", action="append", metavar="ID", help="this call; may be given again")
    parser.add_argument("--jobs", type=_jobs, metavar="N", help="processes (default: one per core)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    settings.add_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """0 when all calls were measured, 1 when a call that was named is not stored."""
    config = settings.load(options)
    thresholds = thresholds_with(config.measures.thresholds)
    scorers = load_scorers(config.sentiment.lexicons)
    since, until = (one and periods.moment(one, options.timezone) for one in (options.since, options.until))
    with settings.database(config) as engine:
        require_current_schema(engine)
        with transaction(engine) as connection:
            version = thresholds_version(connection, thresholds)
            ids = options.engagement or stored_calls(connection, since or None, until or None)
        counts = Counter(
            _with_bar(recompute_all(engine, ids, thresholds, scorers, jobs=options.jobs), len(ids))
        )
    _report(counts, len(ids), version, as_json=options.json)
    return 1 if options.engagement and counts[Outcome.GONE] else 0


def _with_bar(outcomes: Iterator[Outcome], total: int) -> Iterator[Outcome]:
    columns = TextColumn("measuring"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield from progress.track(outcomes, total=total)


def _report(counts: Counter[Outcome], total: int, version: int, *, as_json: bool) -> None:
    if as_json:
        told = {one.value: counts[one] for one in Outcome}
        print(json.dumps({"calls": total, "thresholds_version": version, **told}))
        return
    kinds = [f"{counts[one]} {one.value}" for one in Outcome if counts[one]]
    print(f"{total} calls, thresholds version {version}: {', '.join(kinds) or 'nothing to do'}")


def _jobs(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 256:
        raise argparse.ArgumentTypeError(f"expected 1 to 256, got {text}")
    return int(text)
