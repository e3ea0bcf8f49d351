"""The provisional measures of a call that is still running.

Fewer than a scorecard has, and none that only the end can tell; each means what the scorecard's means, up to now.
"""

from __future__ import annotations

from dataclasses import dataclass

from zccvoice.analytics.documented import documented
from zccvoice.analytics.record import CallEvent, CallRecord, Side
from zccvoice.analytics.scorecard import scorecard
from zccvoice.analytics.thresholds import DEFAULTS, Thresholds

LAST_WORDS_COUNT = 12


@dataclass(frozen=True, slots=True)
class LiveCall:
    """What a supervisor wants to know while a call runs. Times are integer milliseconds."""

    elapsed_ms: int
    """Time since the call's first packet, as far as it was received, ms."""
    talk_time_agent_ms: int | None
    """Speech of the agent side so far, ms."""
    talk_time_customer_ms: int | None
    """Speech of the customer so far, ms."""
    talk_share_agent: float | None
    """The agent side's part of the talk time so far, 0–1."""
    longest_silence_ms: int
    """Longest stretch of more than 3 s in which no side spoke, so far, ms."""
    interruptions_agent_count: int | None
    """How often the agent side has interrupted."""
    interruptions_customer_count: int | None
    """How often the customer has interrupted."""
    on_hold: bool
    """Whether the call is on hold now."""
    last_side: str | None
    """Who spoke last: agent, customer or other."""
    last_words: str | None
    """The last words that were understood, redacted."""
    coverage_ratio: float | None
    """Share of the audio that arrived, 0–1."""


def live_definitions() -> dict[str, str]:
    """What each of these measures means."""
    return documented(LiveCall)


def live_call(record: CallRecord, thresholds: Thresholds = DEFAULTS) -> LiveCall:
    """Measure a call as far as it is known by now."""
    so_far = scorecard(record, thresholds)
    understood = [one for one in record.utterances if one.text]
    last = max(understood, key=lambda one: one.end_ms, default=None)
    return LiveCall(
        elapsed_ms=so_far.duration_ms,
        talk_time_agent_ms=so_far.talk_time_agent_ms,
        talk_time_customer_ms=so_far.talk_time_customer_ms,
        talk_share_agent=so_far.talk_share_agent,
        longest_silence_ms=so_far.longest_silence_ms,
        interruptions_agent_count=so_far.interruptions_agent_count,
        interruptions_customer_count=so_far.interruptions_customer_count,
        on_hold=_is_on_hold(record.events),
        last_side=None if last is None or last.side is None else Side(last.side).value,
        last_words=None if last is None else " ".join((last.text or "").split()[-LAST_WORDS_COUNT:]),
        coverage_ratio=so_far.coverage_ratio,
    )


def _is_on_hold(events: tuple[CallEvent, ...]) -> bool:
    held: set[str | None] = set()
    for event in sorted(events, key=lambda one: one.at_ms):
        if event.name == "user_hold":
            held.add(event.channel_id)
        elif event.name in ("user_unhold", "user_end"):
            held = held - {event.channel_id, None} if event.channel_id is not None else set()
    return bool(held)
