"""Tracks whose timestamps turn from milliseconds to whole seconds, or back."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.audio.test_seconds import Sender, told_ms
from tests.audio.test_timeline import START_MS

SILENCE = 9_999


def play(
    sender: Sender,
    count: int,
    turns: Collection[int],
    *,
    is_fine: bool,
    silent: Sequence[range] = (),
    lost: Sequence[range] = (),
) -> list[int]:
    """Send so many packets, whose timestamps turn before these; returns what was sent of them."""
    sent = []
    for number in range(count):
        is_fine ^= number in turns
        if not any(number in one for one in lost):
            sent.append(SILENCE if any(number in one for one in silent) else number)
            when_ms = sender.when_ms(number)
            sender.out += sender.timeline.push(
                when_ms if is_fine else told_ms(when_ms), sender.payload(sent[-1])
            )
    sender.end()
    return sent


@pytest.mark.parametrize("packet_ms", [20, 40, 100, 200, 500, 1_000])
@pytest.mark.parametrize("phase_ms", [0, 340, 980, 999])
@pytest.mark.parametrize("turns_ms", [{5_000}, {5_340}, {5_980}, {5_000, 9_000}, {5_340, 12_480, 16_000}])
@pytest.mark.parametrize("is_fine", [True, False])
def test_nothing_is_lost_when_timestamps_turn(
    packet_ms: int, phase_ms: int, turns_ms: set[int], is_fine: bool
) -> None:
    sender = Sender(packet_ms, START_MS // 1_000 * 1_000 + phase_ms)
    sent = play(sender, 20_000 // packet_ms, {one // packet_ms for one in turns_ms}, is_fine=is_fine)
    assert sender.heard() == sent
    timeline = sender.timeline
    assert timeline.late_packets == timeline.duplicate_packets == timeline.reordered_packets == 0
    assert abs(sender.late_ms()) <= packet_ms / 2


@given(st.data())
def test_nothing_is_lost_or_made_up_wherever_timestamps_turn(data: st.DataObject) -> None:
    """Several times, three seconds and more apart; in silence, and with losses in between."""
    packet_ms = data.draw(st.sampled_from([20, 40, 100, 200]))
    per_second = 1_000 // packet_ms
    count = 16 * per_second
    turns, at = set[int](), 0
    for _ in range(data.draw(st.integers(0, 3))):
        at += data.draw(st.integers(3 * per_second, 6 * per_second))
        if at <= count - 3 * per_second:
            turns.add(at)
    spans = st.tuples(st.integers(2 * per_second, count), st.integers(1, 3 * per_second))
    drawn = [range(first, first + length) for first, length in data.draw(st.lists(spans, max_size=4))]
    lost = [one for one in drawn[:2] if one.stop <= count - 3 * per_second]
    lost = [one for one in lost if all(at + per_second <= one.start or one.stop <= at for at in turns)]
    silent = [] if lost else drawn[2:]  # where in silence a loss was no clock of seconds tells
    sender = Sender(packet_ms, START_MS // 1_000 * 1_000 + data.draw(st.integers(0, 999)))
    sent = play(sender, count, turns, is_fine=data.draw(st.booleans()), silent=silent, lost=lost)
    assert sender.heard() == sent
    assert sender.timeline.duplicate_packets == 0
    lost_ms = (count - len(sent)) * packet_ms
    told_ms_of_all = sum(length_ms for length_ms, _ in sender.gaps())
    assert abs(told_ms_of_all - lost_ms) <= packet_ms * (1 + len(turns)), "by rounding, once for each turn"


@pytest.mark.parametrize("is_silence", [True, False])
def test_what_comes_late_is_no_turn(is_silence: bool) -> None:
    """Not even twice, and with a whole second; nor does it cost those their place that come after it."""
    sender = Sender(20, START_MS // 1_000 * 1_000)
    for number in [*range(240), 50, 100, *range(240, 260), 50, 50, *range(260, 400)]:
        value = SILENCE if is_silence else number
        sender.out += sender.timeline.push(sender.when_ms(number), sender.payload(value))
    sender.end()
    assert sender.heard() == [SILENCE if is_silence else number for number in range(400)]
    assert sender.timeline.duplicate_packets == 4
    assert sender.gaps() == []


def test_a_clock_that_tells_nothing_more_is_not_waited_for() -> None:
    """A straggler, then packets of a second each, every one of them at a whole second."""
    sender = Sender(1_000, START_MS // 1_000 * 1_000)
    sender.out += sender.timeline.push(sender.start_ms - 500, sender.payload(0)[:16_000])
    sender.out += sender.timeline.push(sender.start_ms, sender.payload(1))
    held = []
    for number in [1, 1, *range(2, 20)]:
        sender.out += sender.timeline.push(sender.when_ms(number - 1), sender.payload(number))
        held.append(len(sender.timeline._turning))
    assert max(held) <= 4
    sender.end()
    assert sender.heard() == list(range(20))
