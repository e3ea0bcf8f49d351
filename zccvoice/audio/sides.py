"""What shows only when the two sides of a call are laid side by side: leakage, and audio that flows one way.

*Leakage* is the other side heard again in a track: acoustic echo of a loudspeaker, cross-talk of a cable. The
copy is later, so wherever the other side is loud, the two levels move together. What this side says over a weak
copy hides that; then only the places are looked at where this side is quiet. A strong copy is not quiet itself:
such places are where something else is, so they have to be many. Levels of 100 ms are enough for all that, and an
hour of them is 36 kB.

*One-way audio* is a side that is silent for long while the other one speaks: a dead microphone, a leg that never
came through.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

STEP_MS = 100
LONGEST_DELAY_MS = 800
OVERALL_CORRELATION = 0.5
"""Levels that move so together wherever the other side is loud are one sound heard twice: two people who talk stay
below 0.42..."""
LEAKAGE_CORRELATION = 0.6
"""... and below 0.55 where this side is quiet."""
LEAKAGE_MS = 8_000
"""So much of the other side's speech is needed to tell."""
SILENT_MS = 60_000
"""A side that says nothing for so long..."""
SPOKEN_MS = 20_000
"""... while the other one speaks for so long is not heard."""
_LOUD_DB = 15.0
"""The other side speaks where it is so far above its 20th percentile."""
_OVER_DB = 10.0
"""This side is quiet where it is weaker than the other by this, at the least..."""
_QUIET_SHARE = 0.5
"""... which a weak copy lets it be for so much of what the other says."""
_UNHEARD = 255
"""In `Levels`: nothing came."""


_Dbfs: TypeAlias = npt.NDArray[np.float32]


class Levels:
    """The level of a track, every `STEP_MS` from its first sample: one byte each, whole −dBFS."""

    def __init__(self) -> None:
        self._steps = bytearray()

    def __len__(self) -> int:
        return len(self._steps)

    def put(self, steps: npt.NDArray[np.intp], levels_dbfs: npt.NDArray[np.float64]) -> None:
        """Tell levels, and the steps in which they were: of each step the highest stays.

        Steps that are passed over were not heard.
        """
        if steps.size == 0:
            return
        self._steps.extend(bytes([_UNHEARD]) * (int(steps.max()) + 1 - len(self._steps)))
        negative_dbfs = np.rint(np.clip(-levels_dbfs, 0, _UNHEARD - 1)).astype(np.uint8)
        np.minimum.at(np.frombuffer(self._steps, np.uint8), steps, negative_dbfs)

    def dbfs(self) -> npt.NDArray[np.float32]:
        """``float32[n]``, NaN where nothing was heard."""
        steps = np.frombuffer(bytes(self._steps), np.uint8)
        return np.where(steps == _UNHEARD, np.nan, -steps.astype(np.float32)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Leakage:
    """The other side in a track."""

    delay_ms: int
    """After the original, in steps of half a `STEP_MS`."""
    gain_db: float
    """Level against the original."""
    correlation: float
    """Of the two levels in dB, where the other side speaks and, of a weak copy, only that side."""


def leakage(own: Levels, other: Levels, *, own_starts_later_ms: int = 0) -> Leakage | None:
    """Find `other` in `own`; None where it is not, or where too little tells.

    Args:
        own: the track that may hold a copy.
        other: the track of the original.
        own_starts_later_ms: by how much the first sample of `own` lies after that of `other`.
    """
    later = round(own_starts_later_ms / STEP_MS)
    aligned = list(_aligned(own.dbfs(), other.dbfs(), later))
    overall = _best(_compared(*one, is_quiet=False) for one in aligned)
    if overall is not None and overall.correlation >= OVERALL_CORRELATION:
        return overall
    where_quiet = _best(_compared(*one, is_quiet=True) for one in aligned)
    if where_quiet is not None and where_quiet.correlation >= LEAKAGE_CORRELATION:
        return where_quiet
    return None


def _best(found: Iterable[Leakage | None]) -> Leakage | None:
    return max((one for one in found if one is not None), key=lambda one: one.correlation, default=None)


def _aligned(own: _Dbfs, other: _Dbfs, later: int) -> Iterator[tuple[int, _Dbfs, _Dbfs]]:
    """For every delay in ms: levels of `own`, and those of `other` that long before, where that one is loud."""
    power = 10 ** (other / 10)
    between = 10 * np.log10((power[1:] + power[:-1]) / 2)  # half a step later
    for delay in range(LONGEST_DELAY_MS // STEP_MS + 1):
        yield delay * STEP_MS, *_where_loud(own, other, delay - later)
        if delay:
            yield delay * STEP_MS - STEP_MS // 2, *_where_loud(own, between, delay - later)


def _where_loud(own: _Dbfs, other: _Dbfs, shift: int) -> tuple[_Dbfs, _Dbfs]:
    """Of both, what is heard while the other is loud, if the first step of `other` is step `shift` of `own`."""
    own, other = own[max(0, shift) :], other[max(0, -shift) :]
    length = min(len(own), len(other))
    own, other = own[:length], other[:length]
    is_heard = ~np.isnan(own) & ~np.isnan(other)
    own, other = own[is_heard], other[is_heard]
    if other.size == 0:
        return own, other
    is_loud = other >= np.percentile(other, 20) + _LOUD_DB
    return own[is_loud], other[is_loud]


def _compared(delay_ms: int, own: _Dbfs, other: _Dbfs, *, is_quiet: bool) -> Leakage | None:
    """How `own` follows `other`: all over, or where it is quiet itself if that is often enough."""
    if is_quiet:
        is_told = own <= other - _OVER_DB
        if is_told.sum() < _QUIET_SHARE * own.size:
            return None
        own, other = own[is_told], other[is_told]
    if own.size * STEP_MS < LEAKAGE_MS or own.std() == 0 or other.std() == 0:
        return None
    correlation = float(np.corrcoef(own, other)[0, 1])
    return Leakage(delay_ms, float(np.median(own - other)), correlation)


def one_way_stretches(
    own: Sequence[tuple[int, int]], other: Sequence[tuple[int, int]], end_ms: int
) -> list[tuple[int, int]]:
    """Where a side says nothing for `SILENT_MS` or more while the other speaks for `SPOKEN_MS` or more.

    Args:
        own: the side's speech, [start, end) in ms from the start of the call, in order, disjoint.
        other: the other side's, likewise.
        end_ms: the end of the call.
    """
    starts = [0, *(end for _, end in own)]
    ends = [*(start for start, _ in own), end_ms]
    return [
        (start, end)
        for start, end in zip(starts, ends, strict=True)
        if end - start >= SILENT_MS
        and sum(max(0, min(end, stop) - max(start, begin)) for begin, stop in other) >= SPOKEN_MS
    ]
