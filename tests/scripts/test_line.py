from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_model.line import (
    MODEL_RATE_HZ,
    RATE_HZ,
    Sound,
    band_limited,
    g711_round_trip,
    hum,
    noise,
    resample,
    through_line,
)
from demo_model.wordless import wordless_sound
from zccvoice.audio.codecs.g711 import table_of
from zccvoice.audio.frame import Encoding


def tone(hz: float, seconds: float = 1.0, rate_hz: int = RATE_HZ) -> Sound:
    return np.asarray(
        0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz), np.float32
    )


def level(sound: Sound) -> float:
    return float(np.sqrt(np.mean(np.square(sound))))


@given(st.integers(1, 30_000), st.integers(0, 2**32 - 1))
def test_a_line_keeps_the_length_and_full_scale(length: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    heard = through_line(chance.standard_normal(length).astype(np.float32), chance)
    assert heard.dtype == np.float32
    assert len(heard) == length
    assert np.abs(heard).max() <= 1


@given(st.integers(200, 30_000), st.integers(0, 2**32 - 1))
def test_sound_without_words_has_its_length_and_is_within_full_scale(length: int, seed: int) -> None:
    sound = wordless_sound(length, np.random.default_rng(seed), tone(300))
    assert sound.dtype == np.float32
    assert len(sound) == length
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() <= 1


def test_a_telephone_carries_its_band_only() -> None:
    assert level(band_limited(tone(1_000))) == pytest.approx(level(tone(1_000)), rel=0.02)
    assert level(band_limited(tone(100))) < 0.01
    assert level(band_limited(tone(3_950))) < 0.1


@pytest.mark.parametrize("law", [Encoding.PCMA, Encoding.PCMU])
def test_the_codec_gives_its_own_values_back_and_near_ones_to_others(law: Encoding) -> None:
    values = table_of(law).astype(np.float32) / np.float32(32_768)
    np.testing.assert_array_equal(g711_round_trip(values, law), values)
    given = tone(440)
    assert level(g711_round_trip(given, law) - given) < 0.02 * level(given)


@pytest.mark.parametrize(("from_hz", "to_hz"), [(22_050, RATE_HZ), (RATE_HZ, MODEL_RATE_HZ)])
def test_a_tone_stays_itself_at_another_rate(from_hz: int, to_hz: int) -> None:
    found = resample(tone(440, rate_hz=from_hz), from_hz, to_hz)
    middle = slice(to_hz // 10, -to_hz // 10)
    np.testing.assert_allclose(found[middle], tone(440, rate_hz=to_hz)[middle], atol=0.01)


def test_noise_and_hum_are_of_level_one() -> None:
    for seed in range(20):
        chance = np.random.default_rng(seed)
        assert level(noise(16_000, chance)) == pytest.approx(1, abs=0.05)
        assert level(hum(16_000, chance)) == pytest.approx(1, abs=0.05)
