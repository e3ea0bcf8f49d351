from __future__ import annotations

import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.simulator.demo import demo_scenarios
from zccvoice.simulator.sources import read_sound
from zccvoice.speech.features import MelBank, log_mel

CLIP = read_sound(demo_scenarios()[0].parent / "orders" / "04.flac")


@pytest.mark.parametrize("mels", [80, 128])
@given(st.integers(200, len(CLIP)))
def test_as_faster_whisper_gives_them(mels: int, length: int) -> None:
    extractor = FeatureExtractor(feature_size=mels)
    wanted = extractor(CLIP[:length].astype(np.float32) / 32_768)[:, :-1]
    found = log_mel(CLIP[:length], MelBank.of(extractor.mel_filters), 3000)
    assert found.dtype == np.float32
    assert found.shape == (mels, 3000)
    assert np.abs(found[:, : wanted.shape[1]] - wanted).max() < 1e-4
    assert not found[:, wanted.shape[1] :].any()


@pytest.mark.parametrize("mels", [80, 128])
def test_bands_are_sums_over_the_filters(mels: int) -> None:
    filters = FeatureExtractor(feature_size=mels).mel_filters
    power = np.random.default_rng(0).exponential(size=(201, 7)).astype(np.float32)
    assert MelBank.of(filters)(power) == pytest.approx(filters @ power, rel=1e-5)


def test_a_band_without_bins_is_empty() -> None:
    filters = np.zeros((3, 201), np.float32)
    filters[0, :2], filters[2, 5] = 0.5, 2.0
    assert MelBank.of(filters)(np.ones((201, 1), np.float32))[:, 0].tolist() == [1.0, 0.0, 2.0]


def test_a_short_window_cuts_off() -> None:
    mel = MelBank.of(FeatureExtractor().mel_filters)
    assert log_mel(CLIP, mel, 50).shape == (80, 50)
