"""Holes of a time in which we know that nobody listened."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.audio.test_timeline import FORMAT, PACKET_MS, PACKET_SAMPLES, START_MS, payload, samples
from zccvoice.audio.frame import Gap
from zccvoice.audio.holes import LOST_PACKETS
from zccvoice.audio.timeline import Timeline

AWAY = "away"
QUIET_PACKETS = 100
"""Two seconds: a longer hole is a quiet leg, unless an outage explains it."""


def run_with_outages(
    numbers: list[int], outages: list[tuple[int, int, str]], pauses: Sequence[tuple[int, int | None]] = ()
) -> tuple[Timeline, list[tuple[int, int, str | None]]]:
    """The timeline and its gaps, in packets: first, the one after the last, cause."""
    timeline, out, told = Timeline(FORMAT), [], 0
    for first, end_or_none in pauses:
        timeline.pauses.begin(START_MS + first * PACKET_MS)
        if end_or_none is not None:
            timeline.pauses.end(START_MS + end_or_none * PACKET_MS)
    for number in numbers:
        while told < len(outages) and outages[told][1] <= number:  # told when we listen again
            first, end, cause = outages[told]
            timeline.expect_loss(START_MS + first * PACKET_MS, START_MS + end * PACKET_MS, cause)
            told += 1
        out += timeline.push(START_MS + number * PACKET_MS, payload(number))
    out += timeline.flush()
    assert len(samples(out)) == numbers[-1] + 1 - numbers[0], "the length equals the span"
    gaps = [piece for piece in out if isinstance(piece, Gap)]
    assert all(gap.position % PACKET_SAMPLES == gap.sample_count % PACKET_SAMPLES == 0 for gap in gaps)
    return timeline, [
        (
            numbers[0] + gap.position // PACKET_SAMPLES,
            numbers[0] + (gap.position + gap.sample_count) // PACKET_SAMPLES,
            gap.cause,
        )
        for gap in gaps
    ]


@pytest.mark.parametrize(
    ("hole", "outages", "gaps"),
    [
        pytest.param((50, 550), [], [(50, 550, None)], id="nobody knows of one"),
        pytest.param((50, 550), [(50, 550, AWAY)], [(50, 550, AWAY)], id="all of the hole"),
        pytest.param((50, 60), [(40, 70, AWAY)], [(50, 60, AWAY)], id="a short hole in it"),
        pytest.param((50, 60), [(55, 57, AWAY)], [(50, 60, AWAY)], id="a short hole around it"),
        pytest.param((50, 60), [(20, 50, AWAY)], [(50, 60, LOST_PACKETS)], id="over before the hole"),
        pytest.param((50, 60), [(60, 90, AWAY)], [(50, 60, LOST_PACKETS)], id="begun after the hole"),
        pytest.param((50, 550), [(60, 90, "x"), (600, 700, "y")], [(50, 90, "x"), (90, 550, None)], id="split"),
        pytest.param((50, 550), [(150, 540, AWAY)], [(50, 550, AWAY)], id="quiet for two seconds before"),
        pytest.param((50, 550), [(151, 540, AWAY)], [(50, 151, None), (151, 550, AWAY)], id="longer before it"),
        pytest.param((50, 700), [(151, 540, AWAY)], [(50, 700, None)], id="quiet for longer before and after"),
        pytest.param((50, 550), [(50, 450, AWAY)], [(50, 550, AWAY)], id="two seconds after it"),
        pytest.param((50, 550), [(50, 449, AWAY)], [(50, 449, AWAY), (449, 550, None)], id="longer after it"),
        pytest.param(
            (50, 900),
            [(50, 200, "x"), (250, 500, "y"), (520, 790, "z")],
            [(50, 200, "x"), (200, 500, "y"), (500, 790, "z"), (790, 900, None)],
            id="one after the other",
        ),
        pytest.param(
            (50, 900),
            [(50, 200, "x"), (301, 798, "y")],
            [(50, 200, "x"), (200, 900, None)],
            id="quiet between two and after",
        ),
    ],
)  # fmt: skip
def test_a_hole_while_nobody_listened_is_loss(
    hole: tuple[int, int], outages: list[tuple[int, int, str]], gaps: list[tuple[int, int, str | None]]
) -> None:
    numbers = [number for number in range(1000) if not hole[0] <= number < hole[1]]
    timeline, found = run_with_outages(numbers, outages)
    assert found == gaps
    assert timeline.lost_packets == sum(end - first for first, end, cause in gaps if cause is not None)


@pytest.mark.parametrize(
    ("pauses", "gaps"),
    [
        pytest.param([(50, 550)], [(50, 550, None)], id="all of the hole"),
        pytest.param([(40, None)], [(50, 550, None)], id="and longer"),
        pytest.param([(60, 540)], [(50, 550, None)], id="but for some packets"),
        pytest.param([(61, 539)], [(50, 61, AWAY), (61, 539, None), (539, 550, AWAY)], id="in the middle"),
        pytest.param([(100, 120)], [(50, 100, AWAY), (100, 120, None), (120, 550, AWAY)], id="short"),
        pytest.param([(20, 60)], [(50, 60, None), (60, 550, AWAY)], id="begun before"),
        pytest.param([(500, None)], [(50, 500, AWAY), (500, 550, None)], id="going on"),
        pytest.param([(20, 50), (550, None)], [(50, 550, AWAY)], id="before and after"),
        pytest.param(
            [(50, 200), (300, 400)],
            [(50, 200, None), (200, 300, AWAY), (300, 400, None), (400, 550, AWAY)],
            id="several",
        ),
    ],
)
def test_a_pause_in_which_nobody_listened_is_no_loss(
    pauses: list[tuple[int, int | None]], gaps: list[tuple[int, int, str | None]]
) -> None:
    numbers = [number for number in range(1000) if not 50 <= number < 550]
    timeline, found = run_with_outages(numbers, [(49, 550, AWAY)], pauses)
    assert found == gaps
    assert timeline.lost_packets == sum(end - first for first, end, cause in gaps if cause is not None)
    at_ms = [START_MS + number * PACKET_MS for number in (50, 550)]
    unpaused = sum(until_ms - from_ms for from_ms, until_ms in timeline.pauses.outside(*at_ms)) // PACKET_MS
    assert abs(unpaused - timeline.lost_packets) <= 20, "the same, but for some packets"


def test_an_outage_before_the_first_packet_is_no_gap() -> None:
    timeline = Timeline(FORMAT)
    timeline.expect_loss(START_MS - 10_000, START_MS, AWAY)
    out = []
    for number in range(20):
        out += timeline.push(START_MS + number * PACKET_MS, payload(number))
    assert samples(out + timeline.flush()) == list(range(20))
    assert timeline.lost_packets == 0


def test_what_is_known_to_be_missing_before_the_first_packet_is_a_gap() -> None:
    timeline = Timeline(FORMAT)
    timeline.miss(START_MS, START_MS + 60_000, "damaged")
    out = timeline.push(START_MS + 60_000, payload(0)) + timeline.flush()
    assert timeline.first_timestamp_ms == START_MS
    assert out[0] == Gap(0, 60_000 * 16, "damaged")
    assert [one.position for one in out[1:]] == [60_000 * 16]


def test_an_outage_is_found_after_the_clock_was_set_back() -> None:
    timeline, out = Timeline(FORMAT), []
    for number in range(200):
        out += timeline.push(START_MS + number * PACKET_MS, payload(number))
    back_ms = START_MS - 60_000
    for number in range(20):
        out += timeline.push(back_ms + number * PACKET_MS, payload(number))
    timeline.expect_loss(back_ms + 400, back_ms + 10_400, AWAY)
    for number in range(520, 600):
        out += timeline.push(back_ms + number * PACKET_MS, payload(number))
    out += timeline.flush()
    assert [(piece.sample_count, piece.cause) for piece in out if isinstance(piece, Gap)] == [
        (500 * PACKET_SAMPLES, AWAY)
    ]


@st.composite
def listened(draw: st.DrawFn) -> tuple[list[int], list[tuple[int, int, str]]]:
    """The packets that came, and outages, one after the other: in them nothing came."""
    lengths = st.integers(1, 60) | st.sampled_from([99, 100, 101, 102]) | st.integers(100, 400)
    numbers, outages, at = [0], [], 1
    for what in draw(st.lists(st.sampled_from(["heard", "lost", "away", "away"]), max_size=12)):
        end = at + draw(lengths)
        if what == "heard":
            numbers += range(at, end)
        if what == "away":
            outages.append((at, end, AWAY))
        at = end
    return [*numbers, at], outages


@given(listened())
def test_what_outages_explain(script: tuple[list[int], list[tuple[int, int, str]]]) -> None:
    numbers, outages = script
    timeline, gaps = run_with_outages(numbers, outages)
    lost = sum(end - first for first, end, cause in gaps if cause is not None)
    quiet = sum(end - first for first, end, cause in gaps if cause is None)
    assert (timeline.packets, timeline.lost_packets) == (len(numbers), lost)
    assert timeline.packets + lost + quiet == numbers[-1] + 1
    for first, end, cause in gaps:
        met = [outage for outage in outages if outage[0] < end and outage[1] > first]
        if cause == AWAY:
            assert met[0][0] - first <= QUIET_PACKETS, "not what was quiet before"
            assert end - met[-1][1] <= QUIET_PACKETS, "nor what was quiet afterwards"
        elif cause == LOST_PACKETS:
            assert end - first <= QUIET_PACKETS
            assert not met
        else:
            assert end - first > QUIET_PACKETS
            assert all(outage[0] - first > QUIET_PACKETS for outage in met), "quiet before"
            heard_again = min(number for number in numbers if number >= end)
            assert all(heard_again - outage[1] > QUIET_PACKETS for outage in met), "and it stays so"
