"""CORE: packets and gaps of one track → its sound: codec, mono, 16 kHz, and what is heard where nothing arrived.

A concealed stretch is a gap like any other in the books; it only keeps those who listen from clicks. In a short
hole that is what the codec makes of it (Opus alone does), then silence, with edges that fade from the last sample
before it and into the first one after it; the samples that arrived are never touched. At the beginning and end of
the track it is silence: there is nothing to come from, or to go to. Across a longer hole nothing is computed.

Delays of codecs and of the resampler are compensated by giving the sound later: what is complete comes out, the
rest with more input, with a long hole or with `flush`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from zccvoice.audio.clipping import Clipping
from zccvoice.audio.codecs import codec_for
from zccvoice.audio.codecs.l16 import channels
from zccvoice.audio.frame import SAMPLE_RATE_HZ, SAMPLES_PER_MS, AudioFormat, Gap, Packet, Samples
from zccvoice.audio.resampler import Resampler

LONGEST_BRIDGED_SAMPLES = 500 * SAMPLES_PER_MS
"""Across a longer hole there is no sound; a shorter one may lie inside an utterance."""
UNDECODABLE = "undecodable"
"""Cause of the gap where a payload came that was none, whether it looked like one or not."""
NARROW_RATE_HZ = 8_000
"""Of the telephone's band: G.711, and L16 at this rate."""
_EDGE_MS = 4


class Decoder:
    """The decoder of one track."""

    def __init__(
        self, audio_format: AudioFormat, *, is_narrow: bool = False, clipping: Clipping | None = None
    ) -> None:
        """Begin.

        Args:
            audio_format: of the payloads.
            is_narrow: sound that comes at 8 kHz is given so, for who wants only some of it at 16 kHz.
            clipping: is told the samples as they come.
        """
        self._clipping = clipping
        self._codec = codec_for(audio_format)
        self._resampler = Resampler(self._codec.rate_hz)
        reach = self._resampler.reach_samples
        self.rate_hz = SAMPLE_RATE_HZ
        """Of the sound that it gives."""
        if is_narrow and self._codec.rate_hz == NARROW_RATE_HZ:
            self.rate_hz = NARROW_RATE_HZ
            self._resampler = Resampler(SAMPLE_RATE_HZ)
        self._left_out = 0  # samples of the codec's delay that were left out since the last silence
        self._last = 0
        self._is_begun = False
        self.preroll_samples = self._codec.preroll_ms * SAMPLES_PER_MS
        """How much sound a fresh decoder has to be given before what matters, to be as far as this one: 0 for L16
        and G.711, which then give the same to the sample; the others nearly (40 dB and more)."""
        self.reach_before_samples = reach
        """How much of the axis before a place its sample is made of."""
        self.reach_after_samples = reach + self._codec.delay_samples * SAMPLE_RATE_HZ // self._codec.rate_hz
        """And how much of it after."""

    def decode(self, pieces: Sequence[Packet | Gap]) -> list[Samples | Gap]:
        """Take in the next pieces of the track, as `Timeline` gives them.

        Returns:
            Sound that is complete, ``int16[n]``, mono, at `rate_hz`, and the gaps. The sound of a short hole is
            part of what comes after its gaps; sound after a long one begins at the end of it.
        """
        done: list[Samples | Gap] = []
        sound: list[Samples] = []
        bridge: Samples | None = None
        for run, hole, follower in _runs_and_holes(pieces):
            if run:
                samples, refused = self._codec.decode(run)
                if self._clipping is not None:
                    is_mixed = self._clipping.channel_count > 1
                    came = channels(run, self._clipping.channel_count) if is_mixed else samples
                    self._clipping.push(run[0].position, came)
                if bridge is not None:
                    self._fade_in(bridge, samples)
                    bridge = None
                self._last = int(samples[-1])
                self._is_begun = True
                sound.append(samples)
                done += [
                    Gap(one.position, one.sample_count, UNDECODABLE, is_in_sound=True) for one in refused
                ]
            length = sum(gap.sample_count for gap in hole)
            if length > LONGEST_BRIDGED_SAMPLES:
                done += [*self._finish(sound), *hole]
                sound = []
            elif hole:
                if self._is_begun and follower is not None:
                    bridge = self._bridge(length, follower)
                sound.append(self._silence(length) if bridge is None else bridge)
                done += hole
        if sound:
            done.append(self._resampler.push(self._on_time(sound)))
        return done

    def flush(self) -> list[Samples | Gap]:
        """The track ends here, or is silent for long: the rest of its sound."""
        return list(self._finish([]))

    def _on_time(self, sound: Sequence[Samples]) -> Samples:
        """The sound without what the codec's delay has put before it."""
        joined = sound[0] if len(sound) == 1 else np.concatenate(sound)
        early = min(len(joined), self._codec.delay_samples - self._left_out)
        if early:
            self._left_out += early
            joined = joined[early:]
        return joined

    def _finish(self, sound: list[Samples]) -> list[Samples]:
        """The sound and all that is still owed: what a delay keeps for ever is silence."""
        if sound:
            sound = [self._resampler.push(self._on_time(sound))]
        tail = np.zeros(self._left_out, np.int16)
        self._fade_out(tail)
        sound += [self._resampler.push(tail), self._resampler.flush()]
        self._left_out = self._last = 0
        return [piece for piece in sound if len(piece)]

    def _silence(self, length: int) -> Samples:
        """For a hole of this length (at 16 kHz)."""
        return np.zeros(length * self._codec.rate_hz // SAMPLE_RATE_HZ, np.int16)

    def _bridge(self, length: int, follower: Packet) -> Samples:
        """What is heard in a hole of this length (at 16 kHz), but for its last edge."""
        bridge = self._silence(length)
        made = self._codec.conceal(len(bridge), follower)
        bridge[: len(made)] = made
        if len(made):
            self._last = int(made[-1])
        self._fade_out(bridge[len(made) :])
        return bridge

    def _fade_out(self, silence: Samples) -> None:
        """From the last sample to nothing."""
        edge = self._edge(len(silence))
        silence[: len(edge)] = np.rint(edge * self._last)
        if len(silence):
            self._last = 0

    def _fade_in(self, bridge: Samples, samples: Samples) -> None:
        """From nothing into the first sample, where the bridge ends in silence."""
        silent = len(bridge) - int(np.flatnonzero(bridge)[-1] + 1 if bridge.any() else 0)
        edge = self._edge(silent)
        if len(edge):
            bridge[-len(edge) :] = np.rint(edge[::-1] * int(samples[0]))

    def _edge(self, room: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Half a cosine from one to zero, both left out."""
        length = min(room // 2, self._codec.rate_hz * _EDGE_MS // 1000)
        return 0.5 + 0.5 * np.cos(np.pi * np.arange(1, length + 1) / (length + 1))


def _runs_and_holes(
    pieces: Sequence[Packet | Gap],
) -> Iterator[tuple[list[Packet], list[Gap], Packet | None]]:
    """Packets without a hole between them, the hole after them and the packet after that."""
    run: list[Packet] = []
    hole: list[Gap] = []
    for piece in pieces:
        if isinstance(piece, Gap):
            hole.append(piece)
            continue
        if hole:
            yield run, hole, piece
            run, hole = [], []
        run.append(piece)
    yield run, hole, None
