from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from zccvoice.bench.asr import in_turns, lags, ours
from zccvoice.bench.asr_queue import LANGUAGES, LONGEST_S, MEAN_S, arrivals, clips, draw
from zccvoice.config import SpeechConfig
from zccvoice.speech.recognizer import RecognizerItem
from zccvoice.speech.whisper import WhisperRecognizer


@pytest.fixture(scope="module")
def found() -> list[RecognizerItem]:
    return clips()


def test_utterances_are_as_long_as_in_calls(found: list[RecognizerItem]) -> None:
    items = draw(found, 1000)
    lengths = [len(item.utterance.samples) / 16_000 for item in items]
    assert np.mean(lengths) == pytest.approx(MEAN_S, rel=0.2)
    assert max(lengths) <= LONGEST_S
    assert {item.language for item in items} == set(LANGUAGES.values())
    assert items == draw(found, 1000)


def test_calls_speak_as_much_as_calls_do(found: list[RecognizerItem]) -> None:
    coming = arrivals(found, 40, 60)
    ends = [one.at_s for one in coming]
    assert ends == sorted(ends)
    assert 0 <= ends[0] <= ends[-1] <= 60
    assert len(coming) == pytest.approx(40 * 60 * 0.9 / MEAN_S, abs=1)
    assert len({one.call for one in coming}) <= 40


def test_paths_take_turns_over_the_whole_queue(found: list[RecognizerItem]) -> None:
    turns: list[tuple[str, int]] = []

    def path(name: str, items: Sequence[RecognizerItem]) -> list[str]:
        turns.append((name, len(items)))
        return [name] * len(items)

    spent = in_turns({"a": lambda items: path("a", items), "b": lambda items: path("b", items)}, found[:20])
    assert turns == [("a", 16), ("b", 16), ("a", 4), ("b", 4)]
    assert spent["a"].texts == ["a"] * 20


def test_our_path_gives_each_its_text_and_each_has_a_lag(found: list[RecognizerItem]) -> None:
    recognizer = WhisperRecognizer(SpeechConfig(workers=1, device="cpu"))
    some = found[5:8]
    assert ours(recognizer)(some) == [ours(recognizer)([item])[0] for item in some]
    coming = arrivals(found, 1, 8)
    told = lags(recognizer, coming)
    assert len(told) == len(coming)
    assert min(told) > 0
