"""Loudness and sentiment as geometry."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.analytics.record import Span
from zccvoice.reports.curves import loudness_area, sentiment_bar

from .build import A, utterance


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path)]


def test_a_point_for_every_second_between_the_ends() -> None:
    one = replace(utterance(A, 1_000, 3_500, "words"), loudness_by_second=(-60.0, -30.0, 0.0))
    path = loudness_area([one], Span(0, 10_000), lambda ms: ms / 1000, 100, 20)
    assert points(path) == [
        *((1, 100), (1, 100)),  # from the base line up to the first
        *((1.5, 100), (2.5, 90), (3.25, 80)),
        (3.5, 80),
    ]
    assert path.endswith("V100Z")


def test_only_what_lies_in_the_row() -> None:
    one = replace(utterance(A, 1_000, 5_000, "words"), loudness_by_second=(-10.0, -20.0, -30.0, -40.0))
    path = loudness_area([one], Span(2_500, 4_000), float, 0, 60)
    assert [x for x, _ in points(path)] == [2_500, 2_500, 2_750, 3_500, 4_000]
    assert loudness_area([one], Span(5_000, 9_000), float, 0, 60) == ""
    assert loudness_area([utterance(A, 0, 900, "words")], Span(0, 900), float, 0, 60) == "", "not measured"


@given(st.lists(st.floats(), max_size=5))
def test_whatever_was_measured_stays_within_its_place(levels: list[float]) -> None:
    one = replace(utterance(A, 0, 4_100, "words"), loudness_by_second=tuple(levels))
    for x, y in points(loudness_area([one], Span(0, 4_100), float, 50, 20)):
        assert 0 <= x <= 4_100
        assert 30 <= y <= 50


@pytest.mark.parametrize(
    ("score", "bar"), [(1.0, (40, 10)), (0.5, (45, 5)), (-0.5, (50, 5)), (-3.0, (50, 10)), (0.0, (49, 1))]
)
def test_good_is_above_the_line(score: float, bar: tuple[float, float]) -> None:
    assert sentiment_bar(score, 50, 10) == bar
