"""Who had the floor: back-channels, turns, interruptions, response gaps.

One walk over all speech by time decides about turns and back-channels together, because each is defined by
the other. The floor belongs to whoever took the last turn. Speech of the same side goes on with that turn,
unless a long pause lies between; short speech of another side is a back-channel when it lies within the
turn, or begins soon after the turn's end and the floor's holder then speaks again, whatever short speech of
others lies between; anything else of another side takes the floor.

"The other side" is anyone of a different side: an agent's two channels (after a transfer) are one side and
never interrupt one another. Speech of channels whose side is not known takes no part.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise

from zccvoice.analytics.record import CallRecord, Side, Span
from zccvoice.analytics.remembered import remembered
from zccvoice.analytics.spans import covers, intersection, total_ms
from zccvoice.analytics.thresholds import Thresholds
from zccvoice.analytics.timing import SpeechSpan, call_speech, open_time


@dataclass(frozen=True, slots=True)
class Turn:
    """Successive speech of one side, from its first word to its last."""

    side: Side
    start_ms: int
    end_ms: int

    @property
    def length_ms(self) -> int:
        """How long it is."""
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class Interruption:
    """A side began to speak while another was in the middle of it."""

    side: Side
    """Who interrupted."""
    at_ms: int
    """When."""
    overlap_ms: int
    """How long both then spoke at once."""


@dataclass(frozen=True, slots=True)
class TurnTaking:
    """All turns and back-channels of an engagement, in time order."""

    turns: tuple[Turn, ...]
    backchannels: tuple[SpeechSpan, ...]


def is_substantive(speech: SpeechSpan, thresholds: Thresholds) -> bool:
    """Whether it is more than a listening signal can be: by its words, or its length where they are not known."""
    if speech.word_count is None:
        return speech.end_ms - speech.start_ms > thresholds.backchannel_max_ms
    return speech.word_count > thresholds.backchannel_max_words


@remembered
def turn_taking(record: CallRecord, thresholds: Thresholds) -> TurnTaking:
    """Tell turns from back-channels."""
    speech = call_speech(record, thresholds)
    known = [(one.side, one) for one in speech if one.side is not None]
    turns: list[Turn] = []
    backchannels: list[SpeechSpan] = []
    for i, (side, one) in enumerate(known):
        floor = turns[-1] if turns else None
        if floor and floor.side == side and one.start_ms - floor.end_ms < thresholds.turn_pause_ms:
            turns[-1] = Turn(side, floor.start_ms, max(floor.end_ms, one.end_ms))
        elif (
            floor
            and floor.side != side
            and _is_backchannel(one, floor, islice(known, i + 1, None), thresholds)
        ):
            backchannels.append(one)
        else:
            turns.append(Turn(side, one.start_ms, one.end_ms))
    return TurnTaking(tuple(turns), tuple(backchannels))


def _is_backchannel(
    one: SpeechSpan, floor: Turn, following: Iterable[tuple[Side, SpeechSpan]], thresholds: Thresholds
) -> bool:
    if is_substantive(one, thresholds):
        return False
    if one.end_ms <= floor.end_ms:
        return True
    end_ms, speaks_again = floor.end_ms, False
    for side, speech in following:
        if side == floor.side:
            speaks_again = True
            if speech.start_ms - end_ms >= thresholds.turn_pause_ms:
                break
            end_ms = max(end_ms, speech.end_ms)
            if one.end_ms <= end_ms:
                return True
        elif is_substantive(speech, thresholds):  # what is short divides no turn, whoever says it
            break
    return speaks_again and one.start_ms - floor.end_ms <= thresholds.backchannel_within_ms


@remembered
def interruptions(record: CallRecord, thresholds: Thresholds) -> list[Interruption]:
    """Where a side began substantive speech in the middle of another side's, in time order."""
    found: list[Interruption] = []
    speaking: list[SpeechSpan] = []
    for one in call_speech(record, thresholds):
        if one.side is None or not is_substantive(one, thresholds):
            continue
        speaking = [other for other in speaking if other.end_ms > one.start_ms]
        interrupted = [
            other.span
            for other in speaking
            if other.side != one.side
            and one.start_ms - other.start_ms >= thresholds.interrupted_for_ms
            and other.end_ms - one.start_ms >= thresholds.interrupted_until_ms
        ]
        if interrupted:
            overlap_ms = total_ms(intersection([one.span], interrupted))
            before = found[-1] if found else None
            if before is not None and (before.side, before.at_ms) == (one.side, one.start_ms):
                # Two channels of one side that begin in the same millisecond are one interruption.
                found[-1] = replace(before, overlap_ms=max(before.overlap_ms, overlap_ms))
            else:
                found.append(Interruption(one.side, one.start_ms, overlap_ms))
        speaking.append(one)
    return found


def response_gaps_ms(turns: Sequence[Turn], side: Side, observed: Sequence[Span]) -> list[int]:
    """How long after the end of another side's turn the side's own turn began, ms, one per change.

    A turn that began before the other's end is no sample; neither is one where something unheard lies between
    (a hold, a pause, a gap, a closed stream), for then nobody knows who waited for whom.

    Args:
        turns: all turns in time order.
        side: whose responses.
        observed: `timing.observed_time` of the record.
    """
    return [
        later.start_ms - earlier.end_ms
        for earlier, later in pairwise(turns)
        if later.side == side != earlier.side
        and later.start_ms >= earlier.end_ms
        and covers(observed, Span(earlier.end_ms, later.start_ms))
    ]


def percentiles(values: Sequence[int], min_count: int) -> tuple[int | None, int | None]:
    """Median and 90th percentile, linear between neighbours (``percentile_cont``); None below the count."""
    if len(values) < max(2, min_count):
        return None, None
    tenths = statistics.quantiles(values, n=10, method="inclusive")
    return round(tenths[4]), round(tenths[8])


def speaker_switches(turns: Sequence[Turn]) -> int:
    """How often the floor changed from one side to another."""
    return sum(earlier.side != later.side for earlier, later in pairwise(turns))


def longest_monologue_ms(turns: Sequence[Turn], side: Side) -> int:
    """Length of the side's longest turn, ms; 0 without any."""
    return max((turn.length_ms for turn in turns if turn.side == side), default=0)


def first_response_ms(record: CallRecord, agent_speech: Sequence[Span]) -> int | None:
    """From the agent's answering to the first agent speech, ms; 0 when the agent was already speaking.

    None when no answer was told or the agent did not speak after it. An answer before the first packet counts
    from the first packet: what was said before it was not heard.

    Args:
        record: whose events tell of the answer.
        agent_speech: the agent side's speech, in time order.
    """
    told_ms = [event.at_ms for event in record.events if event.name == "user_answered"]
    if not told_ms or not agent_speech:
        return None
    answered_ms = max(min(told_ms), open_time(record)[0].start_ms)
    return next(
        (max(0, span.start_ms - answered_ms) for span in agent_speech if span.end_ms > answered_ms), None
    )
