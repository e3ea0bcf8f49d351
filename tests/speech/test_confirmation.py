from __future__ import annotations

from collections.abc import Generator
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.speech.sounds import LevelDetector, Samples, noise, voice
from zccvoice.bench import noises, tunes
from zccvoice.config import VadConfig
from zccvoice.speech.confirmation import Confirmation, Doubt, Stretch
from zccvoice.speech.endpointer import SpeechSpan
from zccvoice.speech.vad import FRAME_SAMPLES


def music(seconds: int) -> Samples:
    sound = tunes.music(tunes.TUNING_PIECES[0], seconds * 16_000) * 10 ** (-22 / 20)
    return np.clip(sound * 32_768, -32_768, 32_767).astype(np.int16)


def keys(seconds: int) -> Samples:
    sound, _ = tunes.key_tones(seconds * 16_000, np.random.default_rng(3))
    return (sound * 3_000).astype(np.int16)


def breath(seconds: int) -> Samples:
    return (noises.breathing(seconds * 16_000, np.random.default_rng(3)) * 2_000).astype(np.int16)


def confirm(*pieces: Samples, detector: str = "both", is_cut: bool = False) -> list[SpeechSpan]:
    """What stays of a stretch with 300 ms of noise around it."""
    samples = np.concatenate([noise(300), *pieces, noise(300)])
    samples = samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES]
    decisions = LevelDetector().detect(samples)
    span = SpeechSpan(1_000 + 15, 1_000 + len(decisions.is_speech) - 15, is_cut)
    settings = VadConfig.model_validate({"detector": detector})
    return settled(Confirmation(settings).confirm(Stretch(span, 1_000, samples, decisions)))


def settled(steps: Generator[Doubt, None, list[SpeechSpan]]) -> list[SpeechSpan]:
    while True:
        try:
            next(steps).settle()
        except StopIteration as end:
            return cast("list[SpeechSpan]", end.value)


@pytest.mark.parametrize("detector", ["both", "webrtc", "silero"])
@pytest.mark.parametrize("is_cut", [False, True])
def test_a_clear_voice_stays_as_it_is(detector: str, is_cut: bool) -> None:
    assert confirm(voice(3000), detector=detector, is_cut=is_cut) == [SpeechSpan(1_015, 1_165, is_cut)]


@pytest.mark.parametrize("detector", ["both", "webrtc"])
@pytest.mark.parametrize("sound", [music(6), keys(6)], ids=["music", "keys"])
def test_music_and_keys_go(detector: str, sound: Samples) -> None:
    assert confirm(sound, detector=detector) == []


def test_breath_goes_when_silero_is_asked() -> None:
    assert confirm(breath(4)) == []


def test_who_speaks_after_the_music_stays() -> None:
    (span,) = confirm(music(4), noise(300), voice(2000), detector="webrtc")
    assert abs(span.start - (1_015 + 215)) <= 15
    assert span.end == 1_015 + 315


def test_what_is_cut_off_stays_cut_off() -> None:
    spans = confirm(music(4), noise(300), voice(2000), detector="webrtc", is_cut=True)
    assert [one.is_cut for one in spans] == [True]
    assert spans[0].end == 1_015 + 315


PIECES = [
    voice(900),
    music(2),
    keys(2),
    breath(2),
    noise(700),
    noise(700, dbfs=-25),
    np.zeros(8_000, np.int16),
]


@settings(max_examples=30)
@given(
    st.lists(st.sampled_from(range(len(PIECES))), min_size=1, max_size=6), st.sampled_from(["both", "webrtc"])
)
def test_what_stays_lies_inside_in_order_and_apart(order: list[int], detector: str) -> None:
    pieces = [PIECES[number] for number in order]
    end = 1_015 + sum(map(len, pieces)) // FRAME_SAMPLES
    before = 1_015
    for span in confirm(*pieces, detector=detector):
        assert before <= span.start < span.end <= end
        before = span.end
