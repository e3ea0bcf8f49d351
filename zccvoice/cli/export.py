"""``zccvoice export``: the sound or the transcript of a call, out of the house's stores into a file."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine

from zccvoice.cli import settings
from zccvoice.cli.transcripts import FORMATS, form_by_name, print_transcript, unknown_call, write_transcript
from zccvoice.config import Config
from zccvoice.daemon import log
from zccvoice.errors import ConfigError, StoreError
from zccvoice.recordings.call_sound import MIX, channels_of, length_of, require_sound, sides_of
from zccvoice.recordings.sound_writer import SUFFIXES, is_too_long, write_sound
from zccvoice.reports.calls import call_report
from zccvoice.reports.private_file import private_file
from zccvoice.store.database import require_current_schema, transaction
from zccvoice.store.sound import call_sound, why_gone


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "export",
        description="Write what is kept of a call into a file that its owner alone can read: its sound, the "
        "agent's side left and the customer's right, on the call's clock, silent where nothing arrived; or its "
        "transcript. What is exported leaves the encrypted journals, their retention and erasures: the log notes "
        "who did it.",
    )
    parser.add_argument("engagement_id", metavar="ENGAGEMENT")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--audio", action="store_true", help="the sound, at 16 kHz")
    what.add_argument("--transcript", action="store_true", help="what was said")
    parser.add_argument("--side", choices=["agent", "customer", MIX], help="one side, or all in one channel")
    parser.add_argument(
        "--format", choices=FORMATS, help="of the transcript (default: that of --output's name, or txt)"
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help=f"{', '.join(SUFFIXES)} for sound (default: the call's name.wav); else standard output",
    )
    settings.add_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """0 when it is written."""
    output: Path = options.output or Path(f"{quote(options.engagement_id, safe='')}.wav")
    if options.audio and output.suffix.lower() not in SUFFIXES:
        raise ConfigError([f"--output {output}: expected a name that ends in {', '.join(SUFFIXES)}"])
    if options.side and not options.audio:
        raise ConfigError(["--side: goes with --audio"])
    if options.format and not options.transcript:
        raise ConfigError(
            ["--format: goes with --transcript; the name of --output tells the form of the sound"]
        )
    config = settings.load(options)
    log.configure(config.log)
    with settings.database(config) as engine:
        require_current_schema(engine)
        try:
            if options.audio:
                _export_sound(options, config, engine, output)
            else:
                _export_transcript(options, engine)
        except OSError as error:
            raise StoreError(f"{output}: cannot be written: {error.strerror}") from None
    return 0


def _export_transcript(options: argparse.Namespace, engine: Engine) -> None:
    with transaction(engine) as connection:
        report = call_report(connection, options.engagement_id)
        gone = why_gone(connection, options.engagement_id)
    if report is None:
        raise unknown_call(options.engagement_id, gone)
    form = options.format or form_by_name(options.output)
    if options.output is None:
        print_transcript(report, form)
        return
    write_transcript(report, options.output, form)
    _note("transcript exported", options, options.output)


def _export_sound(options: argparse.Namespace, config: Config, engine: Engine, output: Path) -> None:
    with transaction(engine) as connection:
        sound = call_sound(connection, options.engagement_id)
        gone = why_gone(connection, options.engagement_id)
    if sound is None:
        raise unknown_call(options.engagement_id, gone)
    sides = sides_of(options.engagement_id, sound, options.side)
    shelf = settings.shelf(config)
    require_sound(shelf, options.engagement_id, [leg for side in sides for leg in side])
    if is_too_long(output, length_of(sound), len(sides)):
        raise ConfigError([f"--output {output}: the call is too long for a WAV; name a .flac or .ogg"])
    with private_file(output) as file:
        write_sound(file, output.suffix, channels_of(shelf, sound, sides), len(sides))
    _note("audio exported", options, output)


def _note(what: str, options: argparse.Namespace, output: Path) -> None:
    log.get_logger().info(
        what, engagement_id=options.engagement_id, by=getpass.getuser(), file=str(output.absolute())
    )
    print(f"written: {output}", file=sys.stdout)
