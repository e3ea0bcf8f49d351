from __future__ import annotations

import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.simulator.demo import demo_scenarios
from zccvoice.simulator.sources import read_sound
from zccvoice.speech.features import log_mel

CLIP = read_sound(demo_scenarios()[0].parent / "orders" / "04.flac")


@pytest.mark.parametrize("mels", [80, 128])
@given(st.integers(200, len(CLIP)))
def test_as_faster_whisper_gives_them(mels: int, length: int) -> None:
    extractor = FeatureExtractor(feature_size=mels)
    wanted = extractor(CLIP[:length].astype(np.float32) / 32_768)[:, :-1]
    found = log_mel(CLIP[:length], extractor.mel_filters, 3000)
    assert found.dtype == np.float32
    assert found.shape == (mels, 3000)
    assert np.abs(found[:, : wanted.shape[1]] - wanted).max() < 1e-4
    assert not found[:, wanted.shape[1] :].any()


def test_a_short_window_cuts_off() -> None:
    filters = FeatureExtractor().mel_filters
    assert log_mel(CLIP, filters, 50).shape == (80, 50)
