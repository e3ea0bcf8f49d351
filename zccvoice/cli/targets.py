"""``zccvoice targets``: what the numbers of reports are to be."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from zccvoice.cli import periods, report_output, settings
from zccvoice.errors import ConfigError
from zccvoice.reports.targets import measures_with_targets, targets_report
from zccvoice.store.database import require_current_schema, transaction
from zccvoice.store.targets import Target, set_target


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "targets",
        description="Say which range a measure should be in; reports show beside a number whether it is.",
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    one = actions.add_parser(
        "set",
        help="let a range hold from now on, or from another day",
        description="Let a range hold, in the unit that --format csv has: ms, 0-1, words per minute. What held "
        "before stays known, for reports of the time before.",
    )
    _add_place(one)
    one.add_argument("--low", type=float, metavar="VALUE", help="lowest value in the range")
    one.add_argument("--high", type=float, metavar="VALUE", help="highest value in the range")
    one.set_defaults(run=run_set)
    one = actions.add_parser("remove", help="let no range hold any more")
    _add_place(one)
    one.set_defaults(run=run_set, low=None, high=None, is_removal=True)
    one = actions.add_parser("list", help="the ranges that hold")
    periods.add_zone(one)
    report_output.add_arguments(one)
    one.set_defaults(run=run_list)


def _add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("measure", choices=measures_with_targets(), metavar="MEASURE")
    parser.add_argument("--queue", metavar="ID", help="of calls through this queue")
    parser.add_argument("--team", metavar="ID", help="of calls of this team")
    parser.add_argument("--from", dest="since", metavar="DAY", help="a day or time (default: now)")
    periods.add_zone(parser)
    settings.add_arguments(parser)
    parser.set_defaults(is_removal=False)


def run_set(options: argparse.Namespace) -> int:
    """0 when it is stored."""
    if options.low is None and options.high is None and not options.is_removal:
        raise ConfigError(["targets set: expected --low, --high or both"])
    if options.low is not None and options.high is not None and options.low > options.high:
        raise ConfigError([f"targets set: expected --low up to --high, got {options.low} and {options.high}"])
    if not all(isfinite(bound) for bound in (options.low, options.high) if bound is not None):
        raise ConfigError([f"targets set: expected finite bounds, got {options.low} and {options.high}"])
    try:
        since = periods.moment(options.since, options.timezone) if options.since else None
    except argparse.ArgumentTypeError as error:
        raise ConfigError([f"--from: {error}"]) from None
    target = Target(options.measure, options.low, options.high, options.queue, options.team, since)
    with settings.database(settings.load(options)) as engine:
        require_current_schema(engine)
        with transaction(engine) as connection:
            set_target(connection, target, datetime.now(UTC))
    return 0


def run_list(options: argparse.Namespace) -> int:
    """0, also when there are none."""
    return report_output.run(
        options, lambda connection: targets_report(connection, datetime.now(UTC), options.timezone)
    )
