"""One number over several utterances: held back, joined, and never lost."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.analytics.redaction import DEFAULT, RedactionWindow
from zccvoice.analytics.redaction.policy import Policy
from zccvoice.analytics.redaction.window import Columns, Key

AGENT, CUSTOMER = "agent", "customer"


def play(*said: tuple[str, int, str]) -> list[list[str]]:
    """Utterances of a second each (channel, start in s, text) → what each releases, and the end."""
    window = RedactionWindow()
    out = []
    for channel, start_s, text in said:
        key = channel, start_s * 1000, start_s * 1000 + 1000
        window.expect(key)
        out.append(texts(window.take(key, (text.split(),), "en", DEFAULT)))
    out.append(texts(window.flush(DEFAULT)))
    return out


def texts(released: list[tuple[Key, Columns]]) -> list[str]:
    return [" ".join(word for word in columns[0] if word) for _, columns in released]


def test_what_is_no_number_passes_at_once() -> None:
    assert play((AGENT, 0, "hello there"), (CUSTOMER, 2, "good morning")) == [
        ["hello there"],
        ["good morning"],
        [],
    ]


def test_a_customer_pauses_between_groups() -> None:
    assert play(
        (CUSTOMER, 0, "it is 4111"),
        (AGENT, 2, "mhm"),
        (CUSTOMER, 3, "one one one one"),
        (AGENT, 5, "yes"),
        (CUSTOMER, 6, "1111 uh"),
        (CUSTOMER, 9, "1111 that is it"),
    ) == [[], ["mhm"], [], ["yes"], [], ["it is [card]", "[card]", "[card]", "[card] that is it"], []]


def test_an_agent_reads_a_number_back() -> None:
    said = play((AGENT, 0, "four one one one"), (AGENT, 3, "1111 1111"), (AGENT, 6, "1111. Is that right?"))
    assert said[-2] == ["[card].", "[card]", "[card] Is that right?"]


@pytest.mark.parametrize("answer", ["123", "one two three", "it's 1 2 3"])
def test_a_bare_number_is_the_answer_to_a_question(answer: str) -> None:
    said = play((AGENT, 0, "and the security code please"), (CUSTOMER, 4, answer), (AGENT, 6, "thanks"))
    assert [one for step in said for one in step if "[security_code]" in one]
    assert not [one for step in said for one in step if "2" in one or "two" in one]


def test_a_bare_number_without_a_question_stays() -> None:
    assert play((AGENT, 0, "which room"), (CUSTOMER, 4, "123"))[-1] == ["123"]


def test_where_nothing_is_taken_out_nothing_waits() -> None:
    window = RedactionWindow()
    question, answer = (AGENT, 0, 1000), (CUSTOMER, 3000, 4000)
    window.expect(question)
    window.expect(answer)
    nothing = Policy(frozenset())
    assert texts(window.take(answer, (["the", "code", "is", "123"],), "en", nothing)) == ["the code is 123"]
    assert texts(window.take(question, (["how", "many"],), "en", nothing)) == ["how many"]
    assert window.flush(nothing) == []


def test_a_question_of_long_ago_does_not_count() -> None:
    assert play((AGENT, 0, "the security code please"), (CUSTOMER, 20, "room 123 please"))[1] == [
        "room 123 please"
    ]


def test_a_bare_number_waits_for_the_question_to_be_understood() -> None:
    window = RedactionWindow()
    question, answer = (AGENT, 0, 1000), (CUSTOMER, 3000, 4000)
    window.expect(question)
    window.expect(answer)
    assert window.take(answer, (["it's", "123", "okay", "bye"],), "en", DEFAULT) == []
    released = window.take(question, (["the", "security", "code?"],), "en", DEFAULT)
    assert sorted(texts(released)) == ["it's [security_code] okay bye", "the security code?"]


def test_an_utterance_that_is_too_late_is_another_number() -> None:
    assert play((CUSTOMER, 0, "4111 1111"), (CUSTOMER, 12, "1111 1111"))[-2:] == [
        ["4111 1111"],
        ["1111 1111"],
    ]


def test_waiting_ends_when_nobody_can_go_on_any_more() -> None:
    window = RedactionWindow()
    key = CUSTOMER, 0, 1000
    window.expect(key)
    window.take(key, (["number", "4711"],), "en", DEFAULT)
    assert window.note_time(40_000, DEFAULT) == []
    assert texts(window.note_time(41_001, DEFAULT)) == ["number 4711"]


def test_a_neighbour_that_was_not_understood_is_none() -> None:
    window = RedactionWindow()
    for at in (0, 3000):
        window.expect((CUSTOMER, at, at + 1000))
    assert window.take((CUSTOMER, 0, 1000), (["4111"],), "en", DEFAULT) == []
    assert len(window.take((CUSTOMER, 3000, 4000), ([],), "en", DEFAULT)) == 2


def test_what_nobody_expects_is_a_defect() -> None:
    with pytest.raises(ValueError, match="announced"):
        RedactionWindow().take((CUSTOMER, 0, 1), ([],), "en", DEFAULT)


PARTS = st.lists(
    st.sampled_from(["4111", "1111", "hello", "one one", "okay then", "1111 1111 1111", "", "uh", "at", "J"]),
    max_size=9,
)


@given(PARTS, st.lists(st.booleans(), min_size=9, max_size=9), st.randoms(use_true_random=False))
def test_nothing_is_lost_or_told_twice_whatever_order_it_is_understood_in(
    parts: list[str], is_agent: list[bool], order: random.Random
) -> None:
    keys = [(AGENT if agent else CUSTOMER, at * 3000, at * 3000 + 2000) for at, agent in enumerate(is_agent)]
    said = dict(zip(keys, parts, strict=False))
    window = RedactionWindow()
    for key in said:
        window.expect(key)
    shuffled = list(said)
    order.shuffle(shuffled)
    released = [one for key in shuffled for one in window.take(key, (said[key].split(),), "en", DEFAULT)]
    released += window.flush(DEFAULT)
    assert sorted(key for key, _ in released) == sorted(said)
    assert all(len(columns[0]) == len(said[key].split()) for key, columns in released)


@given(st.lists(st.integers(1, 15), unique=True, max_size=6), st.randoms(use_true_random=False))
def test_a_card_is_gone_wherever_it_is_cut_and_in_whatever_order_it_is_understood(
    cuts: list[int], order: random.Random
) -> None:
    digits = "4532015112830366"
    edges = [0, *sorted(cuts), 16]
    parts = [digits[start:end] for start, end in pairwise(edges)]
    keys = [(CUSTOMER, at * 4000, at * 4000 + 1000) for at in range(len(parts))]
    window = RedactionWindow()
    for key in keys:
        window.expect(key)
    said = list(zip(keys, parts, strict=True))
    order.shuffle(said)
    released = [one for key, part in said for one in window.take(key, ([part], [part]), "en", DEFAULT)]
    released += window.flush(DEFAULT)
    assert [columns for _, columns in released] == [(["[card]"], ["[card]"])] * len(parts)
