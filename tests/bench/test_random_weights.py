from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from zccvoice.bench.asr_queue import clips
from zccvoice.bench.random_weights import LANGUAGES, TEXT_TOKENS, TIMESTAMPS, TOKENS, weights_for
from zccvoice.config import SpeechConfig
from zccvoice.speech.utterance import Transcript
from zccvoice.speech.whisper import WhisperRecognizer


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with weights_for("random-tiny") as found:
        yield Path(found)


def test_the_shape_is_that_of_tiny(folder: Path) -> None:
    """37.8 million parameters, one byte each but for the convolutions, positions, norms and scales."""
    assert (folder / "model.bin").stat().st_size == pytest.approx(40e6, rel=0.05)
    assert len(json.loads((folder / "vocabulary.json").read_text())) == 51_865
    assert TEXT_TOKENS + 8 + LANGUAGES + TIMESTAMPS == 51_865


@pytest.mark.parametrize("windows", ["any", "10", "30"])
def test_each_utterance_has_as_many_tokens_whatever_it_is(folder: Path, windows: str) -> None:
    recognizer = WhisperRecognizer(SpeechConfig(model=str(folder), windows=windows, workers=1, device="cpu"))
    found = recognizer.transcribe(clips()[:20:5])
    assert len(found) == 4
    for one in found:
        assert isinstance(one, Transcript)
        assert one.evidence is not None
        assert one.evidence.token_count == TOKENS + 2
        assert len(one.words) == TOKENS


def test_what_is_no_random_shape_is_itself() -> None:
    with weights_for("demo") as named:
        assert named == "demo"


def test_the_folder_goes_again() -> None:
    with weights_for("random-tiny") as found:
        assert Path(found).is_dir()
    assert not Path(found).exists()
