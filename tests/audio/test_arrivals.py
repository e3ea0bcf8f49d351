"""What comes too late: stragglers, or a clock that was set back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.audio.test_timeline import FORMAT, PACKET_MS, START_MS, payload, run, samples
from zccvoice.audio.frame import Gap
from zccvoice.audio.timeline import Timeline


@pytest.mark.parametrize("missing", [range(100, 130), range(100, 199), range(100, 400)], ids=len)
@pytest.mark.parametrize("late", [9, 10, 25, 99])
def test_late_sound_for_a_hole_that_is_closed_is_no_clock_that_was_set_back(
    missing: range, late: int
) -> None:
    script = [
        *range(missing.start),
        *range(missing.stop, missing.stop + 50),
        *missing[:late],
        *range(missing.stop + 50, missing.stop + 100),
    ]
    timeline, out = run(script)
    wanted = [-1 if number in missing else number for number in range(missing.stop + 100)]
    assert samples(out) == wanted
    assert timeline.late_packets == timeline.reordered_packets == len(missing[:late])
    assert timeline.packets == missing.start + 100


@given(st.data())
def test_however_late_sound_for_a_hole_is_parted_it_changes_nothing(data: st.DataObject) -> None:
    first, length = data.draw(st.integers(20, 60)), data.draw(st.integers(1, 150))
    missing = range(first, first + length)
    late = [number for number in missing if data.draw(st.booleans(), label=f"late {number}")]
    script = [*range(missing.stop, missing.stop + 80)]
    for number in late:  # after the hole was closed: anywhere, in any order
        script.insert(data.draw(st.integers(15, len(script))), number)
    timeline, out = run([*range(first), *script])
    assert samples(out) == [-1 if number in missing else number for number in range(missing.stop + 80)]
    assert (timeline.packets, timeline.late_packets) == (first + 80, len(late))


@pytest.mark.parametrize("back", [60, 400, 990, 1_300])
def test_a_clock_that_is_set_back_into_a_gap_is_known_when_it_leaves_it(back: int) -> None:
    """Sound, a quiet of twenty seconds, ten seconds of sound; then the clock is set back by so many packets."""
    before = [*range(100), *range(1_100, 1_600)]
    timeline, out = Timeline(FORMAT), []
    for index, at in enumerate([*before, *range(1_600 - back, 3_200 - back)]):
        out += timeline.push(START_MS + at * PACKET_MS, payload(index))
    out += timeline.flush()
    axis = samples(out)
    assert axis == [*range(100), *[-1] * 1_000, *range(100, 2_200)]
    assert timeline.late_packets == timeline.duplicate_packets == 0


def test_a_clock_that_is_set_back_into_a_long_gap_is_known_after_a_minute() -> None:
    """A burst is never that long. What comes later than the run began is where it belongs by the new clock."""
    timeline, out, hour = Timeline(FORMAT), [], 3_600_000 // PACKET_MS
    times = [*range(100), *range(hour, hour + 100), *range(hour // 2, hour // 2 + 5_000)]
    for index, at in enumerate(times):
        out += timeline.push(START_MS + at * PACKET_MS, payload(index))
        if index == 200 + 70_000 // PACKET_MS - 1:
            assert (timeline.packets, timeline.late_packets) == (200, 3_500)
    out += timeline.flush()
    assert [one for one in samples(out) if one >= 0] == list(range(5_200))
    assert (timeline.packets, timeline.late_packets) == (5_200, 0)
    assert sum(isinstance(one, Gap) for one in out) == 1


def test_what_is_late_for_a_gap_when_the_track_ends_was_late() -> None:
    timeline, out = run([*range(100), *range(130, 180), *range(100, 130)])
    assert samples(out) == [*range(100), *[-1] * 30, *range(130, 180)]
    assert timeline.late_packets == 30
