"""Where the time of an engagement went: open, speech, hold, pause, gap, silence, overtalk.

The open time is the union of the streams' times and of everything that was heard, for what was heard proves
that a stream was open: a stream whose end was never told, or an utterance that outlasts its stream by a
packet, costs no speech. Nothing is measured outside it; events before the first packet are cut at the first
packet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations
from operator import attrgetter
from typing import NamedTuple

from zccvoice.analytics.record import CallEvent, CallRecord, Side, Span, SpokenUtterance
from zccvoice.analytics.remembered import remembered
from zccvoice.analytics.spans import intersection, subtraction, total_ms, union
from zccvoice.analytics.thresholds import Thresholds

HOLD_BEGINS = frozenset({"user_hold"})
"""Names of the events with which a hold begins; the others likewise."""
PART_ENDS = frozenset({"user_end", "transfer_completed", "conference_participant_left"})
"""An agent's part of the call is over."""
HOLD_ENDS = frozenset({"user_unhold"}) | PART_ENDS
PAUSE_BEGINS = frozenset({"stream_paused", "session_paused", "sound_paused"})
PAUSE_OVER_UNTOLD = "pause_over_untold"
"""Our own: sound came of a time after Zoom's pause began, whose end we were not there to hear."""
PAUSE_ENDS = frozenset({"stream_resumed", "session_resumed", "sound_resumed", PAUSE_OVER_UNTOLD})
RULE_PAUSE_BEGINS, RULE_PAUSE_ENDS = "rule_pause_started", "rule_pause_ended"
"""Our own: a rule silences a call for a time of its own, whatever pauses and resumes meanwhile."""


class SpeechSpan(NamedTuple):
    """Utterances of one track that are one stretch of speech, because hardly any time lies between them."""

    side: Side | None
    channel_id: str
    start_ms: int
    end_ms: int
    utterances: tuple[SpokenUtterance, ...]
    """In time order, at least one."""
    word_count: int | None
    """Words of the transcripts, None when those of a part of it are not known."""

    @property
    def span(self) -> Span:
        """The time it takes."""
        return Span(self.start_ms, self.end_ms)


@remembered
def call_speech(record: CallRecord, thresholds: Thresholds) -> list[SpeechSpan]:
    """`speech_spans` of a whole call."""
    return speech_spans(record.utterances, thresholds)


def speech_spans(utterances: Iterable[SpokenUtterance], thresholds: Thresholds) -> list[SpeechSpan]:
    """The utterances, those of one track closer than ``join_below_ms`` as one; by start, longest first."""
    by_track: defaultdict[tuple[Side | None, str], list[SpokenUtterance]] = defaultdict(list)
    for utterance in sorted(utterances, key=attrgetter("start_ms", "end_ms")):
        if utterance.end_ms > utterance.start_ms:
            by_track[utterance.side, utterance.channel_id].append(utterance)
    found: list[SpeechSpan] = []
    for in_track in by_track.values():
        parts: list[SpokenUtterance] = []
        end_ms = 0
        for utterance in in_track:
            if parts and utterance.start_ms - end_ms >= thresholds.join_below_ms:
                found.append(_speech_span(parts, end_ms))
                parts = []
            end_ms = max(end_ms, utterance.end_ms) if parts else utterance.end_ms
            parts.append(utterance)
        found.append(_speech_span(parts, end_ms))
    return sorted(found, key=lambda one: (one.start_ms, -one.end_ms, one.channel_id))


def _speech_span(parts: list[SpokenUtterance], end_ms: int) -> SpeechSpan:
    first = parts[0]
    words: int | None = 0
    for one in parts:
        words = None if words is None or one.word_count is None else words + one.word_count
    return SpeechSpan(first.side, first.channel_id, first.start_ms, end_ms, tuple(parts), words)


@remembered
def open_time(record: CallRecord) -> list[Span]:
    """When a stream of the engagement was open."""
    heard = [Span(utterance.start_ms, utterance.end_ms) for utterance in record.utterances]
    return union([*record.streams, *heard, *(track.open_span for track in record.tracks)])


@remembered
def talk_time(record: CallRecord, thresholds: Thresholds) -> dict[Side | str, list[Span]]:
    """When each side spoke. A channel whose side is not known stands for itself, under its ``channel_id``."""
    open_ = open_time(record)
    by_side: defaultdict[Side | str, list[Span]] = defaultdict(list)
    for speech in call_speech(record, thresholds):
        by_side[speech.side or speech.channel_id].append(speech.span)
    return {side: intersection(spans, open_) for side, spans in by_side.items()}


@remembered
def speech_time(record: CallRecord, thresholds: Thresholds) -> list[Span]:
    """When at least one side spoke."""
    return union(span for spans in talk_time(record, thresholds).values() for span in spans)


def overtalk(talk: dict[Side | str, list[Span]]) -> list[Span]:
    """When two known sides spoke at once."""
    known = [spans for side, spans in talk.items() if isinstance(side, Side)]
    return union(both for one, other in combinations(known, 2) for both in intersection(one, other))


@remembered
def holds(record: CallRecord) -> list[Span]:
    """When the call was on hold.

    A hold ends with the unhold or the end of the same agent's part; an event without a channel is about
    whoever is on hold. One whose end was not told, at all or before a later stream told of another one, lasts to
    the end of the stream in which it began, or of the one that goes on where it ends. A hold may reach over time
    in which no stream was open: intersect with `open_time` before measuring it.
    """
    return _told(record, HOLD_BEGINS, HOLD_ENDS)


@remembered
def pauses(record: CallRecord) -> list[Span]:
    """When Zoom had paused the streaming or nothing audible was kept, by the same rules as `holds`."""
    by_rules = _told(record, frozenset({RULE_PAUSE_BEGINS}), frozenset({RULE_PAUSE_ENDS}))
    return union([*_told(record, PAUSE_BEGINS, PAUSE_ENDS), *by_rules])


def _told(record: CallRecord, begins: frozenset[str], ends: frozenset[str]) -> list[Span]:
    open_ = open_time(record)
    began: dict[str | None, int] = {}
    found: list[Span] = []
    for event in sorted(record.events, key=lambda one: one.at_ms):
        if event.name in begins:
            since_ms = began.setdefault(event.channel_id, event.at_ms)
            stream = _stream_of(since_ms, open_)
            if stream != _stream_of(event.at_ms, open_):  # it was over before, and nobody was there to tell
                found += [Span(since_ms, one.end_ms) for one in stream]
                began[event.channel_id] = event.at_ms
        elif event.name in ends:
            found += [Span(began.pop(channel_id), event.at_ms) for channel_id in _ended_by(event, began)]
    for start_ms in began.values():
        found += [Span(start_ms, one.end_ms) for one in _stream_of(start_ms, open_)]
    return [span for span in union(found) if intersection([span], open_)]


def _stream_of(at_ms: int, open_: list[Span]) -> list[Span]:
    """The open time in which a moment lies, or after which it does; the first for one before, none without any."""
    return ([one for one in open_ if one.start_ms <= at_ms] or open_[:1])[-1:]


def _ended_by(event: CallEvent, began: dict[str | None, int]) -> list[str | None]:
    if event.channel_id is None:
        return list(began)
    return [channel_id for channel_id in (event.channel_id, None) if channel_id in began]


@remembered
def gaps(record: CallRecord) -> dict[str, list[Span]]:
    """Audio that should have arrived and did not, by ``channel_id``: not what was held or paused."""
    expected = subtraction(open_time(record), [*holds(record), *pauses(record)])
    by_channel: defaultdict[str, list[Span]] = defaultdict(list)
    for gap in record.gaps:
        by_channel[gap.channel_id].append(Span(gap.start_ms, gap.end_ms))
    return {channel_id: intersection(spans, expected) for channel_id, spans in by_channel.items()}


@remembered
def observed_time(record: CallRecord) -> list[Span]:
    """When everybody could be heard: the open time without holds, pauses, and the gaps of any track."""
    missing = [gap for spans in gaps(record).values() for gap in spans]
    return subtraction(open_time(record), [*holds(record), *pauses(record), *missing])


@remembered
def silences(record: CallRecord, thresholds: Thresholds) -> list[Span]:
    """Stretches longer than ``silence_above_ms`` in which everybody could be heard and nobody spoke."""
    quiet = subtraction(observed_time(record), speech_time(record, thresholds))
    return [span for span in quiet if span.length_ms > thresholds.silence_above_ms]


def coverage_ratio(record: CallRecord) -> float | None:
    """Share of the audio that arrived, 0–1: 1 − gaps ÷ open time, over all tracks. None without a track."""
    missing = gaps(record)
    open_by_channel: defaultdict[str, list[Span]] = defaultdict(list)
    for track in record.tracks:
        open_by_channel[track.channel_id].append(track.open_span)
    for channel_id, spans in missing.items():
        open_by_channel[channel_id].extend(spans)
    open_ms = sum(total_ms(spans) for spans in open_by_channel.values())
    return 1 - sum(total_ms(spans) for spans in missing.values()) / open_ms if open_ms else None
