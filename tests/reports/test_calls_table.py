"""The calls with every measure, for spreadsheets and data frames."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from zccvoice.analytics.scorecard import Scorecard
from zccvoice.reports.calls import CallsReport
from zccvoice.reports.calls_table import calls_tables


def test_every_measure_has_a_column_of_its_name() -> None:
    (table,) = calls_tables(CallsReport(None, None, ()), UTC).tables
    names = [column.name for column in table.columns]
    assert {field.name for field in fields(Scorecard)} <= set(names)
    assert len(set(names)) == len(names)


def test_the_period_has_its_zone() -> None:
    since, until = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
    report = calls_tables(CallsReport(since, until, ()), ZoneInfo("Europe/Madrid"))
    assert report.about == "2026-10-01 02:00 CEST to 2026-11-01 01:00 CET · 0 calls"
