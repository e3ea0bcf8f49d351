from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.speech.loudness import Loudness
from zccvoice.speech.vad import FRAME_SAMPLES, Decisions


def told(loudness: Loudness) -> tuple[float | None, list[float]]:
    return loudness.noise_dbfs, loudness.levels.dbfs().tolist()


def test_noise_is_what_is_no_speech_and_levels_are_the_loudest_of_their_step() -> None:
    loudness = Loudness()
    levels = [-60.0] * 5 + [-20.0, -30.0, -60.0, -120.0, -61.0]
    loudness.add(Decisions([level > -40 for level in levels], levels), 10 * FRAME_SAMPLES)
    assert told(loudness) == (-61, [-60, -20])


def test_nothing_is_known_of_nothing_and_of_digital_silence() -> None:
    loudness = Loudness()
    assert told(loudness) == (None, [])
    loudness.add(Decisions([False] * 50, [-120.0] * 50), 50 * FRAME_SAMPLES)
    assert told(loudness) == (None, [])


def test_what_is_jumped_over_was_not_heard() -> None:
    loudness = Loudness()
    for end in (5, 15):
        loudness.add(Decisions([False] * 5, [-50.0] * 5), end * FRAME_SAMPLES)
    assert loudness.levels.dbfs().tolist() == pytest.approx([-50, np.nan, -50], nan_ok=True)


@given(
    st.lists(st.tuples(st.booleans(), st.floats(-130, 0)), max_size=1_500),
    st.lists(st.integers(1, 700), max_size=8),
)
def test_where_the_input_is_cut_does_not_matter(frames: list[tuple[bool, float]], sizes: list[int]) -> None:
    flags, levels = [flag for flag, _ in frames], [level for _, level in frames]
    whole, piecewise = Loudness(), Loudness()
    whole.add(Decisions(flags, levels), len(frames) * FRAME_SAMPLES)
    at = 0
    for size in [*sizes, len(frames)]:
        some = slice(at, at + size)
        at = min(at + size, len(frames))
        piecewise.add(Decisions(flags[some], levels[some]), at * FRAME_SAMPLES)
        _ = piecewise.noise_dbfs if size % 2 else None  # whenever someone asks
    assert piecewise.noise_dbfs == whole.noise_dbfs
    assert np.array_equal(piecewise.levels.dbfs(), whole.levels.dbfs(), equal_nan=True)
