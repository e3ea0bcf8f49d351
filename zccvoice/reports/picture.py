"""Who spoke when and how, as the geometry of a drawing: what lies where. What there is to draw is in `items`.

The time of the call runs in rows, as in a score, so that a long call keeps bars that can be seen. In each row
every side has a lane, with its loudness under it; holds, pauses and silences are bands across all lanes; below
them is a line for the sentiment and one for the rules that matched, where there are any. Units are those of the
drawing's view box, `WIDTH` wide; `html` draws it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from zccvoice.analytics import timing
from zccvoice.analytics.record import Side, Span
from zccvoice.analytics.spans import intersection
from zccvoice.reports.calls import CallReport
from zccvoice.reports.curves import loudness_area, sentiment_bar
from zccvoice.reports.figures import duration
from zccvoice.reports.items import Item, Layers, layers
from zccvoice.reports.transcript import SIDES, said

WIDTH = 1000
LEFT = 88
"""Where the lanes begin; their names stand before."""
LANE = 26
"""Height of a lane."""
CURVE = 22
"""Height of the loudness under it."""
BETWEEN = 10
"""Between two lanes or lines."""
SENTIMENT = 30
"""Height of the line of sentiments."""
RULES = 16
"""Height of the line of rules."""
ABOVE = 22
"""Over the lanes of a row, for what stands on the bands."""
BELOW = 40
"""Under the last line of a row, for the ticks and the distance to the next row."""
LETTER = 6.8
"""Width of a letter, about."""

_ONE_ROW_MS = 150_000
_ROW_S = (120, 180, 300, 600, 900, 1_800, 3_600)
_MOST_ROWS = 8
_TICK_S = (5, 10, 15, 30, 60, 120, 300, 600)
_MOST_TICKS = 12
_NARROWEST = 1.5
"""So that a single word in an hour can be seen."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The part of an item that lies in a row, as a rectangle."""

    item: Item
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Lane:
    """A side in a row."""

    name: str
    kind: str
    """That of its items."""
    top: float
    loudness: str
    """What lies under the lane, as an SVG path; empty where nothing was measured."""


@dataclass(frozen=True, slots=True)
class Row:
    """A stretch of the call."""

    time: Span
    top: float
    """Of the lanes."""
    bottom: float
    """Of the lanes."""
    end: float
    """Of everything but the ticks."""
    width: float
    """Of the lanes; the last row may be shorter."""
    lanes: tuple[Lane, ...]
    bands: tuple[Shape, ...]
    bars: tuple[Shape, ...]
    gaps: tuple[Shape, ...]
    marks: tuple[Shape, ...]
    sentiment_middle: float | None
    """The line between good and bad; None when nothing of the call has a score."""
    sentiments: tuple[Shape, ...]
    rules_top: float | None
    """None when no rule matched in the call."""
    rules: tuple[Shape, ...]
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole drawing."""

    height: float
    rows: tuple[Row, ...]
    kinds: frozenset[str]
    """What occurs in it, for the legend: those of `Layers`, and ``loudness``."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """What lies under what, in every row of a call."""

    sides: Sequence[Side | None]
    has_loudness: bool
    has_sentiment: bool
    has_rules: bool

    def lane_top(self, lane: int) -> int:
        return lane * (LANE + CURVE * self.has_loudness + BETWEEN)

    @property
    def lanes_end(self) -> int:
        return self.lane_top(len(self.sides)) - BETWEEN

    @property
    def rules_top(self) -> int:
        return self.lanes_end + BETWEEN + (SENTIMENT + BETWEEN) * self.has_sentiment

    @property
    def end(self) -> int:
        return self.rules_top + (RULES + BETWEEN) * self.has_rules - BETWEEN

    @property
    def height(self) -> int:
        return ABOVE + self.end + BELOW


def picture(report: CallReport) -> Picture | None:
    """Lay out who spoke when; None when no stream of the call was ever open."""
    open_ = timing.open_time(report.record)
    if not open_:
        return None
    present = {one.side for one in report.record.tracks} | {one.side for one in report.utterances}
    sides = [side for side in SIDES if side in present] or [Side.AGENT, Side.CUSTOMER]
    shown = layers(report, said(report), sides)
    kinds = shown.kinds
    kinds |= {"loudness"} if any(one.loudness_by_second for one in report.utterances) else set()
    layout = _Layout(sides, "loudness" in kinds, "sentiment" in kinds, "rule" in kinds)
    call = Span(open_[0].start_ms, open_[-1].end_ms)
    row_ms = _row_ms(call.length_ms)
    rows = tuple(
        _row(report, shown, layout, Span(start_ms, min(start_ms + row_ms, call.end_ms)), row_ms, number)
        for number, start_ms in enumerate(range(call.start_ms, call.end_ms, row_ms))
    )
    return Picture(len(rows) * layout.height, rows, frozenset(kinds))


def _row_ms(call_ms: int) -> int:
    """A short call is one row; a longer one is cut at round times, unless hardly anything would be left over."""
    if call_ms <= _ONE_ROW_MS:
        return call_ms
    row_ms = 1000 * next((row_s for row_s in _ROW_S if call_ms <= 1000 * row_s * _MOST_ROWS), _ROW_S[-1])
    rows, rest_ms = divmod(call_ms, row_ms)
    return -(-call_ms // rows) if rest_ms < row_ms / 10 else row_ms


def _row(report: CallReport, shown: Layers, layout: _Layout, time: Span, row_ms: int, number: int) -> Row:
    per_ms = (WIDTH - LEFT) / row_ms
    top = number * layout.height + ABOVE
    middle = top + layout.lanes_end + BETWEEN + SENTIMENT / 2

    def x(at_ms: float) -> float:
        return round(LEFT + (at_ms - time.start_ms) * per_ms, 2)

    def shapes(items: Sequence[Item], y: float, height: float) -> Iterator[Shape]:
        for item in items:
            for part in intersection([item.span], [time]):
                width = round(max(part.length_ms * per_ms, _NARROWEST), 2)
                yield Shape(item, x(part.start_ms), y, width, height)

    def in_lanes(items: Sequence[Item]) -> tuple[Shape, ...]:
        return tuple(
            shape if item.lane is None else replace(shape, y=top + layout.lane_top(item.lane), height=LANE)
            for item in items
            for shape in shapes([item], top, layout.lanes_end)
        )

    scored = [item for item in shown.bars if item.sentiment is not None]
    rules_top = top + layout.rules_top
    return Row(
        time,
        top,
        top + layout.lanes_end,
        top + layout.end,
        round(time.length_ms * per_ms, 2),
        tuple(_lanes(report, layout, time, top, x)),
        in_lanes(shown.bands),
        in_lanes(shown.bars),
        in_lanes(shown.gaps),
        in_lanes(shown.marks),
        middle if layout.has_sentiment else None,
        tuple(_scored(shape, middle) for shape in shapes(scored, middle, 0)),
        rules_top if layout.has_rules else None,
        _labelled(tuple(shapes(shown.rules, rules_top, RULES))),
        _ticks(time, row_ms, x),
    )


def _lanes(
    report: CallReport, layout: _Layout, time: Span, top: float, x: Callable[[float], float]
) -> Iterator[Lane]:
    for lane, side in enumerate(layout.sides):
        lane_top = top + layout.lane_top(lane)
        spoken = [one for one in report.utterances if one.side == side]
        path = loudness_area(spoken, time, x, lane_top + LANE + CURVE, CURVE - 2)
        yield Lane(SIDES[side], SIDES[side].lower(), lane_top, path)


def _scored(shape: Shape, middle: float) -> Shape:
    y, height = sentiment_bar(shape.item.sentiment or 0.0, middle, SENTIMENT / 2)
    return replace(shape, y=y, height=height)


def _labelled(rules: Sequence[Shape]) -> tuple[Shape, ...]:
    """Without the names that would run into the next one, or out of the picture."""
    ends = [*(later.x for _, later in pairwise(rules)), float(WIDTH)]
    return tuple(
        shape
        if shape.x + shape.width + 4 + LETTER * len(shape.item.label) <= end
        else replace(shape, item=replace(shape.item, label=""))
        for shape, end in zip(rules, ends, strict=False)
    )


def _ticks(time: Span, row_ms: int, x: Callable[[float], float]) -> tuple[tuple[float, str], ...]:
    tick_ms = 1000 * next((one for one in _TICK_S if row_ms <= 1000 * one * _MOST_TICKS), _TICK_S[-1])
    first_ms = -(-time.start_ms // tick_ms) * tick_ms
    return tuple((x(at_ms), duration(at_ms)) for at_ms in range(first_ms, time.end_ms + 1, tick_ms))
