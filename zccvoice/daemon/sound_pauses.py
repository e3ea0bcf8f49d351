"""CORE: when nothing audible of a stream is kept, by Zoom's clock.

A pause begins and ends with events: Zoom's, or ours when somebody asked for it. Of a rule's pause the end is known
when it begins: two events tell it at once, and what ends other pauses does not end it. What was said in a pause
counts by its own time and not by when it arrives: Zoom may send a minute late.

While signaling is lost nobody hears that a pause ends, and Zoom does not tell it again. In a pause of its own Zoom
captures nothing: sound that comes then was captured after it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from zccvoice.analytics.timing import PAUSE_OVER_UNTOLD, RULE_PAUSE_BEGINS, RULE_PAUSE_ENDS
from zccvoice.config.redaction import RedactionConfig
from zccvoice.rtms.sessions import SESSION_PAUSED

SOUND_PAUSED = "sound_paused"
SOUND_RESUMED = "sound_resumed"
"""Names of the events that are ours, beside those of rules."""
STRAGGLERS_MS = 1_000
"""Sound of so long after a pause of Zoom's began may have been captured while it did."""
_ZOOMS_OWN = frozenset({"stream_paused", SESSION_PAUSED})
"""What begins a pause in which Zoom captures nothing; on hold, for one, it goes on."""


@dataclass(slots=True)
class _Spans:
    """Pauses that the same events begin and end."""

    begins: Collection[str]
    ends: Collection[str]
    spans: list[tuple[int, int | None]] = field(default_factory=list)
    reasons: set[str] = field(default_factory=set)
    """The events by which the one is on that goes on."""

    @property
    def is_on(self) -> bool:
        return bool(self.spans) and self.spans[-1][1] is None

    def note(self, name: str, timestamp_ms: int) -> bool:
        was_on = self.is_on
        if was_on and name in self.ends:
            self.end(timestamp_ms)
        elif name in self.begins:
            self.reasons.add(name)
            if not was_on:
                self.spans.append((timestamp_ms, None))
                return True
        return False

    def end(self, timestamp_ms: int) -> None:
        self.spans[-1] = (self.spans[-1][0], timestamp_ms)
        self.reasons.clear()


class SoundPauses:
    """The pauses of one stream."""

    def __init__(self, settings: RedactionConfig) -> None:
        self._told = _Spans({*settings.pause_events, SOUND_PAUSED}, {*settings.resume_events, SOUND_RESUMED})
        self._by_rules = _Spans({RULE_PAUSE_BEGINS}, {RULE_PAUSE_ENDS})
        self._doubted: set[str] = set()
        self._are_sessions_known = True

    @property
    def is_on(self) -> bool:
        """Whether a pause goes on of which nobody knows the end."""
        return self._told.is_on

    def note(self, name: str, timestamp_ms: int) -> bool:
        """Take in an event of the call; tells whether a pause begins with it."""
        if name == PAUSE_OVER_UNTOLD:
            if self._told.is_on:
                # Not up to that moment: what came first on one track is not the earliest of all.
                self._told.end(self._told.spans[-1][0] + STRAGGLERS_MS)
            return False
        if name in _ZOOMS_OWN:
            self._doubted.discard(name)
        if name == SESSION_PAUSED and not self._are_sessions_known:
            self._doubted.add(name)
        return self._told.note(name, timestamp_ms) or self._by_rules.note(name, timestamp_ms)

    def doubt(self) -> None:
        """Events were missed: the end of Zoom's pause may be among them, or a session that is not paused."""
        self._doubted |= _ZOOMS_OWN
        self._are_sessions_known = False

    def may_be_over_by(self, timestamp_ms: int) -> bool:
        """Whether sound of that moment tells that Zoom's pause is over, though signaling has not told it yet."""
        told = self._told
        is_zooms = told.is_on and told.reasons <= _ZOOMS_OWN
        return is_zooms and timestamp_ms >= told.spans[-1][0] + STRAGGLERS_MS

    def is_belied_by(self, timestamp_ms: int) -> bool:
        """Whether sound of that moment tells that the pause that goes on is over: `PAUSE_OVER_UNTOLD`."""
        return self._told.reasons <= self._doubted and self.may_be_over_by(timestamp_ms)

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
        told, by_rules = self._told.spans, self._by_rules.spans
        if not told and not by_rules:  # nearly always
            return False
        return any(
            start_ms <= timestamp_ms and (end_ms is None or timestamp_ms < end_ms)
            for start_ms, end_ms in (*told, *by_rules)
        )
