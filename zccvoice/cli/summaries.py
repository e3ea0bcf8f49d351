"""``zccvoice report agents|agent|queues|worst|compliance|quality``: reports over many calls."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from zccvoice.cli import periods, report_output
from zccvoice.errors import ConfigError
from zccvoice.reports.agents import agent_report, agents_report
from zccvoice.reports.compliance import compliance_report
from zccvoice.reports.period import MOST_HOURS, Period
from zccvoice.reports.quality import quality_report
from zccvoice.reports.queues import queues_report
from zccvoice.reports.table import Report
from zccvoice.reports.worst import worst_report
from zccvoice.store.summaries import knows_queue
from zccvoice.store.worst import number_measures

Read = Callable[[Connection, Period, argparse.Namespace], Report]


def add_to(reports: Any) -> None:
    """Add the reports to the parser of ``report``."""
    _add(reports, "agents", _agents, "scorecards of all agents: this period, the one before, the targets")
    one = _add(reports, "agent", _agent, "the scorecard of one agent, beside the queues' and everybody's")
    one.add_argument("agent", metavar="AGENT", help="Zoom's id of the user, or the name")
    _add(reports, "queues", _queues, "queues, as a whole and by hour of the day")
    one = _add(reports, "worst", _worst, "the worst calls by any measure", has_calls=True, most=20)
    one.add_argument(
        "measure",
        metavar="MEASURE",
        choices=number_measures(),
        help="a column of reporting.call that is a number",
    )
    end = one.add_mutually_exclusive_group()
    end.add_argument("--lowest", action="store_const", const=True, default=None, help="low values are bad")
    end.add_argument(
        "--highest", dest="lowest", action="store_const", const=False, help="high values are bad"
    )
    _add(reports, "compliance", _compliance, "where rules matched", has_calls=True, most=50)
    _add(reports, "quality", _quality, "how good the data are", has_calls=True, most=20)


def _add(
    reports: Any, name: str, read: Read, what: str, *, has_calls: bool = False, most: int = 0
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = reports.add_parser(name, help=what, description=f"{what.capitalize()}.")
    periods.add_arguments(parser)
    parser.add_argument("--queue", metavar="QUEUE", help="only calls through this queue, by id or name")
    parser.add_argument("--team", metavar="TEAM", help="only calls of this team, by id")
    if has_calls:
        parser.add_argument(
            "--most", type=_count, default=most, metavar="N", help=f"how many single calls (default: {most})"
        )
        parser.add_argument(
            "--pages",
            metavar="URL",
            help="folder with the pages of `report calls --format html`, to be linked",
        )
    report_output.add_arguments(parser)

    def run(options: argparse.Namespace) -> int:
        period = periods.asked(options, datetime.now(UTC))
        return report_output.run(options, lambda connection: _read(connection, read, period, options))

    parser.set_defaults(run=run)
    return parser


def _read(connection: Connection, read: Read, period: Period, options: argparse.Namespace) -> Report:
    """A queue without calls in a period is a report without calls; one that is misspelt looks the same."""
    if options.queue is not None and not knows_queue(connection, options.queue):
        print(
            f"zccvoice: no call ever came through a queue {options.queue!r}, by id or name", file=sys.stderr
        )
    return read(connection, period, options)


def _agents(connection: Connection, period: Period, options: argparse.Namespace) -> Report:
    return agents_report(connection, period, options.queue, options.team)


def _agent(connection: Connection, period: Period, options: argparse.Namespace) -> Report:
    return agent_report(connection, period, options.agent, options.queue, options.team)


def _queues(connection: Connection, period: Period, options: argparse.Namespace) -> Report:
    try:
        return queues_report(connection, period, options.queue, options.team)
    except ValueError:
        raise ConfigError([f"the period: expected at most {MOST_HOURS // 24} days by hour"]) from None


def _worst(connection: Connection, period: Period, options: argparse.Namespace) -> Report:
    return worst_report(
        connection,
        period,
        options.measure,
        lowest=options.lowest,
        most=options.most,
        pages=options.pages,
        queue=options.queue,
        team=options.team,
    )


def _compliance(connection: Connection, period: Period, options: argparse.Namespace) -> Report:
    return compliance_report(
        connection, period, most=options.most, pages=options.pages, queue=options.queue, team=options.team
    )


def _quality(connection: Connection, period: Period, options: argparse.Namespace) -> Report:
    return quality_report(
        connection, period, most=options.most, pages=options.pages, queue=options.queue, team=options.team
    )


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 100_000:
        raise argparse.ArgumentTypeError(f"expected a number from 1 to 100000, got {text!r}")
    return int(text)
