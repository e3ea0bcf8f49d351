"""CORE: when nothing audible of a stream is kept, by Zoom's clock.

A pause begins and ends with events: Zoom's, or ours when somebody asked for it. Of a rule's pause the end is known
when it begins: two events tell it at once, and what ends other pauses does not end it. What was said in a pause
counts by its own time and not by when it arrives: Zoom may send a minute late.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from zccvoice.analytics.timing import RULE_PAUSE_BEGINS, RULE_PAUSE_ENDS
from zccvoice.config.redaction import RedactionConfig

SOUND_PAUSED = "sound_paused"
SOUND_RESUMED = "sound_resumed"
"""Names of the events that are ours, beside those of rules."""


@dataclass(slots=True)
class _Spans:
    """Pauses that the same events begin and end."""

    begins: Collection[str]
    ends: Collection[str]
    spans: list[tuple[int, int | None]] = field(default_factory=list)

    @property
    def is_on(self) -> bool:
        return bool(self.spans) and self.spans[-1][1] is None

    def note(self, name: str, timestamp_ms: int) -> bool:
        if name in self.begins and not self.is_on:
            self.spans.append((timestamp_ms, None))
            return True
        if name in self.ends and self.is_on:
            self.spans[-1] = (self.spans[-1][0], timestamp_ms)
        return False


class SoundPauses:
    """The pauses of one stream."""

    def __init__(self, settings: RedactionConfig) -> None:
        self._told = _Spans({*settings.pause_events, SOUND_PAUSED}, {*settings.resume_events, SOUND_RESUMED})
        self._by_rules = _Spans({RULE_PAUSE_BEGINS}, {RULE_PAUSE_ENDS})

    @property
    def is_on(self) -> bool:
        """Whether a pause goes on of which nobody knows the end."""
        return self._told.is_on

    def note(self, name: str, timestamp_ms: int) -> bool:
        """Take in an event of the call; tells whether a pause begins with it."""
        return self._told.note(name, timestamp_ms) or self._by_rules.note(name, timestamp_ms)

    def until(self, end_ms: int, now_ms: int) -> list[tuple[str, int]]:
        """The events, names and times, that make a rule's pause from now on; none when there is one up to then.

        Args:
            end_ms: when it is to end.
            now_ms: what was said before is kept already.
        """
        start_ms = max([now_ms, *(before_ms or now_ms for _, before_ms in self._by_rules.spans[-1:])])
        return [(RULE_PAUSE_BEGINS, start_ms), (RULE_PAUSE_ENDS, end_ms)] if start_ms < end_ms else []

    def covers(self, timestamp_ms: int) -> bool:
        """Whether what was said then is not kept."""
        spans = self._told.spans + self._by_rules.spans
        return bool(spans) and any(
            start_ms <= timestamp_ms and (end_ms is None or timestamp_ms < end_ms)
            for start_ms, end_ms in spans
        )
