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


def test_sentiment_is_left_out_where_nothing_of_it_is_known() -> None:
    assert SCORECARD is not None
    (sentiment,) = (group for group in GROUPS if group.is_optional)
    assert not sentiment.is_shown(SCORECARD)
    assert sentiment.is_shown(replace(SCORECARD, sentiment_customer_q4=-0.4))
    assert all(group.is_shown(SCORECARD) for group in GROUPS if group is not sentiment)


def test_flags() -> None:
    assert SCORECARD is not None
    call = report().call
    assert flags(replace(call, scorecard=SCORECARD)) == ()
    sparse = replace(SCORECARD, damaged=True, verdict="sparse")
    assert flags(replace(call, scorecard=sparse)) == ("sparse", "damaged")
    assert flags(replace(call, scorecard=replace(SCORECARD, verdict=None))) == ()
    assert flags(call) == ("no contact",)
    unmeasured = replace(call, scorecard=None)
    assert flags(replace(unmeasured, end_reason=None)) == ("not measured yet",)
    assert flags(replace(unmeasured, end_reason="handshake_refused")) == ("not received: handshake refused",)
    ends = replace(call, scorecard=SCORECARD, end_reason="customer_disconnected, shutdown")
    assert flags(ends) == ("cut off: shutdown",)
    ends = replace(call, scorecard=SCORECARD, end_reason="unknown_27")
    assert flags(ends) == (), "Zoom's doing, whatever it was"
