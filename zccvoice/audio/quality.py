"""How loud and how clean samples are. Levels are RMS in dBFS: a full-scale sine is −3.01."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

SILENCE_DBFS = -120.0
"""Level reported for digital silence, so that levels stay finite."""
_FULL_SCALE = 32_768.0


def level_dbfs(samples: npt.NDArray[np.int16]) -> float:
    """RMS level of ``int16[n]``; `SILENCE_DBFS` for nothing or zeros."""
    if samples.size == 0:
        return SILENCE_DBFS
    scaled = samples.astype(np.float32)
    mean_square = float(np.dot(scaled, scaled)) / samples.size
    return 20 * math.log10(math.sqrt(mean_square) / _FULL_SCALE) if mean_square > 0 else SILENCE_DBFS


def frame_levels_dbfs(samples: npt.NDArray[np.int16], frame_samples: int) -> list[float]:
    """Levels of consecutive frames; the length of `samples` is a multiple of `frame_samples`."""
    frames = samples.reshape(-1, frame_samples).astype(np.float32)
    mean_squares = np.einsum("ij,ij->i", frames, frames) / frame_samples
    floor = 10 ** (SILENCE_DBFS / 10) * _FULL_SCALE**2
    levels = 10 * np.log10(np.maximum(mean_squares, floor) / _FULL_SCALE**2)
    return [float(level) for level in levels]


def clipped_ratio(samples: npt.NDArray[np.int16]) -> float:
    """Share of ``int16[n]`` that sits at ±full scale for three or more samples in a row."""
    if samples.size == 0:
        return 0.0
    at_rail = (samples >= 32_767) | (samples <= -32_767)
    if not at_rail.any():
        return 0.0
    edges = np.flatnonzero(np.diff(np.concatenate(([False], at_rail, [False])).astype(np.int8)))
    lengths = edges[1::2] - edges[::2]
    return float(lengths[lengths >= 3].sum()) / samples.size
