"""Charts are SVG that is the same every time, takes the page's colours, and shows names as they are."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

from tests.reports.tables import BARS, LINES
from zccvoice.reports.charts import drawn
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
