"""Who had the floor."""

from __future__ import annotations

import pytest

from zccvoice.analytics.record import CallRecord, Side, SpokenUtterance
from zccvoice.analytics.scorecard import scorecard
from zccvoice.analytics.thresholds import DEFAULTS, Thresholds
from zccvoice.analytics.turns import interruptions, turn_taking

from .build import A, C, O, call, event, gap, said


def turns_of(*utterances: SpokenUtterance) -> list[tuple[Side, int, int]]:
    return [(one.side, one.start_ms, one.end_ms) for one in turn_taking(call(*utterances), DEFAULTS).turns]


def signals_of(*utterances: SpokenUtterance) -> list[int]:
    return [one.start_ms for one in turn_taking(call(*utterances), DEFAULTS).backchannels]


LONG = said(C, 0, 5_000)


@pytest.mark.parametrize(
    ("words", "length_ms", "is_one"),
    [(3, 900, True), (4, 900, False), (0, 900, True), (None, 700, True), (None, 701, False)],
)
def test_a_backchannel_has_3_words_or_700_ms(words: int | None, length_ms: int, *, is_one: bool) -> None:
    assert signals_of(LONG, said(A, 2_000, 2_000 + length_ms, words)) == ([2_000] if is_one else [])


@pytest.mark.parametrize(("length_ms", "is_one"), [(700, True), (701, False)])
def test_where_words_cannot_be_counted_the_length_tells(length_ms: int, *, is_one: bool) -> None:
    assert signals_of(LONG, said(A, 2_000, 2_000 + length_ms, "はい、そうですね。")) == (
        [2_000] if is_one else []
    )


def test_an_interruption_in_words_that_cannot_be_counted() -> None:
    measured = scorecard(
        call(said(C, 0, 5_000, "もしもし、聞こえますか。"), said(A, 3_000, 9_000, "はい、聞こえます。"))
    )
    assert (measured.interruptions_agent_count, measured.interruptions_agent_time_ms) == (1, 2_000)


@pytest.mark.parametrize(("start_ms", "is_one"), [(6_000, True), (6_001, False)])
def test_a_backchannel_after_a_turn_begins_within_1_s(start_ms: int, *, is_one: bool) -> None:
    again = said(C, 12_000, 15_000)
    assert signals_of(LONG, said(A, start_ms, start_ms + 300, 1), again) == ([start_ms] if is_one else [])


def test_a_backchannel_after_a_turn_needs_the_other_side_again() -> None:
    assert signals_of(LONG, said(A, 5_500, 5_900, 1)) == []
    assert signals_of(LONG, said(A, 5_500, 5_900, 1), said(A, 7_000, 9_000)) == []
    twice = said(A, 5_500, 5_700, 1), said(A, 6_000, 6_300, 1)
    assert signals_of(LONG, *twice, said(C, 8_000, 9_000)) == [5_500, 6_000]


def test_the_other_side_again_may_be_short_too() -> None:
    assert signals_of(LONG, said(A, 5_500, 5_700, 1), said(C, 9_000, 9_300, 1)) == [5_500]


def test_a_backchannel_may_end_with_the_turn() -> None:
    assert signals_of(LONG, said(A, 4_600, 5_000, 1)) == [4_600]
    assert signals_of(LONG, said(A, 4_600, 5_001, 1)) == []


def test_a_short_word_in_a_pause_of_the_turn_lies_within_it_however_late() -> None:
    assert signals_of(LONG, said(A, 6_500, 6_900, 1), said(C, 7_900, 9_000)) == [6_500]
    assert signals_of(LONG, said(A, 6_500, 6_900, 1), said(C, 8_000, 9_000)) == []
    assert signals_of(LONG, said(A, 6_500, 9_000, 1), said(C, 7_900, 9_000)) == [6_500]
    assert signals_of(LONG, said(A, 6_500, 9_001, 1), said(C, 7_900, 9_000)) == []


def test_a_turn_goes_on_over_the_short_words_of_two_others() -> None:
    first, second = said(A, 6_400, 6_900, 1), said(O, 6_800, 7_200, 1)
    again = said(C, 7_900, 9_000)
    assert signals_of(LONG, first, again) == [6_400], "of two"
    assert signals_of(LONG, first, second, again) == [6_400, 6_800]
    assert turns_of(LONG, first, second, again) == [(C, 0, 9_000)]
    at_once = said(A, 5_200, 5_600, 1), said(O, 5_400, 5_800, 1)
    assert signals_of(LONG, *at_once, said(C, 8_500, 9_000)) == [5_200, 5_400], (
        "soon after the end of the turn"
    )


def test_a_turn_may_go_on_in_pieces_beside_a_short_word() -> None:
    pieces = said(C, 6_600, 7_000), said(C, 7_400, 9_000)
    assert signals_of(LONG, said(A, 6_500, 7_500, 1), *pieces) == [6_500]
    assert turns_of(LONG, said(A, 6_500, 7_500, 1), *pieces) == [(C, 0, 9_000)]
    assert signals_of(LONG, said(A, 6_500, 9_001, 1), *pieces) == []
    assert signals_of(LONG, said(A, 6_500, 7_500, 1), pieces[0], said(C, 10_000, 12_000)) == []
    assert signals_of(LONG, said(A, 6_500, 7_500, 1), pieces[0], said(O, 7_100, 9_000), pieces[1]) == []


def test_a_short_answer_that_is_no_signal_is_a_turn() -> None:
    assert turns_of(LONG, said(A, 7_000, 7_400, 1), said(C, 9_000, 12_000)) == [
        (C, 0, 5_000),
        (A, 7_000, 7_400),
        (C, 9_000, 12_000),
    ]


def test_a_backchannel_does_not_end_a_turn_a_substantive_utterance_does() -> None:
    assert turns_of(LONG, said(A, 5_100, 5_400, 1), said(C, 5_800, 9_000)) == [(C, 0, 9_000)]
    assert [side for side, *_ in turns_of(LONG, said(A, 5_100, 5_400, 4), said(C, 5_800, 9_000))] == [C, A, C]


@pytest.mark.parametrize(("pause_ms", "count"), [(2_999, 1), (3_000, 2)])
def test_a_pause_of_3_s_ends_a_turn(pause_ms: int, count: int) -> None:
    assert len(turns_of(LONG, said(C, 5_000 + pause_ms, 12_000))) == count


def test_a_change_of_turn_within_a_side_is_no_switch() -> None:
    measured = scorecard(call(LONG, said(C, 20_000, 30_000)))
    assert (measured.turns_customer_count, measured.speaker_switches_per_min) == (2, 0)


def interrupting(start_ms: int, words: int | None = 4, until_ms: int = 4_000) -> CallRecord:
    return call(said(C, 1_000, 4_000), said(A, start_ms, until_ms, words))


@pytest.mark.parametrize(("start_ms", "count"), [(1_499, 0), (1_500, 1), (3_500, 1), (3_501, 0)])
def test_an_interruption_falls_in_the_middle(start_ms: int, count: int) -> None:
    assert len(interruptions(interrupting(start_ms), DEFAULTS)) == count


def test_an_interruption_is_substantive_and_so_is_what_it_interrupts() -> None:
    assert len(interruptions(interrupting(2_000, words=3), DEFAULTS)) == 0
    assert len(interruptions(interrupting(2_000, words=None), DEFAULTS)) == 1
    assert interruptions(call(said(C, 1_000, 4_000, 3), said(A, 2_000, 5_000, 9)), DEFAULTS) == []


def test_the_time_of_an_interruption_is_the_overlap() -> None:
    assert interruptions(interrupting(2_000, until_ms=3_000), DEFAULTS)[0].overlap_ms == 1_000
    measured = scorecard(interrupting(2_000, until_ms=9_000))
    assert (measured.interruptions_agent_count, measured.interruptions_agent_time_ms) == (1, 2_000)
    assert (measured.interruptions_customer_count, measured.interruptions_customer_time_ms) == (0, 0)


def test_interrupting_two_at_once_is_one_interruption() -> None:
    (found,) = interruptions(
        call(said(C, 0, 5_000), said(O, 1_000, 6_000), said(A, 3_000, 9_000), sides=(A, C, O)), DEFAULTS
    )[1:]
    assert (found.side, found.overlap_ms) == (A, 3_000)


def test_two_agents_never_interrupt_one_another() -> None:
    assert interruptions(call(said(A, 0, 5_000), said(A, 2_000, 9_000, channel_id="ch-b")), DEFAULTS) == []


def test_going_on_after_the_cut_of_a_long_utterance_is_no_interruption() -> None:
    record = call(said(A, 0, 25_000, 60), said(C, 20_000, 28_000), said(A, 25_000, 29_000))
    assert [one.side for one in interruptions(record, DEFAULTS)] == [C]


def test_response_gaps_from_three_samples_on() -> None:
    answers = [(1_000, 1_500), (3_000, 3_400), (5_000, 6_000), (7_000, 7_100)]  # gaps 500, 400, 1 000, 100
    utterances = [said(C, end - 700, end) for end, _ in answers]
    utterances += [said(A, start, start + 1, 9) for _, start in answers]
    measured = scorecard(call(*utterances))
    assert measured.response_gap_agent_ms_p50 == 450
    assert measured.response_gap_agent_ms_p90 == 850
    fewer = scorecard(call(*utterances[:2], *utterances[4:6]))
    assert (fewer.response_gap_agent_ms_p50, fewer.response_gap_agent_ms_p90) == (None, None)


def one_gap(record: CallRecord) -> int | None:
    return scorecard(record, Thresholds(response_gap_min_count=2)).response_gap_agent_ms_p50


@pytest.mark.parametrize(
    "unheard",
    [
        {"events": (event("user_hold", 13_000), event("user_unhold", 14_000))},
        {"gaps": (gap(C, 13_000, 13_100),)},
        {"streams": ((0, 13_000), (14_000, 30_000))},
    ],
)
def test_a_response_gap_over_something_unheard_is_no_sample(unheard: dict[str, tuple[object, ...]]) -> None:
    utterances = [said(C, 0, 5_000), said(A, 5_100, 8_000), said(C, 8_100, 9_000), said(A, 9_300, 10_000)]
    utterances += [said(C, 10_500, 12_000), said(A, 16_000, 20_000)]
    assert one_gap(call(*utterances)) == 300  # of 100, 300 and 4 000
    assert one_gap(call(*utterances, **unheard)) == 200  # type: ignore[arg-type]


def test_a_turn_that_follows_without_a_pause_is_a_response_gap_of_zero() -> None:
    utterances = [said(C, 0, 5_000), said(A, 5_000, 8_000), said(C, 8_100, 9_000), said(A, 9_000, 10_000)]
    assert one_gap(call(*utterances)) == 0


def test_the_longest_monologue_of_a_silent_side_is_zero_and_of_no_side_unknown() -> None:
    measured = scorecard(call(LONG))
    assert (measured.longest_monologue_agent_ms, measured.turns_agent_count) == (0, 0)
    alone = scorecard(call(LONG, sides=(C,)))
    assert alone.longest_monologue_agent_ms is alone.interruptions_customer_count is None
    assert alone.overtalk_time_ms is alone.overtalk_count is None
    assert alone.interruptions_customer_time_ms is alone.backchannels_customer_count is None
    assert alone.longest_monologue_customer_ms == 5_000


def test_first_response_counts_from_the_first_answer() -> None:
    def measured(*at_ms: int) -> int | None:
        events = tuple(event("user_answered", at) for at in at_ms)
        return scorecard(
            call(said(A, 3_000, 5_000), said(A, 9_000, 9_900), events=events)
        ).first_response_agent_ms

    assert measured(1_000) == 2_000
    assert measured(8_000, 1_000) == 2_000
    assert measured(-700) == 3_000  # nobody heard what was before the first packet
    assert measured(4_000) == 0
    assert measured(5_000) == 4_000
    assert measured(10_000) is None
    assert measured() is None
