"""The algebra of stretches of time. Exact: integers, half-open spans.

Every function takes spans in any order, overlapping or empty, and returns them sorted, disjoint, not empty
and not touching one another.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from zccvoice.analytics.record import Span


class Stretches(list[Span]):
    """Spans as the functions here return them, which they know by this type: they need not be sorted again.

    Do not change one.
    """

    __slots__ = ()


def union(spans: Iterable[Span]) -> Stretches:
    """The time that lies in at least one of the spans."""
    return spans if isinstance(spans, Stretches) else joined(spans, 1)


def joined(spans: Iterable[Span], below_ms: int) -> Stretches:
    """The same and the time between, where less than this lies between two of them; ``below_ms`` is at least 1."""
    merged = Stretches()
    last: Span | None = None
    for span in sorted(spans):
        start_ms, end_ms = span
        if end_ms <= start_ms:
            continue
        if last is None or start_ms - last[1] >= below_ms:
            merged.append(last := span)
        elif end_ms > last[1]:
            merged[-1] = last = Span(last[0], end_ms)
    return merged


def intersection(some: Iterable[Span], others: Iterable[Span]) -> Stretches:
    """The time that lies in both."""
    common = Stretches()
    several, more = iter(union(some)), iter(union(others))
    one, other = next(several, None), next(more, None)
    while one is not None and other is not None:
        (start_ms, end_ms), (other_start_ms, other_end_ms) = one, other
        if start_ms < other_end_ms and other_start_ms < end_ms:
            is_whole = other_start_ms <= start_ms and end_ms <= other_end_ms
            common.append(one if is_whole else Span(max(start_ms, other_start_ms), min(end_ms, other_end_ms)))
        if end_ms < other_end_ms:
            one = next(several, None)
        else:
            other = next(more, None)
    return common


def subtraction(spans: Iterable[Span], removed: Iterable[Span]) -> Stretches:
    """The time that lies in the spans and not in the removed ones."""
    cuts = union(removed)
    remaining = Stretches()
    first = 0
    for start_ms, end_ms in union(spans):
        while first < len(cuts) and cuts[first].end_ms <= start_ms:
            first += 1
        from_ms = start_ms
        for number in range(first, len(cuts)):
            cut_start_ms, cut_end_ms = cuts[number]
            if cut_start_ms >= end_ms:
                break
            if cut_start_ms > from_ms:
                remaining.append(Span(from_ms, cut_start_ms))
            from_ms = cut_end_ms
        if from_ms < end_ms:
            remaining.append(Span(from_ms, end_ms))
    return remaining


def covers(spans: Sequence[Span], span: Span) -> bool:
    """Whether all of `span` lies in the time of `spans`, which are as these functions return them."""
    before = bisect_right(spans, span.start_ms, key=lambda one: one.start_ms) - 1
    return span.length_ms <= 0 or (before >= 0 and spans[before].end_ms >= span.end_ms)


def total_ms(spans: Iterable[Span]) -> int:
    """How much time lies in at least one of the spans, ms."""
    return sum(end_ms - start_ms for start_ms, end_ms in union(spans))


def longest_ms(spans: Iterable[Span]) -> int:
    """Length of the longest span, ms; 0 without any."""
    return max((span.length_ms for span in spans), default=0)
