from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.audio.codecs.g711 import table_of
from zccvoice.audio.frame import Encoding
from zccvoice.audio.quality import (
    SILENCE_DBFS,
    Jitter,
    NoiseLevel,
    SpeechLevel,
    TrackQuality,
    clipped_ratio,
    frame_levels_dbfs,
    level_dbfs,
)
from zccvoice.simulator.encoders import encode_g711


def sine(peak: float, count: int = 16_000) -> np.ndarray:
    return (peak * 32_767 * np.sin(2 * np.pi * 440 * np.arange(count) / 16_000)).astype(np.int16)


@pytest.mark.parametrize(("peak", "level"), [(1.0, -3.01), (0.1, -23.01), (0.01, -43.01)])
def test_the_level_of_a_sine(peak: float, level: float) -> None:
    assert level_dbfs(sine(peak)) == pytest.approx(level, abs=0.1)
    assert np.mean(frame_levels_dbfs(sine(peak), 320)) == pytest.approx(level, abs=0.2)


def test_the_level_of_nothing_is_finite() -> None:
    assert level_dbfs(np.zeros(320, np.int16)) == SILENCE_DBFS
    assert level_dbfs(np.empty(0, np.int16)) == SILENCE_DBFS
    assert frame_levels_dbfs(np.zeros(640, np.int16), 320) == pytest.approx([SILENCE_DBFS] * 2)


def test_clipping_is_three_in_a_row() -> None:
    samples = np.zeros(100, np.int16)
    samples[10:12] = 32_767
    samples[20:24] = -32_768
    samples[97:] = 32_767
    assert clipped_ratio(samples) == pytest.approx(7 / 100)
    assert clipped_ratio(np.empty(0, np.int16)) == 0


@pytest.mark.parametrize("law", [Encoding.PCMA, Encoding.PCMU])
def test_g711_is_clipped_at_its_own_largest_codes(law: Encoding) -> None:
    overdriven = np.clip(4 * sine(1.0).astype(np.int32), -32_768, 32_767).astype(np.int16)
    (coded,) = encode_g711(overdriven[:8_000], 1, 8_000, False, law=law)
    decoded = table_of(law)[np.frombuffer(coded, np.uint8)]
    assert clipped_ratio(decoded) == pytest.approx(clipped_ratio(overdriven[:8_000]), abs=0.02)
    assert clipped_ratio(decoded) > 0.8


def test_loud_sound_that_is_not_flat_is_not_clipped() -> None:
    assert clipped_ratio(sine(1.0)) == 0


def test_the_level_of_all_speech_is_that_of_its_energy() -> None:
    level = SpeechLevel()
    assert level.dbfs is None
    level.add(-20, 0.0, 1000)
    level.add(-30, 0.4, 1000)
    assert level.dbfs == pytest.approx(-22.6, abs=0.05)
    assert level.clipped_ratio == pytest.approx(0.2)


@given(st.lists(st.integers(-119, 0), min_size=1))
def test_noise_is_the_tenth_percentile(levels: list[int]) -> None:
    noise = NoiseLevel()
    for level in levels:
        noise.add(np.array([level], np.float64))
    at_once = NoiseLevel()
    at_once.add(np.array(levels, np.float64))
    assert at_once.dbfs == noise.dbfs
    assert noise.dbfs == sorted(levels)[-(-len(levels) // 10) - 1]


def test_even_packets_have_no_jitter_and_uneven_ones_have() -> None:
    assert Jitter().ms is None
    even, uneven = Jitter(), Jitter()
    for number in range(500):
        even.push(number * 20, 1_000 + number * 20)
        uneven.push(number * 20, 1_000 + number * 20 + number % 2 * 10)
    assert even.ms == 0
    assert uneven.ms == pytest.approx(10, abs=0.1)


@given(st.lists(st.floats(0, 200), min_size=2, max_size=100))
def test_who_looks_now_and_then_takes_looking_late_for_no_jitter(looked_late_ms: list[float]) -> None:
    jitter = Jitter(looked_every_ms=200)
    jitter.push(-100, 0.0)  # looked at the moment it came
    for number, late_ms in enumerate(looked_late_ms):
        jitter.push(number * 100, 100 + number * 100 + late_ms)
    assert jitter.ms == pytest.approx(0, abs=1e-6)


def test_what_is_more_uneven_than_looking_is_jitter() -> None:
    jitter = Jitter(looked_every_ms=200)
    for number in range(500):
        jitter.push(number * 100, number * 100 + number % 2 * 350)
    assert jitter.ms == pytest.approx(150, abs=1)


def test_a_burst_fades() -> None:
    jitter = Jitter()
    for number in range(600):
        jitter.push(number * 20, max(6_000, number * 20))  # the first six seconds come at once
    assert jitter.ms is not None
    assert jitter.ms < 1


def test_the_ratio_of_speech_to_noise() -> None:
    assert TrackQuality(-20.0, -55.0, 0.0, 0.0).snr_db == 35
    assert TrackQuality(None, -55.0, None, 0.0).snr_db is None
