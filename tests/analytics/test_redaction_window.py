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


def test_a_code_may_follow_its_card() -> None:
    said = play(
        (CUSTOMER, 0, "4111 1111 1111 1111"), (CUSTOMER, 2, "that is the card, the code is 123 thanks")
    )
    assert said[1] == ["[card]", "that is the card, the code is [security_code] thanks"]
    assert play((CUSTOMER, 0, "hello"), (CUSTOMER, 2, "the code is 123 thanks"))[1] == [
        "the code is 123 thanks"
    ]


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


@pytest.mark.parametrize("between", ["", "Uh.", "Okay.", "Hold on.", "Let me check.", "Just a second."])
def test_a_number_goes_on_over_nothing_and_over_a_short_remark(between: str) -> None:
    assert play(
        (CUSTOMER, 0, "my card is 4111 1111"), (CUSTOMER, 2, between), (CUSTOMER, 4, "1111 1111 bye")
    ) == [
        [],
        [between],  # waits for nobody
        ["my card is [card]", "[card] bye"],
        [],
    ]


def test_a_number_goes_on_over_several_of_them() -> None:
    said = play(
        (CUSTOMER, 0, "4111 1111"),
        (CUSTOMER, 2, ""),
        (CUSTOMER, 4, "hold on"),
        (CUSTOMER, 6, "1111 1111 bye"),
    )
    assert said[-2:] == [["[card]", "[card] bye"], []]


@pytest.mark.parametrize("remark", ["you know what I mean", "room 12 please"])
def test_a_number_ends_before_a_longer_remark_and_one_with_a_number(remark: str) -> None:
    assert play((CUSTOMER, 0, "order 4111 1111"), (CUSTOMER, 2, remark), (CUSTOMER, 4, "1111 1111."))[1] == [
        "order 4111 1111",
        remark,
    ]


def test_what_nobody_said_is_passed_over_however_long_it_is() -> None:
    window = RedactionWindow()
    keys = [(CUSTOMER, at, at + 1000) for at in (0, 2000, 4000)]
    for key in keys:
        window.expect(key)
    noise = "Thank you for watching this video"
    assert window.take(keys[0], (["4111", "1111"],), "en", DEFAULT) == []
    assert texts(window.take(keys[1], (noise.split(),), "en", DEFAULT, is_believed=False)) == [noise]
    assert texts(window.take(keys[2], (["1111", "1111", "bye"],), "en", DEFAULT)) == ["[card]", "[card] bye"]


def test_a_number_goes_on_over_what_is_in_the_journal_already() -> None:
    window = RedactionWindow()
    for at in (0, 4000):
        window.expect((CUSTOMER, at, at + 1000))
    window.recall((CUSTOMER, 2000, 3000), ["Uh."], "en")
    window.take((CUSTOMER, 0, 1000), (["4111", "1111"],), "en", DEFAULT)
    last = ["1111", "1111", "bye"]
    assert texts(window.take((CUSTOMER, 4000, 5000), (last,), "en", DEFAULT)) == ["[card]", "[card] bye"]


def test_whether_it_is_a_remark_is_waited_for() -> None:
    window = RedactionWindow()
    keys = [(CUSTOMER, at, at + 1000) for at in (0, 2000, 4000)]
    for key in keys:
        window.expect(key)
    assert window.take(keys[0], (["4111", "1111"],), "en", DEFAULT) == []
    assert window.take(keys[2], (["1111", "1111", "bye"],), "en", DEFAULT) == []
    assert sorted(texts(window.take(keys[1], ([],), "en", DEFAULT))) == ["", "[card]", "[card] bye"]


def test_numbers_that_are_none_stay_over_a_remark() -> None:
    assert play((CUSTOMER, 0, "order 4711"), (CUSTOMER, 2, "hold on"), (CUSTOMER, 4, "1234 please"))[-2] == [
        "order 4711",
        "1234 please",
    ]


@pytest.mark.parametrize("between", ["", "okay"])
def test_a_number_that_is_said_twice_is_gone_twice(between: str) -> None:
    said = play((AGENT, 0, "415 555 2671"), (AGENT, 2, between), (AGENT, 4, "415 555 2671, is that right?"))
    assert said[-2] == ["[phone]", "[phone], is that right?"]


def test_a_code_that_was_asked_for_is_found_after_a_pause() -> None:
    said = play((AGENT, 0, "expiry date and security code?"), (CUSTOMER, 2, "12 26"), (CUSTOMER, 4, "737"))
    assert said[-1] == ["[security_code]", "[security_code]"]  # the date might be a code as well


def test_waiting_over_a_remark_ends_as_well() -> None:
    window = RedactionWindow()
    keys = [(CUSTOMER, 0, 1000), (CUSTOMER, 2000, 3000)]
    for key in keys:
        window.expect(key)
    assert window.take(keys[0], (["number", "4711"],), "en", DEFAULT) == []
    assert texts(window.take(keys[1], (["uh"],), "en", DEFAULT)) == ["uh"]
    assert texts(window.note_time(41_001, DEFAULT)) == ["number 4711"]


def test_what_nobody_expects_is_a_defect() -> None:
    with pytest.raises(ValueError, match="announced"):
        RedactionWindow().take((CUSTOMER, 0, 1), ([],), "en", DEFAULT)


PARTS = st.lists(
    st.sampled_from(
        [
            "4111",
            "1111",
            "hello",
            "one one",
            "okay then",
            "1111 1111 1111",
            "",
            "",
            "uh",
            "hold on",
            "at",
            "J",
        ]
    ),
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


@given(
    st.lists(st.integers(1, 15), unique=True, max_size=6),
    st.lists(st.sampled_from(["", "Uh.", "Okay.", "hold on", None]), min_size=7, max_size=7),
    st.randoms(use_true_random=False),
)
def test_a_card_is_gone_wherever_it_is_cut_and_in_whatever_order_it_is_understood(
    cuts: list[int], remarks: list[str | None], order: random.Random
) -> None:
    digits = "4532015112830366"
    edges = [0, *sorted(cuts), 16]
    parts = [digits[start:end] for start, end in pairwise(edges)]
    said: list[tuple[Key, list[str], list[str]]] = []
    for at, (part, remark) in enumerate(zip(parts, remarks, strict=False)):
        said.append(((CUSTOMER, at * 4000, at * 4000 + 1000), [part], ["[card]"]))
        if remark is not None:
            words = remark.split()
            said.append(((CUSTOMER, at * 4000 + 1500, at * 4000 + 2500), words, words))
    window = RedactionWindow()
    for key, _, _ in said:
        window.expect(key)
    wanted = [(key, (redacted, redacted)) for key, _, redacted in said]
    order.shuffle(said)
    released = [one for key, words, _ in said for one in window.take(key, (words, words), "en", DEFAULT)]
    released += window.flush(DEFAULT)
    assert sorted(released) == wanted
