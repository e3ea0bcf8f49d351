"""How loud each side was, and how its words scored, as the geometry of a drawing; `picture` says where."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from zccvoice.analytics.record import Span
from zccvoice.store.reads import UtteranceRow

_QUIETEST_DBFS, _LOUDEST_DBFS = -60.0, 0.0
"""The range of the loudness score: 0 to 100, linear."""
_LEAST_HEIGHT = 1.0
"""So that a neutral sentence is told from one without a score."""


def loudness_area(
    utterances: Iterable[UtteranceRow], time: Span, x: Callable[[float], float], base: float, height: float
) -> str:
    """The loudness of utterances within a stretch of time, as an SVG path: one area each, a point per second.

    Args:
        utterances: of one side.
        time: what is drawn of them.
        x: where a moment lies.
        base: y of the quietest.
        height: of the loudest.
    """
    return "".join(_area(utterance, time, x, base, height) for utterance in utterances)


def _area(
    utterance: UtteranceRow, time: Span, x: Callable[[float], float], base: float, height: float
) -> str:
    start_ms, end_ms = max(utterance.start_ms, time.start_ms), min(utterance.end_ms, time.end_ms)
    points: list[tuple[float, float]] = []
    for second, level_dbfs in enumerate(utterance.loudness_by_second):
        from_ms = max(utterance.start_ms + 1000 * second, start_ms)
        to_ms = min(utterance.start_ms + 1000 * (second + 1), end_ms)
        if from_ms < to_ms:
            points.append((x((from_ms + to_ms) / 2), round(base - height * _loudness(level_dbfs), 1)))
    if not points:
        return ""
    outline = [(x(start_ms), points[0][1]), *points, (x(end_ms), points[-1][1])]
    return f"M{outline[0][0]} {base}" + "".join(f"L{at} {y}" for at, y in outline) + f"V{base}Z"


def _loudness(level_dbfs: float) -> float:
    """The loudness score as a share of 1; nothing where no level was measured."""
    share = (level_dbfs - _QUIETEST_DBFS) / (_LOUDEST_DBFS - _QUIETEST_DBFS)
    return min(1.0, max(0.0, share))  # in this order a NaN is 0


def sentiment_bar(score: float, middle: float, reach: float) -> tuple[float, float]:
    """Top and height of a score's bar: above the middle line when it is positive, below when negative."""
    height = round(max(_LEAST_HEIGHT, reach * min(1.0, abs(score))), 2)
    return (middle - height if score >= 0 else middle), height
