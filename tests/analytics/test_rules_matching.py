"""Conditions hold, do not, or cannot be known; what is told while a call runs is true at its end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.analytics.build import A, C, call, calls, event, gap, said, track
from zccvoice.analytics.record import CallRecord, Side, Span
from zccvoice.analytics.rules import Condition, Filter, Limit, Origin, Phrases, Quantity, Rule, Unit, Window
from zccvoice.analytics.rules_matching import SETTLING_MS, Listener, Progress, progress_of
from zccvoice.analytics.scorecard import scorecard
from zccvoice.analytics.timing import open_time

ANYWHERE = Origin()
GREETING = Condition(Phrases(("good morning",)), A, Window(0, 15_000), negate=True)


def holds(record: CallRecord, condition: Condition, progress: Progress | None = None) -> bool | None:
    return Listener(record, progress=progress).find(condition).holds


def limit(quantity: Quantity, value: float, *, is_above: bool = True) -> Limit:
    return Limit(quantity, value, is_above)


def test_words_with_their_place() -> None:
    record = call(said(C, 2_000, 4_000, "I want a refund"), said(A, 5_000, 6_000, "a refund then"))
    condition = Condition(Phrases(("refund", "money back")), C)
    (place,) = Listener(record).find(condition).evidence
    assert (place.side, place.why) == (C, '"refund"')
    assert 2_000 <= place.start_ms < place.end_ms == 4_000
    assert len(Listener(record).find(replace(condition, side=None)).evidence) == 2


def test_any_of_them_or_all_of_them() -> None:
    record = call(said(C, 2_000, 4_000, "I want a refund"))
    wanted = ("refund", "money back")
    assert holds(record, Condition(Phrases(wanted))) is True
    assert holds(record, Condition(Phrases(wanted, all_of=True))) is False
    both = call(said(C, 2_000, 4_000, "I want a refund"), said(C, 9_000, 10_000, "my money back"))
    assert holds(both, Condition(Phrases(wanted, all_of=True))) is True


@pytest.mark.parametrize(
    ("window", "is_in"),
    [
        (Window(0, 10_000), True),
        (Window(0, 6_000), False),  # it begins there
        (Window(6_000, 6_001), True),
        (Window(-24_000, None), True),
        (Window(-23_999, None), False),
        (Window(20, 21, Unit.PERCENT), True),
        (Window(0, 20, Unit.PERCENT), False),
        (Window(-80, None, Unit.PERCENT), True),
        (Window(-79, None, Unit.PERCENT), False),
    ],
)
def test_windows(window: Window, is_in: bool) -> None:
    record = call(said(C, 6_000, 7_000, "refund"))
    assert holds(record, Condition(Phrases(("refund",)), window=window)) is is_in


def test_no_greeting() -> None:
    greeted = call(said(A, 1_000, 3_000, "Good morning, Northwind."))
    assert holds(greeted, GREETING) is False
    late = call(said(A, 1_000, 3_000, "Yes?"), said(A, 16_000, 17_000, "Oh, good morning!"))
    (place,) = Listener(late).find(GREETING).evidence
    assert (place.start_ms, place.end_ms, place.side) == (0, 15_000, A)
    assert place.why == 'not: "good morning" said by agent in 0–15000 ms of the call'


def test_what_cannot_be_known_matches_nothing() -> None:
    not_transcribed = call(said(A, 1_000, 3_000, None))
    abandoned = call(said(C, 1_000, 3_000, "Hello?"), sides=(C,))
    mixed = call(said(None, 1_000, 3_000, "Yes?"), sides=(None,))
    for record in (not_transcribed, abandoned, mixed):
        assert holds(record, GREETING) is None
        assert holds(record, replace(GREETING, negate=False)) is None
    assert holds(call(said(A, 1_000, 3_000, "Yes?"), said(A, 16_000, 17_000, None)), GREETING) is True


PAUSED = (event("stream_paused", 2_000, None), event("stream_resumed", 9_000, None))
SILENCED = (event("rule_pause_started", 2_000, None), event("rule_pause_ended", 9_000, None))
HELD = (event("user_hold", 5_000), event("user_unhold", 9_000))


@pytest.mark.parametrize(
    ("told", "is_known"),
    [
        ({"gaps": (gap(A, 2_000, 9_000),)}, False),
        ({"gaps": (gap(A, 14_800, 15_200),)}, True),
        ({"gaps": (gap(C, 2_000, 9_000),)}, True),
        ({"events": PAUSED}, False),
        ({"events": SILENCED}, False),
        ({"events": HELD}, True),
        ({"streams": ((0, 5_000), (8_000, 30_000))}, False),
    ],
)
def test_nobody_failed_to_say_what_could_not_be_heard(told: dict[str, Any], is_known: bool) -> None:
    record = call(said(A, 0, 1_000, "Yes?"), said(C, 20_000, 21_000, "Hello."), **told)
    assert holds(record, GREETING) is (True if is_known else None)
    heard = call(said(A, 0, 1_000, "Good morning!"), said(C, 20_000, 21_000, "Hello."), **told)
    assert holds(heard, GREETING) is False


def test_nobody_knows_of_a_silence_where_nothing_could_be_heard() -> None:
    talk = (said(A, 0, 10_000), said(C, 12_000, 13_000), said(A, 18_000, 30_000))
    silence = Condition(limit(Quantity.SILENCE_MS, 4_000), negate=True)
    assert holds(call(*talk, gaps=(gap(A, 13_500, 17_500),)), silence) is None
    assert (
        holds(call(*talk, gaps=(gap(A, 13_500, 17_500),)), replace(silence, window=Window(0, 14_000))) is True
    )
    assert holds(call(*talk), silence) is False


def test_a_hold_over_time_without_a_stream_is_as_long_as_in_the_scorecard() -> None:
    record = call(
        said(A, 0, 2_000),
        streams=((0, 20_000), (40_000, 60_000)),
        events=(event("user_hold", 10_000), event("user_unhold", 45_000)),
    )
    assert scorecard(record).longest_hold_ms == 15_000
    (place,) = Listener(record).find(Condition(limit(Quantity.HOLD_MS, 14_999))).evidence
    assert (place.start_ms, place.end_ms) == (10_000, 45_000)
    assert place.why.endswith(": 15000")
    assert holds(record, Condition(limit(Quantity.HOLD_MS, 15_000))) is False
    assert holds(record, Condition(limit(Quantity.HOLD_MS, 13_000), window=Window(0, 43_001))) is True


@pytest.mark.parametrize(("above_ms", "is_met"), [(4_000, True), (5_000, False)])
def test_silence(above_ms: float, is_met: bool) -> None:
    record = call(said(A, 0, 10_000), said(C, 15_000, 30_000))
    condition = Condition(limit(Quantity.SILENCE_MS, above_ms))
    assert holds(record, condition) is is_met
    assert [(one.start_ms, one.end_ms) for one in Listener(record).find(condition).evidence] == (
        [(10_000, 15_000)] if is_met else []
    )


def test_only_the_silence_in_the_window_counts() -> None:
    record = call(said(A, 0, 10_000), said(C, 15_000, 30_000))
    assert holds(record, Condition(limit(Quantity.SILENCE_MS, 3_000), window=Window(0, 13_000))) is False
    assert holds(record, Condition(limit(Quantity.SILENCE_MS, 3_000), window=Window(0, 13_001))) is True


def test_hold() -> None:
    record = call(events=(event("user_hold", 5_000), event("user_unhold", 12_000)))
    (place,) = Listener(record).find(Condition(limit(Quantity.HOLD_MS, 6_999))).evidence
    assert (place.start_ms, place.end_ms, place.why) == (5_000, 12_000, "hold above 6999 ms: 7000")
    assert holds(record, Condition(limit(Quantity.HOLD_MS, 7_000))) is False


def test_interruptions_by_number_and_by_time() -> None:
    record = call(
        said(C, 0, 5_000),
        said(A, 2_000, 6_000),
        said(C, 10_000, 15_000),
        said(A, 14_000, 16_000),
    )
    assert holds(record, Condition(limit(Quantity.INTERRUPTIONS_COUNT, 1), A)) is True
    assert holds(record, Condition(limit(Quantity.INTERRUPTIONS_COUNT, 2), A)) is False
    assert holds(record, Condition(limit(Quantity.INTERRUPTIONS_COUNT, 0), C)) is False
    assert holds(record, Condition(limit(Quantity.INTERRUPTIONS_MS, 3_999), A)) is True
    assert holds(record, Condition(limit(Quantity.INTERRUPTIONS_MS, 4_000), A)) is False
    in_first_part = Window(0, 40, Unit.PERCENT)
    assert holds(record, Condition(limit(Quantity.INTERRUPTIONS_COUNT, 1), A, in_first_part)) is False
    alone = call(said(A, 0, 5_000), sides=(A,))
    assert holds(alone, Condition(limit(Quantity.INTERRUPTIONS_COUNT, 0), A)) is None


def test_sentiment_is_weighted_by_words() -> None:
    record = call(
        replace(said(C, 0, 2_000, 10), sentiment=0.5),
        replace(said(C, 3_000, 4_000, 30), sentiment=-0.7),
        replace(said(A, 5_000, 6_000, 9), sentiment=1.0),
        said(C, 7_000, 8_000, 50),
    )
    below = limit(Quantity.SENTIMENT, -1.99, is_above=False)
    (place,) = Listener(record).find(Condition(below, C)).evidence
    assert place.why == "sentiment below -1.99: -2.0"
    assert holds(record, Condition(limit(Quantity.SENTIMENT, -2, is_above=False), C)) is False
    assert holds(record, Condition(below, C, Window(0, 3_000))) is False
    assert holds(record, Condition(below, C, Window(7_000, 9_000))) is None, "nothing there has a score"


def test_a_sentiment_of_words_that_cannot_be_counted_is_unknown() -> None:
    record = call(
        replace(said(C, 0, 2_000, 10), sentiment=-0.7), replace(said(C, 3_000, 9_000, "很差"), sentiment=-0.7)
    )
    below = limit(Quantity.SENTIMENT, -2, is_above=False)
    assert holds(record, Condition(below, C)) is None
    assert holds(record, Condition(below, C, Window(0, 3_000))) is True
    assert holds(record, Condition(limit(Quantity.TALK_SPEED_WPM, 100), C)) is None


def test_talk_speed() -> None:
    record = call(said(A, 0, 10_000, 30))  # 180 a minute
    assert holds(record, Condition(limit(Quantity.TALK_SPEED_WPM, 179), A)) is True
    assert holds(record, Condition(limit(Quantity.TALK_SPEED_WPM, 180), A)) is False
    assert holds(record, Condition(limit(Quantity.TALK_SPEED_WPM, 181, is_above=False), A)) is True
    assert holds(record, Condition(limit(Quantity.TALK_SPEED_WPM, 179), C)) is None


def test_all_conditions_must_hold() -> None:
    record = call(said(C, 2_000, 4_000, "I want a refund"), said(A, 4_500, 6_000, "no"))
    refund, no = Condition(Phrases(("refund",)), C), Condition(Phrases(("no",)), A)
    unknown = Condition(limit(Quantity.TALK_SPEED_WPM, 1), A)
    finding = Listener(record).judge(Rule("r", (refund, no)), ANYWHERE)
    assert [one.why for one in finding.evidence] == ['"refund"', '"no"']
    assert Listener(record).judge(Rule("r", (refund, unknown)), ANYWHERE).holds is None
    assert (
        Listener(record).judge(Rule("r", (refund, unknown, replace(no, negate=True))), ANYWHERE).holds
        is False
    )


def test_what_begins_at_the_same_moment_is_one_place() -> None:
    record = call(said(C, 0, 2_000, "refund now"), said(A, 9_000, 9_900, "yes"))
    rule = Rule("r", (Condition(Phrases(("refund", "refund now")), C), GREETING))
    (place,) = Listener(record).judge(rule, ANYWHERE).evidence
    assert (place.start_ms, place.end_ms, place.side) == (0, 15_000, None)
    assert place.why.startswith('"refund"; "refund now"; not: "good morning"')


@pytest.mark.parametrize(
    ("origin", "is_for"),
    [
        (Origin("contact_center", "q1", "Orders", "en"), True),
        (Origin("contact_center", "q1", None, "en"), True),
        (Origin("contact_center", None, "orders", "en"), True),
        (Origin("contact_center", "q2", "Sales", "en"), False),
        (Origin("phone", "q1", "Orders", "en"), False),
        (Origin("contact_center", "q1", "Orders", "de"), False),
        (Origin(), False),
    ],
)
def test_rules_are_for_some_calls(origin: Origin, is_for: bool) -> None:
    rule = Rule("r", (Condition(Phrases(("yes",))),), "", ("ORDERS", "q1"), ("contact_center",), ("en",))
    assert rule.is_for(origin) is is_for
    assert Listener(call(said(A, 0, 900, "yes"))).judge(rule, origin).holds is is_for
    assert replace(rule, queues=(), products=(), languages=()).is_for(origin)


# While a call runs


def test_words_are_told_at_once_and_their_absence_when_the_window_has_passed() -> None:
    record = call(said(A, 1_000, 3_000, "Yes?"))
    refund = Condition(Phrases(("yes",)))
    assert holds(record, refund, progress_of(record, 4_000)) is True
    assert holds(record, GREETING, progress_of(record, 60_000)) is None, "who speaks long is heard late"
    later = call(said(A, 1_000, 3_000, "Yes?"), said(C, 44_000, 15_000 + SETTLING_MS))
    assert holds(later, GREETING, progress_of(later, 60_000)) is True


def test_words_of_two_utterances_wait_for_what_may_part_them() -> None:
    """The customer speaks between the two, for long: it is heard of only when they have ended."""
    parts = said(A, 0, 1_000, "good"), said(A, 2_000, 3_000, "morning")
    greeted = Condition(Phrases(("good morning",)), A, Window(0, 15_000))
    before = call(*parts)
    assert holds(before, greeted, progress_of(before, 4_000)) is None
    later = call(*parts, said(C, 44_000, 15_000 + SETTLING_MS))
    assert holds(later, greeted, progress_of(later, 46_000)) is True
    parted = call(*parts, said(C, 1_500, 20_000))
    assert holds(parted, greeted) is False


def test_what_only_the_end_can_tell_waits_for_it() -> None:
    record = call(said(A, 1_000, 3_000, "yes"), said(A, 50_000, 90_000, 100), streams=((0, 90_000),))
    now = progress_of(record, 90_000)
    for condition in (
        Condition(Phrases(("no",))),
        Condition(Phrases(("no",)), negate=True),
        Condition(Phrases(("yes",)), window=Window(-90_000, None)),
        Condition(Phrases(("yes",)), window=Window(0, 50, Unit.PERCENT)),
        Condition(limit(Quantity.TALK_SPEED_WPM, 1), A),
    ):
        assert holds(record, condition, now) is None
        assert holds(record, condition) is not None


def test_silence_is_not_told_before_a_long_utterance_could_have_ended() -> None:
    """One who began at 6 s and still speaks is not heard of yet, and a short word of the other side is."""
    record = call(said(A, 0, 5_000), said(A, 20_000, 20_400, "okay"), streams=((0, 20_400),))
    silence = Condition(limit(Quantity.SILENCE_MS, 10_000))
    assert holds(record, silence, progress_of(record, 21_000)) is None
    later = call(said(A, 0, 5_000), said(A, 20_000, 50_000), streams=((0, 50_000),))
    assert holds(later, silence, progress_of(later, 50_000)) is True


def test_a_hold_grows_by_the_clock() -> None:
    record = call(said(A, 0, 4_000), streams=((0, 4_000),), tracks=(), events=(event("user_hold", 4_000),))
    hold = Condition(limit(Quantity.HOLD_MS, 60_000))
    assert holds(record, hold, progress_of(record, 64_000)) is None
    (place,) = Listener(record, progress=progress_of(record, 64_001)).find(hold).evidence
    assert (place.start_ms, place.end_ms) == (4_000, 64_001)


def test_nothing_is_known_of_a_call_without_audio() -> None:
    empty = CallRecord("e", (), (), (), (), (), None, None)
    for filter_ in (Phrases(("yes",)), limit(Quantity.SENTIMENT, 0), limit(Quantity.HOLD_MS, 0)):
        for negate in (True, False):
            assert holds(empty, Condition(filter_, negate=negate)) is None
            assert holds(empty, Condition(filter_, negate=negate), progress_of(empty, 5_000)) is None


def test_a_part_that_the_call_never_reached_tells_nothing() -> None:
    record = call(said(A, 0, 30_000, "yes"))
    for negate in (True, False):
        assert holds(record, Condition(Phrases(("yes",)), None, Window(30_000, 60_000), negate)) is None


filters: st.SearchStrategy[Filter] = st.one_of(
    st.builds(
        Phrases,
        st.sampled_from([("word",), ("word word word",), ("x",), ("word", "x"), ("word " * 26,)]),
        st.booleans(),
    ),
    st.builds(Limit, st.just(Quantity.SILENCE_MS), st.sampled_from([3_000.0, 6_000.0])),
    st.builds(Limit, st.just(Quantity.HOLD_MS), st.sampled_from([0.0, 5_000.0])),
    st.builds(Limit, st.just(Quantity.INTERRUPTIONS_COUNT), st.sampled_from([0.0, 1.0])),
    st.builds(Limit, st.just(Quantity.INTERRUPTIONS_MS), st.sampled_from([0.0, 1_500.0])),
    st.builds(Limit, st.just(Quantity.TALK_SPEED_WPM), st.sampled_from([60.0, 200.0]), st.booleans()),
)
windows = st.one_of(
    st.just(Window()),
    st.builds(
        lambda start, length: Window(start, start + length), st.integers(0, 30_000), st.integers(1, 30_000)
    ),
    st.builds(lambda length: Window(-length, None), st.integers(1, 40_000)),
    st.builds(
        lambda start, length: Window(start, start + length, Unit.PERCENT),
        st.integers(0, 60),
        st.integers(1, 40),
    ),
)
conditions = st.builds(Condition, filters, st.none() | st.sampled_from(Side), windows, st.booleans())


@given(calls(), conditions)
def test_negated_is_the_contrary_or_neither_can_be_known(record: CallRecord, condition: Condition) -> None:
    plain, negated = replace(condition, negate=False), replace(condition, negate=True)
    held = holds(record, plain)
    assert holds(record, negated) is (None if held is None else not held)


@given(calls(), conditions)
def test_what_holds_has_a_place_in_the_call(record: CallRecord, condition: Condition) -> None:
    finding = Listener(record).find(condition)
    assert bool(finding.evidence) is (finding.holds is True)
    open_ = open_time(record)
    for place in finding.evidence:
        assert open_[0].start_ms <= place.start_ms <= place.end_ms <= open_[-1].end_ms


@given(calls(), filters, st.none() | st.sampled_from(Side), st.integers(0, 100), st.integers(0, 100))
def test_a_relative_window_is_the_absolute_one_of_the_same_length(
    record: CallRecord, filter_: Filter, side: Side | None, one: int, other: int
) -> None:
    open_ = open_time(record)
    length_ms = open_[-1].end_ms - open_[0].start_ms
    start, end = sorted((one, other))
    absolute = Window(round(start * length_ms / 100), round(end * length_ms / 100))
    relative = Condition(filter_, side, Window(start, end, Unit.PERCENT))
    assert Listener(record).find(relative) == Listener(record).find(replace(relative, window=absolute))


@given(calls(), conditions, st.integers(0, 90_000))
def test_what_is_told_while_a_call_runs_is_true_at_its_end(
    record: CallRecord, condition: Condition, now_ms: int
) -> None:
    """The rest may still change, but nothing is told and then taken back."""
    heard = tuple(one for one in record.utterances if one.end_ms <= now_ms)
    now_heard = replace(
        record,
        streams=(Span(0, max((one.end_ms for one in heard), default=0)),),
        utterances=heard,
        tracks=(),
        gaps=tuple(one for one in record.gaps if one.end_ms <= now_ms),
        events=tuple(one for one in record.events if one.at_ms <= now_ms),
    )
    told = holds(now_heard, condition, progress_of(now_heard, min(now_ms, record.streams[0].end_ms)))
    if told is True:
        assert holds(record, condition) is True


def test_tracks_alone_tell_that_a_side_was_there() -> None:
    record = call(tracks=(track(A, 0, 30_000),))
    assert holds(record, GREETING) is True
