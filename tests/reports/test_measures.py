"""The groups of a report hold every measure once."""

from __future__ import annotations

from dataclasses import fields, replace

from zccvoice.analytics.scorecard import Scorecard
from zccvoice.reports.figures import Figure
from zccvoice.reports.measures import GROUPS, Measure, flags

from .build import full, report

SCORECARD = full().call.scorecard
assert SCORECARD is not None


def test_every_measure_is_shown_once() -> None:
    shown = [
        field
        for group in GROUPS
        for measure in group.measures
        for field in (
            measure.field.format(side="agent"),
            *([measure.field.format(side="customer")] if "{side}" in measure.field else []),
            *([measure.total] if measure.total else []),
        )
    ]
    assert sorted(shown) == sorted({field.name for field in fields(Scorecard)} - {"verdict", "damaged"})


def test_values_stand_under_the_side_they_are_of() -> None:
    assert SCORECARD is not None
    both = Measure("Talk time", "talk_time_{side}_ms", Figure.DURATION, total="talk_time_total_ms")
    assert both.values(SCORECARD) == ("0:28", "0:24", "0:52")
    assert Measure("", "talk_share_agent", Figure.RATIO).values(SCORECARD) == ("54", "", "")
    assert Measure("", "hold_time_ms", Figure.DURATION).values(SCORECARD) == ("", "", "0:22")


def test_a_definition_names_no_side_where_both_are_shown_and_no_unit() -> None:
    for group in GROUPS:
        for measure in group.measures:
            assert ", ms" not in measure.definition
            if "{side}" in measure.field:
                assert "agent" not in measure.definition.lower()


def test_flags() -> None:
    assert SCORECARD is not None
    assert flags(SCORECARD) == ()
    assert flags(replace(SCORECARD, damaged=True, verdict="sparse")) == ("sparse", "damaged")
    assert flags(replace(SCORECARD, verdict=None)) == ()
    assert flags(report().call.scorecard) == ("no contact",)
    assert flags(None) == ("not measured yet",)
