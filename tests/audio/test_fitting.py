from __future__ import annotations

from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from tests.audio.encoded import snr_db
from zccvoice.audio.fitting import Fitting

RATES_HZ = [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000]
BAND_EDGE_HZ = 7_000
BAND_PART = 0.425
"""Of a rate: 3.4 kHz at 8 kHz."""


def tone(hz: float, rate_hz: int) -> npt.NDArray[np.float64]:
    sound: npt.NDArray[np.float64] = 30_000 * np.sin(2 * np.pi * hz * np.arange(rate_hz) / rate_hz)
    return sound


def frame_of(samples: np.ndarray, rate_hz: int, sample_format: str = "s16p") -> Any:
    layout = "mono" if len(samples) == 1 else "stereo"
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format=sample_format, layout=layout)
    frame.sample_rate = rate_hz
    return frame


def fitted(
    samples: np.ndarray, rate_hz: int, to_hz: int = 16_000, layout: str = "mono", step: int = 1_000
) -> Any:
    """``int16[channels, n]`` of ``int16[channels, n]``, pushed so many samples at a time."""
    fitting = Fitting(to_hz, layout)
    pieces: list[npt.NDArray[np.int16]] = []
    for at in range(0, samples.shape[1], step):
        pieces += fitting.push(frame_of(samples[:, at : at + step], rate_hz))
    return np.concatenate([*pieces, *fitting.flush()], axis=1)


def rounded(sound: np.ndarray) -> npt.NDArray[np.int16]:
    samples: npt.NDArray[np.int16] = np.rint(sound).astype(np.int16).reshape(1, -1)
    return samples


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("part", [0.03, 0.3, 0.7, 0.95, 1.0])
def test_a_tone_in_the_pass_band_stays_itself_where_it_is(rate_hz: int, part: float) -> None:
    hz = min(BAND_EDGE_HZ, rate_hz * BAND_PART) * part
    (sound,) = fitted(rounded(tone(hz, rate_hz)), rate_hz)
    assert len(sound) == pytest.approx(16_000, abs=1)
    inside = slice(200, len(sound) - 200)
    assert snr_db(tone(hz, 16_000)[inside], sound[inside]) >= 80


@pytest.mark.parametrize("rate_hz", [24_000, 32_000, 44_100, 48_000])
@pytest.mark.parametrize("hz", [9_000, 11_000, 11_900])
def test_what_16_khz_cannot_hold_is_gone(rate_hz: int, hz: int) -> None:
    sound = fitted(rounded(tone(hz, rate_hz)), rate_hz)[0, 200:-200].astype(np.float64)
    assert 10 * np.log10(np.mean(sound**2) / (30_000**2 / 2) + 1e-20) < -80


@pytest.mark.parametrize("rate_hz", [8_000, 44_100])
def test_pieces_make_no_difference(rate_hz: int) -> None:
    sound = np.random.default_rng(3).integers(-32_768, 32_768, (2, rate_hz // 2)).astype(np.int16)
    whole = fitted(sound, rate_hz, layout="stereo", step=rate_hz)
    for step in (160, 1_001):
        assert np.array_equal(fitted(sound, rate_hz, layout="stereo", step=step), whole)


def test_what_fits_is_left_alone() -> None:
    sound = np.random.default_rng(3).integers(-32_768, 32_768, (2, 8_000)).astype(np.int16)
    assert np.array_equal(fitted(sound, 16_000, layout="stereo"), sound)


def test_floats_become_16_bits_and_are_clipped_not_wrapped() -> None:
    fitting = Fitting(16_000, "mono")
    loud = np.array([[0.5, 1.5, -1.5, 0.25]], np.float32)
    (piece,) = fitting.push(frame_of(loud, 16_000, "fltp"))
    assert piece.tolist() == [[16_384, 32_767, -32_768, 8_192]]


def test_a_frame_unlike_the_first_one_is_refused() -> None:
    fitting = Fitting(16_000, "mono")
    list(fitting.push(frame_of(rounded(tone(500, 8_000)), 8_000)))
    with pytest.raises(ValueError, match=r"got .*44100"):
        list(fitting.push(frame_of(rounded(tone(500, 44_100)), 44_100)))


def test_nothing_comes_of_nothing() -> None:
    assert list(Fitting(16_000, "mono").flush()) == []
