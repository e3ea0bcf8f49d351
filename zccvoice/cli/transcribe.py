"""``zccvoice transcribe``: recordings → transcripts, or calls in the database."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from zccvoice.analytics.thresholds import thresholds_with
from zccvoice.audio.frame import Encoding
from zccvoice.cli import settings
from zccvoice.cli.periods import moment
from zccvoice.cli.recording_bars import Bars
from zccvoice.cli.shown import shown
from zccvoice.cli.transcribing import MONO, Desk, Done
from zccvoice.cli.transcripts import FORMATS, print_transcript
from zccvoice.config import Config
from zccvoice.daemon.remote import open_recognizer
from zccvoice.daemon.settings_in_use import rules_in
from zccvoice.errors import ConfigError
from zccvoice.recordings import recorded_call
from zccvoice.recordings.keeping import PassingKeeper, StoringKeeper
from zccvoice.recordings.recorded_call import Files
from zccvoice.rtms.events import Role
from zccvoice.speech.language import LanguagePolicy
from zccvoice.store.database import require_current_schema, transaction
from zccvoice.store.rules import rule_book

APART_S = 1.0
"""Beginnings are often told in whole seconds."""


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "transcribe",
        description="Transcribe sound files (WAV, FLAC, Ogg, MP3 and whatever else FFmpeg reads; raw G.711 and "
        "G.722) through the same code as running calls. A file of two channels is a call with a side in each; "
        "call-agent.wav and call-customer.wav are the two sides of one call; one channel is a mix of all. "
        "Transcripts go to standard output or into a folder and nothing is kept, or, with --store, sound and "
        "transcript are kept like those of a call. What is done already is not done again.",
    )
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="a recording")
    sides = parser.add_argument_group("whose sound it is")
    sides.add_argument("--agent", choices=["left", "right"], help="the agent's channel, where there are two")
    sides.add_argument("--mono", choices=list(MONO), default="mix", help="who is in a single channel (mix)")
    sides.add_argument(
        "--customer", type=Path, metavar="FILE", help="the customer's side; FILE is the agent's"
    )
    sides.add_argument("--queue", metavar="NAME", help="the queue that brought them together")
    sides.add_argument(
        "--started-at",
        type=moment,
        metavar="WHEN",
        help="of a single call; else as the file's tags or date tell",
    )
    sides.add_argument(
        "--engagement-id", metavar="ID", help="of a single call; else it follows from the content"
    )
    parser.add_argument(
        "--raw",
        type=Encoding,
        choices=[Encoding.PCMA, Encoding.PCMU, Encoding.G722],
        metavar="pcma|pcmu|g722",
        help="the files are raw; known by themselves: .al .alaw .ul .ulaw .g722",
    )
    parser.add_argument(
        "--language", metavar="CODE", help="pin all to this language, such as es, or detect it"
    )
    parser.add_argument("--model", help="short for --set speech.model=…: demo, a Whisper name, or a folder")
    parser.add_argument("--format", choices=FORMATS, help="of transcripts (default: txt)")
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="write a transcript for each call into it"
    )
    parser.add_argument(
        "--store", action="store_true", help="keep the calls: in journals and in the database"
    )
    parser.add_argument("--again", action="store_true", help="also what is done already")
    parser.add_argument(
        "--jobs", type=_jobs, default=min(4, os.cpu_count() or 1), metavar="N", help="recordings at a time"
    )
    settings.add_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """0 when all recordings are transcribed, 1 when some could not be, or not wholly."""
    config, calls = _config(options), _calls(options)
    status = 0
    with _desk(options, config) as desk, ThreadPoolExecutor(options.jobs) as pool:
        waiting = [pool.submit(desk.work, files) for files in calls]
        try:
            for files, future in zip(calls, waiting, strict=True):
                done = future.result()
                with desk.bars.aside():
                    told = _tell(options, files, done, is_one_of_several=len(calls) > 1)
                    status = max(status, told)
        except BaseException:
            desk.stopping.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return status


def _jobs(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= 64:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected 1 to 64, got {text}")


def _config(options: argparse.Namespace) -> Config:
    if options.model:
        options.set.append(f"speech.model={options.model}")
    if options.language:
        options.set.append(f"language.default={options.language}")
    config = settings.load(options)
    if options.language:  # whatever the queues say
        unruled: dict[str, Any] = {rules: {} for rules in ("queues", "agents", "accounts", "products")}
        config = config.model_copy(update={"language": config.language.model_copy(update=unruled)})
    return config


def _calls(options: argparse.Namespace) -> list[Files]:
    """The calls that are asked for.

    Raises:
        ConfigError: the arguments contradict one another.
    """
    if options.customer is None:
        calls = recorded_call.in_calls(options.files)
    elif len(options.files) == 1:
        calls = [Files((options.files[0], options.customer), (Role.USER, Role.CONSUMER))]
    else:
        raise ConfigError(["--customer: expected one FILE, the agent's side"])
    problems = [
        f"{name}: expected a single call, got {len(calls)}"
        for name, value in (("--started-at", options.started_at), ("--engagement-id", options.engagement_id))
        if value is not None and len(calls) > 1
    ]
    if options.output is not None:
        by_name: dict[str, Files] = {}
        for files in calls:
            other = by_name.setdefault(files.name, files)
            if other is not files:
                problems.append(f"--output: {other} and {files} would have the same name, {files.name}")
    elif len(calls) > 1 and options.format in ("vtt", "srt"):
        problems.append(f"--format {options.format}: of several calls it needs --output FOLDER")
    if problems:
        raise ConfigError(problems)
    return calls


@contextmanager
def _desk(options: argparse.Namespace, config: Config) -> Iterator[Desk]:
    if options.output is not None:
        try:
            options.output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                [f"--output {options.output}: expected a folder, got: {error.strerror}"]
            ) from None
    phones = settings.phones(config) if options.store else settings.no_phones()
    rules = rules_in(config) if options.store else ()
    thresholds = thresholds_with(config.measures.thresholds)
    with open_recognizer(config.speech) as recognizer:
        recognizer.require_languages(LanguagePolicy(config.language).languages)
        if not options.store:
            with TemporaryDirectory(prefix="zccvoice-") as folder, Bars() as bars:
                passing = PassingKeeper(Path(folder), config, phones, recognizer)
                yield Desk(options, passing, thresholds, None, bars)
            return
        shelf, incoming = settings.shelf(config), settings.incoming(config)
        with settings.database(config) as engine, Bars() as bars:
            require_current_schema(engine)
            with transaction(engine) as connection:
                book = rule_book(connection, rules)
            keeper = StoringKeeper(shelf, incoming, engine, config, phones, recognizer, book)
            yield Desk(options, keeper, thresholds, engine, bars)


def _tell(options: argparse.Namespace, files: Files, done: Done, *, is_one_of_several: bool) -> int:
    """Tell what came of a call; returns its share of the exit status."""
    if done.problem is not None:
        _warn(f"zccvoice: {done.problem}")
        return 1
    if done.skipped is not None:
        _warn(f"{files}: {done.skipped}")
    if done.report is not None:
        if is_one_of_several and options.format in (None, "txt"):
            print(shown(f"# {files}"))  # text of several calls would run together
        print_transcript(done.report, options.format or FORMATS[0])
    outcome = done.outcome
    if outcome is None:
        return 0
    if done.report is None:
        speed = outcome.audio_s / done.wall_s if done.wall_s else 0
        where = done.engagement_id if options.store else done.target or "not written"
        told = f"{files}: {outcome.transcribed_count} of {outcome.utterances_count} utterances transcribed, "
        took = f"{outcome.audio_s:.0f} s in {done.wall_s:.1f} s ({speed:.0f} times real time): {where}"
        print(shown(told + took))
    if done.apart_s > APART_S:
        _warn(
            f"zccvoice: {files}: say that they began {done.apart_s:.0f} s apart; they are laid side by side as if "
            "they had begun together"
        )
    for path, told_s, held_s in done.cut_off:
        says = "has no last page" if told_s is None else f"says {told_s:.0f} s"
        _warn(f"zccvoice: {path}: seems to be cut off: {says}, holds {held_s:.0f} s")
    for path, unread_s in done.unread:
        _warn(
            f"zccvoice: {path}: {unread_s:.0f} s seem to lie behind what its header says; they are left out"
        )
    if outcome.damaged_s:
        _warn(f"zccvoice: {files}: {outcome.damaged_s:.1f} s of its sound are damaged")
    if outcome.failed_count:
        hint = "; no file is written of it" if options.output is not None else ""
        _warn(f"zccvoice: {files}: {outcome.failed_count} utterances could not be transcribed{hint}")
    return int(outcome.failed_count > 0)


def _warn(text: str) -> None:
    print(shown(text), file=sys.stderr)
