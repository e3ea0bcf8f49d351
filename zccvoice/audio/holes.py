"""CORE: what a hole in a track is: loss, and why, or a leg that sent nothing.

A hole of up to two seconds counts as loss; a longer one as a quiet leg, unless we know that we could not listen
(`reference: measures, "gap"`), or payloads came and were refused. After a packet that announces silence (Opus'
DTX), and in a pause that Zoom announced, a hole of any length is quiet.
"""

from __future__ import annotations

from zccvoice.audio.frame import SAMPLES_PER_MS
from zccvoice.audio.outages import Outage, Refusals
from zccvoice.audio.pauses import Pauses

LOST_PACKETS = "lost_packets"
"""Cause of a gap that nobody announced."""


class Holes:
    """What is known of the times in which a track has no sound."""

    def __init__(self, window_ms: int, quiet_after_ms: int) -> None:
        """Begin.

        Args:
            window_ms: so little on either side of a pause may be missing.
            quiet_after_ms: a longer hole is no loss.
        """
        self._window_ms = window_ms
        self._quiet_after = quiet_after_ms * SAMPLES_PER_MS
        self._outages: list[Outage] = []
        self.pauses = Pauses()
        """When Zoom captured nothing."""
        self.refusals = Refusals()
        """When payloads came that were no audio."""

    def expect_loss(self, from_ms: int, until_ms: int, cause: str) -> None:
        """Nobody listened in this time."""
        self._outages.append(Outage(from_ms, until_ms, cause))

    def parts(self, begin: int, length: int, *, is_silence: bool) -> list[tuple[int, str | None]]:
        """A hole, as one gap or several.

        Args:
            begin: its first sample, by the sender's clock: they count from 1970.
            length: how many there are.
            is_silence: the sender announced that it would send nothing.

        Returns:
            The length and the cause of each, None for a quiet one.
        """
        if not length:
            return []
        outage = self._outage_in(begin, length)
        span_ms = begin / SAMPLES_PER_MS, (begin + length) / SAMPLES_PER_MS
        if outage is None:
            is_paused = self.pauses.cover(*span_ms, slack_ms=self._window_ms)
            is_quiet = length > self._quiet_after or is_silence or is_paused
            return [(length, None if is_quiet else LOST_PACKETS)]
        if (pause_ms := self.pauses.first_in(*span_ms, self._window_ms)) is not None:
            start, stop = (round((one - span_ms[0]) * SAMPLES_PER_MS) for one in pause_ms)
            return [
                *self.parts(begin, start, is_silence=is_silence),
                (stop - start, None),
                *self.parts(begin + stop, length - stop, is_silence=is_silence),
            ]
        first: tuple[int, str | None] = (outage.from_ms * SAMPLES_PER_MS - begin, None)
        if first[0] <= self._quiet_after:
            missed = min(length, outage.until_ms * SAMPLES_PER_MS - begin)
            first = (length if length - missed <= self._quiet_after else missed, outage.cause)
        return [first, *self.parts(begin + first[0], length - first[0], is_silence=is_silence)]

    def _outage_in(self, begin: int, length: int) -> Outage | None:
        """The first outage that explains some of a hole.

        One before and after which the leg was quiet for long explains nothing, unless something came in it.
        """
        outages: list[Outage] = sorted((*self._outages, *self.refusals), key=lambda one: one.from_ms)
        for outage in outages:
            before = outage.from_ms * SAMPLES_PER_MS - begin
            after = begin + length - outage.until_ms * SAMPLES_PER_MS
            is_met = before < length and after < length
            stays_quiet = before > self._quiet_after and after > self._quiet_after
            if is_met and (outage.is_certain or not stays_quiet):
                return outage
        return None
