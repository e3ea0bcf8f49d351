from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.speech.word_errors import WordErrors, spoken_words, word_errors


@pytest.mark.parametrize(
    ("reference", "hypothesis", "errors"),
    [("Hello, how are you?", "hello how are you", 0), ("a b c", "a c", 1), ("a c", "a b c", 1), ("a b", "x y", 2),
     ("", "a", 1), ("a", "", 1), ("", "", 0), ("It's fine", "its fine", 0), ("¿Qué tal?", "que tal", 1)],
)  # fmt: skip
def test_known_distances(reference: str, hypothesis: str, errors: int) -> None:
    assert word_errors(reference, hypothesis).errors == errors


def test_rates_add_up_by_words() -> None:
    total = WordErrors(1, 10) + WordErrors(3, 10)
    assert total.rate == 0.2
    assert WordErrors(0, 0).rate == 0
    assert WordErrors(1, 0).rate == float("inf")


words = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=8)


@given(words, words, words)
def test_it_is_a_distance(a: list[str], b: list[str], c: list[str]) -> None:
    def distance(x: list[str], y: list[str]) -> int:
        return word_errors(" ".join(x), " ".join(y)).errors

    assert (distance(a, b) == 0) == (a == b)
    assert distance(a, b) == distance(b, a)
    assert distance(a, c) <= distance(a, b) + distance(b, c)


@given(st.text())
def test_words_have_no_spaces_or_capitals(text: str) -> None:
    for word in spoken_words(text):
        assert word
        assert not any(letter.isspace() for letter in word)
