from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audio.encoded import snr_db
from zccvoice.audio.frame import Samples
from zccvoice.audio.resampler import Resampler

BAND_EDGES_HZ = {8_000: 3_400, 32_000: 7_000, 48_000: 7_000}


def tone(hz: float, rate_hz: int, seconds: float = 1, peak: float = 30_000) -> np.ndarray:
    return peak * np.sin(2 * np.pi * hz * np.arange(int(rate_hz * seconds)) / rate_hz)


def resampled(samples: Samples, rate_hz: int, cuts: list[int] | None = None) -> Samples:
    resampler = Resampler(rate_hz)
    pieces = [resampler.push(piece) for piece in np.split(samples, sorted(cuts or []))]
    return np.concatenate([*pieces, resampler.flush()])


@pytest.mark.parametrize("rate_hz", BAND_EDGES_HZ)
@pytest.mark.parametrize("part", [0.03, 0.3, 0.7, 0.95, 1.0])
def test_a_tone_in_the_pass_band_stays_itself_where_it_is(rate_hz: int, part: float) -> None:
    hz = BAND_EDGES_HZ[rate_hz] * part
    sound = resampled(np.rint(tone(hz, rate_hz)).astype(np.int16), rate_hz)
    assert len(sound) == 16_000
    inside = slice(200, -200)
    assert snr_db(tone(hz, 16_000)[inside], sound[inside]) >= 80


@pytest.mark.parametrize("rate_hz", [32_000, 48_000])
@pytest.mark.parametrize("hz", [9_000, 11_000, 15_500])
def test_what_16_khz_cannot_hold_is_gone(rate_hz: int, hz: int) -> None:
    sound = resampled(np.rint(tone(hz, rate_hz)).astype(np.int16), rate_hz)[200:-200].astype(np.float64)
    assert 10 * np.log10(np.mean(sound**2) / (30_000**2 / 2) + 1e-20) < -80


@pytest.mark.parametrize("rate_hz", BAND_EDGES_HZ)
def test_the_loudest_sounds_are_clipped_not_wrapped(rate_hz: int) -> None:
    square = np.where(tone(500, rate_hz) > 0, 32_767, -32_768).astype(np.int16)
    sound = resampled(square, rate_hz)[100:-100]
    assert np.mean((sound > 30_000) | (sound < -30_000)) > 0.6


def test_16_khz_is_left_alone() -> None:
    samples = np.arange(100, dtype=np.int16)
    assert np.array_equal(resampled(samples, 16_000, [1, 50]), samples)


@settings(max_examples=60)
@given(st.sampled_from([8_000, 32_000, 48_000]), st.integers(1, 200), st.data())
def test_cuts_never_change_a_bit(rate_hz: int, length_ms: int, data: st.DataObject) -> None:
    count = rate_hz * length_ms // 1000
    samples = np.random.default_rng(count).integers(-32_768, 32_768, count).astype(np.int16)
    cuts = data.draw(st.lists(st.integers(0, count), max_size=8))
    whole = resampled(samples, rate_hz)
    assert len(whole) == length_ms * 16
    assert np.array_equal(resampled(samples, rate_hz, cuts), whole)


@settings(max_examples=30)
@given(st.sampled_from([8_000, 32_000, 48_000]), st.integers(5, 150))
def test_one_may_begin_anywhere(rate_hz: int, from_ms: int) -> None:
    samples = np.random.default_rng(1).integers(-32_768, 32_768, rate_hz // 5).astype(np.int16)
    reach = Resampler(rate_hz).reach_samples
    later = resampled(samples[from_ms * rate_hz // 1000 :], rate_hz)
    assert np.array_equal(later[reach:], resampled(samples, rate_hz)[from_ms * 16 + reach :])


def test_after_a_flush_it_begins_anew() -> None:
    samples = np.random.default_rng(2).integers(-9_000, 9_000, 1_000).astype(np.int16)
    resampler = Resampler(8_000)
    first = np.concatenate([resampler.push(samples), resampler.flush()])
    assert resampler.flush().size == 0
    assert np.array_equal(np.concatenate([resampler.push(samples), resampler.flush()]), first)
