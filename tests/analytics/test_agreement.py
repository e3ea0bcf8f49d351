"""The fast measures and the slow ones, made by the written definitions, agree on calls of every kind."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zccvoice.analytics.record import CallRecord, Span
from zccvoice.analytics.scorecard import scorecard
from zccvoice.bench.conversation import conversation

from .build import A, C, O, calls
from .by_definition import measured
from .test_worked_example import EXAMPLE

TEXTS = (
    "okay",
    "yes, mm",
    "Could you tell me your number? And the name?",
    "um you know, I mean it is basically, uh, the wrong one",
    "您好，很高兴为您服务。",
    "My name is 田中, and this is the third time that I call.",
    "",
)
SIDES = [(A, C), (A, C, O), (A,), (A, None), (None,), ()]


@st.composite
def any_calls(draw: st.DrawFn) -> CallRecord:
    """Calls of some sides, with words of all kinds; perhaps a transfer to a second agent and stream."""
    record = draw(calls(draw(st.sampled_from(SIDES))))
    said = [
        dataclasses.replace(
            one,
            text=draw(st.sampled_from(TEXTS)) if draw(st.booleans()) else one.text,
            sentiment=draw(st.none() | st.floats(-1, 1)),
            language=draw(st.sampled_from((None, None, "en", "fr"))),
        )
        for one in record.utterances
    ]
    end_ms = record.streams[0].end_ms
    if A in {track.side for track in record.tracks} and draw(st.booleans()):
        cut_ms = draw(st.integers(1, end_ms))
        said = [
            dataclasses.replace(one, channel_id="ch-b") if one.side is A and one.start_ms >= cut_ms else one
            for one in said
        ]
        resumed_ms = min(end_ms, cut_ms + draw(st.integers(0, 4_000)))
        spans = Span(0, cut_ms), Span(resumed_ms, end_ms)
        tracks = [
            dataclasses.replace(track, open_span=span)
            for track in record.tracks
            for span in spans
            if span.length_ms
        ]
        # A hold or pause that was never ended lasts to the end of its stream: what is told, is told in one.
        kept = tuple(e for e in record.events if e.name in ("user_answered", "odd"))
        record = dataclasses.replace(record, streams=spans, tracks=tuple(tracks), events=kept)
    return dataclasses.replace(record, utterances=tuple(said))


def assert_agreement(record: CallRecord) -> None:
    fast, slow = dataclasses.asdict(scorecard(record)), measured(record)
    assert fast.keys() == slow.keys()
    different = {
        name: (value, slow[name])
        for name, value in fast.items()
        if (value is None) is not (slow[name] is None) or value != pytest.approx(slow[name])
    }
    assert not different


@settings(max_examples=settings().max_examples * 3)
@given(any_calls())
def test_random_calls(record: CallRecord) -> None:
    assert_agreement(record)


@pytest.mark.parametrize("number", range(3))
def test_calls_as_people_have_them(number: int) -> None:
    assert_agreement(conversation(number))


def test_the_worked_example() -> None:
    assert_agreement(EXAMPLE)
