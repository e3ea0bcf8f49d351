"""Is this 20 ms frame speech? The fast detector: WebRTC's VAD behind an energy gate.

WebRTC's detector (a Gaussian mixture over six sub-bands) is excellent in quiet and takes steady noise for
speech for ever. The gate asks in addition that the frame be louder than the line's noise by a margin. The
noise floor follows the line by minimum statistics (R. Martin, "Noise power spectral density estimation based
on optimal smoothing and minimum statistics", 2001): the least level of the last three seconds, because speech
pauses at least that often. Digital silence (a muted leg, a gap) says nothing about the line and is left out.

WebRTC's detector is most of what an hour of listening costs, so it is asked as little as will do: not where the
gate is shut for long, and of speech that goes on only every other frame. It works at 8 kHz whatever it is given.
What it is given here is every other sample: of telephone sound that is the whole of it, and of wider sound what
lies above 4 kHz, the noise of consonants, is heard folded down.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple, Protocol

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
_RATE_HZ = 8_000
_ASSUMED_NOISE_DBFS = -50.0
_FLOOR_BLOCK_FRAMES = 20
_FLOOR_BLOCKS = 8
_FEWEST_BLOCKS = 3
_LEARNING_FRAMES = 15
"""Of quiet, from which it learns. With none at all F1 at 10 dB falls by half a percent; with more it is what it is
with all."""
_SURE_FRAMES = 25
"""After so many frames of speech in a row it is asked of every other loud one. With ten, ends come later in
noise."""


class Decisions(NamedTuple):
    """Of consecutive frames, two lists of one length. (Lists: arrays cost more below some fifty frames.)"""

    is_speech: list[bool]
    levels_dbfs: list[float]


class SpeechDetector(Protocol):
    """Decides frame by frame; keeps the state of one track."""

    def detect(self, samples: npt.NDArray[np.int16]) -> Decisions:
        """Per frame of 20 ms: is it speech, and its level.

        Args:
            samples: ``int16[n]``, mono, whole frames; 16 kHz, unless it was made for another rate.
        """
        ...


class WebRtcDetector:
    """`SpeechDetector` on WebRTC's VAD with an energy gate."""

    def __init__(self, settings: VadConfig, rate_hz: int = SAMPLE_RATE_HZ) -> None:
        """`rate_hz`: 8000 or 16000."""
        self._frame_samples = rate_hz * FRAME_MS // 1000
        self._every = rate_hz // _RATE_HZ
        self._vad = webrtcvad.Vad(settings.aggressiveness)
        self._margin_db = settings.energy_margin_db
        self._quietest_dbfs = settings.quietest_dbfs
        self._floor = NoiseFloor()
        self._quiet_frames = 0
        self._sure_frames = 0

    def detect(self, samples: npt.NDArray[np.int16]) -> Decisions:
        """See `SpeechDetector`."""
        levels = frame_levels_dbfs(samples, self._frame_samples)
        margin_db, quietest_dbfs = self._margin_db, self._quietest_dbfs
        is_loud = [
            level >= floor + margin_db and level >= quietest_dbfs
            for level, floor in zip(levels, self._floor.follow(levels), strict=True)
        ]
        if self._quiet_frames >= _LEARNING_FRAMES and True not in is_loud:
            return Decisions(is_loud, levels)
        return Decisions(self._voiced(samples, is_loud), levels)

    def _voiced(self, samples: npt.NDArray[np.int16], is_loud: list[bool]) -> list[bool]:
        """What of the loud frames is speech."""
        # webrtcvad misreads arrays: it wants bytes.
        raw = samples[:: self._every].astype("<i2", copy=False).tobytes()
        is_voiced, size = self._vad.is_speech, _RATE_HZ * FRAME_MS // 1000
        quiet_frames, sure_frames = self._quiet_frames, self._sure_frames
        is_speech = []
        for at, loud in zip(range(0, len(raw), size * 2), is_loud, strict=True):
            quiet_frames = 0 if loud else quiet_frames + 1
            if loud and sure_frames >= _SURE_FRAMES and sure_frames % 2:
                voiced = True
            elif quiet_frames <= _LEARNING_FRAMES:
                voiced = is_voiced(raw[at : at + size * 2], _RATE_HZ, size) and loud
            else:
                voiced = False
            sure_frames = sure_frames + 1 if voiced else 0
            is_speech.append(voiced)
        self._quiet_frames, self._sure_frames = quiet_frames, sure_frames
        return is_speech


class NoiseFloor:
    """The least level of the last three seconds or so."""

    def __init__(self) -> None:
        self._block_minima: deque[float] = deque(maxlen=_FLOOR_BLOCKS)
        self._block_minimum = 0.0
        self._frames_in_block = 0
        self._floor = _ASSUMED_NOISE_DBFS

    def follow(self, levels_dbfs: Sequence[float]) -> list[float]:
        """Take in the levels of the next frames; returns the floor at each of them, in dBFS.

        Before a second or so was heard the line is taken for one of ordinary noise: WebRTC's detector takes
        any noise for speech at first, and the least level of someone who speaks at once is not noise.
        """
        floors: list[float] = []
        while some := levels_dbfs[len(floors) : len(floors) + _FLOOR_BLOCK_FRAMES - self._frames_in_block]:
            lowest = min(some)
            if lowest > DIGITAL_SILENCE_DBFS and (lowest >= self._floor or not self._block_minima):
                floors += [self._floor] * (len(some) - 1)  # nothing moves it before the block ends
                self._take(lowest, len(some))
                floors.append(self._floor)
                continue
            for level in some:
                if level > DIGITAL_SILENCE_DBFS:
                    self._take(level, 1)
                floors.append(self._floor)
        return floors

    def _take(self, lowest_dbfs: float, frame_count: int) -> None:
        self._frames_in_block += frame_count
        if lowest_dbfs < self._block_minimum:
            self._block_minimum = lowest_dbfs
            if self._block_minima and lowest_dbfs < self._floor:
                self._floor = lowest_dbfs
        if self._frames_in_block == _FLOOR_BLOCK_FRAMES:
            self._end_block()

    def _end_block(self) -> None:
        self._block_minima.append(self._block_minimum)
        self._block_minimum, self._frames_in_block = 0.0, 0
        self._floor = min(self._block_minima)
        if len(self._block_minima) < _FEWEST_BLOCKS:
            self._floor = min(self._floor, _ASSUMED_NOISE_DBFS)
