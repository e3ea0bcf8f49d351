"""Sounds made for tests, and a detector that knows them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zccvoice.audio.quality import frame_levels_dbfs
from zccvoice.config import VadConfig
from zccvoice.speech.vad import FRAME_SAMPLES, Decisions

Samples = npt.NDArray[np.int16]

LAST_WORD = VadConfig(detector="silero")
"""Settings with which nobody looks again at what the detector said: for tests that give their own."""


def noise(duration_ms: int, *, dbfs: float = -60, seed: int = 1) -> Samples:
    """White noise, ``int16[n]`` at 16 kHz."""
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(duration_ms * 16) * 32_768 * 10 ** (dbfs / 20)).astype(np.int16)


def voice(duration_ms: int, *, dbfs: float = -20, pitch_hz: float = 120, melody: float = 0.15) -> Samples:
    """A buzz with the formants of an open vowel, in syllables and with a melody: a voice to our detectors."""
    t = np.arange(duration_ms * 16) / 16_000
    phase = 2 * np.pi * pitch_hz * (t - melody * np.cos(2 * np.pi * 2.3 * t) / (2 * np.pi * 2.3))
    sound = np.zeros_like(t)
    for harmonic in range(1, 30):
        hz = harmonic * pitch_hz
        gain = sum(np.exp(-(((hz - formant) / 150) ** 2)) for formant in (700, 1200, 2500)) + 0.02
        sound += gain * np.sin(harmonic * phase)
    sound *= 0.6 + 0.4 * np.sin(2 * np.pi * 4 * t)
    sound *= 10 ** (dbfs / 20) / np.sqrt(np.mean(sound**2))
    return (sound * 32_767).clip(-32_768, 32_767).astype(np.int16)


class LevelDetector:
    """A `SpeechDetector` for which whatever is louder than −40 dBFS is speech."""

    def detect(self, samples: Samples) -> Decisions:
        levels = frame_levels_dbfs(samples, FRAME_SAMPLES)
        return Decisions([level > -40 for level in levels], levels)
