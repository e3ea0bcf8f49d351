"""Reports the calls of a period: ``python scripts/report_calls.py --since 2026-05-01 --format html --output out``.

The database is --database URL or that of the settings. The result goes to standard output (of html: its path).
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from zccvoice.cli import settings
from zccvoice.errors import ZccvoiceError
from zccvoice.reports.calls import call_report, calls_report
from zccvoice.reports.document import calls_document, write_document
from zccvoice.reports.html import write_html
from zccvoice.reports.text import print_calls
from zccvoice.store.database import transaction


def main() -> None:
    """Read the arguments, and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    settings.add_arguments(parser)
    parser.add_argument("--database", metavar="URL", help="instead of the settings' database")
    parser.add_argument(
        "--since", type=datetime.fromisoformat, metavar="DAY", help="first day, in local time"
    )
    parser.add_argument("--format", choices=["text", "json", "html"], default="text")
    parser.add_argument("--output", type=Path, default=Path("report"), help="the folder of html pages")
    options = parser.parse_args()
    if options.database:
        options.set.append(f"database.url={options.database}")
    try:
        with settings.database(settings.load(options)) as engine, transaction(engine) as connection:
            write(connection, options)
    except (ZccvoiceError, OSError) as error:
        sys.exit(str(error))


def write(connection: Connection, options: argparse.Namespace) -> None:
    """Read the calls and write them."""
    report = calls_report(connection, since=options.since and options.since.astimezone())
    print(f"{len(report.calls)} calls", file=sys.stderr)
    if options.format == "html":
        pages = (call_report(connection, call.engagement_id) for call in report.calls)
        print(write_html(filter(None, pages), options.output))
    elif options.format == "json":
        write_document(calls_document(report), sys.stdout)
    else:
        print_calls(report, sys.stdout)


if __name__ == "__main__":
    main()
