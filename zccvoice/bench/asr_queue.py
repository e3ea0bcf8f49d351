"""Calls whose utterances want to be recognized, for `asr`: lengths as in calls, sound from the demo clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zccvoice.audio.frame import SAMPLE_RATE_HZ
from zccvoice.simulator.demo import demo_scenarios
from zccvoice.simulator.sources import read_sound
from zccvoice.speech.recognizer import RecognizerItem
from zccvoice.speech.utterance import Utterance

TALK_RATIO = 0.45
"""Share of the time that a side speaks."""
MEAN_S, SPREAD, LONGEST_S = 3.0, 0.6, 14.0
"""Utterances: log-normal, cut at the longest."""
LANGUAGES = {"factura": "es", "orders": "en", "router": "de"}
"""Of the demo calls, by the folder of their clips."""
SEED = 7


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """An utterance of a call that goes on."""

    at_s: float
    """When it has ended, seconds from the begin."""
    call: str
    item: RecognizerItem


def clips() -> list[RecognizerItem]:
    """Every demo clip, by length."""
    folder = demo_scenarios()[0].parent
    found = [
        RecognizerItem(_utterance(path), language)
        for name, language in LANGUAGES.items()
        for path in sorted((folder / name).glob("*.flac"))
    ]
    return sorted(found, key=lambda item: len(item.utterance.samples))


def _utterance(path: Path) -> Utterance:
    samples = read_sound(path)
    return Utterance("ch", 0, len(samples) * 1000 // SAMPLE_RATE_HZ, samples, 0, -20.0, 0.0)


def draw(found: Sequence[RecognizerItem], count: int, seed: int = SEED) -> list[RecognizerItem]:
    """So many utterances with lengths as in calls, each the clip next to it in length; the same every time."""
    lengths = np.random.default_rng(seed).lognormal(np.log(MEAN_S) - SPREAD**2 / 2, SPREAD, count)
    of_clips = np.array([len(item.utterance.samples) / SAMPLE_RATE_HZ for item in found])
    return [found[int(np.abs(of_clips - min(length, LONGEST_S)).argmin())] for length in lengths]


def arrivals(found: Sequence[RecognizerItem], calls: float, seconds: float) -> list[Arrival]:
    """What so many calls say in that time, by its end; how many calls there are may be a mean."""
    count = max(1, round(calls * 2 * TALK_RATIO * seconds / MEAN_S))
    rng = np.random.default_rng(SEED + 1)
    ends, of_calls = np.sort(rng.uniform(0, seconds, count)), rng.integers(0, max(1, round(calls)), count)
    items = draw(found, count, SEED + 2)
    return [
        Arrival(float(at_s), f"call {call}", item)
        for at_s, call, item in zip(ends, of_calls, items, strict=True)
    ]
