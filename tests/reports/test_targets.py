"""The targets that hold, as their measures are written."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from tests.store.supervised_calls import MOVED
from zccvoice.reports.table import Plain, shown
from zccvoice.reports.targets import measures_with_targets, targets_report
from zccvoice.store.targets import Target, set_target


def test_bounds_are_written_as_their_measure_is(connection: Connection) -> None:
    set_target(connection, Target("mean_hold_time_ms", None, 90_000, "q"), MOVED)
    set_target(connection, Target("talk_share_agent", 0.4, 0.6), MOVED)
    set_target(connection, Target("of_an_older_version", 1, 2), MOVED)
    report = targets_report(connection, MOVED, ZoneInfo("Europe/Madrid"))
    rows = report.tables[0].rows
    assert [[shown(cell, Plain.MIXED) for cell in row[1:3]] for row in rows] == [
        ["–", "1:30"],
        ["1.00 ×", "2.00 ×"],
        ["40 %", "60 %"],
    ]
    assert [row[-1] for row in rows] == ["Hold", None, "Talk share"]
    assert report.about == "as of 2026-11-20 13:00 CET"


def test_what_a_target_can_be_for() -> None:
    names = measures_with_targets()
    assert len(names) == len(set(names))
    assert {"talk_share_agent", "longest_silence_ms", "mean_hold_time_ms", "lag_ms_p95"} <= set(names)
