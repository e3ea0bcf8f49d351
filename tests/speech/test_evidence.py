from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.speech.evidence import Clue, weigh

AMONG = ("de", "en", "es")
CLUES = st.lists(
    st.builds(
        Clue,
        st.floats(0.1, 30),
        st.fixed_dictionaries({language: st.floats(0, 1) for language in AMONG}),
    ),
    min_size=1,
    max_size=6,
)


def clue(voiced_s: float, **probabilities: float) -> Clue:
    return Clue(voiced_s, probabilities)


def test_the_longer_one_says_more() -> None:
    found = weigh([clue(0.5, de=0.1, en=0.9), clue(3.0, de=0.8, en=0.2)], AMONG)
    assert found is not None
    assert found[0] == "de"


def test_no_single_one_rules_a_language_out() -> None:
    found = weigh([clue(0.2, de=0, en=1, es=0), clue(5.0, de=1, en=0, es=0)], AMONG)
    assert found is not None
    assert found[0] == "de"


def test_the_confidence_of_one_is_its_own() -> None:
    found = weigh([clue(2.0, de=0.7, en=0.2, es=0.1)], AMONG)
    assert found is not None
    assert found[0] == "de"
    assert found[1] == pytest.approx(0.7)


def test_without_evidence_nothing_is_found() -> None:
    assert weigh([], AMONG) is None
    assert weigh([Clue(3.0, {})], AMONG) is None
    assert weigh([clue(3.0, de=0.25, en=0.25, es=0.25)], AMONG) is None
    found = weigh([clue(9.0, de=0.25, en=0.25, es=0.25), clue(1.0, de=0.9, en=0.1)], AMONG)
    assert found is not None
    assert found[0] == "de"
    assert found[1] > 0.89


@given(CLUES)
def test_it_is_one_of_them_and_no_less_likely_than_the_others(clues: list[Clue]) -> None:
    found = weigh(clues, AMONG)
    if not any(one.is_telling for one in clues):
        assert found is None
        return
    assert found is not None
    assert found[0] in AMONG
    assert 1 / 3 - 1e-9 <= found[1] <= 1 + 1e-9


@given(CLUES, st.randoms(use_true_random=False))
def test_the_order_does_not_matter(clues: list[Clue], chance: object) -> None:
    mixed = list(clues)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert weigh(mixed, AMONG) == weigh(clues, AMONG)


@given(CLUES)
def test_saying_it_all_twice_is_no_more_certain(clues: list[Clue]) -> None:
    once, twice = weigh(clues, AMONG), weigh([*clues, *clues], AMONG)
    if once is None or twice is None:
        assert once == twice
        return
    assert twice[0] == once[0]
    assert twice[1] == pytest.approx(once[1])
