"""The provisional measures of a call that is still running.

Fewer than a scorecard has, and none that only the end can tell; each means what the scorecard's means, up to now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from math import inf
from types import MappingProxyType

from zccvoice.analytics.documented import documented
from zccvoice.analytics.record import CallEvent, CallRecord, Side, Span, SpokenUtterance, TrackSound
from zccvoice.analytics.spans import longest_ms, total_ms
from zccvoice.analytics.thresholds import DEFAULTS, Thresholds
from zccvoice.analytics.timing import (
    HOLD_BEGINS,
    HOLD_ENDS,
    PAUSE_BEGINS,
    PAUSE_ENDS,
    coverage_ratio,
    holds,
    open_time,
    pauses,
    silences,
    talk_time,
)
from zccvoice.analytics.turns import interruptions

LAST_WORDS_COUNT = 12


@dataclass(frozen=True, slots=True)
class LiveCall:
    """What a supervisor wants to know while a call runs. Times are integer milliseconds."""

    elapsed_ms: int
    """How long a stream of the call was open, ms: up to now, or as far as it was heard while not received."""
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
    """Who said the last words: agent, customer or other."""
    last_words: str | None
    """The last words that were understood, redacted."""
    coverage_ratio: float | None
    """Share of the audio that arrived, 0–1."""
    talk_share_customer: float | None
    """The customer's part of the talk time so far, 0–1."""
    state: str | None
    """What is going on now: hold, paused (Zoom's streaming), silence (of more than 3 s) or talking."""
    state_ms: int | None
    """How long that has been so, ms."""
    speaking: str | None
    """Who speaks at this moment: agent, customer, other, or several of them, comma-separated."""
    untranscribed_count: int | None
    """Utterances that are over and wait for their transcript."""
    transcript_lag_ms: int | None
    """How long the oldest of them has waited, ms; 0 when none does."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard of a running call by now, which is more than what is stored: words and ends come later.

    Times are milliseconds on one clock, Zoom's or the engagement's.
    """

    until_ms: int
    """How far it was listened to."""
    tracks: Mapping[str, Span]
    """By channel: from its first packet as far as it was listened to."""
    spoken: Mapping[str, tuple[Span, ...]]
    """By channel: all utterances, those that wait for their transcript as well."""
    speaking: Mapping[str, Span]
    """By channel: the utterance that is going on."""

    def since(self, zero_ms: int) -> Heard:
        """The same on a clock that begins at `zero_ms`."""

        def moved(span: Span) -> Span:
            return Span(span.start_ms - zero_ms, span.end_ms - zero_ms)

        return Heard(
            self.until_ms - zero_ms,
            {channel_id: moved(span) for channel_id, span in self.tracks.items()},
            {channel_id: tuple(map(moved, spans)) for channel_id, spans in self.spoken.items()},
            {channel_id: moved(span) for channel_id, span in self.speaking.items()},
        )


def live_definitions() -> dict[str, str]:
    """What each of these measures means."""
    return documented(LiveCall)


def live_call(
    record: CallRecord,
    heard: Heard | None = None,
    sides: Mapping[str, Side | None] = MappingProxyType({}),
    thresholds: Thresholds = DEFAULTS,
) -> LiveCall:
    """Measure a call as far as it is known by now.

    Args:
        record: what is stored of it.
        heard: what was heard beyond that, on the engagement's clock; None when nobody listens to it.
        sides: whose the channels are, as far as it is known.
        thresholds: as of a scorecard.
    """
    waiting = [] if heard is None else _waiting(record, heard)
    if heard is not None:
        record = _with_heard(record, heard, waiting, sides)
    seen = {track.side for track in record.tracks} | {one.side for one in record.utterances}
    talk = talk_time(record, thresholds)
    agent_ms, customer_ms = (
        total_ms(talk.get(side, [])) if side in seen else None for side in (Side.AGENT, Side.CUSTOMER)
    )
    talk_ms = sum(total_ms(spans) for spans in talk.values())
    interrupting = [one.side for one in interruptions(record, thresholds)]
    are_several = len(seen - {None}) > 1
    understood = [one for one in record.utterances if one.text]
    last = max(understood, key=lambda one: one.end_ms, default=None)
    open_ = open_time(record)
    end_ms = open_[-1].end_ms if open_ else 0
    state, since_ms = _state(record, thresholds)
    return LiveCall(
        elapsed_ms=total_ms(open_),
        talk_time_agent_ms=agent_ms,
        talk_time_customer_ms=customer_ms,
        talk_share_agent=_share(agent_ms, talk_ms),
        longest_silence_ms=longest_ms(silences(record, thresholds)),
        interruptions_agent_count=interrupting.count(Side.AGENT)
        if are_several and Side.AGENT in seen
        else None,
        interruptions_customer_count=interrupting.count(Side.CUSTOMER)
        if are_several and Side.CUSTOMER in seen
        else None,
        on_hold=state == "hold",
        last_side=None if last is None or last.side is None else Side(last.side).value,
        last_words=None if last is None else " ".join((last.text or "").split()[-LAST_WORDS_COUNT:]),
        coverage_ratio=coverage_ratio(record) if record.tracks else None,
        talk_share_customer=_share(customer_ms, talk_ms),
        state=state,
        state_ms=max(0, end_ms - since_ms),
        speaking=None if heard is None else _speaking(heard, sides),
        untranscribed_count=None if heard is None else len(waiting),
        transcript_lag_ms=None
        if heard is None
        else max((heard.until_ms - span.end_ms for _, span in waiting), default=0),
    )


def _waiting(record: CallRecord, heard: Heard) -> list[tuple[str, Span]]:
    """Utterances that are over and not stored yet, with their channels."""
    stored = {(one.channel_id, one.start_ms) for one in record.utterances}
    return [
        (channel_id, span)
        for channel_id, spans in heard.spoken.items()
        for span in spans
        if (channel_id, span.start_ms) not in stored
    ]


def _with_heard(
    record: CallRecord,
    heard: Heard,
    waiting: Sequence[tuple[str, Span]],
    sides: Mapping[str, Side | None],
) -> CallRecord:
    speech = [
        SpokenUtterance(sides.get(channel_id), channel_id, span.start_ms, span.end_ms, text=None)
        for channel_id, span in (*waiting, *heard.speaking.items())
    ]
    tracks = [
        TrackSound(sides.get(channel_id), channel_id, span, 0, 0, 0)
        for channel_id, span in heard.tracks.items()
    ]
    start_ms = min((span.start_ms for span in heard.tracks.values()), default=heard.until_ms)
    return replace(
        record,
        streams=(*record.streams, Span(start_ms, max(start_ms, heard.until_ms))),
        utterances=tuple(sorted((*record.utterances, *speech), key=lambda one: one.start_ms)),
        tracks=(*record.tracks, *tracks),
    )


def _speaking(heard: Heard, sides: Mapping[str, Side | None]) -> str | None:
    now = {sides.get(channel_id) for channel_id in heard.speaking}
    return ", ".join(side.value for side in Side if side in now) or None


def _share(part_ms: int | None, total_ms: int) -> float | None:
    return part_ms / total_ms if part_ms is not None and total_ms else None


def _state(record: CallRecord, thresholds: Thresholds) -> tuple[str, int]:
    """What is going on at the end of what is known, and since when."""
    open_ = open_time(record)
    end_ms = open_[-1].end_ms if open_ else 0
    # What was not ended lasts to the end of the stream in which it began.
    from_ms = open_[-1].start_ms if len(open_) > 1 else -inf
    for state, begins, ends in (("hold", HOLD_BEGINS, HOLD_ENDS), ("paused", PAUSE_BEGINS, PAUSE_ENDS)):
        since_ms = _open_since(record.events, begins, ends, from_ms)
        if since_ms is not None:
            return state, since_ms
    for span in pauses(record):  # a rule's, whose end is told beforehand
        if span.start_ms <= end_ms < span.end_ms:
            return "paused", span.start_ms
    quiet = silences(record, thresholds)
    if quiet and quiet[-1].end_ms == end_ms:
        return "silence", quiet[-1].start_ms
    others = [span.end_ms for span in (*holds(record), *pauses(record), *quiet)]
    return "talking", max(others, default=open_[0].start_ms if open_ else 0)


def _open_since(events: Iterable[CallEvent], begins: Set[str], ends: Set[str], from_ms: float) -> int | None:
    """When what has not ended began, at that moment or later."""
    begun: dict[str | None, int] = {}
    for event in sorted(events, key=lambda one: one.at_ms):
        if event.name in begins and event.at_ms >= from_ms:
            begun.setdefault(event.channel_id, event.at_ms)
        elif event.name in ends:
            over = list(begun) if event.channel_id is None else [event.channel_id, None]
            for channel_id in over:
                begun.pop(channel_id, None)
    return min(begun.values(), default=None)
