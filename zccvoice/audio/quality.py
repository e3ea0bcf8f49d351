"""How loud and how clean samples, and whole tracks, are. Levels are RMS in dBFS: a full-scale sine is −3.01.

What only two tracks side by side can tell is in `sides`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SILENCE_DBFS = -120.0
"""Level reported for digital silence, so that levels stay finite."""
_FULL_SCALE = 32_768.0
LEAST_CLIPPED = 3
"""So many samples in a row at one value at full scale are clipped."""
_LOWEST_TOP = 32_124
"""What µ-law's largest codes mean; A-law's mean 32256. What came through G.711 gets no nearer to full scale."""


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
    energies: list[float] = np.vecdot(frames, frames).tolist()
    full_dbfs = 10 * math.log10(frame_samples * _FULL_SCALE**2)
    return [10 * math.log10(energy) - full_dbfs if energy else SILENCE_DBFS for energy in energies]


def clipped_ratio(samples: npt.NDArray[np.int16]) -> float:
    """Share of ``int16[n]`` that stays for three or more samples in a row at one value at ±full scale.

    Full scale is that of whatever codec the sound came through: a recording does not tell of all of them. Give it
    the samples as they came: resampling makes waves of what is flat.
    """
    if not reaches_top(samples):  # nearly always
        return 0.0
    tops = flat_tops(samples)
    lengths = tops[:, 1] - tops[:, 0]
    return float(lengths[lengths >= LEAST_CLIPPED].sum()) / samples.size


def reaches_top(samples: npt.NDArray[np.int16]) -> bool:
    """Whether any of ``int16[n]`` is at ±full scale."""
    return bool(samples.size and (samples.max() >= _LOWEST_TOP or samples.min() <= -_LOWEST_TOP))


def flat_tops(samples: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
    """Where ``int16[n]`` stays at one value at ±full scale, if only for one: begins and ends, ``int64[m, 2]``."""
    at = np.flatnonzero((samples >= _LOWEST_TOP) | (samples <= -_LOWEST_TOP)).astype(np.int64)
    values = samples[at]
    goes_on = (np.diff(at) == 1) & (values[1:] == values[:-1])
    begins = at[np.concatenate(([True], ~goes_on))[: at.size]]
    lasts = at[np.concatenate((~goes_on, [True]))[: at.size]]
    return np.stack([begins, lasts + 1], axis=1)


@dataclass(frozen=True, slots=True)
class TrackQuality:
    """The sound of one track, as far as it was heard by now. Each is None where nothing tells it."""

    speech_dbfs: float | None
    """RMS level of all speech."""
    noise_dbfs: float | None
    """10th percentile of the level outside speech, whole dB; digital silence is left out."""
    clipped_ratio: float | None
    """Share of the speech's samples that are clipped, 0–1."""
    lost_ratio: float | None
    """Packets that never came, of all that should have, 0–1."""

    @property
    def snr_db(self) -> float | None:
        """Speech over noise."""
        if self.speech_dbfs is None or self.noise_dbfs is None:
            return None
        return self.speech_dbfs - self.noise_dbfs


class SpeechLevel:
    """Level and clipping of all speech of a track."""

    def __init__(self) -> None:
        self._energy = 0.0
        self._clipped = 0.0
        self._samples = 0

    def add(self, level: float, clipped: float, sample_count: int) -> None:
        """Take in a stretch by its `level_dbfs` and `clipped_ratio`."""
        self._energy += 10 ** (level / 10) * sample_count
        self._clipped += clipped * sample_count
        self._samples += sample_count

    @property
    def dbfs(self) -> float | None:
        """Energy mean; None before any speech."""
        return 10 * math.log10(self._energy / self._samples) if self._samples else None

    @property
    def clipped_ratio(self) -> float | None:
        """Share of samples; None before any speech."""
        return self._clipped / self._samples if self._samples else None


class NoiseLevel:
    """The level of a track where nobody speaks: a histogram, so that an hour costs as much as a second."""

    def __init__(self) -> None:
        self._counts = np.zeros(round(-SILENCE_DBFS) + 1, np.intp)  # frames by whole −dBFS

    def add(self, levels_dbfs: npt.NDArray[np.float64]) -> None:
        """Take in frames without speech, ``float64[n]``."""
        negative_dbfs = np.rint(np.clip(-levels_dbfs, 0, -SILENCE_DBFS)).astype(np.intp)
        self._counts += np.bincount(negative_dbfs, minlength=len(self._counts))

    @property
    def dbfs(self) -> float | None:
        """10th percentile, whole dB; None before any such frame."""
        seen = np.cumsum(self._counts[::-1])  # from the quietest on
        if not seen[-1]:
            return None
        return float(np.argmax((seen > 0) & (seen * 10 >= seen[-1])) - (len(seen) - 1))


class Jitter:
    """How unevenly packets arrive: the interarrival jitter of RFC 3550, section 6.4.1.

    Zoom may send a minute of buffered audio at once: such a burst is one step of the estimate, and fades. Where it
    is only known that a packet came since somebody last looked, it came at the moment that makes the least of it.
    """

    def __init__(self, looked_every_ms: float = 0) -> None:
        """`looked_every_ms`: so long a packet may have lain there when it is pushed."""
        self._looked_every_ms = looked_every_ms
        self._last_transit_ms: float | None = None
        self.ms: float | None = None
        """The running estimate; None before the second packet."""

    def push(self, timestamp_ms: int, found_ms: float) -> None:
        """Take in a packet: its timestamp, and when it was there on any clock in milliseconds."""
        transit_ms = found_ms - timestamp_ms
        if self._last_transit_ms is not None:
            earliest_ms = transit_ms - self._looked_every_ms
            transit_ms = min(max(self._last_transit_ms, earliest_ms), transit_ms)
            before = self.ms or 0.0
            self.ms = before + (abs(transit_ms - self._last_transit_ms) - before) / 16
        self._last_transit_ms = transit_ms
