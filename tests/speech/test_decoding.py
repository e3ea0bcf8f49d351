"""Token ids, below what `test_whisper` sees."""

from __future__ import annotations

from typing import Any

import faster_whisper
import numpy as np
import pytest
from faster_whisper.transcribe import get_ctranslate2_storage

from zccvoice.simulator.demo import demo_scenarios
from zccvoice.simulator.sources import read_sound
from zccvoice.speech.decoding import Decoding
from zccvoice.speech.features import FRAMES_PER_S, MelBank, log_mel
from zccvoice.speech.recognizer import RecognizerItem
from zccvoice.speech.utterance import Utterance
from zccvoice.speech.whisper import weights_location

DEMO = demo_scenarios()[0].parent
CLIPS = [
    ("orders/04.flac", "en"),
    ("factura/02.flac", "es"),
    ("router/05.flac", "de"),
    ("orders/02.flac", "en"),
]


@pytest.fixture(scope="module")
def model() -> Any:
    return faster_whisper.WhisperModel(weights_location("demo"), device="cpu", compute_type="int8")


def tokens(model: Any, items: list[RecognizerItem], window_s: float, beam_size: int) -> list[list[int]]:
    mel, frames = MelBank.of(model.feature_extractor.mel_filters), round(window_s * FRAMES_PER_S)
    features = np.stack([log_mel(item.utterance.samples, mel, frames) for item in items])
    encoded = model.model.encode(get_ctranslate2_storage(features))
    results = Decoding(model, "demo").generate(items, encoded, window_s, beam_size, 0.0)
    return [result.sequences_ids[0] for result in results]


@pytest.mark.parametrize("window_s", [5.2, 10.0, 30.0])
@pytest.mark.parametrize("beam_size", [1, 5])
def test_a_batch_has_the_tokens_that_each_has_alone(model: Any, window_s: float, beam_size: int) -> None:
    items = [
        RecognizerItem(Utterance("ch", 0, len(sound) // 16, sound, 0, -20.0, 0.0), language)
        for sound, language in ((read_sound(DEMO / clip), language) for clip, language in CLIPS)
    ]
    alone = [one for item in items for one in tokens(model, [item], window_s, beam_size)]
    assert tokens(model, items, window_s, beam_size) == alone
    assert all(len(one) > 5 for one in alone)
