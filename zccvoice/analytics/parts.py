"""Each agent's part of a call: after a transfer, in a conference or after a takeover several agents share one.

A part lasts from an agent's answering to the end of his leg, or of its last stream where no end was told. What
was heard of the leg before or after belongs to the nearest of its parts, so that all that the agents said is in
exactly one part: their sums are the call's. Turns are those of the call as the agent was in it: to each agent the
others are third parties.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from zccvoice.analytics import sentiment, timing, turns, wording
from zccvoice.analytics.documented import documented
from zccvoice.analytics.record import CallRecord, Side, Span, SpokenUtterance, TrackSound
from zccvoice.analytics.roles import TAKES_OVER, monitoring_channels
from zccvoice.analytics.spans import intersection, total_ms
from zccvoice.analytics.thresholds import DEFAULTS, Thresholds

_BEGINS = frozenset({"user_answered", TAKES_OVER})
_LONG_AGO, _LATE = -(2**62), 2**62


@dataclass(frozen=True, slots=True)
class AgentPart:
    """What one agent did in his part of a call. Times are integer milliseconds on the engagement's clock."""

    channel_id: str
    """The agent's audio leg."""
    start_ms: int
    """From when on the agent was on the call, ms on the engagement's clock."""
    end_ms: int
    """Until when, ms on the engagement's clock."""
    length_ms: int
    """For how long of the part a stream was open, as in duration_ms of the call, ms."""
    talk_time_ms: int
    """The agent's own speech, ms."""
    talk_time_total_ms: int
    """The agent's own speech and that of all others during the part, as in talk_time_total_ms of the call, ms."""
    words_count: int | None
    """Words of the agent's kept transcripts; NULL when there was speech and nothing was transcribed."""
    talk_speed_wpm: float | None
    """Words per minute of the agent's own transcribed speech; NULL below 20 words."""
    hold_time_ms: int
    """Time on hold during the part, ms."""
    hold_count: int
    """Holds that began during the part."""
    silence_time_ms: int
    """The call's silences (more than 3 s) during the part, ms."""
    interruptions_count: int
    """How often the agent side began to speak in the middle of another side's utterance during the part."""
    first_response_ms: int | None
    """From the agent's answering to the agent's first speech, ms; NULL when no answer was told."""
    response_gap_ms_p50: int | None
    """Median time from the end of another's turn to the start of the agent's, ms; NULL below 3 of them."""
    longest_monologue_ms: int
    """The agent's longest turn, first word to last, ms."""
    sentiment_score: float | None
    """Sentiment of the agent's words, −5…+5: mean of the utterances' scores, weighted by their words."""
    sentiment_words_count: int
    """Words of the agent's utterances that have a score: with them several parts are one."""


def part_definitions() -> dict[str, str]:
    """What each of these measures means."""
    return documented(AgentPart)


def agent_parts(record: CallRecord, thresholds: Thresholds = DEFAULTS) -> list[AgentPart]:
    """The parts of all agents, by start."""
    if not timing.open_time(record):
        return []
    heard = {one.channel_id for one in record.utterances if one.side is Side.AGENT}
    legs = sorted(heard | {one.channel_id for one in record.tracks if one.side is Side.AGENT})
    found = [part for leg in legs for part in _parts_of(record, leg, thresholds)]
    return sorted(found, key=lambda one: (one.start_ms, one.channel_id))


def _parts_of(record: CallRecord, channel_id: str, thresholds: Thresholds) -> list[AgentPart]:
    open_ = timing.open_time(record)
    heard = [Span(one.start_ms, one.end_ms) for one in record.utterances if _is_of(one, channel_id)]
    heard += [one.open_span for one in record.tracks if _is_of(one, channel_id)]
    spans = _told_spans(record, channel_id, heard)
    if not spans:
        spans = [Span(min(one.start_ms for one in heard), max(one.end_ms for one in heard))]
    first_ms = open_[0].start_ms
    spans = [Span(max(first_ms, one.start_ms), max(first_ms, one.end_ms)) for one in spans]
    reaches = _reaches(spans)
    return [
        _measured(record, channel_id, span, reach, thresholds)
        for span, reach in zip(spans, reaches, strict=True)
        if span.length_ms or any(intersection(heard, [reach]))
    ]


def _is_of(one: SpokenUtterance | TrackSound, channel_id: str) -> bool:
    return one.side is Side.AGENT and one.channel_id == channel_id


def _told_spans(record: CallRecord, channel_id: str, heard: Sequence[Span]) -> list[Span]:
    """From every answering of the leg to its next end, as events told; without one to that of its last stream."""
    spans: list[Span] = []
    began: int | None = None
    begins = _begins(record, channel_id)
    for event in sorted(record.events, key=lambda one: one.at_ms):
        if event.channel_id != channel_id:
            continue
        if event.name in begins and began is None:
            began = event.at_ms
        elif event.name in timing.PART_ENDS and began is not None:
            spans.append(Span(began, event.at_ms))
            began = None
    if began is not None:
        spans.append(Span(began, max(began, _last_ms(record, began, heard))))
    return spans


def _last_ms(record: CallRecord, began_ms: int, heard: Sequence[Span]) -> int:
    """Until when a leg whose end was not told is taken to be on the call: the next agent has his own stream."""
    later = [one for one in heard if one.end_ms > began_ms]
    own = [one for one in record.streams if intersection([one], later)]
    end_ms = max(one.end_ms for one in (*own, *later)) if own else _LATE
    is_over = any(one.end_ms > end_ms for one in record.streams)
    return end_ms if is_over else timing.open_time(record)[-1].end_ms


def _begins(record: CallRecord, channel_id: str) -> frozenset[str]:
    """The events with which parts of a leg begin; a supervisor may be told as answering when he only listens."""
    return frozenset({TAKES_OVER}) if channel_id in monitoring_channels(record) else _BEGINS


def _reaches(spans: Sequence[Span]) -> list[Span]:
    """For each part, the time whose speech belongs to it: up to half-way between two parts."""
    borders = [(one.end_ms + other.start_ms) // 2 for one, other in pairwise(spans)]
    return [Span(*one) for one in zip([_LONG_AGO, *borders], [*borders, _LATE], strict=True)]


def _measured(
    record: CallRecord, channel_id: str, span: Span, reach: Span, thresholds: Thresholds
) -> AgentPart:
    own = _as_of(record, channel_id, reach)
    said = tuple(one for one in own.utterances if one.side is Side.AGENT)
    open_ = timing.open_time(record)
    speech = [one.span for one in timing.speech_spans(said, thresholds)]
    talk_ms = total_ms(intersection(speech, open_))
    others = [spans for side, spans in timing.talk_time(own, thresholds).items() if side is not Side.AGENT]
    taken = turns.turn_taking(own, thresholds).turns
    gaps_ms = turns.response_gaps_ms(taken, Side.AGENT, timing.observed_time(record))
    gap_ms_p50, _ = turns.percentiles(gaps_ms, thresholds.response_gap_min_count)
    begins = _begins(record, channel_id)
    answered = any(event.name in begins and event.channel_id == channel_id for event in record.events)
    later = [one for one in speech if one.end_ms > span.start_ms]
    held = [intersection([hold], open_) for hold in timing.holds(record)]
    return AgentPart(
        channel_id=channel_id,
        start_ms=span.start_ms,
        end_ms=span.end_ms,
        length_ms=total_ms(intersection(open_, [span])),
        talk_time_ms=talk_ms,
        talk_time_total_ms=talk_ms + sum(total_ms(intersection(spans, [span])) for spans in others),
        words_count=wording.words_count(said),
        talk_speed_wpm=wording.talk_speed_wpm(said, thresholds),
        hold_time_ms=sum(total_ms(intersection(pieces, [span])) for pieces in held),
        hold_count=sum(span.start_ms <= pieces[0].start_ms < span.end_ms for pieces in held),
        silence_time_ms=total_ms(intersection(timing.silences(record, thresholds), [span])),
        interruptions_count=sum(
            one.side is Side.AGENT and any(one.at_ms == spoken.start_ms for spoken in speech)
            for one in turns.interruptions(record, thresholds)
        ),
        first_response_ms=max(0, later[0].start_ms - span.start_ms) if answered and later else None,
        response_gap_ms_p50=gap_ms_p50,
        longest_monologue_ms=turns.longest_monologue_ms(taken, Side.AGENT),
        sentiment_score=sentiment.side_score(said),
        sentiment_words_count=sentiment.side_words_count(said),
    )


def _as_of(record: CallRecord, channel_id: str, reach: Span) -> CallRecord:
    """The call in which nobody but this agent in this part of it is on the agent's side."""

    def is_another(one: SpokenUtterance) -> bool:
        is_own = one.channel_id == channel_id and reach.start_ms <= one.start_ms < reach.end_ms
        return one.side is Side.AGENT and not is_own

    if not any(map(is_another, record.utterances)):
        return record  # and what is remembered of it
    utterances = (replace(one, side=Side.OTHER) if is_another(one) else one for one in record.utterances)
    return replace(record, utterances=tuple(utterances))
