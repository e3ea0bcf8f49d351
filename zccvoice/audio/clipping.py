"""CORE: where a track is clipped whose samples come faster than 16 kHz: resampling makes waves of what is flat.

Looked at before they are resampled, and told by place on the track's axis, however the sound was cut on the way.
What is not clipped costs no more than a look at its loudest samples.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zccvoice.audio.frame import SAMPLE_RATE_HZ, AudioFormat, Encoding, Samples
from zccvoice.audio.quality import LEAST_CLIPPED, flat_tops, reaches_top


def clipping_for(audio_format: AudioFormat) -> Clipping | None:
    """None where the samples on the axis tell it as well: those that came are among them."""
    is_wide = audio_format.encoding is Encoding.L16 and audio_format.rate_hz > SAMPLE_RATE_HZ
    return Clipping(audio_format.rate_hz) if is_wide else None


class Clipping:
    """The clipped stretches of one track."""

    def __init__(self, rate_hz: int) -> None:
        """`rate_hz`: a multiple of 16000."""
        self._per_place = rate_hz // SAMPLE_RATE_HZ
        self._tops: npt.NDArray[np.int64] = np.empty(
            (0, 2), np.int64
        )  # first sample and the one after the last
        self._last = 0  # the last sample

    def push(self, position: int, samples: Samples) -> None:
        """Take in ``int16[n]``, as it came, from this place on the axis on; the track goes forward only."""
        if reaches_top(samples):
            found = flat_tops(samples) + position * self._per_place
            tops = self._tops
            if len(tops) and len(found) and found[0, 0] == tops[-1, 1] and samples[0] == self._last:
                found[0, 0] = tops[-1, 0]  # it goes on
                tops = tops[:-1]
            is_long = found[:, 1] - found[:, 0] >= LEAST_CLIPPED
            is_long[-1:] = True  # it may go on
            self._tops = np.concatenate([tops, found[is_long]])
        self._last = int(samples[-1])

    def ratio(self, start: int, end: int) -> float:
        """`quality.clipped_ratio` of what came for ``[start, end)`` on the axis, all of which was pushed."""
        first, last = start * self._per_place, end * self._per_place
        lengths = np.minimum(self._tops[:, 1], last) - np.maximum(self._tops[:, 0], first)
        return float(lengths[lengths >= LEAST_CLIPPED].sum()) / (last - first)

    def forget(self, position: int) -> None:
        """No more is asked of what lies before this place."""
        if len(self._tops):
            self._tops = self._tops[self._tops[:, 1] > position * self._per_place]
