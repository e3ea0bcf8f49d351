"""CORE: when nothing audible of a stream is kept, by Zoom's clock.

A pause begins and ends with events: Zoom's, or ours when somebody asked for it. What was said in it counts by its
own time and not by when it arrives: Zoom may send a minute late.
"""

from __future__ import annotations

from collections.abc import Collection

from zccvoice.config.redaction import RedactionConfig

SOUND_PAUSED = "sound_paused"
SOUND_RESUMED = "sound_resumed"
"""Names of the events that are ours."""


class SoundPauses:
    """The pauses of one stream."""

    def __init__(self, settings: RedactionConfig) -> None:
        self._begins: Collection[str] = {*settings.pause_events, SOUND_PAUSED}
        self._ends: Collection[str] = {*settings.resume_events, SOUND_RESUMED}
        self._spans: list[tuple[int, int | None]] = []

    @property
    def is_on(self) -> bool:
        """Whether a pause goes on."""
        return bool(self._spans) and self._spans[-1][1] is None

    def note(self, name: str, timestamp_ms: int) -> bool:
        """Take in an event of the call; tells whether a pause begins with it."""
        if name in self._begins and not self.is_on:
            self._spans.append((timestamp_ms, None))
            return True
        if name in self._ends and self.is_on:
            self._spans[-1] = (self._spans[-1][0], timestamp_ms)
        return False

    def covers(self, timestamp_ms: int) -> bool:
        """Whether what was said then is not kept."""
        return bool(self._spans) and any(
            start_ms <= timestamp_ms and (end_ms is None or timestamp_ms < end_ms)
            for start_ms, end_ms in self._spans
        )
