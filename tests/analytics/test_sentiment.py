"""The scorer against sentences as they are said in contact centres, and one call's quarters worked by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.analytics.build import A, C, call, said
from zccvoice.analytics.record import Span, SpokenUtterance
from zccvoice.analytics.scorecard import scorecard
from zccvoice.analytics.sentiment import load_scorers, quarter_scores, sentiment_of, side_score
from zccvoice.analytics.sentiment.lexicon import LexiconScorer, parse_lexicon
from zccvoice.errors import ConfigError

SCORERS = load_scorers()
SENTENCES = Path(__file__).parent.parent / "data" / "sentiment"
TELLS_FROM = 0.1
"""A score nearer to 0 is neither good nor bad."""


def sign(score: float) -> str:
    return "+" if score > TELLS_FROM else "-" if score < -TELLS_FROM else "="


@pytest.mark.parametrize("language", ["en", "es", "de"])
def test_agreement_with_people(language: str) -> None:
    lines = (SENTENCES / f"{language}.txt").read_text(encoding="utf-8").splitlines()
    total = Counter(line[0] for line in lines)
    agreed = Counter(line[0] for line in lines if sign(SCORERS[language].score(line[2:])) == line[0])
    assert len(lines) >= 60
    assert sum(agreed.values()) >= 0.9 * len(lines)
    assert all(agreed[one] >= 0.85 * total[one] for one in "+-="), agreed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("good", "+"),
        ("not good", "-"),
        ("no problem", "+"),
        ("I have a problem", "-"),
        ("Is that a problem?", "="),
        ("Good morning.", "="),
        ("my card is [card], [email]", "="),
        ("THAT’S TERRIBLE", "-"),
        ("", "="),
    ],
)
def test_examples(text: str, expected: str) -> None:
    assert sign(SCORERS["en"].score(text)) == expected


def test_words_before_change_what_follows() -> None:
    score = SCORERS["en"].score
    assert score("good") < score("very good") < score("absolutely very good")
    assert 0 > score("not good") > -score("good")
    assert score("it was good") > score("it was good, but it was slow") > score("it was slow")
    assert score("good. terrible") == pytest.approx(score("terrible. good"))


@given(st.text())
def test_any_text_has_a_score(text: str) -> None:
    assert all(-1 < scorer.score(text) < 1 for scorer in SCORERS.values())


def test_where_nothing_can_be_known() -> None:
    assert sentiment_of("terrible", "fr", SCORERS) is None
    assert sentiment_of("terrible", None, SCORERS) is None
    assert sentiment_of(None, "en", SCORERS) is None
    assert sentiment_of("", "en", SCORERS) is None
    assert sentiment_of("the blue one", "en", SCORERS) == 0


def rated(utterance: SpokenUtterance, score: float | None) -> SpokenUtterance:
    return replace(utterance, sentiment=score)


def test_one_call_worked_through_by_hand() -> None:
    """0–40 s, quarters of 10 s: the customer is angry, says nothing in the third quarter, and is glad at last."""
    record = call(
        rated(said(C, 1_000, 3_000, 4), -0.5),  # q1, 4 words
        rated(said(C, 8_000, 12_000, 6), -1.0),  # q1, where it begins, 6 words
        rated(said(C, 15_000, 16_000, 5), 0.0),  # q2
        rated(said(C, 31_000, 33_000, 2), 0.9),  # q4
        rated(said(C, 38_000, 40_000, 8), 0.4),  # q4
        rated(said(A, 20_000, 21_000, 3), 0.2),  # the agent's, q3
        rated(said(A, 22_000, 23_000, None), None),
        streams=((0, 40_000),),
    )
    measures = scorecard(record)
    # q1: 5 · (4·−0.5 + 6·−1.0) / 10 = −4; q2: 0; q4: 5 · (2·0.9 + 8·0.4) / 10 = 2.5; shift 2.5 − −4 = 6.5
    # whole: 5 · (−2 − 6 + 0 + 1.8 + 3.2) / 25 = −0.6
    assert measures.sentiment_customer_q1 == -4
    assert measures.sentiment_customer_q2 == 0
    assert measures.sentiment_customer_q3 is None
    assert measures.sentiment_customer_q4 == pytest.approx(2.5)
    assert measures.sentiment_customer_shift == pytest.approx(6.5)
    assert measures.sentiment_customer_score == pytest.approx(-0.6)
    assert measures.sentiment_agent_score == pytest.approx(1)
    assert measures.sentiment_agent_q3 == pytest.approx(1)
    assert measures.sentiment_agent_q1 is None
    assert measures.sentiment_agent_shift is None


def test_a_side_without_a_score_has_none() -> None:
    measures = scorecard(call(said(C, 0, 1_000, 4)))
    assert measures.sentiment_customer_score is None
    assert measures.sentiment_customer_q1 is None


SCORES = st.none() | st.floats(-1, 1)
SPOKEN = st.lists(
    st.builds(lambda at, words, score: rated(said(C, at, at + 500, words), score), st.integers(0, 39_999),
              st.integers(1, 20), SCORES),
    max_size=8,
)  # fmt: skip


@given(SPOKEN)
def test_the_whole_lies_between_its_quarters(spoken: list[SpokenUtterance]) -> None:
    whole, quarters = side_score(spoken), quarter_scores(spoken, Span(0, 40_000))
    known = [one for one in quarters if one is not None]
    assert (whole is None) is (not known)
    if whole is not None:
        assert min(known) - 1e-9 <= whole <= max(known) + 1e-9
        assert -5 <= whole <= 5


def test_a_lexicon_of_ones_own_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "fr.txt").write_text("# français\nmerci +0.4\npas negates\ndésast* -0.8\n", encoding="utf-8")
    (tmp_path / "de.txt").write_text("gut -1\n", encoding="utf-8")
    (tmp_path / "notes.md").write_text("not a lexicon", encoding="utf-8")
    scorers = load_scorers(tmp_path)
    assert set(scorers) == {"de", "en", "es", "fr"}
    assert scorers["fr"].score("merci") > 0 > scorers["fr"].score("pas merci")
    assert scorers["fr"].score("désastreux") < 0
    assert scorers["de"].score("gut") < 0


def test_what_is_wrong_in_a_lexicon_is_told_line_by_line() -> None:
    text = "good +0.5\n\nalone\ngood +0.1\ngo* -0.3\nvery big x1.3\nbad -2\n4711 +0.1\nfine ok +0,2\n"
    with pytest.raises(ConfigError) as caught:
        parse_lexicon(text, "en.txt")
    lines = [problem.split(": ", 1)[0] for problem in caught.value.problems]
    assert sorted(lines) == [f"en.txt, line {number}" for number in (3, 4, 5, 6, 7, 8, 9)]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"sentiment\.lexicons: cannot be read: No such file"):
        load_scorers(tmp_path / "nowhere")


def test_a_lexicon_without_entries_knows_nothing() -> None:
    assert LexiconScorer(parse_lexicon("", "xx.txt")).score("good") == 0
