"""CORE: where a track is clipped whose samples were resampled: that makes waves of what is flat.

Looked at before they are resampled, and told by place on the track's axis, however the sound was cut on the way.
What is not clipped costs no more than a look at its loudest samples. Of a recording, which is resampled before it
comes here, somebody else looked: it is noted what he tells.
"""

from __future__ import annotations

from collections.abc import Sequence

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
        """`rate_hz`: of the samples as they came."""
        self.rate_hz = rate_hz
        self._tops: npt.NDArray[np.int64] = np.empty(
            (0, 2), np.int64
        )  # first sample and the one after the last
        self._last = 0  # the last sample

    def number_at(self, position: int) -> int:
        """Of those that came, the number of the sample at a place on the axis."""
        return position * self.rate_hz // SAMPLE_RATE_HZ

    def push(self, position: int, samples: Samples) -> None:
        """Take in ``int16[n]``, as it came, from this place on the axis on; the track goes forward only."""
        self.take(self.number_at(position), samples)

    def take(self, number: int, samples: Samples) -> None:
        """The same, by the number of the first sample."""
        if reaches_top(samples):
            found = flat_tops(samples) + number
            tops = self._tops
            if len(tops) and len(found) and found[0, 0] == tops[-1, 1] and samples[0] == self._last:
                found[0, 0] = tops[-1, 0]  # it goes on
                tops = tops[:-1]
            is_long = found[:, 1] - found[:, 0] >= LEAST_CLIPPED
            is_long[-1:] = True  # it may go on
            self._tops = np.concatenate([tops, found[is_long]])
        self._last = int(samples[-1])

    def note(self, position: int, lengths: Sequence[int]) -> None:
        """What was seen elsewhere, from this place on; see `lengths`. Nothing else is to be pushed."""
        end = int(self._tops[-1, 1]) if len(self._tops) else 0
        begin = max(end, self.number_at(position))
        edges = np.maximum(begin, self.number_at(position) + np.cumsum(lengths, dtype=np.int64))
        found = edges.reshape(-1, 2)
        if len(self._tops) and len(found) and found[0, 0] == end:
            found[0, 0] = self._tops[-1, 0]  # it goes on
            self._tops = self._tops[:-1]
        self._tops = np.concatenate([self._tops, found])

    def lengths(self, start: int, end: int) -> tuple[int, ...]:
        """How many samples of what was pushed for ``[start, end)`` are not clipped, how many are, and so on."""
        first, last = self.number_at(start), self.number_at(end)
        tops = self._tops[self._tops[:, 1] - self._tops[:, 0] >= LEAST_CLIPPED]
        inside = np.clip(tops, first, last)
        edges = inside[inside[:, 1] > inside[:, 0]].reshape(-1)
        return tuple(np.diff(edges, prepend=first).tolist())

    def ratio(self, start: int, end: int) -> float:
        """`quality.clipped_ratio` of what came for ``[start, end)`` on the axis, all of which was pushed."""
        first, last = self.number_at(start), self.number_at(end)
        lengths = np.minimum(self._tops[:, 1], last) - np.maximum(self._tops[:, 0], first)
        return float(lengths[lengths >= LEAST_CLIPPED].sum()) / (last - first)

    def forget(self, position: int) -> None:
        """No more is asked of what lies before this place."""
        if len(self._tops):
            self._tops = self._tops[self._tops[:, 1] > self.number_at(position)]
