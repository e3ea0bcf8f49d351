"""The mix of all legs into one track, as Zoom sends it for AUDIO_MIXED_STREAM: ``user_id`` 0 and no name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from zccvoice.simulator.faults import Faults, PacketFault
from zccvoice.simulator.scenario import Participant, Scenario, Side
from zccvoice.simulator.sources import SAMPLES_PER_MS, Leg, Recording

MIX = "0"
"""The mix's place among channel ids."""


def mixed(scenario: Scenario, recording: Recording) -> tuple[Scenario, Recording]:
    """The same call with one leg, `MIX`, that has everybody's sound but that of parties on hold.

    A packet fault of any leg befalls the mix. `Recording.utterances` still tell who spoke.
    """
    total = np.zeros(len(recording.legs[0].samples), np.int32)
    for leg in recording.legs:
        heard = leg.samples.astype(np.int32)
        heard[: leg.participant.from_ms * SAMPLES_PER_MS] = 0
        if leg.participant.to_ms is not None:
            heard[leg.participant.to_ms * SAMPLES_PER_MS :] = 0
        for hold in scenario.holds:
            if leg.participant.channel_id in hold.held:
                heard[hold.from_ms * SAMPLES_PER_MS : hold.to_ms * SAMPLES_PER_MS] = 0
        total += heard
    # Its side has no meaning and is not told.
    mix = Participant(side=Side.AGENT, channel_id=MIX, display_name="", user_id="")
    samples = np.clip(total, -32_768, 32_767).astype(np.int16)
    return (
        replace(scenario, participants=(mix,), holds=(), faults=_for_the_mix(scenario.faults)),
        replace(recording, legs=(Leg(mix, samples),)),
    )


def _for_the_mix(faults: Faults) -> Faults:
    def befalling(rules: tuple[PacketFault, ...]) -> tuple[PacketFault, ...]:
        return tuple(replace(rule, channel_ids=(MIX,)) for rule in rules)

    return replace(
        faults,
        lost=befalling(faults.lost),
        duplicated=befalling(faults.duplicated),
        swapped=befalling(faults.swapped),
    )
