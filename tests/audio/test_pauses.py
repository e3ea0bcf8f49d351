"""When Zoom captured nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zccvoice.audio.pauses import Pauses

MOMENTS = st.integers(0, 30)


@given(st.lists(st.tuples(MOMENTS, MOMENTS), max_size=4), st.none() | MOMENTS, MOMENTS, MOMENTS)
def test_time_is_in_a_pause_or_outside(
    known: list[tuple[int, int]], going_on_ms: int | None, from_ms: int, until_ms: int
) -> None:
    pauses = Pauses()
    paused = {at_ms for start_ms, end_ms in known for at_ms in range(start_ms, end_ms)}
    for start_ms, end_ms in known:
        pauses.add(start_ms, end_ms)
    if going_on_ms is not None:
        pauses.begin(going_on_ms)
        pauses.begin(going_on_ms + 1)  # the same
        paused |= set(range(going_on_ms, 31))
    outside = pauses.outside(from_ms, until_ms)
    assert [at_ms for start_ms, end_ms in outside for at_ms in range(start_ms, end_ms)] == [
        at_ms for at_ms in range(from_ms, until_ms) if at_ms not in paused
    ]
    first = pauses.first_in(from_ms, until_ms, 0)
    met = [at_ms for at_ms in range(from_ms, until_ms) if at_ms in paused]
    assert (first is None) == (not met)
    assert first is None or first[0] == met[0]
