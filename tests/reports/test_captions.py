"""Captions: what was said, in time, and readable."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.reports.calls import CallReport
from zccvoice.reports.captions import LONGEST_LETTERS, LONGEST_MS, captions, write_srt, write_text, write_vtt
from zccvoice.store.facts import StoredWord
from zccvoice.store.reads import UtteranceRow

from .build import A, C, full, report, utterance


def written(write: Callable[[CallReport, IO[str]], None], one: CallReport) -> str:
    file = io.StringIO()
    write(one, file)
    return file.getvalue()


def spoken(texts: list[str], word_ms: int = 300) -> UtteranceRow:
    """Words of that length, one after the other, from 3723.004 s on."""
    words = tuple(
        StoredWord(text, at * word_ms, at * word_ms + word_ms, 0.9) for at, text in enumerate(texts)
    )
    begin_ms = 3_723_004
    return replace(utterance(A, begin_ms, begin_ms + len(texts) * word_ms, " ".join(texts)), words=words)


SHORT = report(utterance(A, 800, 5_200, "Is 3 < 4 & so on?"), utterance(None, 6_000, 6_500, "Yes."))


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (
            write_vtt,
            "WEBVTT\n\n00:00:00.800 --> 00:00:05.200\n<v Agent>Is 3 &lt; 4 &amp; so on?\n\n"
            "00:00:06.000 --> 00:00:06.500\nYes.\n",
        ),
        (
            write_srt,
            "1\n00:00:00,800 --> 00:00:05,200\nAgent: Is 3 < 4 & so on?\n\n"
            "2\n00:00:06,000 --> 00:00:06,500\nYes.\n\n",
        ),
        (write_text, "[00:00:00.800] Agent: Is 3 < 4 & so on?\n[00:00:06.000] Yes.\n"),
    ],
)
def test_forms(write: Callable[[CallReport, IO[str]], None], expected: str) -> None:
    assert written(write, SHORT) == expected


def test_who_has_no_side_has_a_name() -> None:
    known = replace(utterance(None, 800, 5_200, "Hello."), display_name="Ana\n<b> & Co.")
    assert written(write_vtt, report(known)).endswith("<v Ana &lt;b&gt; &amp; Co.>Hello.\n")
    assert "Ana <b> & Co.: Hello." in written(write_srt, report(known)).splitlines()
    assert written(write_text, report(known)) == "[00:00:00.800] Ana <b> & Co.: Hello.\n"


def test_only_words_that_count_are_shown() -> None:
    one = report(
        utterance(A, 0, 900, "Thanks for watching!", "refused: known hallucination"),
        utterance(C, 1_000, 1_900, None, "empty"),
        utterance(C, 2_000, 2_900, None, "failed: recognizer error"),
    )
    assert written(write_vtt, one) == "WEBVTT\n"
    assert written(write_srt, one) == written(write_text, one) == ""


def test_nothing_said_is_lost() -> None:
    text = written(write_text, full())
    for one in full().utterances:
        assert one.verdict != "kept" or (one.text or "") in text


def test_a_long_utterance_is_cut_between_words() -> None:
    cut = captions(report(spoken(["word"] * 60)))
    assert len(cut) > 2
    assert cut[0].start_ms == 3_723_004
    assert "01:02:03.004 --> 01:02:" in written(write_vtt, report(spoken(["word"] * 60)))


CHINESE = "我想取消订单，因为它还没有到"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It costs $10.50 or 1,200 euros.", ["It", "costs", "$10", ".50", "or", "1", ",200", "euros."]),
        ("J'appelle pour l'abonnement.", ["J", "'appelle", "pour", "l", "'abonnement."]),
        ("“Hello” – (is it you?)", ["hello", "is", "it", "you"]),  # other servers tell bare words
        ("“Hello” – (is it you?)", ["Hello", "is", "it", "you"]),
        (CHINESE, list(CHINESE)),
    ],
)
def test_a_recognizers_words_change_nothing_of_its_text(text: str, words: list[str]) -> None:
    short, slow = replace(spoken(words), text=text), replace(spoken(words, 5_000), text=text)
    assert [one.text for one in captions(report(short))] == [text]
    cut = [one.text for one in captions(report(slow))]
    assert len(cut) > 1
    assert ("" if text is CHINESE else " ").join(cut) == text


def test_text_without_spaces_is_cut_between_words() -> None:
    text = CHINESE * 9
    cut = captions(report(replace(spoken(list(text), 10), text=text)))
    assert "".join(one.text for one in cut) == text
    assert [len(one.text) for one in cut] == [LONGEST_LETTERS] * (len(cut) - 1) + [len(cut[-1].text)]
    assert cut[1].start_ms == cut[0].end_ms == cut[0].start_ms + 10 * LONGEST_LETTERS


lines = st.text("ab1.$'é \n", max_size=200).filter(str.strip)


@given(lines | st.text("我a1，ท \n", max_size=200).filter(str.strip), st.data(), st.integers(0, 3_000))
def test_captions_are_the_text_but_for_its_spaces(text: str, data: st.DataObject, word_ms: int) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=20)))
    words = [text[begin:end].strip() for begin, end in pairwise([0, *cuts, len(text)])]
    if data.draw(st.booleans()):  # words of something else
        words = data.draw(st.lists(st.text("ab1我", max_size=5), max_size=20))
    cut = captions(report(replace(spoken(words, word_ms), text=text)))
    assert "".join("".join(one.text for one in cut).split()) == "".join(text.split())
    assert all(one.text and one.text == " ".join(one.text.split()) for one in cut)
    if "我" not in text and "ท" not in text:
        assert " ".join(one.text for one in cut) == " ".join(text.split())


@given(
    st.lists(st.text("ab -é\n", min_size=1, max_size=100).filter(str.strip), min_size=1, max_size=60),
    st.integers(0, 3_000),
)
def test_captions_are_in_order_readable_and_whole(texts: list[str], word_ms: int) -> None:
    one = spoken(texts, word_ms)
    cut = captions(report(one))
    assert " ".join(caption.text for caption in cut).split() == " ".join(texts).split()
    for caption in cut:
        assert caption.start_ms < caption.end_ms
        is_one_word = len(caption.text.split()) == 1 or caption.text in map(" ".join, map(str.split, texts))
        assert is_one_word or len(caption.text) <= LONGEST_LETTERS
        assert is_one_word or caption.end_ms - caption.start_ms <= max(1, LONGEST_MS)
    assert [one.start_ms for one in cut] == sorted(one.start_ms for one in cut)
    blocks = written(write_vtt, report(one)).split("\n\n")
    assert len(blocks) == len(cut) + 1
    assert all(re.match(r"[\d:.]+ --> [\d:.]+\n[^\n]+", block) for block in blocks[1:])
