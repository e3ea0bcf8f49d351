"""When nothing audible is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.config import RedactionConfig
from zccvoice.daemon.sound_pauses import SoundPauses


@pytest.mark.parametrize(
    ("timestamp_ms", "is_covered"), [(999, False), (1000, True), (1999, True), (2000, False), (3000, True)]
)
def test_what_was_said_in_a_pause_is_not_kept(timestamp_ms: int, is_covered: bool) -> None:
    pauses = SoundPauses(RedactionConfig())
    assert pauses.note("stream_paused", 1000)
    assert not pauses.note("session_paused", 1500)  # the same pause
    assert not pauses.note("stream_resumed", 2000)
    assert not pauses.note("user_hold", 2500)
    assert pauses.note("sound_paused", 3000)
    assert pauses.covers(timestamp_ms) is is_covered


def test_events_are_configured() -> None:
    pauses = SoundPauses(RedactionConfig(pause_events=("user_hold",), resume_events=("user_unhold",)))
    assert not pauses.note("stream_paused", 1)
    assert pauses.note("user_hold", 2)
    assert pauses.is_on
    pauses.note("user_unhold", 3)
    assert not pauses.is_on


def test_what_ends_another_pause_does_not_end_that_of_a_rule() -> None:
    pauses = SoundPauses(RedactionConfig())
    assert pauses.note("stream_paused", 100)
    for name, at_ms in pauses.until(900, now_ms=200):
        pauses.note(name, at_ms)
    pauses.note("stream_resumed", 300)
    assert [pauses.covers(at_ms) for at_ms in (99, 100, 300, 899, 900)] == [False, True, True, True, False]
    assert not pauses.is_on
    pauses.note("stream_paused", 400)
    assert pauses.covers(1_000), "and the end of that of a rule ends no other"


@pytest.mark.parametrize(
    ("missed", "told", "is_belied"),
    [
        ([], [], False),
        (["stream_paused"], [], True),
        (["session_paused", "stream_paused"], [], True),
        (["stream_paused"], ["stream_paused"], False),
        (["stream_paused"], ["session_paused"], True),
        ([], ["stream_paused"], False),
        ([], ["session_paused"], True),
        (["sound_paused"], [], False),
        (["stream_paused", "sound_paused"], [], False),
        (["user_hold"], [], False),
        (["stream_paused"], ["stream_resumed", "stream_paused"], False),
    ],
)
def test_sound_ends_a_pause_of_zooms_whose_end_may_have_been_missed(
    missed: list[str], told: list[str], is_belied: bool
) -> None:
    pauses = SoundPauses(RedactionConfig(pause_events=("stream_paused", "session_paused", "user_hold")))
    for name in missed:
        pauses.note(name, 1_000)
    pauses.doubt()
    for name in told:
        pauses.note(name, 1_000)
    assert not pauses.is_belied_by(1_999), "captured while the pause began"
    assert pauses.is_belied_by(2_000) is is_belied


def test_what_ends_untold_hides_nothing_that_came_after_its_beginning() -> None:
    pauses = SoundPauses(RedactionConfig())
    pauses.note("stream_paused", 1_000)
    pauses.note("pause_over_untold", 9_000)
    assert not pauses.is_on
    assert [pauses.covers(at_ms) for at_ms in (999, 1_000, 1_999, 2_000, 8_950)] == [
        False, True, True, False, False,
    ]  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 1_000), st.integers(0, 1_000)), max_size=8))
def test_what_rules_asked_for_is_covered_once_asked(asked: list[tuple[int, int]]) -> None:
    """However often and in whichever order; and the events alone tell it again."""
    pauses, again = SoundPauses(RedactionConfig()), SoundPauses(RedactionConfig())
    expected: set[int] = set()
    now_ms = 0
    for step_ms, end_ms in asked:
        now_ms += step_ms
        for name, at_ms in pauses.until(end_ms, now_ms):
            pauses.note(name, at_ms)
            again.note(name, at_ms)
        assert pauses.until(end_ms, now_ms) == []
        expected |= set(range(now_ms, end_ms))
    for at_ms in range(now_ms + 1_001):
        assert pauses.covers(at_ms) == again.covers(at_ms) == (at_ms in expected)


@given(st.lists(st.sampled_from(["sound_paused", "sound_resumed"]), max_size=8), st.integers(0, 900))
def test_a_moment_is_covered_when_the_last_event_before_it_was_a_pause(names: list[str], at: int) -> None:
    pauses = SoundPauses(RedactionConfig())
    for number, name in enumerate(names):
        pauses.note(name, number * 100)
    before = [name for number, name in enumerate(names) if number * 100 <= at]
    assert pauses.covers(at) is (bool(before) and before[-1] == "sound_paused")
