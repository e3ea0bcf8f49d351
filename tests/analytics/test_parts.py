"""Each agent's part of a call."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from zccvoice.analytics.parts import agent_parts
from zccvoice.analytics.record import CallRecord
from zccvoice.analytics.scorecard import scorecard

from .build import A, C, O, call, calls, event, said, track

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
    assert (first.talk_time_total_ms, second.talk_time_total_ms) == (7_000, 5_000)
    assert (first.longest_monologue_ms, second.longest_monologue_ms) == (3_000, 6_000)


def test_a_hold_over_time_without_a_stream_is_one() -> None:
    record = call(
        said(A, 0, 2_000),
        said(A, 50_000, 52_000),
        streams=((0, 20_000), (40_000, 60_000)),
        events=(event("user_hold", 10_000), event("user_unhold", 45_000)),
    )
    (part,) = agent_parts(record)
    assert (part.hold_count, part.hold_time_ms) == (scorecard(record).hold_count, 15_000) == (1, 15_000)


def test_a_part_is_as_long_as_a_stream_was_open_in_it() -> None:
    record = call(
        said(A, 0, 2_000),
        said(A, 50_000, 52_000),
        streams=((0, 20_000), (40_000, 60_000)),
        events=(event("user_answered", 1_000), event("user_end", 55_000)),
    )
    (part,) = agent_parts(record)
    assert (part.start_ms, part.end_ms, part.length_ms) == (1_000, 55_000, 19_000 + 15_000)


def test_the_part_of_a_leg_whose_end_was_not_told_ends_with_its_last_stream() -> None:
    """After a transfer the next agent has a stream of his own, and the end of the first may not be told."""
    told = event("user_answered", 0, "ch-a"), event("user_answered", 30_000, "ch-b")
    record = call(
        said(A, 0, 10_000, channel_id="ch-a"),
        said(A, 31_000, 35_000, channel_id="ch-b"),
        said(C, 36_000, 40_000),
        streams=((0, 20_000), (30_000, 60_000)),
        tracks=(track(A, 0, 20_000, channel_id="ch-a"), track(A, 30_000, 60_000, channel_id="ch-b")),
        events=(*told, event("user_hold", 45_000, "ch-b"), event("user_unhold", 50_000, "ch-b")),
    )
    first, second = agent_parts(record)
    assert (first.end_ms, first.length_ms, first.talk_time_total_ms) == (20_000, 20_000, 10_000)
    assert (first.hold_count, first.silence_time_ms) == (0, 10_000), (
        "not what the second agent's customer waits"
    )
    assert (second.start_ms, second.end_ms, second.hold_count) == (30_000, 60_000, 1)
    back = replace(record, tracks=(*record.tracks, track(A, 30_000, 31_000, channel_id="ch-a")))
    assert agent_parts(back)[0].end_ms == 60_000, "he is in the second stream as well"


def test_to_one_agent_another_is_a_third_party() -> None:
    together = call(
        said(A, 0, 2_000, channel_id="ch-a"),
        said(A, 3_000, 6_000, channel_id="ch-b"),
        said(A, 7_000, 8_000, channel_id="ch-a"),
        said(A, 8_500, 9_500, channel_id="ch-b"),
        said(A, 10_000, 11_000, channel_id="ch-a"),
        said(A, 11_900, 12_000, channel_id="ch-b"),
        said(C, 20_000, 21_000),
        tracks=(track(A, 0, 30_000, channel_id="ch-a"), track(A, 0, 30_000, channel_id="ch-b")),
    )
    first, second = agent_parts(together)
    assert (first.longest_monologue_ms, second.longest_monologue_ms) == (2_000, 3_000)
    assert (first.response_gap_ms_p50, second.response_gap_ms_p50) == (None, 900), (
        "below three it is not known"
    )
    assert (first.talk_time_total_ms, second.talk_time_total_ms) == (9_100, 9_100)
    assert scorecard(together).longest_monologue_agent_ms == 12_000


def test_sentiment_is_of_the_words_in_the_part() -> None:
    record = replace(
        TRANSFERRED,
        utterances=tuple(
            replace(one, sentiment=score)
            for one, score in zip(TRANSFERRED.utterances, (0.5, 1.0, -0.5, 1.0), strict=True)
        ),
    )
    first, second = agent_parts(record)
    assert first.sentiment_score == 2.5
    assert second.sentiment_score == pytest.approx(5 * (-0.5 * 30 + 1.0 * 2) / 32)
    assert (first.sentiment_words_count, second.sentiment_words_count) == (20, 32)
    *others, last = record.utterances
    _, second = agent_parts(replace(record, utterances=(*others, replace(last, sentiment=None))))
    assert (second.sentiment_score, second.sentiment_words_count, second.words_count) == (-2.5, 30, 32)


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


@given(calls((A, C, O)))
def test_the_only_part_of_the_only_agent_is_the_agent_side(record: CallRecord) -> None:
    record = replace(record, events=())
    parts, card = agent_parts(record), scorecard(record)
    for part in parts:
        assert part.longest_monologue_ms == card.longest_monologue_agent_ms
        assert part.response_gap_ms_p50 == card.response_gap_agent_ms_p50
        assert part.talk_time_total_ms == card.talk_time_total_ms
    assert len(parts) == 1


@given(calls((A, C)))
def test_parts_of_one_leg_add_up_to_the_agent_side(record: CallRecord) -> None:
    parts, card = agent_parts(record), scorecard(record)
    assert sum(one.talk_time_ms for one in parts) == card.talk_time_agent_ms
    if card.words_agent_count is not None and None not in [one.words_count for one in parts]:
        assert sum(one.words_count or 0 for one in parts) == card.words_agent_count
