"""Words, speed, questions, fillers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zccvoice.analytics.record import Span
from zccvoice.analytics.scorecard import scorecard
from zccvoice.analytics.thresholds import DEFAULTS
from zccvoice.analytics.wording import (
    FILLERS,
    fillers_count,
    questions_count,
    talk_speed_change_ratio,
    talk_speed_wpm,
    transcript_confidence,
    words_count,
)

from .build import A, C, call, said


def test_words() -> None:
    assert words_count([said(A, 0, 1_000, "one two  three"), said(A, 2_000, 3_000, None)]) == 3
    assert words_count([said(A, 0, 1_000, "")]) == 0
    assert words_count([]) == 0
    assert words_count([said(A, 0, 1_000, None)]) is None


def test_without_any_transcript_words_are_unknown_and_a_silent_side_said_none() -> None:
    measured = scorecard(call(said(A, 0, 5_000, None)))
    assert (
        measured.words_agent_count is measured.questions_agent_count is measured.fillers_agent_count is None
    )
    assert measured.verdict is None
    assert measured.transcript_confidence is None
    assert (measured.words_customer_count, measured.questions_customer_count) == (0, 0)


CHINESE = "您好，这里是客服中心，很高兴为您服务。"


def test_words_that_spaces_do_not_part_are_not_counted() -> None:
    assert said(A, 0, 3_000, CHINESE).word_count is None
    assert words_count([said(A, 0, 3_000, CHINESE)]) is None
    assert words_count([said(A, 0, 3_000, 30), said(A, 4_000, 7_000, CHINESE)]) is None
    assert words_count([said(A, 0, 3_000, "안녕하세요, 무엇을 도와드릴까요?")]) == 3


def test_what_needs_the_number_of_words_is_unknown_without_it() -> None:
    lines = [said(A, 0, 6_000, CHINESE), said(C, 7_000, 9_000, 30), said(A, 10_000, 29_000, CHINESE)]
    measured = scorecard(call(*(replace(one, sentiment=0.5) for one in lines), language="zh"))
    assert (measured.words_agent_count, measured.talk_speed_agent_wpm) == (None, None)
    assert (measured.sentiment_agent_score, measured.sentiment_agent_q1) == (None, None)
    assert (measured.words_customer_count, measured.sentiment_customer_score) == (30, 2.5)
    assert (measured.talk_time_agent_ms, measured.turns_agent_count) == (25_000, 2)
    assert (measured.response_gap_agent_ms_p50, measured.silence_count) == (None, 0)
    assert (measured.questions_agent_count, measured.longest_monologue_agent_ms) == (0, 19_000)


def test_talk_speed_of_a_part_needs_only_the_words_in_it() -> None:
    spoken = [said(A, 0, 10_000, 30), said(A, 20_000, 30_000, CHINESE)]
    assert talk_speed_wpm(spoken, DEFAULTS) is None
    assert talk_speed_wpm(spoken, DEFAULTS, Span(0, 20_000)) == pytest.approx(180)
    assert talk_speed_wpm(spoken, DEFAULTS, Span(0, 20_001)) is None


def test_talk_speed_needs_20_words() -> None:
    assert talk_speed_wpm([said(A, 0, 10_000, 19)], DEFAULTS) is None
    assert talk_speed_wpm([said(A, 0, 10_000, 20)], DEFAULTS) == pytest.approx(120)
    assert talk_speed_wpm([said(A, 0, 10_000, 19), said(A, 11_000, 12_000, "")], DEFAULTS) is None
    assert talk_speed_wpm([said(A, 0, 10_000, 19), said(A, 11_000, 11_000, 9)], DEFAULTS) is None
    assert talk_speed_wpm([], DEFAULTS) is None


def test_talk_speed_leaves_out_what_was_not_transcribed() -> None:
    assert talk_speed_wpm([said(A, 0, 10_000, 30), said(A, 11_000, 21_000, None)], DEFAULTS) == pytest.approx(
        180
    )


def test_talk_speed_counts_the_short_pause_within_a_speech_span() -> None:
    assert talk_speed_wpm([said(A, 0, 4_900, 15), said(A, 5_100, 10_000, 15)], DEFAULTS) == pytest.approx(180)


def test_talk_speed_change_compares_the_last_third_with_the_first() -> None:
    spoken = [said(A, 0, 20_000, 40), said(A, 40_000, 60_000, 100), said(A, 70_000, 90_000, 60)]
    assert talk_speed_change_ratio(spoken, Span(0, 90_000), DEFAULTS) == pytest.approx(1.5)
    assert talk_speed_change_ratio(spoken[:2], Span(0, 90_000), DEFAULTS) is None


def test_talk_speed_change_shares_out_an_utterance_that_reaches_over_the_edge() -> None:
    spoken = [said(A, 20_000, 40_000, 60), said(A, 70_000, 80_000, 60)]
    change = talk_speed_change_ratio(spoken, Span(0, 90_000), DEFAULTS)
    assert change == pytest.approx((60 / 10_000) / (30 / 10_000))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("How are you? Fine.", 1),
        ("What? Why?! How??", 3),
        ('She said "when?" and left.', 1),
        ("¿Cómo está?", 1),
        ("你好吗？我很好。", 1),
        ("See example.com/?page=2 please", 0),
        ("No question here.", 0),
    ],
)
def test_questions(text: str, count: int) -> None:
    assert questions_count([said(C, 0, 1_000, text)]) == count


@pytest.mark.parametrize(
    ("language", "text", "count"),
    [
        ("en", "Um, I mean, uh... you  know it's, um, fine.", 5),
        ("en", "The umbrella is her hum, uh-huh, mm-hmm, I meant it, you knowing.", 0),
        ("de", "Ähm, das ist sozusagen, äh, sag ich mal, fertig.", 4),
        ("de", "Er kennt die Nähe.", 0),
        ("es", "Eh, pues, o sea que no.", 3),
        ("es", "Ella puesta y tarde.", 0),
    ],
)
def test_fillers_are_whole_words_of_the_language(language: str, text: str, count: int) -> None:
    assert fillers_count([said(C, 0, 1_000, text)], language) == count


def test_fillers_are_unknown_without_a_list() -> None:
    assert fillers_count([said(C, 0, 1_000, "euh")], "fr") is None
    assert fillers_count([said(C, 0, 1_000, "um")], None) is None
    assert scorecard(call(said(A, 0, 900, "um"), language="fr")).fillers_agent_count is None


def test_fillers_are_those_of_the_language_that_each_side_was_transcribed_in() -> None:
    agent = replace(said(A, 0, 2_000, "Um, yes, I mean it."), language="en")
    customer = replace(said(C, 3_000, 6_000, "Ähm, um zwei Uhr, sozusagen."), language="de")
    measured = scorecard(call(agent, customer, language="en"))
    assert (measured.fillers_agent_count, measured.fillers_customer_count) == (2, 2)
    assert fillers_count([agent, customer], "fr") == 4
    french = replace(customer, language="fr")
    assert fillers_count([agent, french], "en") is None, "a part of them would be no count"
    assert fillers_count([agent, replace(french, text="")], "en") == 2


@pytest.mark.parametrize("language", FILLERS)
def test_every_entry_of_a_list_is_found_once(language: str) -> None:
    for entry in FILLERS[language]:
        assert fillers_count([said(C, 0, 1_000, f"So {entry.title()}, yes")], language) == 1, entry


def test_confidence_is_weighted_by_time_and_only_of_kept_transcripts() -> None:
    rated = [said(A, 0, 3_000, confidence=0.9), said(C, 4_000, 5_000, confidence=0.5), said(C, 6_000, 9_000)]
    refused = said(C, 10_000, 20_000, None, confidence=0.1)
    assert transcript_confidence([*rated, refused]) == pytest.approx(0.8)
    assert transcript_confidence([refused]) is None
