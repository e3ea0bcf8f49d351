"""Whether and where rules hold in a call, and why.

Every condition holds, does not, or cannot be known: what was not transcribed may or may not have been said, and
without an agent nobody failed to greet. `negate` turns the first two around and leaves the third as it is; only
what is known makes a rule match.

While a call runs, a condition is told as soon as nothing that is still to come can change it: words at once, their
absence when the window has passed. One who speaks for long is heard only at the end of it; so silence, and that
something was not said, wait until `Progress.settled_ms` has passed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from zccvoice.analytics import sentiment, timing, turns, wording
from zccvoice.analytics.record import CallRecord, Side, Span
from zccvoice.analytics.rules import Condition, Limit, Origin, Phrases, Quantity, Rule
from zccvoice.analytics.rules_phrases import Occurrence, Passage, passages, words_of
from zccvoice.analytics.spans import intersection, subtraction, total_ms
from zccvoice.analytics.thresholds import DEFAULTS, Thresholds

SETTLING_MS = 30_000
"""The longest utterance: what was said before the last known one by this much is known."""
_OF_CALL = (Quantity.SILENCE_MS, Quantity.HOLD_MS)
_GROWING = (*_OF_CALL, Quantity.INTERRUPTIONS_COUNT, Quantity.INTERRUPTIONS_MS)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a call that is still running is known. Times are on the engagement's clock."""

    now_ms: int
    """The present moment."""
    settled_ms: int
    """What was said before is known."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A place in a call, and what is there."""

    start_ms: int
    end_ms: int
    side: Side | None
    """Whose words; None when it is about the call."""
    why: str
    """The condition and what was found, in words; of what people said no more than the rule names."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of a condition, or of a rule."""

    holds: bool | None
    """None: it cannot be known, or not yet."""
    evidence: tuple[Evidence, ...] = ()
    """Where it holds, by time; a rule's begin at different moments."""


def progress_of(record: CallRecord, now_ms: int) -> Progress:
    """How far a running call is known, by the last utterance that is.

    Args:
        record: what is stored of it.
        now_ms: the present moment on the engagement's clock.
    """
    last_ms = max((one.end_ms for one in record.utterances), default=0)
    return Progress(max(now_ms, last_ms), last_ms - SETTLING_MS)


class Listener:
    """One call as conditions ask about it; what several of them ask is computed once."""

    def __init__(
        self, record: CallRecord, thresholds: Thresholds = DEFAULTS, *, progress: Progress | None = None
    ) -> None:
        """Prepare.

        Args:
            record: the call.
            thresholds: of silences, interruptions, talk speed.
            progress: how far it is known; None when it is over.
        """
        self._thresholds = thresholds
        self._progress = progress
        open_ = timing.open_time(record)
        if progress is not None and open_ and progress.now_ms > open_[-1].end_ms:
            # A hold that goes on is told by nothing but the clock.
            record = replace(record, streams=(*record.streams, Span(open_[-1].end_ms, progress.now_ms)))
            open_ = timing.open_time(record)
        self._record = record
        self._call = Span(open_[0].start_ms, open_[-1].end_ms) if open_ else Span(0, 0)

    def judge(self, rule: Rule, origin: Origin) -> Finding:
        """Whether a rule matches; one that is not for calls from there does not."""
        if not rule.is_for(origin):
            return Finding(False)
        findings = [self.find(condition) for condition in rule.when]
        if any(one.holds is False for one in findings):
            return Finding(False)
        if any(one.holds is None for one in findings):
            return Finding(None)
        return Finding(True, _merged(place for one in findings for place in one.evidence))

    def find(self, condition: Condition) -> Finding:
        """Whether one condition holds."""
        if self._progress is not None and condition.window.needs_end:
            return Finding(None)
        window = condition.window.within(self._call)
        if window.length_ms == 0:  # the call has not come so far, or never did
            return Finding(None)
        found = self._search(condition, window)
        is_settled = self._is_settled(condition)
        if found is None or not (is_settled or (found and _is_lasting(condition))):
            return Finding(None)
        if condition.negate:
            place = Evidence(window.start_ms, window.end_ms, condition.side, str(condition))
            return Finding(False) if found else Finding(True, (place,))
        return Finding(bool(found), tuple(found))

    def _is_settled(self, condition: Condition) -> bool:
        """Whether nothing that is still to come can change what the window holds."""
        if self._progress is None:
            return True
        end = condition.window.end
        return end is not None and self._call.start_ms + end <= self._progress.settled_ms

    def _search(self, condition: Condition, window: Span) -> Sequence[Evidence] | None:
        """Where the condition, negated or not, is met; None when that cannot be known."""
        match condition.filter:
            case Phrases() as phrases:
                return self._phrases(phrases, condition.side, window)
            case Limit() as limit if limit.quantity in _OF_CALL:
                return self._stretches(limit, window)
            case Limit() as limit if limit.quantity in _GROWING:
                return self._interruptions(limit, condition.side, window)
            case Limit() as limit:
                return self._level(limit, condition.side, window)

    def _phrases(self, wanted: Phrases, side: Side | None, window: Span) -> Sequence[Evidence] | None:
        found: list[Evidence] = []
        is_each_found = is_sure = True
        for phrase in wanted.phrases:
            words = words_of(phrase, self._record.language)
            places = [
                (one, Evidence(one.span.start_ms, one.span.end_ms, passage.side, f'"{phrase}"'))
                for passage in self._passages
                if side is None or passage.side is side
                for one in passage.find(words)
                if _begins_in(one.span.start_ms, window)
            ]
            sure = [place for one, place in places if self._is_sure(one)]
            is_sure = is_sure and len(sure) == len(places)
            is_each_found = is_each_found and bool(sure)
            found += sure
        if found and (is_each_found or not wanted.all_of):
            return sorted(found, key=lambda one: (one.start_ms, one.end_ms))
        return () if is_sure and self._is_all_known(side, window) else None

    def _is_sure(self, said: Occurrence) -> bool:
        """Whether it will still have been said when all is known."""
        return not said.is_joined or self._progress is None or said.span.end_ms <= self._progress.settled_ms

    def _is_all_known(self, side: Side | None, window: Span) -> bool:
        """Whether everything that the side may have said in the window was understood."""
        if side is not None and side not in self._sides:
            return False
        heard = self._heard_time(side)
        if any(one.length_ms >= self._thresholds.join_below_ms for one in subtraction([window], heard)):
            return False  # less than parts two words hides none
        return all(
            one.text is not None
            for one in self._record.utterances
            if (side is None or one.side in (side, None))
            and one.start_ms < window.end_ms
            and window.start_ms < one.end_ms
        )

    def _heard_time(self, side: Side | None) -> list[Span]:
        """When what a side said would have come to us; on hold it says nothing to anybody."""
        sides = {one.channel_id: one.side for one in self._record.gaps}
        missing = [
            gap
            for channel_id, spans in timing.gaps(self._record).items()
            if side is None or sides[channel_id] in (side, None)
            for gap in spans
        ]
        return subtraction(timing.open_time(self._record), [*timing.pauses(self._record), *missing])

    def _stretches(self, limit: Limit, window: Span) -> Sequence[Evidence] | None:
        is_silence = limit.quantity is Quantity.SILENCE_MS
        found = [
            Evidence(pieces[0].start_ms, pieces[-1].end_ms, None, f"{limit}: {total_ms(pieces)}")
            for one in (self._silences if is_silence else timing.holds(self._record))
            if (pieces := intersection(intersection([one], timing.open_time(self._record)), [window]))
            and limit.is_passed_by(total_ms(pieces))  # a hold may reach over time without a stream
        ]
        if found or not is_silence:
            return found
        spoken = timing.speech_time(self._record, self._thresholds)
        # Of what could not be heard nobody knows whether it was silent.
        perhaps = subtraction([window], [*spoken, *timing.holds(self._record)])
        return None if any(limit.is_passed_by(one.length_ms) for one in perhaps) else ()

    def _interruptions(self, limit: Limit, side: Side | None, window: Span) -> Sequence[Evidence] | None:
        if len(self._sides) < 2 or (side is not None and side not in self._sides):
            return None
        counted = [
            one
            for one in self._all_interruptions
            if (side is None or one.side is side) and _begins_in(one.at_ms, window)
        ]
        is_count = limit.quantity is Quantity.INTERRUPTIONS_COUNT
        value = len(counted) if is_count else sum(one.overlap_ms for one in counted)
        if not limit.is_passed_by(value):
            return ()
        end_ms = max(one.at_ms + one.overlap_ms for one in counted)
        return [Evidence(counted[0].at_ms, end_ms, side, f"{limit}: {value}")]

    def _level(self, limit: Limit, side: Side | None, window: Span) -> Sequence[Evidence] | None:
        spoken = [one for one in self._record.utterances if side is None or one.side is side]
        if limit.quantity is Quantity.SENTIMENT:
            value = sentiment.side_score([one for one in spoken if _begins_in(one.start_ms, window)])
        else:
            value = wording.talk_speed_wpm(spoken, self._thresholds, window)
        if value is None:
            return None
        if not limit.is_passed_by(value):
            return ()
        return [Evidence(window.start_ms, window.end_ms, side, f"{limit}: {value:.1f}")]

    # What several conditions ask

    @cached_property
    def _sides(self) -> set[Side]:
        heard = {one.side for one in self._record.tracks} | {one.side for one in self._record.utterances}
        return {side for side in heard if side is not None}

    @cached_property
    def _passages(self) -> list[Passage]:
        return passages(self._record, self._thresholds)

    @cached_property
    def _silences(self) -> list[Span]:
        found = timing.silences(self._record, self._thresholds)
        if self._progress is None:
            return found
        return intersection(found, [Span(self._call.start_ms, self._progress.settled_ms)])

    @cached_property
    def _all_interruptions(self) -> list[turns.Interruption]:
        return turns.interruptions(self._record, self._thresholds)


def _is_lasting(condition: Condition) -> bool:
    """Whether what is found once remains found, whatever is still to come."""
    return isinstance(condition.filter, Phrases) or condition.filter.quantity in _GROWING


def _begins_in(start_ms: int, window: Span) -> bool:
    return window.start_ms <= start_ms < window.end_ms


def _merged(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """By time; what begins at the same moment is one place."""
    by_start: dict[int, Evidence] = {}
    for one in sorted(evidence, key=lambda one: (one.start_ms, one.end_ms)):
        before = by_start.get(one.start_ms)
        if before is None:
            by_start[one.start_ms] = one
        elif before != one:
            side = one.side if one.side is before.side else None
            end_ms = max(one.end_ms, before.end_ms)
            by_start[one.start_ms] = Evidence(one.start_ms, end_ms, side, f"{before.why}; {one.why}")
    return tuple(by_start.values())
