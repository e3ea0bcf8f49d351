from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.errors import RecognizerError
from zccvoice.speech.packing import Found, cut, joined, transcribe_packed
from zccvoice.speech.recognizer import RecognizerItem
from zccvoice.speech.utterance import Evidence, Transcript, Utterance, Word

LEAD_MS, PAUSE_MS = 200, 500
EVIDENCE = Evidence(-0.1, 0.02, 40, 1.0, 0.0, 30.0)


def an_item(number: int, duration_ms: int, shares: int | None = 0) -> RecognizerItem:
    """Its samples are its number; some lie before its speech and after it."""
    start = number * 60_000
    samples = np.full((duration_ms + 2 * LEAD_MS) * 16, number + 1, np.int16)
    utterance = Utterance("ch", start, start + duration_ms, samples, LEAD_MS, -20.0, 0.0)
    return RecognizerItem(utterance, "en", shares=shares)


def hear(items: Sequence[RecognizerItem]) -> list[Found]:
    """A recognizer that writes a word for every second of a number that it hears, such as ``3a 3b``."""
    return [_heard(item) for item in items]


def _heard(item: RecognizerItem) -> Transcript:
    samples = item.utterance.samples
    words = []
    for number in dict.fromkeys(samples[samples > 0].tolist()):
        begin_ms = int(np.argmax(samples == number)) // 16 + LEAD_MS - item.utterance.lead_ms
        speech_ms = int((samples == number).sum()) // 16 - 2 * LEAD_MS
        words += [
            Word(
                f"{number}{chr(97 + at)}",
                begin_ms + at * 1000,
                begin_ms + at * 1000 + 900,
                0.5 + number / 100,
            )
            for at in range(speech_ms // 1000)
        ]
    text = ", ".join(word.text for word in words)
    return Transcript(text, tuple(words), "en", 0.9, "fake", EVIDENCE)


@given(st.lists(st.integers(1_000, 6_000), min_size=1, max_size=6))
def test_a_shared_window_gives_each_what_it_has_alone(lengths_ms: list[int]) -> None:
    items = [an_item(number, length_ms) for number, length_ms in enumerate(lengths_ms)]
    asked: list[int] = []

    def transcribe(some: Sequence[RecognizerItem]) -> list[Found]:
        asked.append(len(some))
        return hear(some)

    together = transcribe_packed(items, transcribe)
    assert asked == [1]
    for one, alone in zip(together, hear(items), strict=True):
        assert isinstance(one, Transcript)
        assert isinstance(alone, Transcript)
        assert one.text.rstrip(",") == alone.text
        assert one.words == alone.words


def test_quiet_lies_between_and_times_count_from_the_first_sample() -> None:
    whole = joined([an_item(0, 1_000), an_item(1, 2_000)])
    samples = whole.utterance.samples
    assert len(samples) == (1_400 + PAUSE_MS + 2_400) * 16
    assert not samples[1_400 * 16 : (1_400 + PAUSE_MS) * 16].any()
    assert (whole.utterance.lead_ms, whole.utterance.duration_ms, whole.shares) == (0, 4_300, None)


def test_only_those_with_the_same_number_share() -> None:
    items = [an_item(0, 1_000, 7), an_item(1, 1_000, None), an_item(2, 1_000, 8), an_item(3, 1_000, 7)]
    seen: list[int] = []

    def transcribe(some: Sequence[RecognizerItem]) -> list[Found]:
        seen.extend(len(np.unique(one.utterance.samples[one.utterance.samples > 0])) for one in some)
        return hear(some)

    found = transcribe_packed(items, transcribe)
    assert seen == [2, 1, 1]
    assert [one.text.rstrip(",") for one in found if isinstance(one, Transcript)] == ["1a", "2a", "3a", "4a"]


def test_whoever_got_no_words_is_heard_by_himself() -> None:
    items = [an_item(0, 1_000), an_item(1, 1_000)]
    asked: list[int] = []

    def forgetful(some: Sequence[RecognizerItem]) -> list[Found]:
        asked.append(len(some))
        if len(asked) > 1:
            return hear(some)
        (first,) = hear([items[0]])
        assert isinstance(first, Transcript)
        moved = tuple(
            Word(one.text, one.start_ms + LEAD_MS, one.end_ms + LEAD_MS, 0.5) for one in first.words
        )
        return [Transcript(first.text, moved, "en", 0.9, "fake")]

    found = transcribe_packed(items, forgetful)
    assert asked == [1, 1]
    assert [one.text for one in found if isinstance(one, Transcript)] == ["1a", "2a"]


def test_a_window_that_failed_costs_only_the_one_to_blame() -> None:
    items = [an_item(0, 1_000), an_item(1, 2_000)]

    def failing(some: Sequence[RecognizerItem]) -> list[Found]:
        return [
            RecognizerError("made to fail") if (one.utterance.samples == 2).any() else _heard(one)
            for one in some
        ]

    first, second = transcribe_packed(items, failing)
    assert isinstance(first, Transcript)
    assert first.text == "1a"
    assert isinstance(second, RecognizerError)


def test_a_clear_neighbour_does_not_vouch() -> None:
    pack = [an_item(0, 1_000), an_item(1, 1_000)]
    words = (Word("clear", 300, 1_000, 0.99), Word("mumbled", 2_200, 2_800, 0.1))
    clear, mumbled = cut(Transcript("clear mumbled", words, "en", 0.9, "fake", EVIDENCE), pack)
    assert clear is not None
    assert mumbled is not None
    assert clear.confidence == pytest.approx(0.99)
    assert mumbled.evidence is not None
    assert mumbled.evidence.average_log_probability == pytest.approx(np.log(0.1))
    assert mumbled.evidence.token_count < EVIDENCE.token_count
    assert mumbled.evidence.no_speech_probability == EVIDENCE.no_speech_probability


def test_text_that_does_not_hold_its_words_is_not_cut() -> None:
    pack = [an_item(0, 1_000), an_item(1, 1_000)]
    words = (Word("one", 300, 900, 0.9), Word("two", 2_200, 2_800, 0.9))
    assert cut(Transcript("two one", words, "en", 0.9, "fake"), pack) == [None, None]


def test_whose_words_had_no_room_is_asked_alone() -> None:
    """A window may have so many words: the second of four is stopped in the middle, of two nothing is written."""
    items = [an_item(number, 5_000) for number in range(4)]
    asked: list[int] = []

    def transcribe(some: Sequence[RecognizerItem]) -> list[Found]:
        asked.append(len(some))
        return [_limited(one) for one in map(_heard, some)]

    def _limited(whole: Transcript, most: int = 8) -> Transcript:
        assert whole.evidence is not None
        is_cut = len(whole.words) > most
        words = whole.words[:most]
        evidence = replace(whole.evidence, is_cut=is_cut)
        return replace(whole, text=", ".join(one.text for one in words), words=words, evidence=evidence)

    together = transcribe_packed(items, transcribe)
    assert asked == [1, 3]
    for one, alone in zip(together, hear(items), strict=True):
        assert isinstance(one, Transcript)
        assert isinstance(alone, Transcript)
        assert one.text.rstrip(",") == alone.text
        assert one.evidence is not None
        assert not one.evidence.is_cut
