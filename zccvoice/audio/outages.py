"""CORE: times of a track's clock for which we know why nothing of them can be heard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from zccvoice.audio.decoder import UNDECODABLE

_JOINED_MS = 200
_FAR_MS, _FARTHEST_MS = 10_000, 24 * 3_600_000
"""Of one payload, and of several, as `Timeline` judges packets."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which nobody listened, or of which nothing could be used; epoch ms by Zoom's clock."""

    from_ms: int
    until_ms: int
    cause: str

    @property
    def is_certain(self) -> bool:
        """Whether there was sound, however quiet the leg was around it: something came."""
        return self.cause == UNDECODABLE


class Refusals:
    """When payloads came that were no audio: outages, joined where one follows the other."""

    def __init__(self) -> None:
        self._outages: list[Outage] = []

    def __iter__(self) -> Iterator[Outage]:
        return iter(self._outages)

    def add(self, timestamp_ms: int, length_ms: int) -> None:
        """One more payload, taken to be of this length."""
        last = self._outages[-1] if self._outages else None
        if last is not None and last.from_ms <= timestamp_ms <= last.until_ms + _JOINED_MS:
            self._outages[-1] = replace(last, until_ms=max(last.until_ms, timestamp_ms + length_ms))
        else:
            self._outages.append(Outage(timestamp_ms, timestamp_ms + length_ms, UNDECODABLE))

    def forget(self, until_ms: int | None = None) -> None:
        """What ended by then is of no use any more; nothing is, when the clock was set."""
        kept = () if until_ms is None else (one for one in self._outages if one.until_ms > until_ms)
        self._outages = list(kept)

    def around(self, known_ms: int, length_ms: int) -> tuple[int, int]:
        """From the first to the end of the last refused payload, as far as the track reaches beyond `known_ms`.

        A single payload (of `length_ms`) far from it may have the wrong timestamp, and moves neither.
        """
        believed = [
            one
            for one in self._outages
            if abs(one.from_ms - known_ms)
            <= (_FAR_MS if one.until_ms - one.from_ms <= length_ms else _FARTHEST_MS)
        ]
        return (
            min((one.from_ms for one in believed), default=known_ms),
            max((one.until_ms for one in believed), default=known_ms),
        )
