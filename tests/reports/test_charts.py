"""Charts are SVG that is the same every time, takes the page's colours, and shows names as they are."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from tests.reports.tables import BARS, LINES
from zccvoice.reports.charts import drawn
from zccvoice.reports.figures import Figure
from zccvoice.reports.table import Range


def texts(svg: str) -> set[str]:
    return {
        "".join(one.itertext()) for one in ET.fromstring(svg).iter() if one.tag.endswith(("text", "title"))
    }


def test_bars_have_names_and_numbers() -> None:
    svg = drawn(BARS)
    assert {"Talk <share>", "Ada $1 & Co $2", "Bob", "40 %", "–"} <= texts(svg)


def test_lines_differ_by_more_than_colour() -> None:
    svg = drawn(LINES)
    assert {"Calls", "Orders", "Returns", "1 Oct", "3 Oct"} <= texts(svg)
    assert len(set(re.findall(r"stroke-dasharray: [\d. ,]+", svg))) >= 2


def test_a_name_may_begin_with_an_underscore() -> None:
    first, second = LINES.series
    assert {"_Orders", "Returns"} <= texts(
        drawn(replace(LINES, series=(replace(first, name="_Orders"), second)))
    )


def test_the_colours_are_the_pages() -> None:
    for chart in (BARS, LINES):
        svg = drawn(chart)
        assert "var(--agent)" in svg
        assert not re.search(r"#0[0a]0[0a]0\d", svg), "a colour that no page has"


def test_the_same_chart_is_the_same_text() -> None:
    assert drawn(LINES) == drawn(LINES)
    assert drawn(LINES) != drawn(replace(LINES, title="Other"))


def test_a_target_is_seen() -> None:
    with_target = drawn(replace(BARS, target=Range(0.3, 0.6)))
    assert with_target.count("var(--well)") > drawn(BARS).count("var(--well)")


def test_nothing_known() -> None:
    (series,) = BARS.series
    nothing = replace(BARS, series=(replace(series, values=[None, None]),))
    assert "Bob" in texts(drawn(nothing))
    assert "<svg" in drawn(replace(nothing, is_line=True))


def test_long_names_leave_room_for_the_lines() -> None:
    first, second = LINES.series
    long = "Customers with contracts of more than two years, department south-west, team "
    named = (replace(first, name=f"{long}7"), replace(second, name=f"{long}8"))
    words = texts(drawn(replace(LINES, series=named)))
    shortened = [one for one in words if "…" in one]
    assert len(shortened) == 2, "shortened, and still told apart"
    assert max(map(len, words)) <= 28


def test_letters_that_are_not_here_are_the_browsers() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = drawn(replace(BARS, labels=["田中 さくら", "علي بن محمد"]))
    assert {"田中 さくら", "علي بن محمد"} <= texts(svg)


def test_where_nothing_is_known_no_number_is_written() -> None:
    unknown = tuple(replace(one, values=[None] * 3) for one in LINES.series)
    for figure in Figure:
        words = texts(drawn(replace(LINES, figure=figure, series=unknown)))
        assert words == {"Calls", "Orders", "Returns", "1 Oct", "2 Oct", "3 Oct", "None."}


def bar_lengths(svg: str) -> list[float]:
    corners = re.findall(r'd="M ([\d.]+) [\d.]+ \nL ([\d.]+) [^"]+"[^>]+fill: var\(--agent\)', svg)
    return [float(right) - float(left) for left, right in corners]


def test_next_to_nothing_looks_like_it() -> None:
    (series,) = BARS.series
    full, tiny = (
        bar_lengths(drawn(replace(BARS, series=(replace(series, values=values),))))
        for values in ([0.8, 0.4], [0.0008, 0.0004])
    )
    assert full[0] == pytest.approx(2 * full[1], rel=0.01)
    assert 0 < max(tiny) < full[0] / 20
    line = replace(LINES, figure=Figure.RATIO, series=(replace(LINES.series[0], values=[0.0004] * 3),))
    assert {"0 %", "2 %", "4 %"} <= texts(drawn(line)), "ticks that are told apart"
