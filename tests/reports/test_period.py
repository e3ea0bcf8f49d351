"""Days, weeks and months of the reader, and the ones before, also where clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.reports import period
from zccvoice.reports.period import Period, day_labels, midnight

MADRID = ZoneInfo("Europe/Madrid")
KATHMANDU = ZoneInfo("Asia/Kathmandu")  # 5:45 h ahead
HAVANA = ZoneInfo("America/Havana")  # changes its clocks at midnight
ZONES = st.sampled_from([UTC, MADRID, KATHMANDU, HAVANA, ZoneInfo("Australia/Lord_Howe")])
DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))


def test_a_month_in_which_the_clocks_change() -> None:
    october = period.month(2026, 10, MADRID)
    assert october.since == datetime(2026, 9, 30, 22, tzinfo=UTC)
    assert october.until == datetime(2026, 10, 31, 23, tzinfo=UTC)
    assert october.title == "1–31 October 2026"
    assert october.previous.title == "1–30 September 2026"
    assert len(october.days()) == 31


def test_a_week_begins_on_monday() -> None:
    week = period.week(2026, 43, MADRID)
    assert week.title == "19–25 October 2026"
    assert week.until - week.since == timedelta(days=7, hours=1)
    assert week.previous.until - week.previous.since == timedelta(days=7)
    assert [day.isoweekday() for day, _ in week.days()] == [1, 2, 3, 4, 5, 6, 7]


def test_a_day_without_midnight_is_a_day() -> None:
    first = midnight(date(2026, 3, 8), HAVANA)  # where 0:00 to 0:59 did not happen
    day = period.between(first, midnight(date(2026, 3, 9), HAVANA), HAVANA)
    assert day.until - day.since == timedelta(hours=23)
    assert day.title == "8 March 2026"
    assert day.previous.title == "7 March 2026"
    assert day.previous.until - day.previous.since == timedelta(hours=24)


def test_the_last_whole_ones() -> None:
    now = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)  # in Madrid it is November
    assert period.last_month(now, MADRID) == period.month(2026, 10, MADRID)
    assert period.last_month(now, UTC) == period.month(2026, 9, UTC)
    assert period.last_week(now, UTC) == period.week(2026, 43, UTC)
    new_year = datetime(2027, 1, 1, tzinfo=UTC)
    assert period.last_month(new_year, UTC) == period.month(2026, 12, UTC)
    assert period.last_week(new_year, UTC) == period.week(2026, 52, UTC)


def test_titles() -> None:
    def between(since: datetime, until: datetime) -> str:
        return period.between(since, until, UTC).title

    assert between(datetime(2026, 5, 4, tzinfo=UTC), datetime(2026, 5, 5, tzinfo=UTC)) == "4 May 2026"
    assert (
        between(datetime(2026, 5, 30, tzinfo=UTC), datetime(2026, 6, 3, tzinfo=UTC)) == "30 May – 2 June 2026"
    )
    assert (
        between(datetime(2026, 12, 31, tzinfo=UTC), datetime(2027, 1, 2, tzinfo=UTC))
        == "31 December 2026 – 1 January 2027"
    )
    assert (
        between(datetime(2026, 5, 4, 8, tzinfo=UTC), datetime(2026, 5, 4, 9, 30, tzinfo=UTC))
        == "4 May 2026, 08:00 – 4 May 2026, 09:30"
    )


def test_what_is_no_period() -> None:
    at = datetime(2026, 5, 4, tzinfo=UTC)
    with pytest.raises(ValueError, match="ends after it begins"):
        period.between(at, at, UTC)
    with pytest.raises(ValueError, match="month"):
        period.month(2026, 13, UTC)
    with pytest.raises(ValueError, match="week"):
        period.week(2025, 53, UTC)
    with pytest.raises(ValueError, match="at most"):
        period.between(at, at + timedelta(days=800), UTC).hours()


@given(first=DAYS, count=st.integers(1, 70), tz=ZONES)
def test_whole_days_have_as_many_before(first: date, count: int, tz: ZoneInfo) -> None:
    one = period.between(midnight(first, tz), midnight(first + timedelta(days=count), tz), tz)
    assert len(one.days()) == len(one.previous.days()) == count
    assert one.previous.until == one.since
    assert one.days()[0] == (first, one.since)
    moments = [moment for _, moment in one.days()]
    assert moments == sorted(set(moments))


@given(
    start=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    minutes=st.integers(1, 3_000),
    tz=ZONES,
)
def test_hours_cover_the_period_and_are_those_of_the_clock(
    start: datetime, minutes: int, tz: ZoneInfo
) -> None:
    one = period.between(start, start + timedelta(minutes=minutes), tz)
    hours = one.hours()
    assert hours[0][1] == one.since
    assert [at for _, at in hours] == sorted({at for _, at in hours})
    assert all(one.since <= at < one.until for _, at in hours)
    edges = [*(at for _, at in hours), one.until]
    for (hour, at), following in zip(hours, edges[1:], strict=True):
        inside = [at, at + (following - at) / 2, following - timedelta(microseconds=1)]
        assert {moment.astimezone(tz).hour for moment in inside} == {hour}


@given(first=DAYS, tz=ZONES)
def test_a_month_follows_the_one_before(first: date, tz: ZoneInfo) -> None:
    this = period.month(first.year, first.month, tz)
    over = first.replace(day=1) - timedelta(days=1)
    assert this.previous.since == period.month(over.year, over.month, tz).since
    assert this.previous.until == this.since
    assert isinstance(this.previous, Period)


def test_labels_of_days() -> None:
    days = [date(2026, 10, 5) + timedelta(days=number) for number in range(8)]
    assert day_labels(days[:2]) == ["Mon 5 Oct", "Tue 6 Oct"]
    assert day_labels(days)[0] == "5 Oct"
