from __future__ import annotations

import numpy as np
import pytest

from zccvoice.simulator.demo import demo_scenarios
from zccvoice.simulator.line import LINE_CODECS, through
from zccvoice.simulator.scenario import load_scenario
from zccvoice.simulator.sources import Samples, read_sound


def spoken() -> Samples:
    sound = load_scenario(demo_scenarios()[0]).speech[0].sound
    assert sound is not None
    return read_sound(sound)


@pytest.mark.parametrize(
    ("name", "least_snr_db"), [("L16", 200), ("G.711 A", 30), ("G.711 µ", 30), ("G.722", 30), ("Opus", 25)]
)
def test_sound_comes_back_in_its_place(name: str, least_snr_db: float) -> None:
    sound = spoken()
    heard = through(sound, LINE_CODECS[name])
    assert len(heard) == len(sound)
    error = np.sum((heard.astype(float) - sound) ** 2) + 1e-9
    assert 10 * np.log10(np.sum(sound.astype(float) ** 2) / error) > least_snr_db


def test_lost_packets_are_zeros() -> None:
    sound = np.full(50 * 320 * 16, 1000, np.int16)
    heard = through(sound, LINE_CODECS["L16"], lost_ratio=0.1, seed=4).reshape(-1, 320)
    is_lost = ~heard.any(axis=1)
    assert 0.06 < is_lost.mean() < 0.14
    assert (heard[~is_lost] == 1000).all()
