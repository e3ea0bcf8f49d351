"""Arguments that say which time a report is about, in the reader's time zone."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from zccvoice.errors import ConfigError
from zccvoice.reports import period
from zccvoice.reports.period import Period

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
DEFAULT_DAYS = 7
"""Whole days up to now, when nothing is said."""


def add_ends(parser: argparse.ArgumentParser) -> None:
    """``--since`` and ``--until``."""
    parser.add_argument(
        "--since",
        type=_when,
        metavar="WHEN",
        help="a day or time in the reader's time zone (2026-05-01), or an age (7d, 12h)",
    )
    parser.add_argument("--until", type=_when, metavar="WHEN", help="the same; not included")


def add_zone(parser: argparse.ArgumentParser) -> None:
    """``--timezone``."""
    parser.add_argument(
        "--timezone", type=_zone, metavar="NAME", help="the reader's (default: this machine's)"
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Everything that `asked` reads."""
    whole = parser.add_mutually_exclusive_group()
    whole.add_argument(
        "--month", nargs="?", const="", metavar="YYYY-MM", help="a month; without a value the last whole one"
    )
    whole.add_argument(
        "--week",
        nargs="?",
        const="",
        metavar="YYYY-Www",
        help="a week from Monday; without: the last whole one",
    )
    add_ends(parser)
    add_zone(parser)


def asked(options: argparse.Namespace, now: datetime) -> Period:
    """The period that the arguments ask for; by default the last `DEFAULT_DAYS` days, today included.

    Raises:
        ConfigError: there is no such period.
    """
    tz: tzinfo | None = options.timezone
    if (options.month is not None or options.week is not None) and (options.since or options.until):
        raise ConfigError(["--month and --week: go without --since and --until"])
    try:
        if options.month is not None:
            return _month(options.month, now, tz)
        if options.week is not None:
            return _week(options.week, now, tz)
        today = now.astimezone(tz).date()
        until = moment(options.until, tz) if options.until else now
        since = (
            moment(options.since, tz)
            if options.since
            else period.midnight(
                min(today, until.astimezone(tz).date()) - timedelta(days=DEFAULT_DAYS - 1), tz
            )
        )
        return period.between(since, until, tz)
    except (ValueError, OverflowError) as error:  # the latter from beyond the year 9999
        raise ConfigError([f"the period: {error}"]) from None


def _month(text: str, now: datetime, tz: tzinfo | None) -> Period:
    if not text:
        return period.last_month(now, tz)
    found = re.fullmatch(r"(\d{4})-(\d{2})", text)
    if found is None:
        raise ValueError(f"expected a month such as 2026-10, got {text!r}")
    return period.month(int(found[1]), int(found[2]), tz)


def _week(text: str, now: datetime, tz: tzinfo | None) -> Period:
    if not text:
        return period.last_week(now, tz)
    found = re.fullmatch(r"(\d{4})-W(\d{2})", text)
    if found is None:
        raise ValueError(f"expected a week such as 2026-W43, got {text!r}")
    return period.week(int(found[1]), int(found[2]), tz)


def moment(text: str, tz: tzinfo | None = None) -> datetime:
    """An aware moment: an ISO date or time (in `tz` unless it says otherwise), or an age such as ``7d``.

    Args:
        text: what the user wrote.
        tz: None is this machine's.
    """
    if age := re.fullmatch(r"(\d{1,4})([mhdw])", text):
        return datetime.now(UTC) - timedelta(**{_UNITS[age[2]]: int(age[1])})
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=tz) if found.tzinfo is None and tz else found.astimezone()
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"expected a day or time such as 2026-05-01 or an age such as 7d, got {text!r}"
        ) from None


def _when(text: str) -> str:
    """The text, when it is a moment in any time zone: the reader's may be told after it."""
    moment(text)
    return text


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise argparse.ArgumentTypeError(
            f"expected a time zone such as Europe/Madrid, got {name!r}"
        ) from None
