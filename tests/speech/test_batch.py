from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.speech.batch import BEHIND_EVERY, Batch, BatchLimits, BatchQueue
from zccvoice.speech.window import PACKED_S, PAUSE_S, Windows

LADDER = Windows((2.0, 5.0, 10.0, 30.0))
LIMITS = BatchLimits(items=4, seconds=30, late_after_s=20)


@dataclass(frozen=True)
class One:
    call: str
    number: int
    sound_s: float = 3.0
    is_live: bool = True


def put(queue: BatchQueue[One], one: One, heard_at: float) -> None:
    queue.put(one, one.call, one.sound_s, heard_at, is_live=one.is_live)


def drain(queue: BatchQueue[One], now: float) -> list[Batch[One]]:
    return list(iter(lambda: queue.take(now), None))


def lone(limit: int = 1, late_after_s: float = 20) -> BatchQueue[One]:
    return BatchQueue(LADDER, BatchLimits(limit, 30, late_after_s))


Step = tuple[str, float, float] | float
"""An utterance (its call, how long, how much later), or time that passes before a batch is taken."""
STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(
        st.tuples(st.sampled_from("abcxy"), st.floats(0.1, 28), st.floats(0, 10)),
        st.floats(0, 40),
    ),
    max_size=60,
)


def take_steps(
    queue: BatchQueue[One], steps: list[Step], put_in: Callable[[BatchQueue[One], One, float], None]
) -> tuple[float, list[One], list[Batch[One]]]:
    """What time it is in the end, what was put in and what was taken; the queue knows its length throughout."""
    now = 0.0
    given_in: list[One] = []
    taken: list[Batch[One]] = []
    for step in steps:
        if isinstance(step, tuple):
            call, sound_s, later = step
            now += later
            given_in.append(One(call, len(given_in), sound_s, is_live=call < "x"))
            put_in(queue, given_in[-1], now)
        else:
            now += step
            if batch := queue.take(now):
                taken.append(batch)
        assert len(queue) == len(given_in) - sum(len(batch.items) for batch in taken)
    return now, given_in, taken


@given(STEPS)
def test_nothing_is_lost_or_twice_bounds_hold_and_order_is_kept(steps: list[Step]) -> None:
    queue: BatchQueue[One] = BatchQueue(LADDER, LIMITS)
    now, given_in, taken = take_steps(queue, steps, put)
    taken += drain(queue, now)
    out = [one for batch in taken for one in batch.items]
    assert sorted(out, key=lambda one: one.number) == given_in
    for batch in taken:
        assert {LADDER.size_s(one.sound_s) for one in batch.items} == {batch.window_s}
        assert len(batch.items) <= LIMITS.items
        assert len(batch.items) == 1 or batch.window_s * len(batch.items) <= LIMITS.seconds
        assert 0 < batch.fill_ratio <= 1
    places = {(one.call, LADDER.size_s(one.sound_s)) for one in out}
    for call, size in places:
        numbers = [one.number for one in out if (one.call, LADDER.size_s(one.sound_s)) == (call, size)]
        assert numbers == sorted(numbers)
    assert (len(queue), queue.late_calls) == (0, 0)


@given(STEPS, st.sets(st.integers(0, 60)), st.booleans())
def test_what_is_withdrawn_is_not_taken_and_costs_no_other(
    steps: list[Step], unwanted: set[int], is_wide: bool
) -> None:
    queue: BatchQueue[One] = BatchQueue(SEVERAL, WIDE) if is_wide else BatchQueue(LADDER, LIMITS)
    now, given_in, taken = take_steps(queue, steps, tracked)
    left = [one for one in given_in if not any(one in batch.items for batch in taken)]
    for one in given_in:  # those that are taken too: nothing happens
        if one.number in unwanted:
            queue.withdraw(one)
            queue.withdraw(one)
    left = [one for one in left if one.number not in unwanted]
    assert len(queue) == len(left)
    out = [one for batch in drain(queue, now + 30) for one in batch.items]
    assert sorted(out, key=lambda one: one.number) == left
    assert (len(queue), queue.late_calls) == (0, 0)


def test_a_free_worker_gets_what_there_is() -> None:
    queue = lone(limit=8)
    assert queue.take(0) is None
    put(queue, One("a", 0), 0)
    batch = queue.take(0)
    assert batch is not None
    assert (batch.items, batch.window_s) == ([One("a", 0)], 5.0)
    assert batch.fill_ratio == pytest.approx(0.6)


def test_the_oldest_decides_the_window() -> None:
    queue = lone(limit=8)
    put(queue, One("a", 0, 1), 1)
    put(queue, One("b", 1, 8), 0)
    put(queue, One("c", 2, 1), 2)
    assert [[one.call for one in batch.items] for batch in drain(queue, 3)] == [["b"], ["a", "c"]]


def test_a_call_with_much_at_once_does_not_stand_before_the_others() -> None:
    queue = lone()
    for number in range(10):
        put(queue, One("much", number), 0)
    put(queue, One("other", 10), 1)
    calls = [batch.items[0].call for batch in drain(queue, 2)]
    assert calls.index("other") == 1


def test_the_past_goes_behind_but_has_its_share() -> None:
    queue = lone()
    for number in range(8):
        put(queue, One("past", number, is_live=False), 0)
    for number in range(8):
        put(queue, One(f"live {number}", number), 5)
    calls = [batch.items[0].call[:4] for batch in drain(queue, 6)]
    assert calls[: 2 * BEHIND_EVERY] == ["live", "live", "live", "past"] * 2


@given(st.integers(1, 30))
def test_nothing_starves_however_much_is_live(past: int) -> None:
    queue = lone(late_after_s=1000)
    for number in range(past):
        put(queue, One("past", number, is_live=False), 0)
    seen = 0
    for turn in range(past * BEHIND_EVERY):
        put(queue, One(f"live {turn}", turn), float(turn))
        batch = queue.take(float(turn))
        assert batch is not None
        seen += batch.items[0].call == "past"
    assert seen == past


def test_a_call_that_has_waited_too_long_is_finished_behind_the_others() -> None:
    queue = lone()
    for number in range(4):
        put(queue, One("slow", number), 0)
    put(queue, One("new", 4), 30)
    first = queue.take(30)
    assert first is not None
    assert first.items[0].call == "new"
    assert queue.late_calls == 1
    put(queue, One("slow", 5), 30)
    put(queue, One("new", 6), 31)
    second = queue.take(31)
    assert second is not None
    assert second.items[0].call == "new"
    assert [batch.items[0].number for batch in drain(queue, 31)] == [0, 1, 2, 3, 5]


def test_a_late_call_is_live_again_when_nothing_of_it_waits() -> None:
    queue = lone()
    put(queue, One("a", 0), 0)
    assert queue.take(100) is not None
    assert queue.late_calls == 0


SEVERAL = Windows((10.0, 30.0), takes_several=True)
WIDE = BatchLimits(items=4, seconds=60, late_after_s=60, widen_after_s=20)


def tracked(queue: BatchQueue[One], one: One, heard_at: float, side: str = "") -> None:
    queue.put(one, one.call, one.sound_s, heard_at, is_live=one.is_live, track=(one.call, side))


def numbers(batch: Batch[One] | None) -> list[list[int]]:
    assert batch is not None
    return [[one.number for one in window] for window in batch.windows]


def test_neighbours_share_a_window_once_the_lag_has_grown() -> None:
    queue: BatchQueue[One] = BatchQueue(SEVERAL, WIDE)
    for number in range(4):
        tracked(queue, One("a", number), float(number), side="agent")
    tracked(queue, One("a", 4), 4.0, side="customer")
    tracked(queue, One("b", 5, 12.0), 5.0)
    batch = queue.take(20.0)
    assert numbers(batch) == [[0, 1, 2, 3], [5]]
    assert batch is not None
    assert batch.window_s == 30.0
    assert batch.fill_ratio == pytest.approx(24 / 60)
    assert numbers(queue.take(20.0)) == [[4]]


def test_before_that_each_has_its_own() -> None:
    queue: BatchQueue[One] = BatchQueue(SEVERAL, WIDE)
    for number in range(3):
        tracked(queue, One("a", number), 0.0)
    assert numbers(queue.take(19.9)) == [[0], [1], [2]]


@pytest.mark.parametrize(
    ("windows", "limits"),
    [(Windows((10.0, 30.0)), WIDE), (SEVERAL, BatchLimits(items=4, seconds=60, late_after_s=60))],
)
def test_weights_and_settings_that_do_not_allow_it(windows: Windows, limits: BatchLimits) -> None:
    queue: BatchQueue[One] = BatchQueue(windows, limits)
    for number in range(3):
        tracked(queue, One("a", number), 0.0)
    assert numbers(queue.take(50.0)) == [[0], [1], [2]]


def test_a_shared_window_is_full_before_it_is_too_long() -> None:
    queue: BatchQueue[One] = BatchQueue(SEVERAL, WIDE)
    for number, sound_s in enumerate([10.0, 9.0, 8.0, 1.0, 1.0]):
        tracked(queue, One("a", number, sound_s), 0.0)
    assert numbers(queue.take(30.0)) == [[0, 1, 2], [3, 4]]


@given(STEPS)
def test_shared_windows_lose_nothing_and_keep_the_order_of_their_track(steps: list[Step]) -> None:
    def put_in(queue: BatchQueue[One], one: One, heard_at: float) -> None:
        tracked(queue, one, heard_at, side=str(one.number % 2))

    queue: BatchQueue[One] = BatchQueue(SEVERAL, WIDE)
    now, given_in, taken = take_steps(queue, steps, put_in)
    taken += drain(queue, now + 30)
    out = [one for batch in taken for one in batch.items]
    assert sorted(out, key=lambda one: one.number) == given_in
    for batch in taken:
        assert len(batch.windows) <= WIDE.items
        for window in batch.windows:
            sound_s = sum(one.sound_s for one in window) + PAUSE_S * (len(window) - 1)
            assert len(window) == 1 or sound_s <= PACKED_S
            assert sound_s <= batch.window_s
            assert window == sorted(window, key=lambda one: one.number)
            assert len({(one.call, one.number % 2) for one in window}) == 1
    assert (len(queue), queue.late_calls, queue.take(now)) == (0, 0, None)
