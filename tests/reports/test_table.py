"""Cells as people read them, and marks that need no colour."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reports.tables import AT, MADRID
from zccvoice.reports.figures import UNKNOWN, Figure
from zccvoice.reports.table import Cell, Column, Kind, Plain, Quantity, Range, Standing, mark, shown

FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("cell", "kind", "text"),
    [
        (None, Figure.COUNT, UNKNOWN),
        (None, Plain.MOMENT, UNKNOWN),
        ("a_name", Plain.TEXT, "a_name"),
        ("no_side", Figure.WORD, "no side"),
        (True, Plain.FLAG, "yes"),
        (False, Plain.FLAG, "no"),
        (0, Figure.COUNT, "0"),
        (AT, Plain.MOMENT, "2026-10-31 23:30"),
        (date(2026, 10, 31), Plain.DAY, "2026-10-31"),
        (Quantity(0.5, Figure.RATIO), Figure.RATIO, "50"),
        (Quantity(0.5, Figure.RATIO), Plain.MIXED, "50 %"),
        (Quantity(None, Figure.RATIO), Plain.MIXED, UNKNOWN),
        (Quantity(65_000, Figure.DURATION), Plain.MIXED, "1:05"),
        (Quantity(65_000, Figure.DURATION, is_change=True), Plain.MIXED, "+1:05"),
        (Quantity(-0.08, Figure.RATIO, is_change=True), Plain.MIXED, "−8 %"),
        (Quantity(-0.2, Figure.SPEED, is_change=True), Plain.MIXED, "0 wpm"),
        (Quantity(None, Figure.SPEED, is_change=True), Plain.MIXED, UNKNOWN),
        (Quantity(0.5, Figure.SCORE), Plain.MIXED, "+0.5"),
        (Quantity(-0.5, Figure.SCORE, is_change=True), Plain.MIXED, "−0.5"),
        (Quantity(0.5, Figure.SCORE, is_change=True), Plain.MIXED, "+0.5"),
        (Quantity(0.01, Figure.SCORE, is_change=True), Plain.MIXED, "0.0"),
    ],
)
def test_shown(cell: Cell, kind: Kind, text: str) -> None:
    assert shown(cell, kind, MADRID) == text


@pytest.mark.parametrize(
    ("value", "target", "text"),
    [
        (0.4, Range(0.5, 0.6), "▼ 50–60"),
        (0.5, Range(0.5, 0.6), "✓ 50–60"),
        (0.6, Range(0.5, 0.6), "✓ 50–60"),
        (0.7, Range(0.5, 0.6), "▲ 50–60"),
        (0.7, Range(None, 0.6), "▲ ≤ 60"),
        (0.4, Range(0.5, None), "▼ ≥ 50"),
        (0.4, None, ""),
        (None, Range(0.5, 0.6), ""),
    ],
)
def test_marks(value: float | None, target: Range | None, text: str) -> None:
    assert mark(Quantity(value, Figure.RATIO, target)) == text


def test_only_quantities_are_judged() -> None:
    assert mark(0.4) == ""


@given(value=FLOATS, low=FLOATS, width=st.floats(0, 1e9))
def test_a_value_stands_where_the_bounds_say(value: float, low: float, width: float) -> None:
    standing = Range(low, low + width).standing(value)
    assert (standing is Standing.WITHIN) == (low <= value <= low + width)
    assert (standing is Standing.BELOW) == (value < low)


def test_numbers_stand_to_the_right() -> None:
    right = {kind for kind in (*Figure, *Plain) if Column("x", "X", kind).is_number}
    assert right == {*Figure, Plain.MIXED} - {Figure.WORD}
