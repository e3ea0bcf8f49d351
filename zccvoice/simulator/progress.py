"""What a playing call tells its audience while it goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """How far a call has come."""

    ANNOUNCED = "announced"
    """The started webhook is on its way; nobody has connected."""
    PLAYING = "playing"
    """Audio flows."""
    INTERRUPTED = "interrupted"
    """A connection was lost; Zoom waits for it."""
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Progress:
    """A moment of one call."""

    title: str
    engagement_id: str
    stage: Stage
    position_ms: int
    """From the first packet, never beyond `duration_ms`."""
    duration_ms: int


OnProgress = Callable[[Progress], None]
"""Called from a call's tasks, about once per second; must return at once."""


@dataclass(frozen=True, slots=True)
class Violation:
    """Something the client did that Zoom's protocol does not allow."""

    engagement_id: str
    """Empty where the client did not get as far as naming a call."""
    what: str
