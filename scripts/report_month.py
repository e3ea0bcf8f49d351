"""Reports a month: ``python scripts/report_month.py --month 2026-10 --timezone Europe/Madrid out``.

Agents, queues, compliance, data quality and the worst calls of the last whole month, or of another one, each as a
page and as a workbook, in a folder of their own. Meant for a timer; what is written goes to standard output.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection

from zccvoice.cli import periods, settings
from zccvoice.cli.report_output import replace_file
from zccvoice.errors import ZccvoiceError
from zccvoice.reports.agents import agents_report
from zccvoice.reports.compliance import compliance_report
from zccvoice.reports.forms import write_report
from zccvoice.reports.period import Period
from zccvoice.reports.quality import quality_report
from zccvoice.reports.queues import queues_report
from zccvoice.reports.table import Report
from zccvoice.reports.worst import worst_report
from zccvoice.store.database import transaction

REPORTS: dict[str, Callable[[Connection, Period], Report]] = {
    "agents": agents_report,
    "queues": queues_report,
    "compliance": compliance_report,
    "quality": quality_report,
    "silence": lambda connection, period: worst_report(connection, period, "longest_silence_ms"),
    "interruptions": lambda connection, period: worst_report(connection, period, "interruptions_agent_count"),
}


def main() -> None:
    """Read the arguments, and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("folder", type=Path)
    periods.add_arguments(parser)
    settings.add_arguments(parser)
    options = parser.parse_args()
    if options.month is options.week is options.since is options.until is None:
        options.month = ""
    try:
        period = periods.asked(options, datetime.now(UTC))
        with settings.database(settings.load(options)) as engine, transaction(engine) as connection:
            reports = {name: read(connection, period) for name, read in REPORTS.items()}
        write(reports, options.folder)
    except (ZccvoiceError, OSError) as error:
        sys.exit(str(error))


def write(reports: dict[str, Report], folder: Path) -> None:
    """Each report as a page and as a workbook."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, report in reports.items():
        for form in ("html", "xlsx"):
            content = io.BytesIO()
            write_report(report, form, content)
            path = folder / f"{name}.{form}"
            replace_file(path, content.getvalue())
            print(path)


if __name__ == "__main__":
    main()
