"""The calls with every measure, for spreadsheets and data frames."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC

from zccvoice.analytics.scorecard import Scorecard
from zccvoice.reports.calls import CallsReport
from zccvoice.reports.calls_table import calls_tables


def test_every_measure_has_a_column_of_its_name() -> None:
    (table,) = calls_tables(CallsReport(None, None, ()), UTC).tables
    names = [column.name for column in table.columns]
    assert {field.name for field in fields(Scorecard)} <= set(names)
    assert len(set(names)) == len(names)
