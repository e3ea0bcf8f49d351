"""Chart → SVG to stand in a page. Colours are those of the page's style, so it follows light, dark and print.

Nothing is told by colour alone: lines differ in dash and marker as well, and bars have their number beside them.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, MaxNLocator

from zccvoice.reports.figures import Figure, written
from zccvoice.reports.table import Chart, Range

WIDTH_IN = 7.2
_LINE_HEIGHT_IN = 2.5
_BAR_IN = 0.26
_MOST_TICKS = 9
_LONGEST_NAME = 28
_LEAST_TOP = {
    Figure.COUNT: 1,
    Figure.RATIO: 0.05,
    Figure.DURATION: 5_000,
    Figure.SHORT: 500,
    Figure.PER_CALL: 0.5,
    Figure.PER_MINUTE: 0.5,
}
"""Axes reach at least so far: below it ticks would be written as the same number, and next to nothing would look
like much."""

# Colours that matplotlib writes, and what the page's style calls them.
_INK, _SOFT, _LINE, _BAND = "#010101", "#020202", "#030303", "#040404"
_SERIES = ("#0a0a01", "#0a0a02", "#0a0a03", "#0a0a04", "#0a0a05", "#0a0a06")
_STYLE = {
    _INK: "var(--ink)",
    _SOFT: "var(--soft)",
    _LINE: "var(--line)",
    _BAND: "var(--well)",
    **dict(
        zip(
            _SERIES,
            ("var(--agent)", "var(--customer)", "var(--other)", "var(--gap)", "var(--unknown)", "var(--ink)"),
            strict=True,
        )
    ),
}
_DASHES: Sequence[tuple[str, str]] = (
    ("-", "o"),
    ("--", "s"),
    (":", "^"),
    ("-.", "D"),
    ("-", "v"),
    ("--", "x"),
)
_SETTINGS: dict[Any, object] = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # names are names
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": _INK,
    "axes.edgecolor": _LINE,
    "axes.labelcolor": _SOFT,
    "xtick.color": _SOFT,
    "ytick.color": _SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": _LINE,
    "grid.linewidth": 0.7,
}


def drawn(chart: Chart, number: int = 0) -> str:
    """The chart as an SVG element; the same chart gives the same text. The number tells those of a page apart."""
    with mpl.rc_context({**_SETTINGS, "svg.hashsalt": f"chart{number}"}):
        bars = not chart.is_line
        height = _BAR_IN * len(chart.labels) + 0.55 if bars else _LINE_HEIGHT_IN
        canvas = Canvas(figsize=(WIDTH_IN, height), layout="constrained")
        axes = canvas.add_subplot()
        (_draw_bars if bars else _draw_lines)(axes, chart)
        file = io.StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        with warnings.catch_warnings():
            # Text stays text: it is the reader's browser that needs the letters of Chinese or Arabic names.
            warnings.filterwarnings("ignore", "Glyph|Matplotlib currently does not support", UserWarning)
            canvas.savefig(file, format="svg", transparent=True, metadata=nothing)
    return _for_page(file.getvalue(), chart, number)


def _draw_bars(axes: Axes, chart: Chart) -> None:
    places = range(len(chart.labels))
    (series,) = chart.series
    values = [value or 0 for value in series.values]
    axes.barh(places, values, height=0.62, color=_SERIES[0])
    axes.set_yticks(places, [_short(label) for label in chart.labels])
    axes.invert_yaxis()
    axes.tick_params(length=0)
    axes.spines["bottom"].set_visible(False)
    axes.margins(x=0.12, y=0.02)
    axes.xaxis.set_visible(False)
    least = _LEAST_TOP.get(chart.figure, 0)
    if min(values, default=0) >= 0 and max(values, default=0) < least:
        axes.set_xlim(0, least)
    for place, value in zip(places, series.values, strict=True):
        axes.annotate(
            _with_unit(value, chart.figure),
            (value or 0, place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
        )
    if chart.target is not None:
        _draw_target(axes, chart.target, max(values, default=0), vertical=True)


def _draw_lines(axes: Axes, chart: Chart) -> None:
    places = list(range(len(chart.labels)))
    lines = []
    for number, series in enumerate(chart.series):
        dash, marker = _DASHES[number % len(_DASHES)]
        lines += axes.plot(
            places,
            [float("nan") if value is None else value for value in series.values],
            dash,
            marker=marker,
            markersize=3.5,
            linewidth=1.6,
            color=_SERIES[number % len(_SERIES)],
        )
    step = -(-len(places) // _MOST_TICKS)
    axes.set_xticks(places[::step], list(chart.labels[::step]), rotation=0)
    axes.grid(axis="y")
    axes.tick_params(length=0, pad=6)
    axes.spines["left"].set_visible(False)
    known = [value for series in chart.series for value in series.values if value is not None]
    _scale(axes, chart.figure, known)
    if known and chart.target is not None:
        _draw_target(axes, chart.target, max(known), vertical=False)
    if len(chart.series) > 1:
        # Named here: a label of a line that begins with an underscore is none to matplotlib.
        names = [_short(series.name) for series in chart.series]
        axes.legend(lines, names, frameon=False, loc="upper left", bbox_to_anchor=(1, 1), labelcolor=_INK)


def _scale(axes: Axes, figure: Figure, known: Sequence[float]) -> None:
    """The upright axis of lines: from 0, except shares near all of it; no numbers where none is known."""
    if not known:
        axes.set_yticks([])
        axes.text(0.5, 0.5, "None.", transform=axes.transAxes, ha="center", va="center", color=_SOFT)
        return
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=figure is Figure.COUNT, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _with_unit(value, figure)))
    if min(known) >= 0 and not (figure is Figure.RATIO and min(known) > 0.8):
        axes.set_ylim(bottom=0, top=max(*known, _LEAST_TOP.get(figure, 0)) * 1.1 or 1)


def _draw_target(axes: Axes, target: Range, highest: float, *, vertical: bool) -> None:
    low = 0.0 if target.low is None else target.low
    high = max(highest, low) * 1.2 if target.high is None else target.high
    span, line = (axes.axvspan, axes.axvline) if vertical else (axes.axhspan, axes.axhline)
    span(low, high, color=_BAND, zorder=0)
    for bound in (target.low, target.high):
        if bound is not None:
            line(bound, color=_SOFT, linewidth=0.9, linestyle=(0, (4, 2)))


def _with_unit(value: float | None, figure: Figure) -> str:
    if value is None:
        return written(None, figure)
    text = written(value, figure)
    is_plain = not figure.unit or figure in (Figure.DURATION, Figure.PER_CALL, Figure.SCORE)
    return text if is_plain else f"{text} {figure.unit}"


def _short(label: str) -> str:
    """A name that leaves room for what it names: beginning and end, by which the long ones of a house differ."""
    return label if len(label) <= _LONGEST_NAME else f"{label[: _LONGEST_NAME - 11]}…{label[-10:]}"


def _for_page(svg: str, chart: Chart, number: int) -> str:
    element = svg[svg.index("<svg") :]
    for colour, name in _STYLE.items():
        element = element.replace(colour, name)
    element = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>chart{number}-", element)
    title = chart.title.replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(
        r'<svg [^>]*?viewBox="([^"]*)"[^>]*>',
        rf'<svg class="chart" role="img" viewBox="\1" xmlns="http://www.w3.org/2000/svg" '
        rf'xmlns:xlink="http://www.w3.org/1999/xlink"><title>{title}</title>',
        element,
        count=1,
    )
