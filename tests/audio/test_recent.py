"""What is kept of a track's sound, against the whole of it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.audio.recent import RecentSound

PIECES = st.lists(st.integers(0, 40), max_size=12)


@given(st.sampled_from([8_000, 16_000]), st.integers(0, 1_000), PIECES, st.data())
def test_it_is_that_stretch_of_the_whole_as_far_as_it_is_kept(
    rate_hz: int, position: int, sizes: list[int], data: st.DataObject
) -> None:
    per_sample = 16_000 // rate_hz
    kept = RecentSound(rate_hz)
    kept.restart(position)
    whole = np.arange(sum(sizes), dtype=np.int16)
    at = forgotten = 0
    for size in sizes:
        kept.add(whole[at : at + size])
        at += size
        forgotten = max(forgotten, data.draw(st.integers(0, at)))
        kept.forget(position + forgotten * per_sample)
        assert kept.start <= position + forgotten * per_sample
        assert kept.end == position + at * per_sample
        start, end = sorted(data.draw(st.tuples(st.integers(forgotten, at), st.integers(forgotten, at + 9))))
        between = kept.between(position + start * per_sample, position + end * per_sample)
        assert np.array_equal(between, whole[start : min(end, at)])


def test_what_nobody_needs_is_dropped_as_soon_as_a_piece_is_over() -> None:
    kept = RecentSound(16_000)
    for _ in range(3):
        kept.add(np.ones(100, np.int16))
    kept.forget(199)
    assert (kept.start, kept.end) == (100, 300)
    kept.forget(200)
    assert (kept.start, kept.end) == (200, 300)
    kept.restart(7)
    assert (kept.start, kept.end, kept.between(0, 999).size) == (7, 7, 0)


def test_most_of_what_is_looked_at_is_not_copied() -> None:
    piece = np.ones(100, np.int16)
    kept = RecentSound(16_000)
    kept.add(np.ones(50, np.int16))
    kept.add(piece)
    assert np.shares_memory(kept.between(60, 140), piece)
