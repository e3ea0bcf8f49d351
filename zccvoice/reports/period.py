"""Periods as people mean them: days, weeks and months of the reader's time zone, and the period before.

A day has 23 or 25 hours when the clocks change; nothing here counts in days of 24.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

_ONE_DAY = timedelta(days=1)
MOST_HOURS = 24 * 366
"""Longest period that is cut into hours."""


@dataclass(frozen=True, slots=True)
class Period:
    """The moments in ``[since, until)``, and how those who read of them call it."""

    since: datetime
    """In UTC, as are `until` and `before`."""
    until: datetime
    before: datetime
    """Where the period of the same length before it begins; it ends where this one begins."""
    tz: tzinfo | None
    """The reader's time zone; None is this machine's."""

    @property
    def title(self) -> str:
        """``1–31 October 2026``, ``5 May 2026``, or both ends with their times."""
        first, last = (moment.astimezone(self.tz) for moment in (self.since, self.until))
        if not self._is_of_days:
            return f"{_day(first)}, {first:%H:%M} – {_day(last)}, {last:%H:%M}"
        last = last.replace(hour=12) - _ONE_DAY
        if first.date() == last.date():
            return _day(first)
        if (first.year, first.month) == (last.year, last.month):
            return f"{first.day}–{_day(last)}"
        return (
            f"{first.day} {first:%B} – {_day(last)}"
            if first.year == last.year
            else f"{_day(first)} – {_day(last)}"
        )

    @property
    def _is_of_days(self) -> bool:
        return all(
            moment == midnight(moment.astimezone(self.tz).date(), self.tz)
            for moment in (self.since, self.until)
        )

    @property
    def previous(self) -> Period:
        """The period of the same length before: of a month the month before, however many days it has."""
        return Period(self.before, self.since, self.before, self.tz)

    def days(self) -> list[tuple[date, datetime]]:
        """Each day that lies in it, at least in part, with the moment at which that part begins."""
        first, last = (moment.astimezone(self.tz).date() for moment in (self.since, self.until))
        found = [first + number * _ONE_DAY for number in range((last - first).days + 1)]
        begun = [(day, max(self.since, midnight(day, self.tz))) for day in found]
        return [(day, moment) for day, moment in begun if moment < self.until]

    def hours(self) -> list[tuple[int, datetime]]:
        """Each hour of the day, 0–23, with the moment at which it begins, in order.

        An hour that the clocks repeat is one, of two hours.

        Raises:
            ValueError: it is longer than `MOST_HOURS`.
        """
        if self.until - self.since > timedelta(hours=MOST_HOURS):
            raise ValueError(f"expected at most {MOST_HOURS} hours, got {self.until - self.since}")
        found: list[tuple[int, datetime]] = []
        at = self.since
        while at < self.until:
            hour = at.astimezone(self.tz).hour
            if not found or found[-1][0] != hour:
                found.append((hour, at))
            at += timedelta(minutes=15)  # every zone's offset is a multiple of it
            at -= timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)
        return found


def day_labels(days: Sequence[date]) -> list[str]:
    """How the days are called along an axis: ``Mon 5 Oct``, or without their names when there are many."""
    return [f"{day:%a} {day.day} {day:%b}" if len(days) <= 7 else f"{day.day} {day:%b}" for day in days]


def midnight(day: date, tz: tzinfo | None) -> datetime:
    """The first moment of a day in a time zone; None is this machine's."""
    # In UTC, because Python takes moments of one zone apart by what their clocks show.
    naive = datetime.combine(day, time.min)
    return (naive if tz is None else naive.replace(tzinfo=tz)).astimezone(UTC)


def between(since: datetime, until: datetime, tz: tzinfo | None) -> Period:
    """A period by its ends. Whole days have as many whole days before them, whatever the clocks do.

    Raises:
        ValueError: it does not end after it begins.
    """
    since, until = since.astimezone(UTC), until.astimezone(UTC)
    if since >= until:
        raise ValueError(f"expected a period that ends after it begins, got {since} to {until}")
    same_length = Period(since, until, since - (until - since), tz)
    if not same_length._is_of_days:
        return same_length
    first, last = (moment.astimezone(tz).date() for moment in (since, until))
    return replace(same_length, before=midnight(first - (last - first), tz))


def month(year: int, number: int, tz: tzinfo | None) -> Period:
    """A calendar month; the month before it is the calendar's too.

    Raises:
        ValueError: there is no such month.
    """
    first = date(year, number, 1)
    following = (first + 31 * _ONE_DAY).replace(day=1)
    before = (first - _ONE_DAY).replace(day=1)
    return Period(midnight(first, tz), midnight(following, tz), midnight(before, tz), tz)


def week(year: int, number: int, tz: tzinfo | None) -> Period:
    """A week by ISO 8601, from Monday.

    Raises:
        ValueError: there is no such week.
    """
    monday, following = (date.fromisocalendar(year, number, 1) + days * _ONE_DAY for days in (0, 7))
    return between(midnight(monday, tz), midnight(following, tz), tz)


def last_month(now: datetime, tz: tzinfo | None) -> Period:
    """The last calendar month that is over."""
    over = now.astimezone(tz).date().replace(day=1) - _ONE_DAY
    return month(over.year, over.month, tz)


def last_week(now: datetime, tz: tzinfo | None) -> Period:
    """The last week from Monday to Sunday that is over."""
    over = (now.astimezone(tz).date() - 7 * _ONE_DAY).isocalendar()
    return week(over.year, over.week, tz)


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"
