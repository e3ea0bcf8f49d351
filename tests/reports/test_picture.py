"""The geometry of who spoke when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zccvoice.analytics.record import AudioGap, CallEvent, Span
from zccvoice.reports.calls import CallReport
from zccvoice.reports.picture import (
    ABOVE,
    BELOW,
    BETWEEN,
    CURVE,
    LANE,
    LEFT,
    RULES,
    SENTIMENT,
    WIDTH,
    Picture,
    Row,
    picture,
)
from zccvoice.reports.transcript import said
from zccvoice.store.hits import RuleHit

from .build import A, C, O, full, lively, report, utterance, with_more


def drawn(one: CallReport) -> Picture:
    found = picture(one)
    assert found is not None
    return found


def tops(row: Row) -> dict[str, float]:
    return {lane.name: lane.top for lane in row.lanes}


def test_nothing_is_drawn_of_a_call_that_was_never_open() -> None:
    assert picture(report(streams=(), sides=())) is None


def test_a_bar_lies_in_its_lane_at_its_time() -> None:
    (row,) = drawn(report(utterance(C, 30_000, 45_000, "words"), end_ms=60_000)).rows
    (bar,) = row.bars
    per_ms = (WIDTH - LEFT) / 60_000
    assert (bar.item.kind, bar.item.number) == ("customer", 0)
    assert bar.x == pytest.approx(LEFT + 30_000 * per_ms, abs=0.01)
    assert bar.width == pytest.approx(15_000 * per_ms, abs=0.01)
    assert (bar.y, bar.height) == (tops(row)["Customer"], LANE)
    assert list(tops(row)) == ["Agent", "Customer"]


def test_bands_lie_across_all_lanes() -> None:
    events = (CallEvent("user_hold", 10_000), CallEvent("user_unhold", 20_000))
    (row,) = drawn(report(utterance(A, 0, 60_000, "words"), events=events)).rows
    (hold,) = row.bands
    assert (hold.item.kind, hold.item.title) == ("hold", "Hold 10 s")
    assert (hold.y, hold.y + hold.height) == (row.top, row.bottom)


@pytest.mark.parametrize(
    ("end_ms", "rows"),
    [
        (1, 1),
        (87_000, 1),
        (150_000, 1),
        (150_001, 2),
        (720_000, 6),
        (720_001, 6),
        (780_000, 7),
        (7_203_000, 4),
        (5_400_000, 6),
    ],
)
def test_a_long_call_runs_in_rows(end_ms: int, rows: int) -> None:
    found = drawn(report(end_ms=end_ms))
    assert len(found.rows) == rows
    assert found.height == rows * (ABOVE + 2 * LANE + BETWEEN + BELOW)
    assert all(row.bottom < later.top for row, later in zip(found.rows, found.rows[1:], strict=False))
    assert all(LEFT + row.width <= WIDTH + 0.01 for row in found.rows)


def test_what_reaches_over_the_end_of_a_row_goes_on_in_the_next() -> None:
    first, second, *_ = drawn(report(utterance(A, 118_000, 123_000, "words"), end_ms=300_000)).rows
    (before,), (after,) = first.bars, second.bars
    assert before.item is after.item
    assert before.x + before.width == pytest.approx(WIDTH, abs=0.1)
    assert after.x == LEFT
    assert after.width / before.width == pytest.approx(3 / 2, abs=0.01)


def test_a_single_word_in_a_long_call_can_be_seen() -> None:
    found = drawn(report(utterance(A, 1_000, 1_010, "yes"), end_ms=3_600_000))
    assert found.rows[0].bars[0].width == 1.5


@pytest.mark.parametrize("end_ms", [3_000, 87_000, 150_000, 700_000, 3_600_000, 36_000_000])
def test_ticks_are_round_and_few(end_ms: int) -> None:
    for row in drawn(report(end_ms=end_ms)).rows:
        assert 1 <= len(row.ticks) <= 31
        assert all(LEFT <= x <= WIDTH + 0.01 for x, _ in row.ticks)
        assert all(label.endswith(("0", "5")) for _, label in row.ticks)


def test_everything_of_a_full_call_is_there() -> None:
    found = drawn(full())
    assert found.kinds == {
        *("agent", "customer", "hold", "silence", "gap", "interruption", "backchannel", "untranscribed"),
    }
    (row,) = found.rows
    assert len(row.bars) == 14
    assert [mark.item.title for mark in row.marks] == ["Agent interrupts at 0:12, both speak for 1.2 s"]
    assert [gap.item.title for gap in row.gaps] == ["Customer: 1.4 s of audio missing from 1:04"]
    assert row.marks[0].y == tops(row)["Agent"]
    titles = [bar.item.title for bar in row.bars]
    assert titles[2] == "Agent 0:09–0:09: Mhm."
    assert titles[9] == "Customer 1:07–1:11: refused: known hallucination"
    assert titles[10] == "Customer 1:12–1:16: failed: RecognizerError"


def test_lanes_are_of_those_who_are_there() -> None:
    mixed = report(utterance(None, 0, 900, "words"), sides=(None,))
    assert list(tops(drawn(mixed).rows[0])) == ["Unknown"]
    lees = replace(mixed, utterances=(replace(mixed.utterances[0], side=A, display_name="Lee"),))
    assert list(tops(drawn(lees).rows[0])) == ["Agent", "Unknown"]
    assert [(one.side, one.name) for one in said(lees)] == [(A, "Lee")]
    three = drawn(report(utterance(O, 0, 900, "words"), sides=(C, A)))
    assert list(tops(three.rows[0])) == ["Agent", "Customer", "Other"]
    nobody = drawn(report(sides=()))
    assert list(tops(nobody.rows[0])) == ["Agent", "Customer"]


def test_a_gap_of_a_side_that_has_no_lane_lies_across_all() -> None:
    (row,) = drawn(report(sides=(A,), gaps=(AudioGap(C, "ch-c", 1_000, 2_000),))).rows
    assert row.gaps[0].item.lane is None


def test_time_without_a_stream_is_a_band() -> None:
    (row,) = drawn(report(streams=(Span(0, 10_000), Span(20_000, 30_000)))).rows
    closed = [band.item for band in row.bands if band.item.kind == "closed"]
    assert [(one.span, one.title) for one in closed] == [(Span(10_000, 20_000), "No stream 10 s")]


def test_loudness_sentiment_and_rules_lie_below_one_another() -> None:
    found = drawn(lively())
    assert {"loudness", "sentiment", "rule"} <= found.kinds
    (row,) = found.rows
    agent, customer = row.lanes
    assert customer.top == agent.top + LANE + CURVE + BETWEEN
    assert agent.loudness.count("M") == sum(one.side is A for one in lively().utterances)
    assert row.sentiment_middle == row.bottom + BETWEEN + SENTIMENT / 2
    heights = [(one.item.sentiment, one.y < row.sentiment_middle) for one in row.sentiments]
    assert heights == [(0.2, True), (-0.8, False), (-0.1, False), (0.0, True), (0.35, True)]
    assert row.rules_top == row.sentiment_middle + SENTIMENT / 2 + BETWEEN
    assert [(one.item.label, one.y) for one in row.rules] == [
        ("order number", row.rules_top),
        ("long hold", row.rules_top),
    ]
    assert row.end == row.rules_top + RULES
    assert found.height == row.end + BELOW


def test_names_of_rules_do_not_run_into_one_another() -> None:
    hits = tuple(RuleHit(f"a rule {n}", 1, 10_000 + n * 500, 10_400 + n * 500, None) for n in range(3))
    late = RuleHit("at the very end", 1, 59_000, 60_000, A)
    (row,) = drawn(with_more(report(utterance(A, 0, 900, "words")), hits=(*hits, late))).rows
    assert [one.item.label for one in row.rules] == ["", "", "a rule 2", ""]
    assert row.rules[0].item.title == "Rule a rule 0 (revision 1) matched at 0:10"
