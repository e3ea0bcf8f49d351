"""Audio's units: the format of a track's payloads, and pieces of a track with their positions.

Positions are integer samples on the track's own axis: 0 is the first sample of its first packet.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

SAMPLE_RATE_HZ = 16_000
"""The rate that detectors and recognizer work at."""


class Encoding(Enum):
    """How samples are written in a payload."""

    L16 = "l16"
    """Signed 16-bit, little-endian (Zoom's "L16" is not in network order), channels interleaved."""


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """What the payloads of a track hold."""

    encoding: Encoding = Encoding.L16
    rate_hz: int = SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class Packet:
    """A payload in its place on the track."""

    position: int
    sample_count: int
    payload: bytes
    source: tuple[int, int] | None = None
    """Where the payload can be read again, as whoever pushed it said: (record, entry) of a journal."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of the track for which nothing arrived."""

    position: int
    sample_count: int
    cause: str | None
    """Why packets that should have come did not: ``lost_packets``, or what was announced by `expect_loss` of
    the timeline. None for a quiet leg (muted or held: Zoom sends nothing)."""

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
    """Position and `Packet.source` of every packet that overlaps it, in order. Between them is silence."""
