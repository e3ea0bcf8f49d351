"""Audio's units: the format of a track's payloads, and pieces of a track with their positions.

Positions are integer samples on the track's own axis, which counts at 16 kHz whatever the payloads hold: 0 is the
first sample of its first packet.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

SAMPLE_RATE_HZ = 16_000
"""The rate of the axis, and the one that detectors and recognizer work at."""
SAMPLES_PER_MS = SAMPLE_RATE_HZ // 1000
"""On the axis."""

Samples: TypeAlias = npt.NDArray[np.int16]
"""``int16[n]``, mono, 16 kHz unless told otherwise."""


class Encoding(Enum):
    """How samples are written in a payload."""

    L16 = "l16"
    """Signed 16-bit, little-endian (Zoom's "L16" is not in network order), channels interleaved."""
    PCMA = "pcma"
    """G.711 A-law, 8 kHz, a byte per sample: what Zoom means by "G711"."""
    PCMU = "pcmu"
    """G.711 µ-law, 8 kHz, a byte per sample."""
    G722 = "g722"
    """G.722 at 64 kbit/s: a byte for two samples at 16 kHz."""
    OPUS = "opus"
    """RFC 6716: one packet per payload. Says in each packet how long it is and whether it is stereo."""


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """What the payloads of a track hold."""

    encoding: Encoding = Encoding.L16
    rate_hz: int = SAMPLE_RATE_HZ
    """Of the samples in the payloads: for L16 8, 16, 32 or 48 kHz; the others have one rate each."""
    channel_count: int = 1
    """1, or 2 for L16 and Opus. Two are mixed down: a track is mono. They stay apart in the payloads, so that two
    tracks can be made of them where a channel is a party."""
    is_rtp: bool = False
    """Whether every payload begins with an RTP header."""
    packet_ms: int | None = None
    """How much sound a payload was announced to hold; None when nobody said."""

    @property
    def framing(self) -> str:
        """How samples lie in a payload, in words."""
        return f"{'in RTP' if self.is_rtp else 'bare'}, {self.channel_count} channel(s)"


class Packet(NamedTuple):
    """A payload in its place on the track. (A tuple: one is made every 20 ms of every track.)"""

    position: int
    sample_count: int
    payload: bytes
    """The codec's bytes, without the header of a transport."""
    source: tuple[int, int] | None = None
    """Where the payload can be read again, as whoever pushed it said: (record, entry) of a journal."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of the track for which nothing arrived."""

    position: int
    sample_count: int
    cause: str | None
    """Why packets that should have come did not: ``lost_packets``, or what was announced by `expect_loss` of
    the timeline; ``undecodable`` when one came that was no audio. None for a quiet leg (muted or held, or silence
    that the sender did not transmit: Zoom sends nothing)."""
    is_in_sound: bool = False
    """Whether the decoder gives sound for it in any case: a packet that looked right and was refused later."""

    @property
    def is_loss(self) -> bool:
        """Whether something should have come."""
        return self.cause is not None


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a track by reference: where its packets can be read again."""

    start: int
    """Its first sample, on the track's axis."""
    end: int
    """The sample after its last one."""
    pieces: tuple[tuple[int, tuple[int, int]], ...]
    """Position and `Packet.source` of every packet that its sound is made of, in order: those that overlap it, and
    as many around it as the decoder needs to give the same again. Where none lies nothing arrived."""
