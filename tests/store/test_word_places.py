"""When the words of a text were said, where the recognizer cut them otherwise than by spaces."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reports.build import A, utterance
from zccvoice.analytics.record import Span
from zccvoice.store.facts import StoredWord
from zccvoice.store.reads import word_spans_of
from zccvoice.store.word_places import word_places


def timed(words: list[str]) -> tuple[StoredWord, ...]:
    """A second for each."""
    return tuple(StoredWord(word, at * 1_000, at * 1_000 + 1_000, 0.9) for at, word in enumerate(words))


def seconds(text: str | None, words: list[str]) -> list[tuple[int, int]]:
    """Of each span, in an utterance from 5 s on."""
    row = replace(utterance(A, 5_000, 60_000, text), words=timed(words))
    return [(span.start_ms // 1_000, span.end_ms // 1_000) for span in word_spans_of(row)]


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("$10.50 or\n1,200", ["$10", ".50", "or", "1", ",200"], [(5, 7), (7, 8), (8, 10)]),
        ("J'appelle, oui", ["J", "'appelle,", "oui"], [(5, 7), (7, 8)]),
        ("10 000 euros", ["10 000", "euros"], [(5, 6), (5, 6), (6, 7)]),
        ("你好，我", ["你", "好，", "我"], [(5, 8)]),
        ("Well, you know", ["well", "you", "know"], [(5, 6), (6, 7), (7, 8)]),  # as many: one for each
        ("It's – for me", ["It", "'s", "me"], []),
        ("one and two", ["two", "one"], []),
        ("one and two", [], []),
        (None, ["one"], []),
        ("", [], []),
    ],
)
def test_spans_of_words(text: str | None, words: list[str], expected: list[tuple[int, int]]) -> None:
    assert seconds(text, words) == expected


@given(st.text("ab' ", max_size=60), st.lists(st.integers(0, 60), max_size=12))
def test_however_a_text_is_cut_each_word_of_it_has_the_time_of_its_letters(
    text: str, cuts: list[int]
) -> None:
    bounds = sorted({0, *(cut for cut in cuts if cut < len(text)), len(text)})
    words = [word for begin, end in pairwise(bounds) if (word := " ".join(text[begin:end].split()))]
    places = word_places(" ".join(text.split()), timed(words))
    assert places is not None
    tokens = text.split()
    if len(words) == len(tokens):
        return
    row = replace(utterance(A, 0, 60_000, text), words=timed(words))
    begin, expected = 0, []
    for token in tokens:
        touched = [
            at for at, place in enumerate(places) if set(place) & set(range(begin, begin + len(token)))
        ]
        expected.append(Span(touched[0] * 1_000, touched[-1] * 1_000 + 1_000))
        begin += len(token) + 1
    assert list(word_spans_of(row)) == expected
