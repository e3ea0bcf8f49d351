"""Captions: what was said, in time, and readable."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
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
