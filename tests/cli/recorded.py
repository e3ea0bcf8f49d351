"""The demo calls as recordings, and an installation to transcribe them in; `conftest` has one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.recordings.sounds import Channels
from zccvoice.cli import main
from zccvoice.simulator.demo import demo_scenarios
from zccvoice.simulator.scenario import Scenario, load_scenario
from zccvoice.simulator.sources import render
from zccvoice.speech.word_errors import WordErrors, word_errors


@dataclass(frozen=True)
class DemoCall:
    scenario: Scenario
    samples: Channels
    """``int16[2, n]``, 16 kHz: agent, customer."""
    lines: list[tuple[str, int, str]]
    """Side, beginning in ms, words: in time order."""

    @property
    def name(self) -> str:
        return self.scenario.engagement_id.split("/")[1].split("+")[0]

    def errors(self, said: list[tuple[str, int, str]]) -> WordErrors:
        """Of a transcript, side by side."""
        return sum(
            (
                word_errors(
                    " ".join(text for whose, _, text in self.lines if whose == side),
                    " ".join(text for whose, _, text in said if whose == side),
                )
                for side in ("Agent", "Customer")
            ),
            WordErrors(0, 0),
        )


def demo_calls() -> Iterator[DemoCall]:
    for path in demo_scenarios():
        scenario = load_scenario(path)
        sound = render(scenario)
        legs = {leg.participant.side.value: leg.samples[: sound.duration_ms * 16] for leg in sound.legs}
        names = {"agent": "Agent", "consumer": "Customer"}
        lines = [(names[one.side.value], one.start_ms, one.text) for one in sound.utterances]
        yield DemoCall(scenario, np.stack([legs["agent"], legs["consumer"]]), lines)


@dataclass
class Installation:
    """Commands in a folder of their own, on a database of their own."""

    folder: Path
    settings: list[str]

    def run(self, *arguments: str | Path) -> int:
        return main([*map(str, arguments), *self.settings])
