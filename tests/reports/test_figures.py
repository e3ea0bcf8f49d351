"""Numbers as people write them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from zccvoice.reports.figures import Figure, clock, day, duration, length, share, time_of_day, written, zone

MADRID = ZoneInfo("Europe/Madrid")
LATE = datetime(2026, 5, 4, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0:00"),
        (499, "0:00"),
        (500, "0:01"),
        (59_499, "0:59"),
        (59_500, "1:00"),
        (187_000, "3:07"),
        (3_600_000, "1:00:00"),
        (3_723_000, "1:02:03"),
        (-400, "0:00"),
        (-61_000, "−1:01"),
    ],
)
def test_duration(ms: int, text: str) -> None:
    assert duration(ms) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (40, "0.0 s"),
        (9_949, "9.9 s"),
        (9_950, "10 s"),
        (59_499, "59 s"),
        (59_500, "1:00 min"),
        (3_599_499, "59:59 min"),
        (3_599_500, "1:00:00 h"),
    ],
)
def test_length(ms: int, text: str) -> None:
    assert length(ms) == text


@pytest.mark.parametrize(
    ("value", "figure", "text"),
    [
        (None, Figure.COUNT, "–"),
        (None, Figure.RATIO, "–"),
        (0, Figure.COUNT, "0"),
        (0, Figure.DURATION, "0:00"),
        (61_000, Figure.DURATION, "1:01"),
        (850, Figure.SHORT, "0.8"),
        (0.4867, Figure.RATIO, "49"),
        (1.25, Figure.FACTOR, "1.25"),
        (8.2759, Figure.PER_MINUTE, "8.3"),
        (189.04, Figure.SPEED, "189"),
        (-22.04, Figure.LEVEL, "−22.0"),
        (38.25, Figure.DISTANCE, "38.2"),
        (-0.55, Figure.SCORE, "−0.6"),
        (2.0, Figure.SCORE, "+2.0"),
        ("no_contact", Figure.WORD, "no contact"),
    ],
)
def test_written(value: float | str | None, figure: Figure, text: str) -> None:
    assert written(value, figure) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.004, "0.4"),
        (0.5, "50"),
        (0.95, "95"),
        (0.996, "99.6"),
        (0.9799, "97.9"),
        (0.9999, "99.9"),
        (1, "100"),
    ],
)
def test_a_share_near_its_ends_has_a_decimal(value: float, text: str) -> None:
    assert share(value) == text


def test_moments_are_in_the_readers_time_zone() -> None:
    assert clock(LATE, MADRID) == "2026-05-05 01:30"
    assert (day(LATE, MADRID), time_of_day(LATE, MADRID)) == ("Tuesday, 5 May 2026", "01:30")
    assert (day(LATE, UTC), zone(LATE, MADRID)) == ("Monday, 4 May 2026", "CEST")
    assert clock(LATE) == f"{LATE.astimezone():%Y-%m-%d %H:%M}"


def test_a_moment_that_is_not_known_is_a_dash() -> None:
    assert clock(None) == time_of_day(None) == "–"
    assert day(None) == "Day not known"
