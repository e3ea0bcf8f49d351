"""What was said, and what happened in between."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zccvoice.analytics.record import AudioGap, CallEvent, Span
from zccvoice.analytics.thresholds import thresholds_with
from zccvoice.reports.transcript import Happened, Said, happened, lines, remark, said

from .build import A, C, full, lively, report, utterance


@pytest.mark.parametrize(
    ("text", "verdict", "expected"),
    [
        ("Hello", "kept", ""),
        ("", "kept", ""),
        (None, "kept", "not transcribed"),
        (None, "empty", "no words"),
        ("Thanks for watching!", "refused: known hallucination", "refused: known hallucination"),
        (None, "failed: RecognizerError", "failed: RecognizerError"),
    ],
)
def test_remark(text: str | None, verdict: str, expected: str) -> None:
    assert remark(utterance(A, 0, 900, text, verdict)) == expected


def test_backchannels_are_told_from_turns() -> None:
    signals = [(one.side, one.start_ms) for one in said(full()) if one.is_backchannel]
    assert signals == [(A, 8_900), (C, 33_200), (C, 60_200)]


def test_everything_is_in_time_order() -> None:
    found = lines(full())
    assert [one.start_ms for one in found] == sorted(one.start_ms for one in found)
    assert [(one.start_ms, one.text) for one in found if isinstance(one, Happened)] == [
        (22_400, "Silence of 6.0 s"),
        (34_500, "On hold for 22 s"),
        (64_000, "Customer not heard for 1.4 s"),
    ]
    assert [one.number for one in found if isinstance(one, Said)] == list(range(14))


def test_pauses_closed_streams_and_short_gaps() -> None:
    events = (CallEvent("stream_paused", 5_000), CallEvent("stream_resumed", 7_000))
    gaps = (AudioGap(A, "ch-a", 1_000, 1_999), AudioGap(A, "ch-a", 3_000, 4_000))
    streams = (Span(0, 10_000), Span(30_000, 32_000))
    assert [one.text for one in happened(report(events=events, gaps=gaps, streams=streams))] == [
        "Agent not heard for 1.0 s",
        "Streaming paused for 2.0 s",
        "No stream for 20 s",
    ]


def test_what_was_refused_is_no_text() -> None:
    refused = said(full())[9]
    assert (refused.text, refused.remark) == ("", "refused: known hallucination")


def test_who_interrupts_and_what_words_score() -> None:
    assert [one.start_ms for one in said(full()) if one.is_interruption] == [12_300]
    assert [one.sentiment for one in said(lively())][:6] == [0.2, -0.8, None, -0.1, 0.0, 0.35]


def test_silences_are_those_of_the_scorecards_thresholds() -> None:
    words = utterance(A, 0, 1_000, "hello"), utterance(A, 5_000, 6_000, "hello again")
    one = report(*words, streams=(Span(0, 7_000),))
    assert [each.text for each in happened(one)] == ["Silence of 4.0 s"]
    assert happened(replace(one, thresholds=thresholds_with({"silence_above_ms": 5_000}))) == []


def test_rules_stand_where_they_matched() -> None:
    rules = [one for one in lines(lively()) if isinstance(one, Happened) and one.kind == "rule"]
    assert [(one.start_ms, one.text) for one in rules] == [
        (12_300, "Rule matched: order number – “order number”"),
        (34_500, "Rule matched: long hold – 21500 ms > 20000 ms"),
    ]
