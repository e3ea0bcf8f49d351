from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zccvoice.speech.repetition import compression_ratio, echoed_words, repeated_words, spoken_words

WORDS = st.lists(st.sampled_from("abc"), max_size=30)


def test_words_are_compared_as_they_are_spoken() -> None:
    assert spoken_words("Thank you -- SO much, Señora!") == ["thank", "you", "so", "much", "señora"]


def test_phrases_that_come_again() -> None:
    assert repeated_words(["no", "no", "no", "no"], 4) == 4
    assert repeated_words(["well", "no", "no", "no", "then"], 4) == 0
    assert repeated_words(["I'm", "sorry", "I'm", "sorry", "I'm", "sorry", "I'm", "sorry", "and"], 4) == 8
    assert repeated_words(["a", "b", "c", "d", "e", "f"] * 4, 4) == 24
    assert repeated_words(["a", "b", "c", "d", "e", "f", "g"] * 4, 4) == 0


@given(WORDS, st.integers(2, 5))
def test_it_is_what_looking_everywhere_finds(words: list[str], times: int) -> None:
    best = 0
    for length in range(1, 7):
        for start in range(len(words)):
            phrase, end = words[start : start + length], start + length
            while len(phrase) == length and words[end : end + length] == phrase:
                end += length
            if (end - start) >= length * times:
                best = max(best, end - start)
    assert repeated_words(words, times) == best


@given(WORDS, st.integers(1, 6), st.integers(2, 6))
def test_a_loop_is_found_wherever_it_stands(before: list[str], length: int, times: int) -> None:
    phrase = [str(number) for number in range(length)]
    assert repeated_words([*before, *phrase * times, *before], times) >= length * times


def test_loops_compress_well() -> None:
    assert compression_ratio("") == 0
    assert compression_ratio("My order number is 483920.") < 1.2
    assert compression_ratio("I'm sorry. " * 20) > 2.4


def test_an_echo_is_all_of_the_text() -> None:
    prompt = ["northwind", "refund", "order", "number"]
    assert echoed_words(["refund", "order"], prompt) == 2
    assert echoed_words(["refund", "number"], prompt) == 0
    assert echoed_words(["my", "refund"], prompt) == 0
    assert echoed_words([], prompt) == 0
    assert echoed_words(["refund"], []) == 0
