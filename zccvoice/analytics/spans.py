"""The algebra of stretches of time. Exact: integers, half-open spans.

Every function takes spans in any order, overlapping or empty, and returns them sorted, disjoint, not empty
and not touching one another.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from zccvoice.analytics.record import Span


def union(spans: Iterable[Span]) -> list[Span]:
    """The time that lies in at least one of the spans."""
    merged: list[Span] = []
    last: Span | None = None
    for span in sorted(spans):
        start_ms, end_ms = span
        if end_ms <= start_ms:
            continue
        if last is None or start_ms > last[1]:
            merged.append(last := span)
        elif end_ms > last[1]:
            merged[-1] = last = Span(last[0], end_ms)
    return merged


def intersection(some: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """The time that lies in both."""
    left, right = union(some), union(others)
    common: list[Span] = []
    i = j = 0
    while i < len(left) and j < len(right):
        start = max(left[i].start_ms, right[j].start_ms)
        end = min(left[i].end_ms, right[j].end_ms)
        if start < end:
            common.append(Span(start, end))
        if left[i].end_ms < right[j].end_ms:
            i += 1
        else:
            j += 1
    return common


def subtraction(spans: Iterable[Span], removed: Iterable[Span]) -> list[Span]:
    """The time that lies in the spans and not in the removed ones."""
    cuts = union(removed)
    remaining: list[Span] = []
    first = 0
    for span in union(spans):
        start = span.start_ms
        while first < len(cuts) and cuts[first].end_ms <= start:
            first += 1
        for cut in cuts[first:]:
            if cut.start_ms >= span.end_ms:
                break
            if cut.start_ms > start:
                remaining.append(Span(start, cut.start_ms))
            start = cut.end_ms
        if start < span.end_ms:
            remaining.append(Span(start, span.end_ms))
    return remaining


def covers(spans: Sequence[Span], span: Span) -> bool:
    """Whether all of `span` lies in the time of `spans`, which are as these functions return them."""
    before = bisect_right(spans, span.start_ms, key=lambda one: one.start_ms) - 1
    return span.length_ms <= 0 or (before >= 0 and spans[before].end_ms >= span.end_ms)


def total_ms(spans: Iterable[Span]) -> int:
    """How much time lies in at least one of the spans, ms."""
    return sum(span.length_ms for span in union(spans))


def longest_ms(spans: Iterable[Span]) -> int:
    """Length of the longest span, ms; 0 without any."""
    return max((span.length_ms for span in spans), default=0)
