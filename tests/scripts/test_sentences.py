from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_model.sentences import (
    LANGUAGES,
    NUMBERS_RATIO,
    WORDS_RATIO,
    Grammar,
    Sentence,
    grammar_of,
    spelt,
    written_at,
)

TINY = Grammar("en", "# a comment\n@who you|me\nHello {who} (again|), {digits3} {letters2}.\n")


@pytest.mark.parametrize("language", LANGUAGES)
def test_training_never_sees_what_is_held_out(language: str) -> None:
    chance = random.Random(5)
    grammar = grammar_of(language)
    trained = {grammar.for_training(chance).written for _ in range(2_000)}
    held_out = {grammar.held_out(chance).written for _ in range(40)}
    held_out |= {grammar.held_out(chance, numbers=True).written for _ in range(40)}
    assert not trained & held_out


def test_one_text_in_25_is_held_out() -> None:
    texts = [Sentence("en", f"{number}.") for number in range(5_000)]
    assert 0.03 < sum(text.is_held_out for text in texts) / len(texts) < 0.05


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_of_the_notation_is_left_in_a_sentence(language: str) -> None:
    chance = random.Random(6)
    for _ in range(500):
        written = grammar_of(language).sentence(chance).written
        assert not re.search(r"[{}()|@]|  | [,.?]", written), written


def test_slots_choices_and_numbers_are_filled() -> None:
    sentences = {TINY.sentence(random.Random(seed)).written for seed in range(50)}
    assert {text[:12].rstrip(",") for text in sentences} >= {"Hello you ag", "Hello me aga"}
    assert all(re.fullmatch(r"Hello (you|me)( again)?, \d{3} [A-Z]{2}\.", text) for text in sentences)
    assert TINY.words == ["Hello", "again", "me", "you"]


def test_training_has_its_share_of_numbers_and_loose_words() -> None:
    chance = random.Random(7)
    drawn = [TINY.for_training(chance).written for _ in range(3_000)]
    alone = sum(bool(re.fullmatch(r"[\d ]+\.", text)) for text in drawn) / len(drawn)
    loose = sum(not re.search(r"\d", text) for text in drawn) / len(drawn)
    assert alone == pytest.approx(NUMBERS_RATIO / 2, abs=0.03)
    assert loose == pytest.approx(WORDS_RATIO, abs=0.03)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("My number is 4839 20.", "My number is 4 8 3 9 2 0."),
        ("The code is ABC 7.", "The code is A B C 7."),
        ("I said so.", "I said so."),
    ],
)
def test_numbers_and_codes_are_spoken_one_by_one(written: str, spoken: str) -> None:
    assert spelt(written) == spoken


def test_a_pause_tells_where_one_group_of_digits_ends_and_the_next_begins() -> None:
    sentence = Sentence("en", "It is 4839 20, room 7.")
    assert sentence.spoken == "It is 4 8 3 9, 2 0, room 7."
    digits = [at for at, letter in enumerate(sentence.spoken) if letter.isdigit()]
    places = written_at(sentence.written, sentence.spoken, digits)
    assert "".join(sentence.written[place] for place in places if place is not None) == "4839207"


@given(st.text("aB4 ,", max_size=30).map(lambda text: " ".join(text.split())))
def test_every_letter_that_is_spoken_is_found_in_what_is_written(written: str) -> None:
    spoken = spelt(written)
    letters = [position for position, letter in enumerate(spoken) if letter != " "]
    places = written_at(written, spoken, letters)
    assert [written[place] for place in places if place is not None] == [spoken[at] for at in letters]
