"""A telephone line: its band, its noise, its hum, its codec; never the same twice.

Everything is ``float32[n]``, mono, 8 kHz, full scale 1, unless it says otherwise.
"""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
import numpy.typing as npt

from zccvoice.audio.codecs.g711 import table_of
from zccvoice.audio.frame import Encoding

RATE_HZ = 8_000
MODEL_RATE_HZ = 16_000

Sound = npt.NDArray[np.float32]

_SIZES: list[int] = sorted(2**a * 3**b * 5**c for a in range(1, 22) for b in range(5) for c in range(4))
"""Lengths of which Fourier transforms are fast."""


def resample(sound: Sound, from_hz: int, to_hz: int) -> Sound:
    """At another rate, band-limited: ``float32[n * to_hz / from_hz]``."""
    padded = (-(-len(sound) // from_hz) + 1) * from_hz  # whole seconds, so that both lengths are whole
    spectrum = np.fft.rfft(sound, padded)
    there = padded // from_hz * to_hz
    found = np.fft.irfft(spectrum[: there // 2 + 1], there) * (to_hz / from_hz)
    return found[: len(sound) * to_hz // from_hz].astype(np.float32)


def band_limited(sound: Sound, low_hz: float = 300.0, high_hz: float = 3_400.0) -> Sound:
    """What a telephone's band leaves of it."""
    size = _fast_size(len(sound))
    hz = np.fft.rfftfreq(size, 1 / RATE_HZ)
    gain = 1 / (1 + (low_hz / (hz + 1)) ** 6) / (1 + (hz / high_hz) ** 12)
    return np.fft.irfft(np.fft.rfft(sound, size) * gain, size)[: len(sound)].astype(np.float32)


def g711_round_trip(sound: Sound, law: Encoding = Encoding.PCMA) -> Sound:
    """There and back through 8 bits: of the codec's 256 values the nearest."""
    values = np.unique(table_of(law)).astype(np.float32) / np.float32(32_768)
    between = (values[1:] + values[:-1]) / 2
    coded: Sound = values[np.searchsorted(between, sound)]
    return coded


def through_line(
    sound: Sound, chance: np.random.Generator, peak_dbfs: tuple[float, float] = (-22, -1)
) -> Sound:
    """Sound as it comes out of some telephone, its peak somewhere between these before the noise."""
    sound = sound * np.float32(10 ** (chance.uniform(*peak_dbfs) / 20) / (np.abs(sound).max() + 1e-6))
    if chance.random() < 0.5:
        tilt = np.float32(chance.uniform(-0.3, 0.6))
        sound = np.concatenate([sound[:1], sound[1:] - tilt * sound[:-1]])
    if chance.random() < 0.5:
        sound = band_limited(sound, chance.uniform(150, 350), chance.uniform(3_100, 3_700))
    if chance.random() < 0.75:
        rms = np.sqrt(np.mean(np.square(sound)) + 1e-12)
        sound = sound + noise(len(sound), chance) * rms * np.float32(10 ** (-chance.uniform(8, 40) / 20))
        if chance.random() < 0.15:
            sound = sound + hum(len(sound), chance) * rms * np.float32(10 ** (-chance.uniform(8, 40) / 20))
    return through_codec(sound, chance)


def through_codec(sound: Sound, chance: np.random.Generator) -> Sound:
    """Clipped, and four times in five through G.711."""
    sound = np.clip(sound, -1, 1).astype(np.float32)
    if chance.random() < 0.8:
        sound = g711_round_trip(sound, Encoding.PCMA if chance.random() < 0.5 else Encoding.PCMU)
    return sound


def noise(length: int, chance: np.random.Generator) -> Sound:
    """Of some colour between white and brown; its root mean square is 1."""
    sound = chance.standard_normal(length, dtype=np.float32)
    if chance.random() < 0.5:
        decay = np.exp(-np.arange(24) / chance.uniform(1, 8)).astype(np.float32)
        sound = np.convolve(sound, decay)[:length]
        sound /= sound.std() + 1e-9
    return sound


def hum(length: int, chance: np.random.Generator) -> Sound:
    """Of the mains, with some of its overtones; its root mean square is 1."""
    turns = 2 * np.pi * chance.choice([50, 60]) * np.arange(length) / RATE_HZ
    slope = chance.uniform(0.5, 3)
    parts = (np.sin(turns * n + chance.uniform(0, 6)) / n**slope for n in range(1, chance.integers(2, 14)))
    sound = np.sum(list(parts), axis=0)
    return np.asarray(sound / (sound.std() + 1e-9), np.float32)


def _fast_size(length: int) -> int:
    return _SIZES[bisect_left(_SIZES, length)]
