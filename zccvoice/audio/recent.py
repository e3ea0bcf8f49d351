"""CORE: the recent sound of a track, as it came, until nobody needs it any more.

Nothing is moved: what is looked at lies mostly in one piece, and only an utterance is put together from several.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from zccvoice.audio.frame import SAMPLE_RATE_HZ, Samples


class RecentSound:
    """Pieces without a hole between them; places are those of the track's axis."""

    def __init__(self, rate_hz: int) -> None:
        """`rate_hz`: of the samples, 8000 or 16000."""
        self._per_sample = SAMPLE_RATE_HZ // rate_hz  # places on the axis
        self._pieces: deque[Samples] = deque()
        self.start = 0
        """Of what is kept."""
        self.end = 0
        """The place after it."""

    def add(self, samples: Samples) -> None:
        """Keep ``int16[n]`` as what follows; nobody writes into it from now on."""
        if samples.size:
            self._pieces.append(samples)
            self.end += samples.size * self._per_sample

    def between(self, start: int, end: int) -> Samples:
        """``int16[n]``, read-only, of what is kept within ``[start, end)``."""
        found: list[Samples] = []
        begin = self.end
        for piece in reversed(self._pieces):
            if begin <= start:
                break
            begin -= piece.size * self._per_sample
            if begin < end:
                found.append(
                    piece[max(0, start - begin) // self._per_sample : (end - begin) // self._per_sample]
                )
        if len(found) == 1:
            return found[0]
        return np.concatenate(found[::-1]) if found else np.empty(0, np.int16)

    def forget(self, before: int) -> None:
        """Drop what lies before this place, as far as it is whole pieces."""
        while self._pieces and (end := self.start + self._pieces[0].size * self._per_sample) <= before:
            self._pieces.popleft()
            self.start = end

    def restart(self, position: int) -> None:
        """Drop everything; what is added next lies there."""
        self._pieces.clear()
        self.start = self.end = position
