"""CORE: where a track is clipped whose samples are not those that came: what was flat is so no more.

They are looked at before they are resampled or mixed, and told by place on the track's axis, however the sound was
cut on the way. What is not clipped costs no more than a look at its loudest samples.

Of two channels that are mixed the one counts that is clipped more: its distortion is heard, however clean the
other one is. Of a recording, which is resampled before it comes here, somebody else looked, and what he tells is
noted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from zccvoice.audio.frame import SAMPLE_RATE_HZ, AudioFormat, Encoding
from zccvoice.audio.quality import LEAST_CLIPPED, flat_tops, reaches_top


def clipping_for(audio_format: AudioFormat) -> Clipping | None:
    """None where the samples on the axis tell it as well: those that came are among them."""
    is_changed = audio_format.rate_hz > SAMPLE_RATE_HZ or audio_format.channel_count > 1
    is_looked_at = audio_format.encoding is Encoding.L16 and is_changed
    return Clipping(audio_format.rate_hz, audio_format.channel_count) if is_looked_at else None


class Clipping:
    """The clipped stretches of one track."""

    def __init__(self, rate_hz: int, channel_count: int = 1) -> None:
        """Both are those of the samples as they came."""
        self.rate_hz = rate_hz
        self.channel_count = channel_count
        self._tops = [_Tops() for _ in range(channel_count)]

    def number_at(self, position: int) -> int:
        """Of those that came, the number of the sample at a place on the axis."""
        return position * self.rate_hz // SAMPLE_RATE_HZ

    def push(self, position: int, samples: npt.NDArray[np.int16]) -> None:
        """Take in what came, from this place on the axis on; the track goes forward only.

        Args:
            position: the place.
            samples: ``int16[channels, n]``, or of one channel ``int16[n]``.
        """
        self.take(self.number_at(position), samples)

    def take(self, number: int, samples: npt.NDArray[np.int16]) -> None:
        """The same, by the number of the first sample."""
        if reaches_top(samples):
            for tops, channel in zip(self._tops, np.atleast_2d(samples), strict=True):
                tops.take(number, channel)

    def note(self, position: int, lengths: Sequence[int]) -> None:
        """Instead of pushing: what was seen elsewhere in the one channel, from this place on; see `lengths`."""
        self._tops[0].note(self.number_at(position), lengths)

    def lengths(self, start: int, end: int, channel: int = 0) -> tuple[int, ...]:
        """How many samples of what was pushed for ``[start, end)`` are not clipped, how many are, and so on."""
        return self._tops[channel].lengths(self.number_at(start), self.number_at(end))

    def ratio(self, start: int, end: int) -> float:
        """`quality.clipped_ratio` of what came for ``[start, end)`` on the axis, all of which was pushed."""
        first, last = self.number_at(start), self.number_at(end)
        return max(tops.count(first, last) for tops in self._tops) / (last - first)

    def forget(self, position: int) -> None:
        """No more is asked of what lies before this place."""
        for tops in self._tops:
            tops.forget(self.number_at(position))


class _Tops:
    """Where one channel is flat at full scale, by the numbers of its samples."""

    def __init__(self) -> None:
        self._found: npt.NDArray[np.int64] = np.empty((0, 2), np.int64)  # first and the one after the last
        self._last = 0  # the last sample of what reached full scale somewhere

    def take(self, number: int, samples: npt.NDArray[np.int16]) -> None:
        found = flat_tops(samples) + number
        before = self._found
        if len(before) and len(found) and found[0, 0] == before[-1, 1] and samples[0] == self._last:
            found[0, 0] = before[-1, 0]  # it goes on
            before = before[:-1]
        is_long = found[:, 1] - found[:, 0] >= LEAST_CLIPPED
        is_long[-1:] = True  # it may go on
        self._found = np.concatenate([before, found[is_long]])
        self._last = int(samples[-1])

    def note(self, number: int, lengths: Sequence[int]) -> None:
        before = self._found
        end = int(before[-1, 1]) if len(before) else 0
        edges = np.maximum(end, number + np.cumsum(lengths, dtype=np.int64))
        found = edges.reshape(-1, 2)
        if len(before) and len(found) and found[0, 0] == end:
            found[0, 0] = before[-1, 0]  # it goes on
            before = before[:-1]
        self._found = np.concatenate([before, found])

    def lengths(self, first: int, last: int) -> tuple[int, ...]:
        found = self._found[self._found[:, 1] - self._found[:, 0] >= LEAST_CLIPPED]
        inside = np.clip(found, first, last)
        edges = inside[inside[:, 1] > inside[:, 0]].reshape(-1)
        return tuple(np.diff(edges, prepend=first).tolist())

    def count(self, first: int, last: int) -> float:
        lengths = np.minimum(self._found[:, 1], last) - np.maximum(self._found[:, 0], first)
        return float(lengths[lengths >= LEAST_CLIPPED].sum())

    def forget(self, number: int) -> None:
        if len(self._found):
            self._found = self._found[self._found[:, 1] > number]
