from __future__ import annotations

import numpy as np
import pytest

from demo_model.scoring import TRIALS, Heard, Said, Score, share_right, word_places
from demo_model.synthesis import ACCENTS, HELD_OUT_ACCENTS, HELD_OUT_VARIANTS, VARIANTS


def said(text: str, starts_s: list[float | None], language: str = "en") -> Said:
    return Said(language, text, np.zeros(0, np.float32), starts_s)


def test_words_are_counted_by_language_and_numbers_also_by_digit() -> None:
    score = Score("any")
    score.count(said("My number is 483920.", [0, 1, 2, 3]), Heard("My number is 483921", []))
    score.count(
        said("Sí, perfecto.", [0, 1], "es"), Heard("Sí, perfecto", [("Sí,", 0.1), ("perfecto.", 0.9)])
    )
    assert score.by_language["en"].rate == 1 / 4
    assert score.by_language["es"].rate == 0
    assert score.errors.rate == 1 / 6
    assert score.by_digit.rate == 1 / 11
    assert (score.utterances, score.right) == (2, 1)


def test_times_are_judged_where_the_words_are_right_and_known() -> None:
    score = Score("any")
    assert score.start_error_ms(0.5) is None
    score.count(
        said("Have a day.", [0.1, None, 1.0]), Heard("have a day", [("have", 0.2), ("a", 5), ("day", 0.97)])
    )
    score.count(
        said("Have a day.", [0.1, 0.5, 1.0]), Heard("have a say", [("have", 9), ("a", 9), ("say", 9)])
    )
    assert score.start_error_ms(0) == pytest.approx(30)
    assert score.start_error_ms(1) == pytest.approx(100)


def test_words_begin_at_their_first_letter() -> None:
    assert word_places("Vale, ¿es correcto? 12 …") == [0, 7, 10, 20]


def test_the_share_of_right_answers() -> None:
    assert share_right([("en", "en"), ("de", "en"), ("es", "es"), ("es", "es")]) == 0.75


def test_new_voices_are_new() -> None:
    assert not set(VARIANTS) & set(HELD_OUT_VARIANTS)
    assert not set(ACCENTS["en"]) & set(HELD_OUT_ACCENTS["en"])
    assert any(trial.has_new_voices for trial in TRIALS)
