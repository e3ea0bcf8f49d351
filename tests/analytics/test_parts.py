"""Each agent's part of a call."""

from __future__ import annotations

from hypothesis import given

from zccvoice.analytics.parts import agent_parts
from zccvoice.analytics.record import CallRecord
from zccvoice.analytics.scorecard import scorecard

from .build import A, C, call, calls, event, said, track

TRANSFERRED = call(
    said(A, 1_000, 4_000, 20, channel_id="ch-a"),
    said(C, 5_000, 9_000),
    said(A, 21_000, 25_000, 30, channel_id="ch-b"),
    said(A, 26_000, 27_000, 2, channel_id="ch-b"),
    tracks=(
        track(A, 0, 15_000, channel_id="ch-a"),
        track(C, 0, 30_000),
        track(A, 20_000, 30_000, channel_id="ch-b"),
    ),
    events=(
        event("user_answered", 500, "ch-a"),
        event("user_hold", 10_000, "ch-a"),
        event("transfer_completed", 15_000, "ch-a"),
        event("user_unhold", 15_000, "ch-a"),
        event("user_answered", 20_000, "ch-b"),
        event("user_end", 30_000, "ch-b"),
    ),
)


def test_the_second_agent_has_a_part_of_his_own() -> None:
    first, second = agent_parts(TRANSFERRED)
    assert (first.channel_id, first.start_ms, first.end_ms) == ("ch-a", 500, 15_000)
    assert (first.talk_time_ms, first.words_count, first.talk_speed_wpm) == (3_000, 20, 400)
    assert (first.hold_count, first.hold_time_ms, first.first_response_ms) == (1, 5_000, 500)
    assert (second.channel_id, second.start_ms, second.end_ms) == ("ch-b", 20_000, 30_000)
    assert (second.talk_time_ms, second.words_count, second.first_response_ms) == (5_000, 32, 1_000)
    assert (second.hold_count, second.hold_time_ms) == (0, 0)


def test_an_agent_who_comes_back_has_two_parts() -> None:
    record = call(
        said(A, 1_000, 2_000, 5),
        said(A, 20_000, 22_000, 7),
        events=(
            event("user_answered", 0),
            event("user_end", 5_000),
            event("user_answered", 19_000),
        ),
    )
    assert [(one.start_ms, one.end_ms, one.words_count) for one in agent_parts(record)] == [
        (0, 5_000, 5),
        (19_000, 30_000, 7),
    ]


def test_without_events_the_part_is_as_long_as_the_leg() -> None:
    (part,) = agent_parts(call(said(A, 1_000, 2_000, 5)))
    assert (part.start_ms, part.end_ms, part.first_response_ms) == (0, 30_000, None)


def test_what_is_not_known_is_null() -> None:
    (part,) = agent_parts(call(said(A, 1_000, 2_000, None), said(C, 0, 500, 1)))
    assert (part.words_count, part.talk_speed_wpm) == (None, None)
    assert agent_parts(call(said(None, 0, 1_000), sides=(None,))) == []
    assert agent_parts(call(streams=(), tracks=())) == []


@given(calls((A, C)))
def test_parts_of_one_leg_add_up_to_the_agent_side(record: CallRecord) -> None:
    parts, card = agent_parts(record), scorecard(record)
    assert sum(one.talk_time_ms for one in parts) == card.talk_time_agent_ms
    if card.words_agent_count is not None and None not in [one.words_count for one in parts]:
        assert sum(one.words_count or 0 for one in parts) == card.words_agent_count
