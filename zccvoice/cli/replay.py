"""``zccvoice replay``: journals through the same code again, into this or another database."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from sqlalchemy import Engine

from zccvoice.analytics.thresholds import thresholds_with
from zccvoice.cli import settings
from zccvoice.config import Config
from zccvoice.daemon.remote import open_recognizer
from zccvoice.daemon.replay import replay
from zccvoice.daemon.settings_in_use import rules_in
from zccvoice.daemon.writer import Measure, Write, measure_in, write_to
from zccvoice.errors import JournalError
from zccvoice.store.database import connect, require_current_schema, transaction
from zccvoice.store.facts import Fact, StreamClosed, TrackClosed, UtteranceHeard
from zccvoice.store.rules import rule_book

FACTS_AT_ONCE = 500
"""Facts in one transaction."""


@dataclass(slots=True)
class Replayed:
    """What a journal amounted to."""

    file: str
    engagement_id: str = ""
    stream_id: str = ""
    utterances: int = 0
    transcribed: int = 0
    """Utterances with a transcript, old or new."""
    audio_s: float = 0.0
    """Length of the call."""
    wall_s: float = 0.0
    end_reason: str = ""


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "replay",
        description="Read journals from beginning to end, through the same code as a running call, and write what "
        "they amount to into the database. Transcripts that stand in a journal are not made again, unless --model "
        "asks for others. The journals are not changed.",
    )
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="a journal")
    settings.add_arguments(parser)
    parser.add_argument("--into", metavar="URL", help="another database than the configured one")
    parser.add_argument("--model", help="transcribe everything again: demo, a Whisper name, or a folder")
    parser.add_argument("--json", action="store_true", help="print one JSON object per journal")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """0 when all journals were replayed, 1 when some could not be."""
    if options.model:
        options.set.append(f"speech.model={options.model}")
    config = settings.load(options)
    rules = rules_in(config)
    shelf, phones = settings.shelf(config), settings.phones(config)
    failed = 0
    with (
        open_recognizer(config.speech) as recognizer,
        _database(config, options.into) as engine,
        Progress(console=Console(stderr=True)) as progress,
    ):
        require_current_schema(engine)
        with transaction(engine) as connection:
            book = rule_book(connection, rules)
        thresholds = thresholds_with(config.measures.thresholds)
        # Nobody is told of the hits: whoever listens would take the call for one of now.
        write = write_to(engine)
        measure = measure_in(engine, book, thresholds=thresholds, announces=False)
        for path in options.files:
            task = progress.add_task(path.stem[:16], total=None)

            def show(done: int, total: int, task: Any = task) -> None:
                progress.update(task, completed=done, total=total)

            try:
                facts = replay(
                    partial(shelf.read_file, path),
                    config,
                    phones,
                    recognizer,
                    keeps_transcripts=not options.model,
                    on_progress=show,
                )
                _report(_store(str(path), facts, write, measure), as_json=options.json)
            except JournalError as error:
                print(f"zccvoice: {path}: {error}", file=sys.stderr)
                failed += 1
    return 1 if failed else 0


@contextmanager
def _database(config: Config, into: str | None) -> Iterator[Engine]:
    if into is None:
        with settings.database(config) as engine:
            yield engine
        return
    engine = connect(into, connections=config.database.connections)
    try:
        yield engine
    finally:
        engine.dispose()


def _store(file: str, facts: Iterator[Fact], write: Write, measure: Measure) -> Replayed:
    done = Replayed(file)
    begin = time.monotonic()
    batch: list[Fact] = []
    for fact in facts:
        batch.append(fact)
        _note(done, fact)
        if len(batch) == FACTS_AT_ONCE:
            write(batch)
            batch = []
    write(batch)
    measure(done.engagement_id)
    done.wall_s = round(time.monotonic() - begin, 3)
    return done


def _note(done: Replayed, fact: Fact) -> None:
    done.engagement_id, done.stream_id = fact.engagement_id, fact.stream_id
    match fact:
        case UtteranceHeard():
            done.utterances += 1
            done.transcribed += not fact.verdict.startswith("failed")
        case TrackClosed():
            done.audio_s = max(done.audio_s, (fact.last_timestamp_ms - fact.first_timestamp_ms) / 1000)
        case StreamClosed():
            done.end_reason = fact.end_reason


def _report(done: Replayed, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(done), ensure_ascii=False))
        return
    print(
        f"{done.engagement_id}  stream {done.stream_id}: {done.transcribed} of {done.utterances} utterances "
        f"transcribed, {done.audio_s:.0f} s in {done.wall_s:.1f} s ({done.end_reason})"
    )
