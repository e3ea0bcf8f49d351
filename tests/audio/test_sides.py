from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zccvoice.audio.quality import frame_levels_dbfs
from zccvoice.audio.sides import STEP_MS, Levels, leakage, one_way_stretches

STEP = STEP_MS * 16


def talk(seconds: int, seed: int) -> np.ndarray:
    """Syllables of noise, in phrases with pauses between: ``float64[n]`` at 16 kHz, RMS about 0.1."""
    chance = np.random.default_rng(seed)
    length = seconds * 16_000
    at = np.arange(length) / 16_000
    syllables = np.interp(at, np.arange(seconds * 5 + 1) / 5, chance.uniform(0.02, 1, seconds * 5 + 1))
    phrases = np.repeat(chance.random(seconds) < 0.5, 16_000)
    return chance.standard_normal(length) * 0.1 * syllables * phrases


def line(sound: np.ndarray, *, noise_dbfs: float = -65, seed: int = 99) -> Levels:
    noise = np.random.default_rng(seed).standard_normal(len(sound)) * 10 ** (noise_dbfs / 20)
    samples = np.clip((sound + noise) * 32_768, -32_768, 32_767).astype(np.int16)
    levels = Levels()
    told = np.array(frame_levels_dbfs(samples[: len(samples) // STEP * STEP], STEP))
    levels.put(np.arange(len(told)), told)
    return levels


@pytest.mark.parametrize("delay_ms", [0, 130, 400])
@pytest.mark.parametrize("gain_db", [0, -3, -6, -20, -30])
def test_the_other_side_is_found_in_a_track(delay_ms: int, gain_db: float) -> None:
    other, own = talk(60, 1), talk(60, 2)
    echo = np.pad(other, (delay_ms * 16, 0))[: len(other)] * 10 ** (gain_db / 20)
    found = leakage(line(own + echo), line(other, seed=98))
    assert found is not None
    assert abs(found.delay_ms - delay_ms) <= STEP_MS
    assert found.gain_db == pytest.approx(gain_db, abs=2)


@settings(max_examples=30)
@given(st.integers(1, 10_000), st.integers(0, 700), st.integers(-25, 0))
def test_what_is_told_of_a_copy_is_right(seed: int, delay_ms: int, gain_db: int) -> None:
    """Though both speak at once half of the time."""
    other, own = talk(60, seed), talk(60, seed + 1)
    echo = np.pad(other, (delay_ms * 16, 0))[: len(other)] * 10 ** (gain_db / 20)
    found = leakage(line(own + echo), line(other, seed=98))
    if found is not None:
        assert abs(found.delay_ms - delay_ms) <= STEP_MS
        assert found.gain_db == pytest.approx(gain_db, abs=5)


def test_two_channels_with_the_same_sound() -> None:
    both = line(talk(60, 1) + talk(60, 2))
    found = leakage(both, both)
    assert found is not None
    assert (found.delay_ms, found.gain_db) == (0, 0)
    assert found.correlation == pytest.approx(1)


@given(st.integers(1, 10_000))
def test_two_people_who_talk_are_no_leakage(seed: int) -> None:
    assert leakage(line(talk(40, seed)), line(talk(40, seed + 1), seed=98)) is None


def test_too_little_speech_tells_nothing() -> None:
    other = talk(60, 1)
    other[5 * 16_000 :] = 0
    assert leakage(line(other * 0.03), line(other, seed=98)) is None


def test_tracks_that_begin_at_different_times() -> None:
    other = talk(60, 1)
    echo = np.pad(other, (200 * 16, 0))[: len(other)] * 0.05
    found = leakage(line(echo[3 * 16_000 :]), line(other, seed=98), own_starts_later_ms=3_000)
    assert found is not None
    assert found.delay_ms == 200
    found = leakage(line(echo), line(other[3 * 16_000 :], seed=98), own_starts_later_ms=-3_000)
    assert found is not None
    assert found.delay_ms == 200


def test_what_was_not_heard_is_not_a_number() -> None:
    levels = Levels()
    levels.put(np.array([3, 3, 1]), np.array([-20.4, -30, -300]))
    levels.put(np.array([3]), np.array([-30.0]))
    levels.put(np.array([], np.intp), np.array([]))
    assert len(levels) == 4
    assert np.isnan(levels.dbfs()).tolist() == [True, False, True, False]
    assert levels.dbfs()[[1, 3]].tolist() == [-254, -20]


def test_a_silent_side_while_the_other_speaks() -> None:
    other = [(at, at + 4_000) for at in range(0, 180_000, 6_000)]
    assert one_way_stretches([], other, 180_000) == [(0, 180_000)]
    assert one_way_stretches([(10_000, 12_000), (100_000, 101_000)], other, 130_000) == [(12_000, 100_000)]


def test_silence_of_both_is_no_one_way_audio() -> None:
    assert one_way_stretches([], [(0, 10_000)], 180_000) == []


spans = st.lists(st.tuples(st.integers(0, 30_000), st.integers(1, 30_000)), max_size=20).map(
    lambda parts: [
        (sum(sum(p) for p in parts[:n]) + gap, sum(sum(p) for p in parts[: n + 1]))
        for n, (gap, _) in enumerate(parts)
    ]
)


@given(spans, spans)
def test_stretches_are_silent_long_and_in_order(
    own: list[tuple[int, int]], other: list[tuple[int, int]]
) -> None:
    end_ms = max([end for _, end in own + other], default=0)
    before = 0
    for start, end in one_way_stretches(own, other, end_ms):
        assert before <= start
        assert end - start >= 60_000
        assert not any(begin < end and stop > start for begin, stop in own)
        before = end
