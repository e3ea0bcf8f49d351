"""Who spoke when, as the geometry of a drawing: what lies where, and the words for whoever points at it.

The time of the call runs in rows, as in a score, so that a long call keeps bars that can be seen. In each row
every side has a lane; holds, pauses and silences are bands across all lanes. Units are those of the drawing's
view box, `WIDTH` wide; `html` draws it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from zccvoice.analytics import timing, turns
from zccvoice.analytics.record import Side, Span
from zccvoice.analytics.spans import intersection, subtraction
from zccvoice.analytics.thresholds import DEFAULTS
from zccvoice.reports.calls import CallReport
from zccvoice.reports.figures import duration, length
from zccvoice.reports.transcript import SIDES, said

WIDTH = 1000
LEFT = 76
"""Where the lanes begin; their names stand before."""
LANE = 26
"""Height of a lane."""
BETWEEN = 10
"""Between two lanes."""
ABOVE = 20
"""Over the lanes of a row, for what stands on the bands."""
BELOW = 34
"""Under the lanes of a row, for the ticks and the distance to the next row."""

_ONE_ROW_MS = 150_000
_ROW_S = (120, 180, 300, 600, 900, 1_800, 3_600)
_MOST_ROWS = 6
_TICK_S = (5, 10, 15, 30, 60, 120, 300, 600)
_MOST_TICKS = 12
_NARROWEST = 1.5
"""So that a single word in an hour can be seen."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something in the time of the call."""

    kind: str
    """``agent``, ``customer``, ``other``, ``unknown`` for speech; ``hold``, ``pause``, ``silence``, ``closed``;
    ``gap``; ``interruption``."""
    span: Span
    lane: int | None
    """None: across all."""
    title: str
    """In words."""
    is_backchannel: bool = False
    is_understood: bool = True
    number: int | None = None
    """Of the utterance in the transcript."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The part of an item that lies in a row, as a rectangle."""

    item: Item
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Row:
    """A stretch of the call."""

    top: float
    """Of the lanes."""
    bottom: float
    width: float
    """Of the lanes; the last row may be shorter."""
    lanes: tuple[tuple[str, float], ...]
    """Name and top of each."""
    bands: tuple[Shape, ...]
    bars: tuple[Shape, ...]
    gaps: tuple[Shape, ...]
    marks: tuple[Shape, ...]
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole drawing."""

    height: float
    rows: tuple[Row, ...]
    kinds: frozenset[str]
    """What occurs in it, for the legend: kinds of items, ``backchannel``, ``untranscribed``."""


def picture(report: CallReport) -> Picture | None:
    """Lay out who spoke when; None when no stream of the call was ever open."""
    open_ = timing.open_time(report.record)
    if not open_:
        return None
    present = {one.side for one in report.record.tracks} | {one.side for one in report.utterances}
    lanes = [side for side in SIDES if side in present] or [Side.AGENT, Side.CUSTOMER]
    layers = (
        list(_bands(report, open_)),
        list(_bars(report, lanes)),
        list(_gaps(report, lanes)),
        list(_interruptions(report, lanes)),
    )
    call = Span(open_[0].start_ms, open_[-1].end_ms)
    row_ms = _row_ms(call.length_ms)
    starts = range(call.start_ms, call.end_ms, row_ms)
    rows = [
        _row(number, Span(start_ms, min(start_ms + row_ms, call.end_ms)), row_ms, lanes, layers)
        for number, start_ms in enumerate(starts)
    ]
    items = [item for layer in layers for item in layer]
    kinds = {item.kind for item in items}
    kinds |= {"backchannel"} if any(item.is_backchannel for item in items) else set()
    kinds |= {"untranscribed"} if not all(item.is_understood for item in items) else set()
    return Picture(len(rows) * _row_height(lanes), tuple(rows), frozenset(kinds))


def _row_ms(call_ms: int) -> int:
    """A short call is one row; a longer one is cut at round times."""
    if call_ms <= _ONE_ROW_MS:
        return call_ms
    return 1000 * next((row_s for row_s in _ROW_S if call_ms <= 1000 * row_s * _MOST_ROWS), _ROW_S[-1])


def _row_height(lanes: Sequence[Side | None]) -> float:
    return ABOVE + len(lanes) * (LANE + BETWEEN) - BETWEEN + BELOW


def _row(
    number: int, time: Span, row_ms: int, lanes: Sequence[Side | None], layers: Sequence[Sequence[Item]]
) -> Row:
    per_ms = (WIDTH - LEFT) / row_ms
    top = number * _row_height(lanes) + ABOVE
    bottom = top + len(lanes) * (LANE + BETWEEN) - BETWEEN

    def x(at_ms: int) -> float:
        return round(LEFT + (at_ms - time.start_ms) * per_ms, 2)

    def shape(item: Item, part: Span) -> Shape:
        width = round(max(part.length_ms * per_ms, _NARROWEST), 2)
        if item.lane is None:
            return Shape(item, x(part.start_ms), top, width, bottom - top)
        return Shape(item, x(part.start_ms), top + item.lane * (LANE + BETWEEN), width, LANE)

    bands, bars, gaps, marks = (
        tuple(shape(item, part) for item in layer for part in intersection([item.span], [time]))
        for layer in layers
    )
    tick_ms = 1000 * next((one for one in _TICK_S if row_ms <= 1000 * one * _MOST_TICKS), _TICK_S[-1])
    first_ms = -(-time.start_ms // tick_ms) * tick_ms
    return Row(
        top,
        bottom,
        round(time.length_ms * per_ms, 2),
        tuple((SIDES[side], top + lane * (LANE + BETWEEN)) for lane, side in enumerate(lanes)),
        bands,
        bars,
        gaps,
        marks,
        tuple((x(at_ms), duration(at_ms)) for at_ms in range(first_ms, time.end_ms + 1, tick_ms)),
    )


def _bands(report: CallReport, open_: Sequence[Span]) -> Iterator[Item]:
    record = report.record
    for name, kind, spans in (
        ("Hold", "hold", intersection(timing.holds(record), open_)),
        ("Streaming paused", "pause", intersection(timing.pauses(record), open_)),
        ("Silence", "silence", timing.silences(record, DEFAULTS)),
        ("No stream", "closed", subtraction([Span(open_[0].start_ms, open_[-1].end_ms)], open_)),
    ):
        for span in spans:
            yield Item(kind, span, None, f"{name} {length(span.length_ms)}")


def _bars(report: CallReport, lanes: Sequence[Side | None]) -> Iterator[Item]:
    for one in said(report):
        what = f"{one.text} ({one.remark})" if one.text and one.remark else one.text or one.remark
        name = SIDES[one.side]
        yield Item(
            name.lower(),
            Span(one.start_ms, one.end_ms),
            lanes.index(one.side),
            f"{name} {duration(one.start_ms)}–{duration(one.end_ms)}: {what}",
            one.is_backchannel,
            not one.remark,
            one.number,
        )


def _gaps(report: CallReport, lanes: Sequence[Side | None]) -> Iterator[Item]:
    sides = {gap.channel_id: gap.side for gap in report.record.gaps}
    for channel_id, spans in timing.gaps(report.record).items():
        side = sides[channel_id]
        for span in spans:
            title = f"{SIDES[side]}: {length(span.length_ms)} of audio missing from {duration(span.start_ms)}"
            yield Item("gap", span, lanes.index(side) if side in lanes else None, title)


def _interruptions(report: CallReport, lanes: Sequence[Side | None]) -> Iterator[Item]:
    for one in turns.interruptions(report.record, DEFAULTS):
        both = f"both speak for {length(one.overlap_ms)}"
        title = f"{SIDES[one.side]} interrupts at {duration(one.at_ms)}, {both}"
        yield Item("interruption", Span(one.at_ms, one.at_ms + 1), lanes.index(one.side), title)
