"""CORE: which packets a stretch of a track was made of, so that it can be made again.

A decoder with a memory needs packets before the stretch to get into the same state, and all of them need a little
on either side: for the resampler, for what a codec gives late, and for the edges of a hole.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from operator import itemgetter

from zccvoice.audio.decoder import Decoder
from zccvoice.audio.frame import Gap, Packet, Passage

_begin, _end = itemgetter(0), itemgetter(1)


class Trail:
    """Where the packets of one track's recent sound can be read again."""

    def __init__(self, decoder: Decoder) -> None:
        """`decoder`: one for the track's format."""
        self._decoder = decoder
        self._packets: list[tuple[int, int, tuple[int, int]]] = []  # position, end, source

    def __len__(self) -> int:
        return len(self._packets)

    def add(self, pieces: Iterable[Packet | Gap]) -> None:
        """The next pieces of the track; a packet without a source is kept by nobody."""
        self._packets += [
            (piece.position, piece.position + piece.sample_count, piece.source)
            for piece in pieces
            if isinstance(piece, Packet) and piece.source is not None
        ]

    def passage(self, start: int, end: int) -> Passage | None:
        """The stretch ``[start, end)`` by reference; None when nothing of it can be read again."""
        packets = self._packets
        under = bisect_right(packets, start, key=_end)
        if under == len(packets) or packets[under][0] >= end:
            return None
        until = end + self._decoder.reach_after_samples
        last = bisect_left(packets, until, key=_begin)
        if last < len(packets) and packets[last - 1][1] < until:
            last += 1  # it is where the hole ends
        pieces = [(begin, source) for begin, _, source in packets[self._first_for(start) : last]]
        return Passage(start, end, tuple(pieces))

    def forget(self, position: int) -> None:
        """No passage will begin before `position` any more."""
        del self._packets[: self._first_for(position)]

    def _first_for(self, start: int) -> int:
        """The first packet that is needed for what begins at `start`."""
        since = start - self._decoder.reach_before_samples
        first = bisect_right(self._packets, since, key=_end)
        if first and (first == len(self._packets) or self._packets[first][0] > since):
            first -= 1  # it is where the hole begins
        # The memory of a codec is of what was said, however long ago.
        wanted = self._decoder.preroll_samples
        while first and wanted > 0:
            first -= 1
            wanted -= self._packets[first][1] - self._packets[first][0]
        return first
