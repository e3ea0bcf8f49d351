"""The algebra of spans against sets of milliseconds."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from zccvoice.analytics.record import Span
from zccvoice.analytics.spans import covers, intersection, longest_ms, subtraction, total_ms, union

spans = st.lists(st.builds(Span, st.integers(-20, 60), st.integers(-20, 60)), max_size=8)


def milliseconds(several: Iterable[Span]) -> set[int]:
    return {at for span in several for at in range(span.start_ms, span.end_ms)}


def is_normal(result: list[Span]) -> bool:
    """Sorted, not empty, apart from one another."""
    starts_and_ends = [at for span in result for at in (span.start_ms, span.end_ms)]
    return all(earlier < later for earlier, later in pairwise(starts_and_ends))


@given(spans)
def test_union_is_the_union_of_milliseconds(some: list[Span]) -> None:
    assert is_normal(union(some))
    assert milliseconds(union(some)) == milliseconds(some)
    assert total_ms(some) == len(milliseconds(some))


@given(spans, spans)
def test_intersection_is_the_intersection_of_milliseconds(some: list[Span], others: list[Span]) -> None:
    assert is_normal(intersection(some, others))
    assert milliseconds(intersection(some, others)) == milliseconds(some) & milliseconds(others)


@given(spans, spans)
def test_subtraction_is_the_difference_of_milliseconds(some: list[Span], removed: list[Span]) -> None:
    assert is_normal(subtraction(some, removed))
    assert milliseconds(subtraction(some, removed)) == milliseconds(some) - milliseconds(removed)


@given(spans, st.builds(Span, st.integers(-20, 60), st.integers(-20, 60)))
def test_covers_is_being_a_subset_of_milliseconds(some: list[Span], one: Span) -> None:
    assert covers(union(some), one) == (milliseconds([one]) <= milliseconds(some))


def test_touching_spans_become_one() -> None:
    assert union([Span(5, 9), Span(0, 5), Span(3, 3)]) == [Span(0, 9)]


def test_longest() -> None:
    assert longest_ms([Span(0, 5), Span(10, 17), Span(20, 21)]) == 7
    assert longest_ms([]) == 0
