"""``zccvoice report call``: one call as text, JSON, captions, or a page with its picture and its sound."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sqlalchemy import Engine

from zccvoice.cli import settings
from zccvoice.cli.transcripts import (
    FORMATS,
    form_by_name,
    print_transcript,
    private_text_file,
    unknown_call,
    write_transcript,
)
from zccvoice.config import Config
from zccvoice.errors import ConfigError, StoreError
from zccvoice.reports.calls import CallReport, call_report
from zccvoice.reports.html import call_page, page_name
from zccvoice.reports.text import print_call
from zccvoice.store.database import require_current_schema, transaction
from zccvoice.store.sound import CallSound, call_sound, why_gone

_FORMS = ("text", "html", *FORMATS)
_FOLDER = Path("report")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of this report, but for the reader's time zone."""
    parser.add_argument("engagement_id", metavar="ENGAGEMENT")
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--format",
        choices=_FORMS,
        help="text: measures and transcript, txt: the transcript (default: that of --output's name, or text)",
    )
    form.add_argument("--json", dest="format", action="store_const", const="json", help="--format json")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="PATH",
        help=f"of html: a name that ends in .html, or a folder (default: {_FOLDER}); else a file "
        "(default: standard output)",
    )
    parser.add_argument(
        "--sound",
        action="store_true",
        help="of html: with the call's sound, if it is kept, to be played in step with picture and transcript; in "
        "a file beside the page when it is too long to be put into it. The log notes who did it",
    )
    settings.add_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """0 when the call is known, and its sound is there if it is asked for."""
    options.format = options.format or form_by_name(options.output, _FORMS)
    if options.sound and options.format != "html":
        raise ConfigError(["--sound: goes with --format html"])
    config = settings.load(options)
    with settings.database(config) as engine:
        require_current_schema(engine)
        report, sound = _read(engine, options.engagement_id)
        try:
            _write(report, sound, config, options)
        except OSError as error:
            where = options.output or _FOLDER
            raise StoreError(f"{where}: cannot be written: {error.strerror}") from None
    return 0


def _read(engine: Engine, engagement_id: str) -> tuple[CallReport, CallSound]:
    with transaction(engine) as connection:
        report, sound = call_report(connection, engagement_id), call_sound(connection, engagement_id)
        if report is None or sound is None:
            raise unknown_call(engagement_id, why_gone(connection, engagement_id))
        return report, sound


def _write(report: CallReport, sound: CallSound, config: Config, options: argparse.Namespace) -> None:
    output: Path | None = options.output
    if options.format == "html":
        print(_write_page(report, sound, config, options))
    elif options.format == "text":
        if output is None:
            print_call(report, sys.stdout, options.timezone)
            return
        with private_text_file(output) as file:
            print_call(report, file, options.timezone)
    elif output is None:
        print_transcript(report, options.format)
    else:
        write_transcript(report, output, options.format)


def _write_page(report: CallReport, sound: CallSound, config: Config, options: argparse.Namespace) -> Path:
    """Write the page, and its sound beside it if it is long; returns the page's path."""
    engagement_id = report.call.engagement_id
    page: Path = options.output or _FOLDER
    if page.suffix.lower() != ".html":
        page /= page_name(engagement_id)
    page.parent.mkdir(parents=True, exist_ok=True)
    if not options.sound:
        _put_page(page, call_page(report, options.timezone))
        return page
    # With the libraries of sound, for which no other report has to wait.
    from zccvoice.cli.page_sound import note_export, sound_of_page

    played = sound_of_page(engagement_id, sound, config, page)
    _put_page(page, call_page(report, options.timezone, sound=played))
    note_export(engagement_id, config, page)
    return page


def _put_page(page: Path, content: str) -> None:
    with private_text_file(page) as file:
        file.write(content)
