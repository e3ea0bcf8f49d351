"""CORE: how loud a track is where nobody speaks, and from moment to moment, from the detector's decisions.

Nobody waits for either, so frames are gathered and taken in many at a time: at ten frames a call numpy would cost
more than all the rest of what is done for them.
"""

from __future__ import annotations

import numpy as np

from zccvoice.audio.frame import SAMPLES_PER_MS
from zccvoice.audio.quality import NoiseLevel
from zccvoice.audio.sides import STEP_MS, Levels
from zccvoice.speech.vad import DIGITAL_SILENCE_DBFS, FRAME_SAMPLES, Decisions

_GATHERED_FRAMES = 500
_STEP_SAMPLES = STEP_MS * SAMPLES_PER_MS


class Loudness:
    """Of one track."""

    def __init__(self) -> None:
        self._noise = NoiseLevel()
        self._levels = Levels()
        self._gathered = Decisions([], [])
        self._end = 0

    def add(self, decisions: Decisions, end: int) -> None:
        """Take in frames, the last of which ends at this sample of the track."""
        frame_count = len(decisions.is_speech)
        if (
            end - frame_count * FRAME_SAMPLES != self._end
            or len(self._gathered.is_speech) >= _GATHERED_FRAMES
        ):
            self._settle()
        self._gathered.is_speech.extend(decisions.is_speech)
        self._gathered.levels_dbfs.extend(decisions.levels_dbfs)
        self._end = end

    @property
    def noise_dbfs(self) -> float | None:
        """10th percentile of the level outside speech, whole dB; None before any such frame."""
        self._settle()
        return self._noise.dbfs

    @property
    def levels(self) -> Levels:
        """Of each step the loudest frame that ends in it."""
        self._settle()
        return self._levels

    def _settle(self) -> None:
        """Take in what was gathered; zeros tell nothing about the line."""
        is_speech, levels = np.array(self._gathered.is_speech, np.bool_), np.array(self._gathered.levels_dbfs)
        ends = np.arange(1 - len(levels), 1) * FRAME_SAMPLES + self._end
        is_sound = levels > DIGITAL_SILENCE_DBFS
        self._noise.add(levels[is_sound & ~is_speech])
        self._levels.put((ends[is_sound] - 1) // _STEP_SAMPLES, levels[is_sound])
        self._gathered = Decisions([], [])
