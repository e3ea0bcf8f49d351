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
END = "<|endoftext|>"
CLIPS = [
    ("orders/04.flac", "en"),
    ("factura/02.flac", "es"),
    ("router/05.flac", "de"),
    ("orders/02.flac", "en"),
]


@pytest.fixture(scope="module")
def model() -> Any:
    # One thread, as the recognizer has it: with several, sums are made in another order for a batch.
    location = weights_location("demo")
    return faster_whisper.WhisperModel(location, device="cpu", compute_type="int8", cpu_threads=1)


class Endless:
    """A model that never comes to an end of its text."""

    def __init__(self, loaded: Any) -> None:
        self._loaded = loaded
        self.model = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loaded if hasattr(self._loaded, name) else self._loaded.model, name)

    def generate(self, *given: Any, **options: Any) -> Any:
        options["suppress_tokens"] = [*options["suppress_tokens"], self._loaded.hf_tokenizer.token_to_id(END)]
        return self._loaded.model.generate(*given, **options)


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


@pytest.mark.parametrize(
    ("window_s", "prompt", "most"),
    [
        (2.6, None, 16 + 39),
        (10.0, None, 16 + 150),
        (10.0, "Thank you for calling. " * 6, 16 + 150),
        (30.0, None, 443),
    ],
)
def test_a_text_may_be_as_long_as_is_promised_and_tells_where_it_had_to_stop(
    model: Any, window_s: float, prompt: str | None, most: int
) -> None:
    sound = read_sound(DEMO / CLIPS[0][0])
    item = RecognizerItem(Utterance("ch", 0, len(sound) // 16, sound, 0, -20.0, 0.0), "en", prompt)
    mel, frames = MelBank.of(model.feature_extractor.mel_filters), round(window_s * FRAMES_PER_S)
    encoded = model.model.encode(get_ctranslate2_storage(log_mel(sound, mel, frames)[np.newaxis]))
    evidence = [
        decoding.decode([item], encoded, window_s, 1, 0.0)[0].evidence
        for decoding in (Decoding(model, "demo"), Decoding(Endless(model), "endless"))
    ]
    assert [one is not None and one.is_cut for one in evidence] == [False, True]
    assert evidence[1] is not None
    assert evidence[1].token_count == most
