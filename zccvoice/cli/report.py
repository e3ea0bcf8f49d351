"""``zccvoice report``: stored measures as tables, JSON or pages."""

from __future__ import annotations

import argparse
import re
import sys
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection

from zccvoice.cli import report_call, settings
from zccvoice.reports.calls import call_report, calls_report
from zccvoice.reports.document import calls_document, write_document
from zccvoice.reports.html import write_html
from zccvoice.reports.text import print_calls
from zccvoice.store.database import require_current_schema, transaction

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser("report", help="show stored measures")
    reports = parser.add_subparsers(required=True, metavar="REPORT")
    one = reports.add_parser("calls", help="the calls of a period")
    one.add_argument(
        "--since",
        type=moment,
        metavar="WHEN",
        help="a day or time in local time (2026-05-01), or an age (7d, 12h)",
    )
    one.add_argument("--until", type=moment, metavar="WHEN", help="the same; not included")
    one.set_defaults(run=run_calls)
    _add_form(one)
    one = reports.add_parser("call", help="one call: measures, transcript, picture and sound")
    report_call.add_arguments(one)
    _add_zone(one)


def _add_form(parser: argparse.ArgumentParser) -> None:
    settings.add_arguments(parser)
    parser.add_argument("--format", choices=["text", "json", "html"], default="text")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("report"),
        metavar="FOLDER",
        help="of html pages (default: report)",
    )
    _add_zone(parser)


def _add_zone(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--timezone", type=_zone, metavar="NAME", help="the reader's (default: this machine's)"
    )


def run_calls(options: argparse.Namespace) -> int:
    """0, also when there are no calls."""
    with settings.database(settings.load(options)) as engine:
        require_current_schema(engine)
        with transaction(engine) as connection:
            _write_calls(connection, options)
    return 0


def _write_calls(connection: Connection, options: argparse.Namespace) -> None:
    report = calls_report(connection, options.since, options.until)
    match options.format:
        case "json":
            write_document(calls_document(report), sys.stdout)
        case "html":
            pages = (call_report(connection, call.engagement_id) for call in report.calls)
            print(write_html(filter(None, pages), options.output, options.timezone))
        case _:
            print_calls(report, sys.stdout, options.timezone)


def moment(text: str) -> datetime:
    """An aware moment: an ISO date or time (local unless it says otherwise), or an age such as ``7d``."""
    if age := re.fullmatch(r"(\d{1,4})([mhdw])", text):
        return datetime.now(UTC) - timedelta(**{_UNITS[age[2]]: int(age[1])})
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected a day or time such as 2026-05-01 or an age such as 7d, got {text!r}"
        ) from None


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise argparse.ArgumentTypeError(
            f"expected a time zone such as Europe/Madrid, got {name!r}"
        ) from None
