from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.speech.sounds import Samples, noise, voice
from zccvoice.bench import tunes
from zccvoice.config import VadConfig
from zccvoice.speech import tones
from zccvoice.speech.tones import STEP_SAMPLES, tonality


def sounded(sound: np.ndarray, *, dbfs: float = -20, noise_dbfs: float = -65) -> Samples:
    hiss = np.random.default_rng(1).standard_normal(len(sound)) * 10 ** (noise_dbfs / 20)
    return np.clip((sound * 10 ** (dbfs / 20) + hiss) * 32_768, -32_768, 32_767).astype(np.int16)


@pytest.mark.parametrize("piece", tunes.TUNING_PIECES + tunes.HELD_OUT_PIECES, ids=lambda piece: piece.title)
def test_notes_keep_their_place(piece: tunes.Piece) -> None:
    assert np.median(tonality(sounded(tunes.music(piece, 8 * 16_000))).steadiness) > VadConfig().steadiness


@pytest.mark.parametrize(
    "signal", tunes.TUNING_CADENCES + tunes.HELD_OUT_CADENCES, ids=lambda signal: signal.name
)
def test_signals_keep_their_place(signal: tunes.Cadence) -> None:
    """Over a few seconds, whatever their rhythm."""
    assert tonality(sounded(tunes.cadence(signal, 5 * 16_000))).steadiness.max() > VadConfig().steadiness


@pytest.mark.parametrize("name", ["ringback UK", "ringback AU", "busy UK", "congestion ES"])
@pytest.mark.parametrize("snr_db", [25, 20, 15])
def test_signals_keep_their_place_on_a_noisy_line(name: str, snr_db: int) -> None:
    """A third of their time and more, which makes them doubtful, though the noise in their pauses keeps none."""
    (signal,) = (one for one in tunes.TUNING_CADENCES + tunes.HELD_OUT_CADENCES if one.name == name)
    sound = tunes.cadence(signal, 5 * 16_000)
    steadiness = tonality(sounded(sound, noise_dbfs=-20 - snr_db)).steadiness
    sounding = np.abs(sound[: len(steadiness) * STEP_SAMPLES].reshape(-1, STEP_SAMPLES)).max(axis=1) > 0
    assert np.mean(steadiness[sounding] > VadConfig().steadiness) > 1 / 3


def test_a_voice_glides_and_has_a_pitch() -> None:
    heard = tonality(voice(4000))
    assert heard.steadiness.max() < 0.6
    assert np.mean(heard.periodicity > 0.5) > 0.5, "most of it: the test's voice glides fast"
    assert not heard.is_key.any()


def test_noise_has_neither() -> None:
    heard = tonality(noise(4000, dbfs=-20))
    assert heard.steadiness.max() < 0.6
    assert heard.periodicity.max() < 0.5
    assert not heard.is_key.any()


def test_keys_are_known() -> None:
    sound, spans = tunes.key_tones(10 * 16_000, np.random.default_rng(3))
    is_key = tonality(sounded(sound)).is_key
    for start, end in spans:
        assert is_key[start // STEP_SAMPLES : -(-end // STEP_SAMPLES)].any()
    pressed = np.zeros(len(is_key), bool)
    for start, end in spans:
        pressed[start // STEP_SAMPLES : -(-end // STEP_SAMPLES)] = True
    assert not (is_key & ~pressed).any()


def test_other_pairs_of_tones_are_no_keys() -> None:
    busy = tunes.Cadence("busy", (480, 620), (2, 1))
    assert not tonality(sounded(tunes.cadence(busy, 16_000))).is_key.any()


@pytest.mark.parametrize("steps_at_once", [2, 5, 33])
def test_how_many_steps_are_looked_at_at_once_makes_no_difference(
    monkeypatch: pytest.MonkeyPatch, steps_at_once: int
) -> None:
    keys, _ = tunes.key_tones(5 * 16_000, np.random.default_rng(3))
    sound = np.concatenate([voice(2000), sounded(tunes.music(tunes.TUNING_PIECES[0], 60_000)), sounded(keys)])
    whole = tonality(sound)
    monkeypatch.setattr(tones, "_STEPS_AT_ONCE", steps_at_once)
    heard = tonality(sound)
    assert np.allclose(heard.steadiness, whole.steadiness, atol=1e-5)
    assert np.allclose(heard.periodicity, whole.periodicity, atol=1e-5)
    assert np.array_equal(heard.is_key, whole.is_key)


@given(st.integers(0, 4000), st.sampled_from([0, 1, -32_768, 32_767]))
def test_any_sound_gives_finite_values_per_step(length: int, value: int) -> None:
    heard = tonality(np.full(length, value, np.int16))
    for values in (heard.steadiness, heard.periodicity, heard.is_key):
        assert len(values) == length // STEP_SAMPLES
        assert np.isfinite(values).all()
