"""Makes the sound of scenarios and encodes it, once for all calls that play the same: load runs share it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import trio

from zccvoice.rtms.enums import DataOption
from zccvoice.rtms.messages import AudioParams
from zccvoice.simulator.mishaps import Kind
from zccvoice.simulator.mixing import mixed
from zccvoice.simulator.packets import PacketPlan
from zccvoice.simulator.parts import Part, parts_of
from zccvoice.simulator.products import TRAITS
from zccvoice.simulator.scenario import Hold, Scenario
from zccvoice.simulator.sources import Recording, render

KEPT = 16
"""So many different scenarios, and encodings, are kept for the next call: a minute of two legs is 4 MB."""

ValueT = TypeVar("ValueT")


@dataclass(frozen=True, slots=True)
class Take:
    """A part of a call as it is sent under the parameters agreed on."""

    scenario: Scenario
    """Its participants are the tracks that are sent: one, `mixing.MIX`, when they are mixed."""
    plan: PacketPlan
    recording: Recording
    """Of the part; kept as long as this is, since `Studio` knows it by its identity."""


class Studio:
    """What has been made lately, and the way to make more of it. Nothing here outlives the calls' tasks."""

    def __init__(self) -> None:
        self._parts: _Lately[tuple[Part, ...]] = _Lately()
        self._takes: _Lately[Take] = _Lately()

    async def parts(self, scenario: Scenario) -> tuple[Part, ...]:
        """The engagement's streams with their sound; their scenarios carry ids of whoever came first.

        Raises:
            ScenarioError: the sound cannot be made.
        """
        return await self._parts.get(_anonymous(scenario), lambda: parts_of(scenario, render(scenario)))

    async def take(self, part: Part, params: AudioParams) -> Take:
        """A part of `parts`, encoded. Takes a moment for a long call, in a thread."""
        # By identity: the scenario of a part that was cut does not tell all of its sound.
        return await self._takes.get((id(part.recording), params), lambda: _take(part, params))


def _take(part: Part, params: AudioParams) -> Take:
    scenario, recording = part.scenario, part.recording
    if params.data_opt == DataOption.AUDIO_MIXED_STREAM and is_mixed(scenario):
        scenario, recording = mixed(scenario, recording)
    everybody = tuple(person.channel_id for person in scenario.participants)
    pauses = tuple(
        Hold("", everybody, one.at_ms, one.at_ms + one.for_ms)
        for one in scenario.mishaps
        if one.kind is Kind.PAUSE
    )
    plan = PacketPlan(replace(scenario, holds=scenario.holds + pauses), recording, params)
    return Take(scenario, plan, part.recording)


def is_mixed(scenario: Scenario) -> bool:
    """Whether AUDIO_MIXED_STREAM gets one track: not in Contact Center, as far as Zoom's samples show."""
    return not TRAITS[scenario.product].has_channels or scenario.dialect.merges_channels


def _anonymous(scenario: Scenario) -> Scenario:
    return replace(scenario, title="", engagement_id="", stream_id="")


class _Lately(Generic[ValueT]):
    """The last `KEPT` values, each made once, in a thread."""

    def __init__(self) -> None:
        self._values: dict[Hashable, ValueT] = {}
        self._making = trio.Lock()

    async def get(self, key: Hashable, make: Callable[[], Any]) -> ValueT:
        async with self._making:
            value: ValueT = (
                self._values.pop(key) if key in self._values else await trio.to_thread.run_sync(make)
            )
            self._values[key] = value  # the last one used is the last to go
            if len(self._values) > KEPT:
                del self._values[next(iter(self._values))]
        return value
