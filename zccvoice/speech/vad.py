"""Is this 20 ms frame speech? The fast detector: WebRTC's VAD behind an energy gate.

WebRTC's detector (a Gaussian mixture over six sub-bands) is excellent in quiet and takes steady noise for
speech for ever. The gate asks in addition that the frame be louder than the line's noise by a margin. The
noise floor follows the line by minimum statistics (R. Martin, "Noise power spectral density estimation based
on optimal smoothing and minimum statistics", 2001): the least level of the last three seconds, because speech
pauses at least that often. Digital silence (a muted leg, a gap) says nothing about the line and is left out.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import webrtcvad

from zccvoice.audio.frame import SAMPLE_RATE_HZ
from zccvoice.audio.quality import frame_levels_dbfs
from zccvoice.config import VadConfig

FRAME_MS = 20
FRAME_SAMPLES = SAMPLE_RATE_HZ * FRAME_MS // 1000
DIGITAL_SILENCE_DBFS = -90.0
"""Below it lies what no line sounds like: a muted leg, or a gap filled with zeros."""
_ASSUMED_NOISE_DBFS = -50.0
_FLOOR_BLOCK_FRAMES = 20
_FLOOR_BLOCKS = 8
_FEWEST_BLOCKS = 3

Decision: TypeAlias = tuple[bool, float]
"""Of one frame: is it speech, and its level in dBFS."""


class SpeechDetector(Protocol):
    """Decides frame by frame; keeps the state of one track."""

    def detect(self, samples: npt.NDArray[np.int16]) -> list[Decision]:
        """Per frame of 20 ms: is it speech, and its level in dBFS.

        Args:
            samples: ``int16[n]``, mono, 16 kHz, n a multiple of `FRAME_SAMPLES`.
        """
        ...


class WebRtcDetector:
    """`SpeechDetector` on WebRTC's VAD with an energy gate."""

    def __init__(self, settings: VadConfig) -> None:
        self._vad = webrtcvad.Vad(settings.aggressiveness)
        self._margin_db = settings.energy_margin_db
        self._quietest_dbfs = settings.quietest_dbfs
        self._floor = NoiseFloor()

    def detect(self, samples: npt.NDArray[np.int16]) -> list[Decision]:
        """See `SpeechDetector`."""
        raw = samples.astype("<i2", copy=False).tobytes()  # webrtcvad misreads arrays: it wants bytes
        step = FRAME_SAMPLES * 2
        decisions = []
        for index, level in enumerate(frame_levels_dbfs(samples, FRAME_SAMPLES)):
            threshold = max(self._floor.follow(level) + self._margin_db, self._quietest_dbfs)
            # The detector sees every frame, also the quiet ones: it learns from them.
            is_voiced = self._vad.is_speech(raw[index * step : (index + 1) * step], SAMPLE_RATE_HZ)
            decisions.append((is_voiced and level >= threshold, level))
        return decisions


class NoiseFloor:
    """The least level of the last three seconds or so."""

    def __init__(self) -> None:
        self._block_minima: deque[float] = deque(maxlen=_FLOOR_BLOCKS)
        self._block_minimum = 0.0
        self._frames_in_block = 0

    def follow(self, level_dbfs: float) -> float:
        """Take in the next frame's level; returns the floor in dBFS.

        Before a second or so was heard the line is taken for one of ordinary noise: WebRTC's detector takes
        any noise for speech at first, and the least level of someone who speaks at once is not noise.
        """
        if level_dbfs > DIGITAL_SILENCE_DBFS:
            self._block_minimum = min(self._block_minimum, level_dbfs)
            self._frames_in_block += 1
            if self._frames_in_block == _FLOOR_BLOCK_FRAMES:
                self._block_minima.append(self._block_minimum)
                self._block_minimum, self._frames_in_block = 0.0, 0
        if not self._block_minima:
            return _ASSUMED_NOISE_DBFS
        floor = min(*self._block_minima, self._block_minimum)
        return min(floor, _ASSUMED_NOISE_DBFS) if len(self._block_minima) < _FEWEST_BLOCKS else floor
