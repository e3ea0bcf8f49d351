"""The scorecard as a whole: what holds for every call."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from zccvoice.analytics.record import CallRecord, Span, SpokenUtterance
from zccvoice.analytics.scorecard import Scorecard, definitions, scorecard
from zccvoice.analytics.thresholds import Thresholds

from .build import A, C, O, call, calls, said, shifted, with_sides_swapped

AGENT_ONLY = {"talk_ratio_agent", "talk_share_agent", "first_response_agent_ms"}


def measures(record: CallRecord) -> dict[str, object]:
    return dataclasses.asdict(scorecard(record))


@given(calls())
def test_swapping_the_sides_swaps_the_measures(record: CallRecord) -> None:
    swapped = measures(with_sides_swapped(record))
    for name, value in measures(record).items():
        if name not in AGENT_ONLY:
            other = name.replace("agent", "~").replace("customer", "agent").replace("~", "customer")
            assert swapped[other] == pytest.approx(value), name


@given(calls(), st.integers(-100_000, 10_000_000))
def test_a_shift_in_time_changes_nothing(record: CallRecord, by_ms: int) -> None:
    assert measures(shifted(record, by_ms)) == pytest.approx(measures(record))


@given(calls(), st.data())
def test_stopping_and_starting_the_stream_at_a_silent_moment_changes_nothing(
    record: CallRecord, data: st.DataObject
) -> None:
    (stream,) = record.streams
    at_ms = data.draw(st.integers(1, stream.end_ms - 1))
    assume(not any(one.start_ms < at_ms < one.end_ms for one in record.utterances))
    parts = Span(0, at_ms), Span(at_ms, stream.end_ms)
    tracks = [dataclasses.replace(track, open_span=part) for track in record.tracks for part in parts]
    divided = dataclasses.replace(record, streams=parts, tracks=tuple(tracks))
    assert measures(divided) == measures(record)


@given(calls())
def test_the_order_of_the_utterances_does_not_matter(record: CallRecord) -> None:
    other = dataclasses.replace(record, utterances=tuple(reversed(record.utterances)))
    assert measures(other) == pytest.approx(measures(record))


@given(calls() | calls((A, C)) | calls((A, None)) | calls((None,)))
def test_measures_are_coherent(record: CallRecord) -> None:
    measured = scorecard(record)
    for name, value in measures(record).items():
        if isinstance(value, float):
            assert math.isfinite(value), name
        if name.endswith(("_ms", "_count", "_p50", "_p90")) and value is not None:
            assert isinstance(value, int), name
            assert value >= 0, name
        if name.endswith("_ratio") and "change" not in name and value is not None:
            assert isinstance(value, float), name
            assert 0 <= value <= 1, name
    talk = measured.talk_time_agent_ms, measured.talk_time_customer_ms, measured.talk_time_other_ms
    assert max(time or 0 for time in talk) <= measured.speech_time_ms <= measured.talk_time_total_ms
    assert measured.speech_time_ms <= measured.conversation_ms <= measured.duration_ms
    assert measured.silence_time_ms + measured.hold_time_ms <= measured.duration_ms
    assert measured.silence_count >= measured.dead_air_count
    sides = {track.side for track in record.tracks}
    if A not in sides or C not in sides:
        assert measured.interruptions_agent_count is measured.backchannels_customer_count is None
    else:
        assert measured.interruptions_agent_time_ms is not None
        assert measured.overtalk_time_ms is not None
        if O not in sides:
            both = (measured.interruptions_agent_time_ms, measured.interruptions_customer_time_ms or 0)
            assert max(both) <= measured.overtalk_time_ms


def test_thresholds_are_data() -> None:
    record = call(said(A, 0, 1_000), said(C, 3_500, 30_000))
    assert scorecard(record).silence_count == 0
    assert scorecard(record, Thresholds(silence_above_ms=2_000)).silence_count == 1


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        (call(), "no_contact"),
        (call(said(A, 0, 5_000, 19)), "no_contact"),
        (call(said(A, 0, 5_000, 20)), "conversation"),
        (call(said(A, 0, 9_000, 19), said(C, 2_000, 2_500, 3)), "no_contact"),  # a back-channel is no contact
        (call(said(None, 0, 5_000, 20), sides=(None,)), "conversation"),
        (call(said(A, 0, 5_000, None)), None),
        (call(said(A, 0, 41_999, 90), streams=((0, 120_000),)), "sparse"),
        (call(said(A, 0, 42_000, 90), streams=((0, 120_000),)), "conversation"),
        (call(said(A, 0, 10_000, 90), streams=((0, 119_999),)), "conversation"),
    ],
)
def test_verdict(record: CallRecord, verdict: str | None) -> None:
    assert scorecard(record).verdict == verdict


@pytest.mark.parametrize(
    ("spoken", "verdict"),
    [
        # Two words of a call of five minutes that nobody transcribed.
        ([said(A, 0, 1_000, 2), said(C, 2_000, 29_000, None), said(A, 30_000, 290_000, None)], None),
        ([said(A, 0, 5_000, 0), said(C, 6_000, 10_666, None)], "no_contact"),  # 19.997 words at most
        ([said(A, 0, 5_000, 0), said(C, 6_000, 10_667, None)], None),
        ([said(A, 0, 5_000, 0), said(C, 6_000, 9_000, "您好"), said(A, 10_000, 11_667, None)], None),
        ([said(A, 0, 5_000, 17), said(C, 6_000, 6_699, None)], "no_contact"),
        ([said(A, 0, 5_000, 17), said(C, 6_000, 6_700, None)], None),
        # What is a back-channel has no substantive words, whatever they are.
        ([said(A, 0, 5_000, 17), said(C, 2_000, 2_700, None)], "no_contact"),
        # What is known is enough.
        ([said(A, 0, 5_000, 20), said(C, 6_000, 26_000, None)], "conversation"),
        ([said(A, 0, 5_000, 20), said(C, 6_000, 26_000, "您好，很高兴为您服务")], "conversation"),
        # Nobody was reached in any script.
        ([said(A, 0, 1_000, "もしもし"), said(A, 9_000, 10_000, "もしもし")], "no_contact"),
    ],
)
def test_no_contact_only_where_the_missing_words_cannot_have_been_said(
    spoken: list[SpokenUtterance], verdict: str | None
) -> None:
    assert scorecard(call(*spoken)).verdict == verdict


def test_language_is_passed_on() -> None:
    measured = scorecard(call(language="es"))
    assert (measured.language, measured.language_source) == ("es", "configured")


def test_every_field_has_a_definition() -> None:
    assert list(definitions()) == [field.name for field in dataclasses.fields(Scorecard)]
    for name, definition in definitions().items():
        assert definition.endswith("."), name
        assert "\n" not in definition
        if "_ms" in name:
            assert "ms" in definition, name
        if name.endswith(("_dbfs", "_db")):
            assert "dB" in definition, name
