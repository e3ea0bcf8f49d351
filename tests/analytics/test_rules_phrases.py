"""Words as people hear them: case, accents and punctuation aside, across utterances of one turn."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.analytics.build import A, C, call, said
from zccvoice.analytics.record import CallRecord, Span
from zccvoice.analytics.rules_phrases import passages, words_of
from zccvoice.analytics.thresholds import DEFAULTS


def found(record: CallRecord, phrase: str) -> list[tuple[int, int]]:
    wanted = words_of(phrase, record.language)
    return [
        (one.span.start_ms, one.span.end_ms)
        for passage in passages(record, DEFAULTS)
        for one in passage.find(wanted)
    ]


@pytest.mark.parametrize(
    ("language", "said_", "phrase", "is_found"),
    [
        ("en", "I want a REFUND, please.", "refund please", True),
        ("en", "They refunded me", "refund", False),
        ("en", "We can’t do that", "we can", False),
        ("en", "We can’t do that", "can't", True),
        ("en", "a follow-up call", "follow up", True),
        ("en", "'Fine' he said", "fine", True),
        ("es", "¿Cuánto cuesta?", "cuanto cuesta", True),
        ("es", "Este año", "ano", False),
        ("es", "DEVOLUCIÓN", "devolucion", True),
        ("de", "Das ist schön", "schon", False),
        ("de", "für Sie", "fuer sie", True),
        ("de", "die Straße", "strasse", True),
        ("sv", "på", "pa", False),
        ("fr", "Quelle est l’adresse ?", "adresse", True),
        ("fr", "Voilà, très bien", "voila tres bien", True),
        ("ru", "ещё раз", "еще раз", True),
        ("ru", "мой", "мои", False),
        ("ja", "返金してください", "返金", True),
        ("hi", "पैसा वापस", "पैसे", False),
        (None, "Straße", "STRASSE", True),
        ("tr", "İyi günler", "iyi gunler", True),
        ("tr", "Işık açık", "ışık", True),
        ("tr", "INDIRIM", "indirim", False),
        (None, "İYİ", "iyi", True),
    ],
)
def test_what_counts_as_the_same_word(language: str | None, said_: str, phrase: str, is_found: bool) -> None:
    record = call(said(A, 0, 5_000, said_), language=language)
    assert bool(found(record, phrase)) is is_found


def test_the_times_are_those_of_the_words() -> None:
    spans = (Span(100, 300), Span(300, 700), Span(900, 1_300))
    record = call(replace(said(A, 100, 1_300, "my money back"), word_spans=spans))
    assert found(record, "money back") == [(300, 1_300)]


def test_without_times_of_words_letters_take_the_same_time() -> None:
    record = call(said(A, 1_000, 2_300, "my money back"))
    assert found(record, "money") == [(1_300, 1_800)]


def test_a_phrase_goes_on_in_the_next_utterance_of_a_turn() -> None:
    first, second = said(C, 0, 1_000, "give my money"), said(C, 1_500, 2_500, "back now")
    assert found(call(first, second), "money back") != []
    assert found(call(first, replace(second, start_ms=4_500, end_ms=5_000)), "money back") == []
    backchannel = said(A, 1_100, 1_400, "okay")
    assert found(call(first, backchannel, second), "money back") != []
    answer = said(A, 1_100, 1_400, "no that will not do")
    assert found(call(first, answer, second), "money back") == []


def test_what_was_not_understood_lies_between() -> None:
    record = call(
        said(C, 0, 1_000, "give my money"), said(C, 1_100, 1_400, None), said(C, 1_500, 2_500, "back now")
    )
    assert found(record, "money back") == []


def test_nobody_finishes_the_phrase_of_another() -> None:
    record = call(
        said(A, 0, 1_000, "your money", channel_id="a1"), said(A, 1_100, 2_000, "back", channel_id="a2")
    )
    assert found(record, "money back") == []


def test_every_place_is_found() -> None:
    record = call(said(C, 0, 8_000, "no no no no"))
    assert len(found(record, "no no")) == 3


@given(st.text("aB1.,'é !?-"), st.sampled_from(["en", "de", "fr", "ja", None]))
def test_words_are_the_same_one_by_one_and_together(text: str, language: str | None) -> None:
    together = words_of(text, language)
    assert [one for word in text.split() for one in words_of(word, language)] == together


words = st.lists(st.sampled_from(["no", "yes", "well"]), min_size=1, max_size=8)


@given(words, st.lists(words, min_size=1, max_size=3), st.data())
def test_a_part_of_what_was_said_is_found_wherever_it_was_cut(
    before: list[str], parts: list[list[str]], data: st.DataObject
) -> None:
    """Of one turn: the words of neighbouring utterances follow one another."""
    everything = [*before, *(word for part in parts for word in part)]
    start = data.draw(st.integers(0, len(everything) - 1))
    phrase = " ".join(everything[start : data.draw(st.integers(start + 1, len(everything)))])
    utterances = [
        said(C, number * 1_000, number * 1_000 + 900, " ".join(part))
        for number, part in enumerate([before, *parts])
    ]
    assert len(found(call(*utterances), phrase)) == sum(
        " ".join(everything[i:]).split()[: len(phrase.split())] == phrase.split()
        for i in range(len(everything))
    )
