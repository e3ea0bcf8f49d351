"""The worked example of the definitions, every measure of it."""

from __future__ import annotations

import dataclasses

import pytest

from zccvoice.analytics.scorecard import Scorecard, scorecard

from .build import A, C, call, said

EXAMPLE = call(
    said(A, 500, 4_500, 12),
    said(C, 5_200, 9_200, 11),
    said(A, 7_000, 7_400, "okay"),
    said(C, 9_600, 12_000, 8),
    said(A, 11_000, 15_000, 13),
    said(C, 20_000, 22_000, 5),
    said(A, 22_800, 29_000, 20),
)


def test_every_measure() -> None:
    expected = Scorecard(
        duration_ms=30_000,
        conversation_ms=29_000,
        talk_time_agent_ms=14_600,
        talk_time_customer_ms=8_400,
        talk_time_other_ms=None,
        talk_time_total_ms=23_000,
        speech_time_ms=21_600,
        talk_ratio_agent=14_600 / 30_000,
        talk_share_agent=14_600 / 23_000,
        hold_time_ms=0,
        hold_count=0,
        longest_hold_ms=0,
        silence_time_ms=5_000,
        silence_count=1,
        longest_silence_ms=5_000,
        dead_air_count=0,
        non_talk_time_total_ms=5_000,
        gap_time_ms=0,
        gap_count=0,
        coverage_ratio=1.0,
        overtalk_time_ms=1_400,
        overtalk_count=2,
        interruptions_agent_count=1,
        interruptions_customer_count=0,
        interruptions_agent_time_ms=1_000,
        interruptions_customer_time_ms=0,
        backchannels_agent_count=1,
        backchannels_customer_count=0,
        turns_agent_count=3,
        turns_customer_count=2,
        speaker_switches_per_min=4 / (29_000 / 60_000),
        response_gap_agent_ms_p50=None,
        response_gap_agent_ms_p90=None,
        response_gap_customer_ms_p50=None,
        response_gap_customer_ms_p90=None,
        longest_monologue_agent_ms=6_200,
        longest_monologue_customer_ms=6_800,
        first_response_agent_ms=None,
        words_agent_count=46,
        words_customer_count=24,
        talk_speed_agent_wpm=46 / (14_600 / 60_000),
        talk_speed_customer_wpm=24 / (8_400 / 60_000),
        talk_speed_change_agent_ratio=None,
        talk_speed_change_customer_ratio=None,
        questions_agent_count=0,
        questions_customer_count=0,
        fillers_agent_count=0,
        fillers_customer_count=0,
        language="en",
        language_source="configured",
        transcript_confidence=None,
        loudness_agent_dbfs=None,
        loudness_customer_dbfs=None,
        clipping_agent_ratio=None,
        clipping_customer_ratio=None,
        snr_agent_db=None,
        snr_customer_db=None,
        lost_packets_count=0,
        duplicate_packets_count=0,
        reordered_packets_count=0,
        sentiment_agent_score=None,
        sentiment_agent_q1=None,
        sentiment_agent_q2=None,
        sentiment_agent_q3=None,
        sentiment_agent_q4=None,
        sentiment_agent_shift=None,
        sentiment_customer_score=None,
        sentiment_customer_q1=None,
        sentiment_customer_q2=None,
        sentiment_customer_q3=None,
        sentiment_customer_q4=None,
        sentiment_customer_shift=None,
        verdict="conversation",
        damaged=False,
    )
    assert dataclasses.asdict(scorecard(EXAMPLE)) == dataclasses.asdict(expected)


def test_the_decimals_that_the_definitions_print() -> None:
    measured = scorecard(EXAMPLE)
    assert measured.talk_speed_agent_wpm == pytest.approx(189.04, abs=0.005)
    assert measured.talk_speed_customer_wpm == pytest.approx(171.43, abs=0.005)
    assert measured.talk_ratio_agent == pytest.approx(0.4867, abs=0.00005)
    assert measured.talk_share_agent == pytest.approx(0.6348, abs=0.00005)
