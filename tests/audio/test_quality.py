from __future__ import annotations

import numpy as np
import pytest

from zccvoice.audio.quality import SILENCE_DBFS, clipped_ratio, frame_levels_dbfs, level_dbfs


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
