"""CORE: packets of a track with fine timestamps that may tell that these are whole seconds from now on.

Of packets that follow one another only one can begin with a second, if timestamps are finer. So one is strange
that bears a whole second and is not newer than all before it. It may be late, or have come twice; but several of
them with nothing finer between them are a clock that tells no more than seconds, see `seconds.is_many`. Until that
is known they are held, with whatever else bears a whole second; something finer lets them go, as what they seemed
to be.

So the last two packets of a track may be taken for late ones, if its clock had only just turned.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from zccvoice.audio.arrivals import Waiting
from zccvoice.audio.frame import SAMPLE_RATE_HZ
from zccvoice.audio.seconds import SECOND_MS, is_many

_MOST_SAMPLES = 3 * SAMPLE_RATE_HZ


class Turning:
    """Those that are held."""

    def __init__(self, window: int) -> None:
        """`window`: so late may a packet come, in samples."""
        self._window = window
        self._held: list[Waiting] = []
        self._strange: list[Waiting] = []

    def __len__(self) -> int:
        return len(self._held)

    def concerns(self, packet: Waiting, newest_ms: int, told_ms: Iterable[int]) -> bool:
        """Whether a packet is to be held, whose timestamp is a whole second.

        Args:
            packet: the one.
            newest_ms: the newest timestamp of all that were taken.
            told_ms: those of all that are remembered.
        """
        return bool(self._held) or (packet.timestamp_ms <= newest_ms and any(map(_is_fine, told_ms)))

    def hold(self, packet: Waiting, newest_ms: int) -> bool:
        """Hold it; returns whether it is known now that the clock tells no more than seconds."""
        is_shared = any(one.timestamp_ms == packet.timestamp_ms for one in self._held)
        if is_shared or packet.timestamp_ms <= newest_ms:
            self._strange.append(packet)
        self._held.append(packet)
        return is_many(self._strange, self._window)

    @property
    def is_full(self) -> bool:
        """Whether nothing that would tell is to be expected any more."""
        return sum(one.sample_count for one in self._held) > _MOST_SAMPLES

    def let_go(self) -> list[Waiting]:
        """What was held, in order of arrival."""
        held, self._held, self._strange = self._held, [], []
        return held


def _is_fine(timestamp_ms: int) -> bool:
    """Whether it tells more than a second."""
    return bool(timestamp_ms % SECOND_MS)


def last_fine_ms(waiting: Sequence[Waiting]) -> int:
    """The last such timestamp of these; −1 where there is none."""
    return max((one.timestamp_ms for one in waiting if _is_fine(one.timestamp_ms)), default=-1)
