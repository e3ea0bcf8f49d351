from __future__ import annotations

import numpy as np
import pytest

from zccvoice.simulator.demo import demo_scenarios
from zccvoice.simulator.line import LINE_CODECS, carried, through
from zccvoice.simulator.scenario import load_scenario
from zccvoice.simulator.sources import Samples, read_sound


def spoken() -> Samples:
    sound = load_scenario(demo_scenarios()[0]).speech[0].sound
    assert sound is not None
    return read_sound(sound)


@pytest.mark.parametrize(
    ("name", "least_snr_db"), [("L16", 200), ("G.711 A", 30), ("G.711 µ", 30), ("G.722", 30)]
)
def test_sound_comes_back_in_its_place(name: str, least_snr_db: float) -> None:
    sound = spoken()
    heard = through(sound, LINE_CODECS[name])
    assert len(heard) == len(sound)
    error = np.sum((heard.astype(float) - sound) ** 2) + 1e-9
    assert 10 * np.log10(np.sum(sound.astype(float) ** 2) / error) > least_snr_db


def test_opus_for_speech_keeps_the_place_though_not_the_waveform() -> None:
    sound = spoken()
    heard = through(sound, LINE_CODECS["Opus"])
    assert len(heard) == len(sound)
    size = 2 * len(sound)
    spectrum = np.fft.rfft(heard.astype(float), size) * np.conj(np.fft.rfft(sound.astype(float), size))
    alike = np.fft.irfft(spectrum, size) / np.sqrt(np.sum(sound.astype(float) ** 2))
    alike /= np.sqrt(np.sum(heard.astype(float) ** 2))
    late = int(np.argmax(alike))
    assert min(late, size - late) <= 1
    assert alike[late] > 0.85


def test_lost_packets_are_zeros() -> None:
    sound = np.full(50 * 320 * 16, 1000, np.int16)
    heard = through(sound, LINE_CODECS["L16"], lost_ratio=0.1, seed=4).reshape(-1, 320)
    is_lost = ~heard.any(axis=1)
    assert 0.06 < is_lost.mean() < 0.14
    assert (heard[~is_lost] == 1000).all()


@pytest.mark.parametrize("name", list(LINE_CODECS))
def test_what_arrives_has_its_time_and_some_is_missing(name: str) -> None:
    sound = np.resize(spoken(), 16_000 * 10)
    sent = carried(sound, LINE_CODECS[name], lost_ratio=0.1, seed=4)
    arriving = sent.arriving(1_000)
    assert len(sent.payloads) == len(sound) // 320 + 5
    assert 0.06 < 1 - len(arriving) / len(sent.payloads) < 0.14
    assert all(payload == sent.payloads[(at_ms - 1_000) // 20] for at_ms, payload in arriving)
    times_ms = [at_ms for at_ms, _ in arriving]
    assert times_ms == sorted(set(times_ms))
