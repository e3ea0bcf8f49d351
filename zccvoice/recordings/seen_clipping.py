"""CORE: where a file is clipped: to be seen in its samples before they are resampled into a journal.

What is kept as it came tells that by itself, and is not looked at.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zccvoice.audio.clipping import Clipping
from zccvoice.audio.frame import SAMPLE_RATE_HZ


class SeenClipping:
    """The clipped stretches of one file, channel by channel."""

    def __init__(self, kept_hz: int) -> None:
        """`kept_hz`: the rate at which the file is kept; places count its samples."""
        self._kept_hz = kept_hz
        self._clipping: Clipping | None = None
        self._number = 0
        self._begin: int | None = 0

    @property
    def rate_hz(self) -> int | None:
        """Of the samples as they came; None where they were not looked at."""
        return None if self._clipping is None else self._clipping.rate_hz

    def go_on_at(self, position: int) -> None:
        """There was a hole: what comes next lies there."""
        self._begin = position

    def push(self, samples: npt.NDArray[np.int16], rate_hz: int) -> None:
        """Take in what comes next, ``int16[channels, n]``, always at the same rate."""
        if self._clipping is None:
            self._clipping = Clipping(rate_hz, len(samples))
        if self._begin is not None:
            self._number = self._clipping.number_at(self._on_axis(self._begin))
            self._begin = None
        self._clipping.take(self._number, samples)
        self._number += samples.shape[1]

    def lengths(self, channel: int, start: int, end: int) -> tuple[int, ...]:
        """What is to be told of a stretch, see `SoundClipped.lengths`; nothing is asked of what lies before it."""
        assert self._clipping is not None, "there is nothing to be told of what was not looked at"
        self._clipping.forget(self._on_axis(start))
        return self._clipping.lengths(self._on_axis(start), self._on_axis(end), channel)

    def _on_axis(self, position: int) -> int:
        return position * SAMPLE_RATE_HZ // self._kept_hz
