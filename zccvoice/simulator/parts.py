"""An engagement cut into its streams: each a scenario and a recording of its own, with its own time 0."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeVar

from zccvoice.simulator.extras import ChatMessage, Ending
from zccvoice.simulator.faults import Faults, PacketFault
from zccvoice.simulator.mishaps import Mishap
from zccvoice.simulator.scenario import CallEvent, Participant, Scenario
from zccvoice.simulator.sources import LONGEST_PACKET_MS, SAMPLES_PER_MS, Leg, Recording

MomentT = TypeVar("MomentT", CallEvent, ChatMessage, Mishap)


@dataclass(frozen=True, slots=True)
class Part:
    """What one stream has of an engagement."""

    from_ms: int
    """Where it begins, on the scenario's axis."""
    ending: Ending
    scenario: Scenario
    """On the part's own axis; with the ids of the engagement's first stream, see `stream_ids`."""
    recording: Recording


def parts_of(scenario: Scenario, recording: Recording) -> tuple[Part, ...]:
    """The streams of an engagement, in order of time; for most it is one.

    An utterance belongs to the part in which it ends; its sound may begin in the one before.
    """
    cuts = [one for one in scenario.next_streams if one.at_ms < recording.duration_ms]
    if not cuts:
        return (Part(0, Ending.END, scenario, recording),)
    borders = [0, *(one.at_ms for one in cuts), recording.duration_ms]
    endings = [*(one.after for one in cuts), Ending.END]
    return tuple(
        Part(from_ms, ending, _cut(scenario, from_ms, to_ms), _cut_recording(recording, from_ms, to_ms))
        for (from_ms, to_ms), ending in zip(pairwise(borders), endings, strict=True)
    )


def stream_ids(scenario: Scenario) -> list[str]:
    """The ids of the engagement's streams: given, or made from the first one's, so that each run has its own."""
    made_up = (
        one.stream_id or hashlib.sha256(f"{scenario.stream_id}/{n}".encode()).hexdigest()[:32]
        for n, one in enumerate(scenario.next_streams, 2)
    )
    return [scenario.stream_id, *made_up]


def _cut(scenario: Scenario, from_ms: int, to_ms: int) -> Scenario:
    return replace(
        scenario,
        participants=tuple(_moved_person(one, from_ms) for one in scenario.participants),
        holds=tuple(
            replace(one, from_ms=max(0, one.from_ms - from_ms), to_ms=one.to_ms - from_ms)
            for one in scenario.holds
            if one.to_ms > from_ms and one.from_ms < to_ms
        ),
        events=_moved(scenario.events, from_ms, to_ms),
        duration_ms=to_ms - from_ms,
        buffered_ms=0 if from_ms else scenario.buffered_ms,
        faults=_moved_faults(scenario.faults, from_ms, to_ms),
        mishaps=_moved(scenario.mishaps, from_ms, to_ms),
        chat=_moved(scenario.chat, from_ms, to_ms),
        pictures=tuple(
            replace(one, from_ms=max(0, one.from_ms - from_ms), to_ms=min(one.to_ms, to_ms) - from_ms)
            for one in scenario.pictures
            if one.to_ms > from_ms and one.from_ms < to_ms
        ),
        next_streams=(),
    )


def _moved(moments: Iterable[MomentT], from_ms: int, to_ms: int) -> tuple[MomentT, ...]:
    return tuple(replace(one, at_ms=one.at_ms - from_ms) for one in moments if from_ms <= one.at_ms < to_ms)


def _moved_person(person: Participant, from_ms: int) -> Participant:
    gone_ms = None if person.to_ms is None else max(0, person.to_ms - from_ms)
    return replace(person, from_ms=max(0, person.from_ms - from_ms), to_ms=gone_ms)


def _moved_faults(faults: Faults, from_ms: int, to_ms: int) -> Faults:
    def moved(rules: tuple[PacketFault, ...]) -> tuple[PacketFault, ...]:
        return tuple(
            replace(
                rule,
                from_ms=max(0, rule.from_ms - from_ms),
                to_ms=None if rule.to_ms is None else max(0, rule.to_ms - from_ms),
            )
            for rule in rules
        )

    return replace(
        faults,
        lost=moved(faults.lost),
        duplicated=moved(faults.duplicated),
        swapped=moved(faults.swapped),
        garbage_at_ms=tuple(at_ms - from_ms for at_ms in faults.garbage_at_ms if from_ms <= at_ms < to_ms),
    )


def _cut_recording(recording: Recording, from_ms: int, to_ms: int) -> Recording:
    inside = slice(from_ms * SAMPLES_PER_MS, (to_ms + LONGEST_PACKET_MS) * SAMPLES_PER_MS)
    return Recording(
        duration_ms=to_ms - from_ms,
        legs=tuple(
            Leg(_moved_person(leg.participant, from_ms), leg.samples[inside]) for leg in recording.legs
        ),
        utterances=tuple(
            replace(one, start_ms=max(0, one.start_ms - from_ms), end_ms=one.end_ms - from_ms)
            for one in recording.utterances
            if from_ms < one.end_ms <= to_ms
        ),
    )
