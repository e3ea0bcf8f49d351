from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.audio.clipping import Clipping, clipping_for
from zccvoice.audio.frame import AudioFormat, Encoding
from zccvoice.audio.quality import clipped_ratio

TOPS = [32_767, 32_700, -32_768, 32_123, 0]


@given(
    st.lists(st.tuples(st.sampled_from(TOPS), st.integers(1, 9)), min_size=12, max_size=40),
    st.sampled_from([2, 3]),
    st.data(),
)
def test_it_is_told_of_any_stretch_as_of_its_samples_however_it_came(
    stays: list[tuple[int, int]], per_place: int, data: st.DataObject
) -> None:
    sound = np.repeat(*np.array(stays).T).astype(np.int16)
    places = len(sound) // per_place
    sound = sound[: places * per_place]
    cuts = sorted({0, places, *data.draw(st.lists(st.integers(1, places - 1), max_size=8))})
    clipping = Clipping(per_place * 16_000)
    for begin, end in pairwise(cuts):
        clipping.push(begin, sound[begin * per_place : end * per_place])
    start = data.draw(st.integers(0, places - 1))
    clipping.forget(data.draw(st.integers(0, start)))
    end = data.draw(st.integers(start + 1, places))
    assert clipping.ratio(start, end) == clipped_ratio(sound[start * per_place : end * per_place])


@given(
    st.lists(st.tuples(st.sampled_from(TOPS), st.integers(1, 9)), min_size=12, max_size=40),
    st.sampled_from([8_000, 11_025, 44_100, 48_000]),
    st.data(),
)
def test_what_one_saw_another_is_told_in_pieces(
    stays: list[tuple[int, int]], rate_hz: int, data: st.DataObject
) -> None:
    sound = np.repeat(*np.array(stays).T).astype(np.int16)
    seen, told = Clipping(rate_hz), Clipping(rate_hz)
    cuts = sorted({0, len(sound), *data.draw(st.lists(st.integers(1, len(sound) - 1), max_size=8))})
    for begin, end in pairwise(cuts):
        seen.take(begin, sound[begin:end])
    places = len(sound) * 16_000 // rate_hz + 3
    cuts = sorted({0, places, *data.draw(st.lists(st.integers(1, places - 1), max_size=8))})
    for begin, end in pairwise(cuts):
        told.note(begin, seen.lengths(begin, end))
        seen.forget(end)
    count = told.ratio(0, places) * told.number_at(places)
    assert count == pytest.approx(clipped_ratio(sound) * len(sound))


def test_what_two_tell_of_one_stretch_counts_once() -> None:
    """Their places are rounded to the millisecond."""
    told = Clipping(11_025)
    told.note(0, (100, 1_003))
    told.note(1_600, (0, 100, 5, 4))
    assert told.ratio(0, 3_200) == (1_003 + 99 + 4) / 2_205


def test_what_is_on_either_side_of_a_hole_is_not_one() -> None:
    clipping = Clipping(48_000)
    top = np.full(6, 32_767, np.int16)
    clipping.push(0, np.concatenate([np.zeros(4, np.int16), top[:2]]))
    clipping.push(10, np.concatenate([top[:4], np.zeros(2, np.int16)]))
    assert clipping.ratio(0, 12) == 4 / 36


def test_what_is_forgotten_takes_no_room() -> None:
    clipping = Clipping(32_000)
    for position in range(0, 160_000, 160):
        clipping.push(position, np.tile([32_767] * 5 + [0] * 3, 40).astype(np.int16))
        clipping.forget(position - 16_000)
    assert len(clipping._tops) < 5_000


@pytest.mark.parametrize(
    ("audio_format", "is_looked_at"),
    [
        (AudioFormat(Encoding.L16, 48_000), True),
        (AudioFormat(Encoding.L16, 32_000, 2), True),
        (AudioFormat(Encoding.L16, 16_000), False),
        (AudioFormat(Encoding.L16, 16_000, 2), True),
        (AudioFormat(Encoding.L16, 8_000, 2), True),
        (AudioFormat(Encoding.L16, 8_000), False),
        (AudioFormat(Encoding.PCMA, 8_000), False),
        (AudioFormat(Encoding.OPUS, 48_000), False),
    ],
)
def test_only_what_is_to_be_resampled_down_or_mixed_is_looked_at(
    audio_format: AudioFormat, is_looked_at: bool
) -> None:
    """Opus is decoded at 16 kHz whatever it says."""
    assert (clipping_for(audio_format) is not None) == is_looked_at
