"""A call that is still running."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.analytics.live import Heard, LiveCall, live_call
from zccvoice.analytics.record import CallEvent, CallRecord, Side, Span, SpokenUtterance
from zccvoice.analytics.scorecard import scorecard

from .build import A, C, call, calls, event, gap, said

SIDES: dict[str, Side | None] = {"ch-a": A, "ch-c": C}


def heard(
    until_ms: int,
    *,
    spoken: dict[str, tuple[Span, ...]] | None = None,
    speaking: dict[str, Span] | None = None,
) -> Heard:
    """Of two legs of which packets came for ten seconds, at most."""
    tracks = dict.fromkeys(SIDES, Span(0, min(until_ms, 10_000)))
    return Heard(until_ms, tracks, spoken or {}, speaking or {})


def running(*utterances: SpokenUtterance, events: tuple[CallEvent, ...] = ()) -> CallRecord:
    """As it is stored: a stream lasts to the last thing stored of it, and tracks come at its end."""
    end_ms = max((one.end_ms for one in utterances), default=0)
    return call(*utterances, streams=((0, end_ms),), tracks=(), events=events)


@pytest.mark.parametrize(
    ("events", "until_ms", "state", "state_ms"),
    [
        ((), 6_000, "talking", 6_000),
        ((), 9_500, "silence", 4_500),
        ((event("user_hold", 7_000),), 90_000, "hold", 83_000),
        ((event("user_hold", 7_000), event("user_unhold", 20_000)), 21_000, "talking", 1_000),
        ((event("user_hold", 7_000), event("user_unhold", 20_000)), 30_000, "silence", 10_000),
        ((event("user_hold", 7_000), event("user_end", 8_000, None)), 9_000, "talking", 1_000),
        ((event("stream_paused", 6_000, None),), 16_000, "paused", 10_000),
        (
            (event("rule_pause_started", 6_000, None), event("rule_pause_ended", 36_000, None)),
            16_000,
            "paused",
            10_000,
        ),
        (
            (event("rule_pause_started", 6_000, None), event("rule_pause_ended", 9_000, None)),
            10_000,
            "talking",
            1_000,
        ),
    ],
)
def test_what_is_going_on_now(
    events: tuple[CallEvent, ...], until_ms: int, state: str, state_ms: int
) -> None:
    live = live_call(running(said(A, 0, 5_000), events=events), heard(until_ms), SIDES)
    assert (live.state, live.state_ms) == (state, state_ms)
    assert live.on_hold == (state == "hold")
    assert live.elapsed_ms == until_ms


def test_a_hold_of_a_stream_that_is_over_does_not_go_on() -> None:
    record = call(
        said(A, 1_000, 5_000),
        said(A, 31_000, 39_000, channel_id="ch-b"),
        streams=((0, 15_000), (30_000, 40_000)),
        tracks=(),
        events=(event("user_hold", 10_000),),
    )
    live = live_call(record)
    assert (live.state, live.on_hold) == ("talking", False)
    again = replace(record, events=(*record.events, event("user_hold", 39_500, "ch-b")))
    assert live_call(again).on_hold


def test_a_silence_that_goes_on_counts() -> None:
    record = running(said(A, 0, 5_000), said(C, 5_100, 9_000))
    assert live_call(record).longest_silence_ms == 0
    assert live_call(record, heard(21_000), SIDES).longest_silence_ms == 12_000


def test_speech_that_is_not_understood_yet_is_speech() -> None:
    record = running(said(A, 0, 5_000))
    waiting = {"ch-a": (Span(0, 5_000),), "ch-c": (Span(5_500, 8_000), Span(8_500, 9_500))}
    live = live_call(record, heard(20_000, spoken=waiting, speaking={"ch-c": Span(12_000, 20_000)}), SIDES)
    assert (live.state, live.speaking) == ("talking", "customer")
    assert (live.talk_time_agent_ms, live.talk_time_customer_ms) == (5_000, 11_500)
    assert live.talk_share_agent == pytest.approx(5_000 / 16_500)
    assert live.talk_share_customer == pytest.approx(11_500 / 16_500)
    assert (live.untranscribed_count, live.transcript_lag_ms) == (2, 12_000)
    assert live.longest_silence_ms == 0
    assert (live.last_side, live.last_words) == ("agent", " ".join(["word"] * 10))


def test_both_speak_and_nobody_waits() -> None:
    both = {"ch-c": Span(9_000, 10_000), "ch-a": Span(9_500, 10_000)}
    live = live_call(running(said(A, 0, 5_000)), heard(10_000, speaking=both), SIDES)
    assert live.speaking == "agent, customer"
    assert (live.untranscribed_count, live.transcript_lag_ms) == (0, 0)


def test_what_nobody_listens_to_is_not_known() -> None:
    live = live_call(running(said(A, 0, 5_000)))
    assert (live.speaking, live.untranscribed_count, live.transcript_lag_ms) == (None, None, None)
    assert live.elapsed_ms == 5_000


def test_coverage_is_of_all_that_should_have_come() -> None:
    record = call(said(A, 0, 5_000), streams=((0, 5_000),), tracks=(), gaps=(gap(C, 4_000, 5_000),))
    assert live_call(record).coverage_ratio is None, "no track has told how long it was"
    assert live_call(record, heard(10_000), SIDES).coverage_ratio == pytest.approx(1 - 1_000 / 20_000)


def test_the_last_words_are_the_last_dozen_that_were_understood() -> None:
    words = " ".join(f"w{number}" for number in range(20))
    live = live_call(
        running(said(C, 0, 5_000, words), said(A, 5_000, 6_000, None), said(A, 6_000, 6_500, ""))
    )
    assert (live.last_side, live.last_words) == ("customer", " ".join(f"w{n}" for n in range(8, 20)))


@given(calls())
def test_every_measure_is_what_the_scorecard_says(record: CallRecord) -> None:
    live, card = live_call(record), scorecard(record)
    assert live.elapsed_ms == card.duration_ms
    if record.tracks:
        assert live.coverage_ratio == card.coverage_ratio
    for name in {field.name for field in fields(LiveCall)} & {field.name for field in fields(card)}:
        if name != "coverage_ratio":
            assert getattr(live, name) == getattr(card, name), name


@given(st.integers(-(10**13), 10**13), st.integers(0, 10**6))
def test_clocks_differ_by_their_zero(zero_ms: int, until_ms: int) -> None:
    there = Heard(
        zero_ms + until_ms, {"c": Span(zero_ms, zero_ms + 5)}, {"c": (Span(zero_ms, zero_ms + 3),)}, {}
    )
    assert there.since(zero_ms) == Heard(until_ms, {"c": Span(0, 5)}, {"c": (Span(0, 3),)}, {})
