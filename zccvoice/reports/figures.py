"""Numbers as people write them. What is not known is a dash, never a zero."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from enum import Enum
from math import floor

UNKNOWN = "–"


class Figure(Enum):
    """What kind of number a measure is, and so how it is written."""

    DURATION = "min:s"
    SHORT = "s"
    """A time of about a second, ms."""
    COUNT = ""
    RATIO = "%"
    """A share, 0–1."""
    FACTOR = "×"
    """A quotient around 1."""
    PER_MINUTE = "/min"
    PER_CALL = "/call"
    SPEED = "wpm"
    LEVEL = "dBFS"
    DISTANCE = "dB"
    SCORE = "±5"
    """A score from −5 to +5."""
    WORD = " "

    @property
    def unit(self) -> str:
        """The unit that is to be read with the number; empty when there is none."""
        return self.value.strip()


def written(value: float | str | None, figure: Figure) -> str:
    """The value without its unit: ``3:07``, ``0.8``, ``48``, ``–``. Hours show as ``1:02:03``."""
    if value is None:
        return UNKNOWN
    if isinstance(value, str):
        return value.replace("_", " ")
    match figure:
        case Figure.DURATION:
            return duration(round(value))
        case Figure.SHORT:
            return f"{value / 1000:.1f}"
        case Figure.RATIO:
            return share(value)
        case Figure.FACTOR:
            return f"{value:.2f}"
        case Figure.SCORE:
            return signed(value)
        case Figure.PER_MINUTE | Figure.PER_CALL | Figure.LEVEL | Figure.DISTANCE:
            return f"{value:.1f}".replace("-", "−")
        case _:
            return f"{value:.0f}"


def signed(value: float) -> str:
    """A score around 0 with its sign: ``+0.6``, ``−0.4``, ``0.0``."""
    text = f"{value:+.1f}"
    return "0.0" if text[1:] == "0.0" else text.replace("-", "−")


def share(value: float) -> str:
    """A share in percent. Near all of it with one decimal and rounded down: 99.96 is not everything."""
    percent = value * 100
    if 95 < percent < 100:
        return f"{floor(percent * 10 + 1e-6) / 10:.1f}"
    return f"{percent:.1f}" if 0 < percent < 1 else f"{percent:.0f}"


def duration(ms: int) -> str:
    """Minutes and seconds, ``3:07``, or with hours, ``1:02:03``; rounded to the second."""
    seconds = (abs(ms) + 500) // 1000
    hours, minutes = divmod(seconds // 60, 60)
    sign = "−" if ms < 0 and seconds else ""
    return f"{sign}{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{sign}{minutes}:{seconds % 60:02}"


def length(ms: int) -> str:
    """A length of time to be read in a sentence: ``1.4 s``, ``22 s``, ``3:07 min``, ``1:02:03 h``."""
    if ms < 9_950:
        return f"{ms / 1000:.1f} s"
    if ms < 59_500:
        return f"{ms / 1000:.0f} s"
    return f"{duration(ms)} {'min' if ms < 3_599_500 else 'h'}"


def clock(moment: datetime | None, tz: tzinfo | None = None) -> str:
    """Day and time in the reader's time zone (None: this machine's), ``2026-05-04 10:02``."""
    return UNKNOWN if moment is None else f"{moment.astimezone(tz):%Y-%m-%d %H:%M}"


def zoned(moment: datetime | None, tz: tzinfo | None = None) -> str:
    """The same with the name of the zone, ``2026-05-04 10:02 CEST``."""
    return UNKNOWN if moment is None else f"{clock(moment, tz)} {zone(moment, tz)}"


def day(moment: datetime | None, tz: tzinfo | None = None) -> str:
    """The day in the reader's time zone, ``Monday, 4 May 2026``."""
    if moment is None:
        return "Day not known"
    local = moment.astimezone(tz)
    return f"{local:%A}, {local.day} {local:%B %Y}"


def time_of_day(moment: datetime | None, tz: tzinfo | None = None) -> str:
    """Hours and minutes in the reader's time zone, ``10:02``."""
    return UNKNOWN if moment is None else f"{moment.astimezone(tz):%H:%M}"


def zone(moment: datetime, tz: tzinfo | None = None) -> str:
    """The name of the time zone at that moment, such as ``CEST``."""
    return moment.astimezone(tz).tzname() or "local time"


def iso(moment: datetime | None, precision: str = "auto") -> str | None:
    """A moment for a program, ISO 8601 in UTC: ``2026-05-04T08:02:31Z``; None stays None."""
    return (
        None
        if moment is None
        else moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")
    )
