from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from zccvoice.doctor.clocks import Clocks, check_clock
from zccvoice.doctor.finding import Finding, Verdict, worst


@pytest.mark.parametrize(
    ("ahead_s", "verdict", "told"),
    [
        (0, Verdict.OK, "0 s"),
        (29, Verdict.OK, "29 s behind Zoom's clock"),
        (60, Verdict.WARNING, "60 s behind Zoom's clock"),
        (-60, Verdict.WARNING, "60 s ahead of Zoom's clock"),
        (-301, Verdict.FAILED, "301 s ahead of Zoom's clock"),
    ],
)
def test_how_far_it_is_off(ahead_s: float, verdict: Verdict, told: str) -> None:
    (found,) = check_clock(Clocks({"Zoom's": ahead_s}))
    assert found.verdict is verdict
    assert found.found.startswith(told)


def test_the_worst_clock_counts() -> None:
    (found,) = check_clock(Clocks({"Zoom's": 1, "the database's": -90}))
    assert found.found == "90 s ahead of the database's clock"


def test_no_clock_to_be_seen() -> None:
    clocks = Clocks()
    clocks.note("Zoom's", None)
    assert check_clock(clocks)[0].verdict is Verdict.NOT_CHECKED


def test_a_clock_is_noted_as_what_it_is_ahead() -> None:
    clocks = Clocks()
    clocks.note("Zoom's", datetime.now(UTC) + timedelta(minutes=10))
    assert clocks.ahead_s["Zoom's"] == pytest.approx(600, abs=5)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], Verdict.OK),
        ([Verdict.OK, Verdict.NOT_CHECKED], Verdict.NOT_CHECKED),
        ([Verdict.WARNING, Verdict.NOT_CHECKED, Verdict.OK], Verdict.WARNING),
        ([Verdict.FAILED, Verdict.WARNING], Verdict.FAILED),
    ],
)
def test_the_worst_verdict(verdicts: list[Verdict], expected: Verdict) -> None:
    assert worst(Finding("x", one, "x") for one in verdicts) is expected
