from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.audio.newest import FAR_AHEAD_MS, LONGEST_HOLE_MS, Newest

FAR = FAR_AHEAD_MS + 1


@pytest.mark.parametrize(
    ("times_ms", "newest_ms"),
    [
        pytest.param([1_000], 1_000, id="the first"),
        pytest.param([1_000, 1_100, 1_050], 1_100, id="as they come"),
        pytest.param([1_000, 1_100, 1_100 + FAR, 1_200], 1_200, id="a single one far ahead"),
        pytest.param([1_000, 1_100, 9**13, 1_200, 1_300], 1_300, id="further than any"),
        pytest.param([FAR + 9_000, 1_000, 1_100], 1_100, id="the first one of all"),
        pytest.param([1_000, 1_100, 90_000, 90_100], 90_100, id="after a hold"),
        pytest.param([1_000, 1_100, 90_000, 180_000], 180_000, id="a word every now and then"),
        pytest.param([1_000, 1_100, LONGEST_HOLE_MS * 3, LONGEST_HOLE_MS * 3 + 100], LONGEST_HOLE_MS * 3 + 100,
                     id="the clock was set forward"),
    ],
)  # fmt: skip
def test_a_single_timestamp_is_believed_when_another_one_confirms_it(
    times_ms: Sequence[int], newest_ms: int
) -> None:
    newest = Newest()
    for timestamp_ms in times_ms:
        newest.take(timestamp_ms)
    assert newest.ms == newest_ms


@given(st.lists(st.lists(st.integers(0, 5 * FAR_AHEAD_MS), min_size=1, max_size=6), min_size=1, max_size=6))
def test_to_take_several_is_to_take_each(groups: list[list[int]]) -> None:
    one, all_ = Newest(), Newest()
    for times_ms in groups:
        for timestamp_ms in times_ms:
            one.take(timestamp_ms)
        all_.take_all(times_ms)
        assert one.ms == all_.ms
