"""Where the time went: rules one by one, then everything against a slow model, millisecond by millisecond."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given

from zccvoice.analytics import timing
from zccvoice.analytics.record import CallRecord, Side, Span
from zccvoice.analytics.scorecard import scorecard
from zccvoice.analytics.thresholds import DEFAULTS

from .build import LONGEST_MS, A, C, O, call, calls, event, gap, said, track


def test_utterances_of_a_track_closer_than_300_ms_are_one() -> None:
    joined = timing.speech_spans([said(A, 0, 1_000, 4), said(A, 1_299, 2_000, 3)], DEFAULTS)
    assert [(one.span, one.word_count) for one in joined] == [(Span(0, 2_000), 7)]
    apart = timing.speech_spans([said(A, 0, 1_000), said(A, 1_300, 2_000)], DEFAULTS)
    assert [one.span for one in apart] == [Span(0, 1_000), Span(1_300, 2_000)]


def test_an_utterance_within_another_of_its_track_does_not_shorten_it() -> None:
    (joined,) = timing.speech_spans(
        [said(A, 0, 5_000), said(A, 1_000, 2_000), said(A, 5_100, 6_000)], DEFAULTS
    )
    assert joined.span == Span(0, 6_000)


def test_words_of_joined_speech_are_unknown_when_a_part_has_none() -> None:
    (joined,) = timing.speech_spans([said(A, 0, 1_000, 4), said(A, 1_100, 2_000, None)], DEFAULTS)
    assert joined.word_count is None


def test_an_utterance_without_length_is_none() -> None:
    assert timing.speech_spans([said(A, 1_000, 1_000), said(A, 3_000, 2_000)], DEFAULTS) == []


def test_of_speech_that_begins_at_once_the_longest_is_first() -> None:
    speech = timing.speech_spans([said(A, 0, 500), said(C, 0, 900), said(O, 0, 500)], DEFAULTS)
    assert [one.side for one in speech] == [C, A, O]


def test_utterances_of_two_tracks_stay_two() -> None:
    speech = timing.speech_spans([said(A, 0, 1_000), said(A, 1_100, 2_000, channel_id="ch-b")], DEFAULTS)
    assert len(speech) == 2


def test_duration_leaves_out_a_hole_between_streams() -> None:
    measured = scorecard(
        call(said(A, 0, 1_000), said(C, 50_000, 52_000), streams=((0, 10_000), (40_000, 60_000)))
    )
    assert measured.duration_ms == 30_000
    assert measured.conversation_ms == 10_000 + 12_000
    assert measured.silence_time_ms == 9_000 + 10_000 + 8_000
    assert measured.silence_count == 3


def test_speech_beyond_the_end_of_its_stream_is_measured() -> None:
    measured = scorecard(call(said(A, 9_000, 12_000), streams=((0, 10_000),)))
    assert measured.duration_ms == 12_000
    assert measured.talk_time_agent_ms == 3_000


def test_without_streams_nothing_is_measured_and_nothing_fails() -> None:
    measured = scorecard(call(streams=()))
    assert (measured.duration_ms, measured.silence_count, measured.talk_time_total_ms) == (0, 0, 0)
    assert (measured.talk_time_agent_ms, measured.coverage_ratio, measured.talk_ratio_agent) == (
        None,
        None,
        None,
    )
    assert measured.lost_packets_count is None


def test_a_call_without_speech_is_one_silence() -> None:
    measured = scorecard(call())
    assert (measured.silence_time_ms, measured.silence_count, measured.conversation_ms) == (30_000, 1, 0)
    assert (measured.talk_time_agent_ms, measured.talk_share_agent) == (0, None)
    assert measured.dead_air_count == 0


@pytest.mark.parametrize(("length_ms", "count"), [(30_000, 0), (30_001, 1)])
def test_dead_air_is_a_silence_longer_than_30_s(length_ms: int, count: int) -> None:
    measured = scorecard(call(said(A, 0, 1_000), said(A, 1_000 + length_ms, 40_000), streams=((0, 40_000),)))
    assert measured.dead_air_count == count


@pytest.mark.parametrize(("length_ms", "count"), [(3_000, 0), (3_001, 1)])
def test_a_silence_is_longer_than_3_s(length_ms: int, count: int) -> None:
    measured = scorecard(call(said(A, 0, 1_000), said(C, 1_000 + length_ms, 30_000)))
    assert measured.silence_count == count
    assert measured.longest_silence_ms == count * length_ms


def test_hold_is_no_silence_and_parts_it() -> None:
    events = (event("user_hold", 12_000), event("user_unhold", 16_000))
    measured = scorecard(call(said(A, 0, 10_000), said(A, 18_000, 30_000), events=events))
    assert (measured.hold_time_ms, measured.hold_count, measured.longest_hold_ms) == (4_000, 1, 4_000)
    assert measured.silence_count == 0  # 2 s before the hold and 2 s after it
    assert measured.non_talk_time_total_ms == 4_000


def test_pause_and_gap_are_no_silence() -> None:
    paused = (event("stream_paused", 10_000, None), event("stream_resumed", 20_000, None))
    assert scorecard(call(said(A, 0, 10_000), said(A, 20_000, 30_000), events=paused)).silence_count == 0
    by_rule = (event("rule_pause_started", 10_000, None), event("rule_pause_ended", 20_000, None))
    others = (event("stream_paused", 9_000, None), event("stream_resumed", 11_000, None))
    silenced = call(said(A, 0, 10_000), said(A, 20_000, 30_000), events=(*by_rule, *others))
    assert timing.pauses(silenced) == [Span(9_000, 20_000)]
    assert scorecard(silenced).silence_count == 0
    record = call(said(A, 0, 10_000), said(A, 20_000, 30_000), gaps=(gap(C, 9_000, 19_000),))
    assert scorecard(record).silence_count == 0


def test_a_hold_without_its_end_lasts_to_the_end_of_the_agents_part_or_of_the_stream() -> None:
    assert timing.holds(call(events=(event("user_hold", 20_000),))) == [Span(20_000, 30_000)]
    ended = call(events=(event("user_hold", 20_000), event("user_end", 24_000)))
    assert timing.holds(ended) == [Span(20_000, 24_000)]
    transferred = call(
        said(A, 45_000, 60_000, channel_id="ch-b"),
        streams=((0, 30_000), (40_000, 70_000)),
        events=(event("user_hold", 20_000),),
    )
    assert timing.holds(transferred) == [Span(20_000, 30_000)]
    for over in ("transfer_completed", "conference_participant_left"):
        events = (event("user_hold", 20_000), event(over, 24_000))
        assert timing.holds(call(events=events)) == [Span(20_000, 24_000)]
    at_the_end = call(streams=((0, 30_000), (40_000, 70_000)), events=(event("user_hold", 30_000),))
    assert timing.holds(at_the_end) == []
    before_the_first = call(events=(event("user_hold", -1_000),))
    assert scorecard(before_the_first).hold_time_ms == 30_000
    assert timing.holds(call(streams=(), events=(event("user_hold", 0),))) == []


def test_a_hold_over_two_streams_is_one_and_measures_only_open_time() -> None:
    events = (event("user_hold", 8_000), event("user_unhold", 45_000))
    measured = scorecard(call(streams=((0, 10_000), (40_000, 60_000)), events=events))
    assert (measured.hold_count, measured.hold_time_ms, measured.longest_hold_ms) == (1, 7_000, 7_000)


def test_a_hold_that_begins_in_a_later_stream_ends_one_whose_end_was_not_told() -> None:
    """The unhold came while no stream was open: what was said since then was said on no hold."""
    streams = ((0, 20_000), (30_000, 100_000))
    begun = event("user_hold", 10_000), event("user_hold", 80_000)
    talk = said(A, 31_000, 40_000), said(C, 41_000, 79_000)
    ended = scorecard(call(*talk, streams=streams, events=(*begun, event("user_unhold", 85_000))))
    assert (ended.hold_count, ended.hold_time_ms, ended.longest_hold_ms) == (2, 15_000, 10_000)
    going_on = scorecard(call(*talk, streams=streams, events=begun))
    assert (going_on.hold_count, going_on.hold_time_ms, going_on.longest_hold_ms) == (2, 30_000, 20_000)
    between = event("user_hold", 10_000), event("user_hold", 25_000), event("user_unhold", 35_000)
    assert scorecard(call(streams=streams, events=between)).hold_time_ms == 15_000, "told twice, it is one"


def test_another_agents_end_does_not_end_a_hold() -> None:
    events = (event("user_hold", 5_000), event("user_end", 6_000, "ch-b"), event("user_unhold", 9_000))
    assert timing.holds(call(events=events)) == [Span(5_000, 9_000)]


def test_hold_events_without_a_channel_are_about_whoever_is_on_hold() -> None:
    for channels in [(None, None), (None, "ch-a"), ("ch-a", None)]:
        events = (event("user_hold", 5_000, channels[0]), event("user_unhold", 9_000, channels[1]))
        assert timing.holds(call(events=events)) == [Span(5_000, 9_000)]


def test_a_hold_told_twice_is_one_and_an_unhold_alone_none() -> None:
    events = (event("user_unhold", 2_000), event("user_hold", 5_000), event("user_hold", 6_000))
    assert timing.holds(call(events=(*events, event("user_unhold", 9_000)))) == [Span(5_000, 9_000)]


def test_several_holds() -> None:
    events = (
        *(event("user_hold", 1_000), event("user_unhold", 3_000)),
        *(event("user_hold", 5_000), event("user_unhold", 10_000)),
        *(event("user_hold", 12_000, "ch-b"), event("user_unhold", 13_000, "ch-b")),
    )
    measured = scorecard(call(events=events))
    assert (measured.hold_count, measured.hold_time_ms, measured.longest_hold_ms) == (3, 8_000, 5_000)


def test_a_hold_from_before_the_first_packet_counts_from_it() -> None:
    events = (event("user_hold", -4_000), event("user_unhold", 2_500))
    measured = scorecard(call(events=events))
    assert (measured.hold_count, measured.hold_time_ms) == (1, 2_500)
    over = (event("user_hold", -4_000), event("user_unhold", -1_000))
    assert scorecard(call(events=over)).hold_count == 0


def test_gaps_are_summed_over_tracks_and_lower_the_coverage() -> None:
    record = call(gaps=(gap(A, 1_000, 2_000), gap(A, 1_500, 2_500), gap(C, 1_000, 1_300)))
    measured = scorecard(record)
    assert (measured.gap_time_ms, measured.gap_count) == (1_800, 2)
    assert measured.coverage_ratio == pytest.approx(1 - 1_800 / 60_000)
    assert measured.damaged


@pytest.mark.parametrize(("gap_ms", "damaged"), [(1_200, False), (1_201, True)])
def test_damaged_is_below_98_percent(gap_ms: int, *, damaged: bool) -> None:
    assert scorecard(call(gaps=(gap(A, 0, gap_ms),))).damaged is damaged


def test_a_gap_beyond_its_track_counts_as_time_the_track_was_open() -> None:
    record = call(tracks=(track(A, 0, 10_000),), gaps=(gap(A, 10_000, 30_000),))
    assert timing.coverage_ratio(record) == pytest.approx(1 / 3)


def test_missing_audio_of_a_held_call_is_no_gap() -> None:
    events = (event("user_hold", 5_000), event("user_unhold", 9_000))
    measured = scorecard(call(gaps=(gap(A, 4_000, 10_000),), events=events))
    assert (measured.gap_time_ms, measured.gap_count) == (2_000, 2)


def test_a_mixed_track_defines_only_what_needs_no_side() -> None:
    measured = scorecard(call(said(None, 0, 4_000, 20), said(None, 10_000, 14_000, 20), sides=(None,)))
    assert (measured.talk_time_total_ms, measured.speech_time_ms, measured.silence_count) == (8_000, 8_000, 2)
    assert measured.talk_time_agent_ms is measured.talk_time_customer_ms is measured.overtalk_count is None
    assert measured.turns_agent_count is measured.words_customer_count is measured.talk_ratio_agent is None
    assert measured.interruptions_agent_count is measured.backchannels_agent_count is None
    assert measured.speaker_switches_per_min is measured.longest_monologue_agent_ms is None
    assert measured.verdict == "conversation"


def test_channels_of_unknown_side_each_add_to_the_total() -> None:
    record = call(
        said(None, 0, 4_000, channel_id="x"), said(None, 2_000, 6_000, channel_id="y"), sides=(None,)
    )
    measured = scorecard(record)
    assert (measured.talk_time_total_ms, measured.speech_time_ms) == (8_000, 6_000)
    assert measured.overtalk_time_ms is None


def test_a_third_party_talks_and_overtalks() -> None:
    measured = scorecard(call(said(O, 0, 4_000), said(C, 3_000, 6_000), sides=(A, C, O)))
    assert measured.talk_time_other_ms == 4_000
    assert measured.talk_time_total_ms == 7_000
    assert (measured.overtalk_time_ms, measured.overtalk_count) == (1_000, 1)


def test_two_agents_at_once_are_one_side() -> None:
    measured = scorecard(call(said(A, 0, 4_000), said(A, 2_000, 6_000, channel_id="ch-b")))
    assert (measured.talk_time_agent_ms, measured.overtalk_time_ms) == (6_000, 0)


# The slow model.

Mask = npt.NDArray[np.bool_]


def runs(mask: Mask) -> list[int]:
    """Lengths of the stretches of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [int(length) for length in edges[1::2] - edges[::2]]


def slow_speech(record: CallRecord) -> dict[Side, Mask]:
    by_side: dict[Side, Mask] = {side: np.zeros(LONGEST_MS, bool) for side in Side}
    for side, channel_id in {(one.side, one.channel_id) for one in record.utterances}:
        mask = np.zeros(LONGEST_MS, bool)
        for one in record.utterances:
            if one.channel_id == channel_id:
                mask[one.start_ms : one.end_ms] = True
        last_spoken = None
        for at in np.flatnonzero(mask):
            if last_spoken is not None and at - last_spoken - 1 < 300:
                mask[last_spoken:at] = True
            last_spoken = int(at)
        assert side is not None
        by_side[side] |= mask
    return by_side


def slow_told(record: CallRecord, begins: str, ends: set[str]) -> Mask:
    """Walks through the call a millisecond at a time, as one who keeps a list of who is on hold."""
    mask = np.zeros(LONGEST_MS, bool)
    waiting: set[str | None] = set()
    todo = list(record.events)
    for at in range(record.streams[0].end_ms):
        while todo and todo[0].at_ms == at:
            told = todo.pop(0)
            if told.name == begins:
                waiting.add(told.channel_id)
            elif told.name in ends:
                waiting -= waiting if told.channel_id is None else {told.channel_id, None}
        mask[at] = bool(waiting)
    return mask


@given(calls())
def test_times_agree_with_the_slow_model(record: CallRecord) -> None:
    measured = scorecard(record)
    end_ms = record.streams[0].end_ms
    speech = slow_speech(record)
    count = np.sum(list(speech.values()), axis=0)
    assert [measured.talk_time_agent_ms, measured.talk_time_customer_ms, measured.talk_time_other_ms] == [
        int(mask.sum()) for mask in speech.values()
    ]
    assert measured.talk_time_total_ms == count.sum()
    assert measured.speech_time_ms == (count > 0).sum()
    assert measured.overtalk_time_ms == (count > 1).sum()
    assert measured.overtalk_count == len(runs(count > 1))

    hold = slow_told(record, "user_hold", {"user_unhold", "user_end"})
    assert measured.hold_time_ms == hold.sum()
    assert (measured.hold_count, measured.longest_hold_ms) == (len(runs(hold)), max(runs(hold), default=0))

    observed = np.zeros(LONGEST_MS, bool)
    observed[:end_ms] = True
    observed &= ~(hold | slow_told(record, "stream_paused", {"stream_resumed"}))
    missing = dict.fromkeys((one.channel_id for one in record.gaps), np.zeros(LONGEST_MS, bool))
    for one in record.gaps:
        here = np.zeros(LONGEST_MS, bool)
        here[one.start_ms : one.end_ms] = True
        missing[one.channel_id] = missing[one.channel_id] | (here & observed)
    assert measured.gap_time_ms == sum(int(mask.sum()) for mask in missing.values())
    assert measured.gap_count == sum(len(runs(mask)) for mask in missing.values())
    assert measured.coverage_ratio == pytest.approx(1 - measured.gap_time_ms / (3 * end_ms))
    for mask in missing.values():
        observed &= ~mask
    silences = [length for length in runs(observed & (count == 0)) if length > 3_000]
    assert (measured.silence_count, measured.silence_time_ms) == (len(silences), sum(silences))
    assert measured.longest_silence_ms == max(silences, default=0)
    assert measured.non_talk_time_total_ms == measured.hold_time_ms + measured.silence_time_ms
