"""Who spoke in a mixed track."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.analytics.attribution import LATENCY_MS, ActiveSpeakers, Naming
from zccvoice.analytics.record import Span

ANA, LEE, JOE = "16778240", "16779264", "16780288"
TURNS = [Naming(0, ANA), Naming(10_000, LEE), Naming(20_000, JOE)]


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "speaker"),
    [
        (-3_000, 0, None),  # before anybody was named
        (-1_000, 2_000, ANA),
        (-1_001, 2_000, None),  # one millisecond less than two thirds
        (0, 9_000, ANA),
        (7_000, 10_000, ANA),  # two thirds of it before Zoom can have meant Lee
        (7_001, 10_000, None),
        (8_000, 12_000, None),  # two speakers in one utterance
        (10_000, 12_000, LEE),
        (9_500, 10_500, None),  # Lee's, or the end of Ana's
        (9_500, 14_000, LEE),
        (19_200, 19_800, None),  # a short word of Lee's, or Joe's first
        (50_000, 80_000, JOE),  # nobody else since
    ],
)
def test_most_of_an_utterance_is_certainly_somebodys(start_ms: int, end_ms: int, speaker: str | None) -> None:
    assert ActiveSpeakers(TURNS).speaker_of(Span(start_ms, end_ms)) == speaker


def test_without_events_nobody_is_known() -> None:
    assert ActiveSpeakers([]).speaker_of(Span(0, 1_000)) is None


def test_what_may_have_been_missed_is_nobodys() -> None:
    speakers = ActiveSpeakers([Naming(0, ANA), Naming(10_000, None), Naming(20_000, ANA)])
    assert [speakers.speaker_of(Span(at_ms, at_ms + 2_000)) for at_ms in (5_000, 12_000, 20_000)] == [
        ANA,
        None,
        ANA,
    ]


def test_of_two_who_are_named_at_once_it_is_neither() -> None:
    speakers = ActiveSpeakers([Naming(0, ANA), Naming(0, LEE), Naming(5_000, LEE)])
    assert speakers.speaker_of(Span(0, 3_000)) is None
    assert speakers.speaker_of(Span(5_000, 8_000)) == LEE


def test_who_is_named_again_goes_on() -> None:
    assert ActiveSpeakers([Naming(0, ANA), Naming(1_500, ANA)]).speaker_of(Span(0, 3_000)) == ANA


namings = st.lists(
    st.builds(Naming, st.integers(0, 30_000), st.sampled_from([ANA, LEE, JOE, None])), max_size=12
)
spans = st.builds(
    lambda at, length: Span(at, at + length), st.integers(-5_000, 40_000), st.integers(1, 30_000)
)


@given(namings, spans, st.data())
def test_order_and_repetition_do_not_matter(told: list[Naming], span: Span, data: st.DataObject) -> None:
    again = data.draw(st.permutations(told + data.draw(st.lists(st.sampled_from(told))) if told else told))
    assert ActiveSpeakers(again).speaker_of(span) == ActiveSpeakers(told).speaker_of(span)


@given(namings, spans, st.integers(-(10**12), 10**13))
def test_only_differences_of_time_matter(told: list[Naming], span: Span, shift_ms: int) -> None:
    moved = ActiveSpeakers(one._replace(at_ms=one.at_ms + shift_ms) for one in told)
    there = Span(span.start_ms + shift_ms, span.end_ms + shift_ms)
    assert moved.speaker_of(there) == ActiveSpeakers(told).speaker_of(span)


@st.composite
def conversations(draw: st.DrawFn) -> tuple[list[tuple[Span, str]], list[Naming]]:
    """Who really spoke when, one at a time, and what Zoom told of it: late, each time by another while."""
    at_ms, spoken = 0, list[tuple[Span, str]]()
    for speaker in draw(st.lists(st.sampled_from([ANA, LEE, JOE]), min_size=1, max_size=12)):
        start_ms = at_ms + draw(st.integers(0, 3_000))
        at_ms = start_ms + draw(st.integers(LATENCY_MS, 8_000))
        spoken.append((Span(start_ms, at_ms), speaker))
    told, before = list[Naming](), None
    for span, speaker in spoken:
        if speaker != before:
            told.append(Naming(span.start_ms + draw(st.integers(0, LATENCY_MS - 1)), speaker))
        before = speaker
    return spoken, told


@given(conversations())
def test_nobody_is_ever_taken_for_another(conversation: tuple[list[tuple[Span, str]], list[Naming]]) -> None:
    spoken, told = conversation
    speakers = ActiveSpeakers(told)
    for span, speaker in spoken:
        assert speakers.speaker_of(span) in (speaker, None)


@given(conversations(), st.data())
def test_two_speakers_in_one_utterance_are_neither_unless_one_has_most_of_it(
    conversation: tuple[list[tuple[Span, str]], list[Naming]], data: st.DataObject
) -> None:
    spoken, told = conversation
    begin_ms, end_ms = spoken[0][0].start_ms, spoken[-1][0].end_ms
    start_ms = data.draw(st.integers(begin_ms, end_ms - 1))
    span = Span(start_ms, data.draw(st.integers(start_ms + 1, end_ms)))
    named = ActiveSpeakers(told).speaker_of(span)
    others_ms = sum(
        max(0, min(one.end_ms, span.end_ms) - max(one.start_ms, span.start_ms))
        for one, speaker in spoken
        if speaker != named
    )
    assert named is None or 3 * others_ms <= span.length_ms
