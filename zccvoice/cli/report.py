"""``zccvoice report``: stored measures as tables, files or pages. Here are the calls, in `summaries` the rest."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from zccvoice.cli import grafana, periods, report_call, report_output, settings, summaries
from zccvoice.errors import ConfigError, StoreError
from zccvoice.reports.calls import CallReport, call_report, calls_report
from zccvoice.reports.calls_table import calls_tables
from zccvoice.reports.document import calls_document, write_document
from zccvoice.reports.forms import BINARY, FORMS, write_report
from zccvoice.reports.html import write_html
from zccvoice.reports.text import print_calls
from zccvoice.store.database import require_current_schema, transaction

_FOLDER = Path("report")


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "report", description="Show stored measures: as text, CSV, XLSX, Parquet, JSON or pages."
    )
    reports = parser.add_subparsers(required=True, metavar="REPORT")
    one = reports.add_parser("calls", help="the calls of a period")
    periods.add_ends(one)
    one.set_defaults(run=run_calls)
    _add_form(one, FORMS)
    one = reports.add_parser("call", help="one call: measures, transcript, picture and sound")
    report_call.add_arguments(one)
    periods.add_zone(one)
    summaries.add_to(reports)
    grafana.add_to(reports)


def _add_form(parser: argparse.ArgumentParser, forms: tuple[str, ...]) -> None:
    settings.add_arguments(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--format", choices=forms, help="default: that of --output's name, or text")
    form.add_argument("--json", dest="format", action="store_const", const="json", help="--format json")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="PATH",
        help=f"of html the folder of the pages (default: {_FOLDER}); else a file instead of standard output",
    )
    periods.add_zone(parser)


def run_calls(options: argparse.Namespace) -> int:
    """0, also when there are no calls."""
    options.format = _form_of(options, FORMS)
    with settings.database(settings.load(options)) as engine:
        require_current_schema(engine)
        with transaction(engine) as connection:
            _write_calls(connection, options)
    return 0


def _write_calls(connection: Connection, options: argparse.Namespace) -> None:
    since, until = (one and periods.moment(one, options.timezone) for one in (options.since, options.until))
    report = calls_report(connection, since or None, until or None)
    text = io.StringIO()
    match options.format:
        case "json":
            write_document(calls_document(report), text)
            _put(options, text.getvalue())
        case "html":
            pages = (call_report(connection, call.engagement_id) for call in report.calls)
            print(_write_pages(filter(None, pages), options))
        case "text" if options.output is None:
            print_calls(report, sys.stdout, options.timezone)
        case "text":
            print_calls(report, text, options.timezone)
            _put(options, text.getvalue())
        case form:
            content = io.BytesIO()
            write_report(calls_tables(report, options.timezone), form, content)
            if options.output is None:
                sys.stdout.flush()
                sys.stdout.buffer.write(content.getvalue())
            else:
                report_output.replace_file(options.output, content.getvalue())


def _write_pages(pages: Iterable[CallReport], options: argparse.Namespace) -> Path:
    folder: Path = options.output or _FOLDER
    try:
        return write_html(pages, folder, options.timezone)
    except (FileExistsError, NotADirectoryError):
        raise ConfigError([f"--output {folder}: expected a folder for the pages, got a file"]) from None
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written: {error.strerror}") from None


def _put(options: argparse.Namespace, text: str) -> None:
    if options.output is None:
        sys.stdout.write(text)
    else:
        report_output.replace_file(options.output, text.encode("utf-8", "backslashreplace"))


def _form_of(options: argparse.Namespace, forms: tuple[str, ...]) -> str:
    """The form that is asked for; pages, which are a folder, only by ``--format``.

    Raises:
        ConfigError: it cannot go where the arguments say.
    """
    form: str = options.format or report_output.form_by_name(options.output)
    if options.format is None and (form == "html" or form not in forms):
        raise ConfigError(
            [f"--output {options.output}: expected --format with it, one of {', '.join(forms)}"]
        )
    if form in BINARY and options.output is None and sys.stdout.isatty():
        raise ConfigError(
            [f"--format {form}: expected --output FILE, or standard output that is no terminal"]
        )
    return form
