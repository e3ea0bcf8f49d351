from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.audio.axis import assert_seamless
from zccvoice.audio.frame import SAMPLES_PER_MS, AudioFormat, Encoding, Gap, Packet
from zccvoice.audio.holes import LOST_PACKETS
from zccvoice.audio.timeline import Timeline
from zccvoice.errors import DecodeError
from zccvoice.rtms.timestamps import plausible_ms

PACKET_MS = 20
PACKET_SAMPLES = 320
FORMAT = AudioFormat()
START_MS = 1_781_000_012_340


def payload(number: int) -> bytes:
    """A packet whose every sample is its number."""
    return np.full(PACKET_SAMPLES, number, "<i2").tobytes()


def run(numbers: list[int], *, jitter_ms: list[int] | None = None) -> tuple[Timeline, list[Packet | Gap]]:
    timeline = Timeline(FORMAT)
    out = []
    for index, number in enumerate(numbers):
        shift = 0 if jitter_ms is None else jitter_ms[index]
        out += timeline.push(START_MS + number * PACKET_MS + shift, payload(number))
    return timeline, out + timeline.flush()


def samples(pieces: list[Packet | Gap]) -> list[int]:
    """The axis in packets: the packet's number, or −1 for a missing one. Checks that positions have no seam."""
    axis: list[int] = []
    position = 0
    for piece in pieces:
        assert piece.position == position
        position += piece.sample_count
        packets = piece.sample_count // PACKET_SAMPLES
        axis += [-1] * packets if isinstance(piece, Gap) else [int(np.frombuffer(piece.payload, "<i2")[0])]
    return axis


def test_in_order() -> None:
    timeline, out = run(list(range(20)))
    assert samples(out) == list(range(20))
    assert (timeline.packets, timeline.lost_packets, timeline.first_timestamp_ms) == (20, 0, START_MS)


def test_packets_come_out_as_soon_as_they_are_in_order() -> None:
    timeline = Timeline(FORMAT)
    for number in range(11):  # the start is held back: something older might still come
        assert timeline.push(START_MS + number * PACKET_MS, payload(number)) == []
    assert len(timeline.push(START_MS + 11 * PACKET_MS, payload(11))) == 12
    assert len(timeline.push(START_MS + 12 * PACKET_MS, payload(12))) == 1


def test_a_loss_is_a_gap_of_its_length() -> None:
    timeline, out = run([0, 1, 2, 5, 6, 7])
    assert samples(out) == [0, 1, 2, -1, -1, 5, 6, 7]
    assert timeline.lost_packets == 2


def test_a_hole_closes_when_the_window_has_passed() -> None:
    timeline = Timeline(FORMAT)
    for number in range(12):
        timeline.push(START_MS + number * PACKET_MS, payload(number))
    for number in range(13, 24):
        assert timeline.push(START_MS + number * PACKET_MS, payload(number)) == []
    assert samples([Packet(0, 12 * PACKET_SAMPLES, payload(0))])
    late = timeline.push(START_MS + 24 * PACKET_MS, payload(24))
    assert isinstance(late[0], Gap)
    assert late[0].sample_count == PACKET_SAMPLES


def test_a_leg_that_was_quiet_for_long_is_no_loss() -> None:
    timeline, out = run([0, 1, 200, 201])
    gap = out[2]
    assert isinstance(gap, Gap)
    assert (gap.is_loss, gap.sample_count, timeline.lost_packets) == (False, 198 * PACKET_SAMPLES, 0)


@pytest.mark.parametrize("late_ms", [-60, 0, 60])
@pytest.mark.parametrize("is_resumed", [True, False])
def test_a_pause_that_zoom_announced_is_no_loss(late_ms: int, is_resumed: bool) -> None:
    timeline = Timeline(FORMAT)
    out = []
    for number in range(20):
        out += timeline.push(START_MS + number * PACKET_MS, payload(number))
    timeline.pauses.begin(START_MS + 20 * PACKET_MS + late_ms)
    if is_resumed:  # else the news of it comes after the packets
        timeline.pauses.end(START_MS + 60 * PACKET_MS + late_ms)
    for number in range(60, 80):
        out += timeline.push(START_MS + number * PACKET_MS, payload(number))
    out += timeline.flush()
    assert samples(out) == [*range(20), *[-1] * 40, *range(60, 80)]
    assert [one.cause for one in out if isinstance(one, Gap)] == [None]
    assert timeline.lost_packets == 0


def test_a_pause_explains_no_other_hole() -> None:
    timeline = Timeline(FORMAT)
    out = []
    for number in (*range(20), *range(40, 60), *range(80, 100)):
        if number == 40:
            timeline.pauses.begin(START_MS + 60 * PACKET_MS)
            timeline.pauses.end(START_MS + 80 * PACKET_MS)
        out += timeline.push(START_MS + number * PACKET_MS, payload(number))
    out += timeline.flush()
    assert [one.cause for one in out if isinstance(one, Gap)] == [LOST_PACKETS, None]
    assert timeline.lost_packets == 20


def test_a_pause_whose_end_is_known_leaves_one_that_goes_on() -> None:
    timeline = Timeline(FORMAT)
    out = []
    for number in (*range(20), *range(40, 60), *range(80, 100)):
        if number == 19:
            timeline.pauses.begin(START_MS + 60 * PACKET_MS)
            timeline.pauses.add(START_MS + 20 * PACKET_MS, START_MS + 40 * PACKET_MS)
        out += timeline.push(START_MS + number * PACKET_MS, payload(number))
    timeline.pauses.end(START_MS + 80 * PACKET_MS)
    out += timeline.flush()
    assert [one.cause for one in out if isinstance(one, Gap)] == [None, None]


def test_two_seconds_are_still_loss() -> None:
    timeline, _ = run([0, 101, 102])
    assert timeline.lost_packets == 100
    timeline, _ = run([0, 102, 103])
    assert timeline.lost_packets == 0


def test_what_comes_too_late_is_counted_and_left_out() -> None:
    timeline, out = run([*range(12), *range(13, 30), 12, 30])
    assert samples(out) == [*range(12), -1, *range(13, 31)]
    assert (timeline.reordered_packets, timeline.lost_packets) == (1, 1)


def test_a_minute_at_once() -> None:
    _, out = run(list(range(3000)))
    assert samples(out) == list(range(3000))


@pytest.mark.parametrize("bad", [b"", b"\0", b"\0" * 32_002])
def test_an_impossible_payload_is_refused_and_leaves_a_gap(bad: bytes) -> None:
    timeline = Timeline(FORMAT)
    out = []
    for number in range(30):
        try:
            out += timeline.push(START_MS + number * PACKET_MS, bad if number == 7 else payload(number))
        except DecodeError:
            assert number == 7
    assert samples(out + timeline.flush()) == [-1 if number == 7 else number for number in range(30)]


@given(st.data())
def test_any_order_and_repetition_inside_the_window_gives_the_same_samples(data: st.DataObject) -> None:
    count = data.draw(st.integers(2, 40))
    lost = data.draw(st.sets(st.integers(1, count - 1), max_size=5))
    numbers = [number for number in range(count) if number not in lost]
    # Each packet is late by less than the window, and some come twice.
    lateness = data.draw(st.lists(st.integers(0, 9), min_size=len(numbers), max_size=len(numbers)))
    order = sorted(zip(numbers, lateness, strict=True), key=lambda pair: (pair[0] + pair[1], pair[0]))
    again = data.draw(st.lists(st.integers(0, len(order) - 1), max_size=5))
    script = [number for number, _ in order]
    for index in sorted(again, reverse=True):
        script.insert(min(len(script), index + 3), script[index])
    timeline, out = run(script)
    last = numbers[-1]
    assert samples(out) == [number if number in numbers else -1 for number in range(last + 1)][numbers[0] :]
    assert timeline.duplicate_packets == len(script) - len(numbers)
    assert timeline.lost_packets == last + 1 - numbers[0] - len(numbers)
    assert timeline.packets + timeline.lost_packets == timeline.position // PACKET_SAMPLES


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=60))
def test_jitter_of_less_than_half_a_packet_neither_costs_nor_adds_a_sample(jitter_ms: list[int]) -> None:
    jitter_ms[0] = 0
    timeline, out = run(list(range(len(jitter_ms))), jitter_ms=jitter_ms)
    assert samples(out) == list(range(len(jitter_ms)))
    assert timeline.position == len(jitter_ms) * PACKET_SAMPLES


@given(st.lists(st.tuples(st.integers(0, 5_000_000), st.integers(1, 400)), max_size=60))
def test_any_timestamps_give_an_axis_without_seams(script: list[tuple[int, int]]) -> None:
    timeline = Timeline(FORMAT)
    out = []
    for timestamp_ms, half in script:
        out += timeline.push(timestamp_ms, b"\1\0" * half)
    out += timeline.flush()
    assert_seamless(timeline, out, len(script))


@pytest.mark.parametrize("step_ms", [-30_000, -400_000, 7 * 24 * 3_600_000])
def test_a_clock_that_is_set_costs_nothing(step_ms: int) -> None:
    timeline = Timeline(FORMAT)
    out = []
    for number in range(200):
        later_ms = step_ms if number >= 100 else 0
        out += timeline.push(START_MS + number * PACKET_MS + later_ms, payload(number))
    out += timeline.flush()
    assert samples(out) == list(range(200))
    assert (timeline.packets, timeline.lost_packets) == (200, 0)


@pytest.mark.parametrize(
    ("packet_ms", "step_ms"), [(20, -1_000), (20, -5_000), (100, -20_000), (200, -50_000)]
)
def test_a_clock_that_is_set_back_onto_its_own_grid_costs_nothing(packet_ms: int, step_ms: int) -> None:
    """The timestamps come a second time, with other sound."""
    timeline, out = Timeline(AudioFormat(packet_ms=packet_ms)), []
    for number in range(1_000):
        later_ms = step_ms if number >= 500 else 0
        out += timeline.push(START_MS + number * packet_ms + later_ms, payload(number) * (packet_ms // 20))
    out += timeline.flush()
    heard = [int(np.frombuffer(piece.payload, "<i2")[0]) for piece in out if isinstance(piece, Packet)]
    assert heard == list(range(1_000))
    assert (timeline.packets, timeline.duplicate_packets, timeline.lost_packets) == (1_000, 0, 0)


@pytest.mark.parametrize("packet_ms", [20, 100, 200])
@pytest.mark.parametrize("again_ms", [2_000, 10_000, 60_000])
def test_what_comes_again_after_an_interruption_is_heard_once(packet_ms: int, again_ms: int) -> None:
    timeline, out = Timeline(AudioFormat(packet_ms=packet_ms)), []
    before, after, again = 65_000 // packet_ms, 75_000 // packet_ms, again_ms // packet_ms
    for number in (*range(before), *range(before - again, before), *range(before, after)):
        out += timeline.push(START_MS + number * packet_ms, payload(number) * (packet_ms // 20))
    out += timeline.flush()
    heard = [int(np.frombuffer(piece.payload, "<i2")[0]) for piece in out if isinstance(piece, Packet)]
    assert heard == list(range(after))
    assert timeline.position == 75_000 * SAMPLES_PER_MS
    assert (timeline.duplicate_packets, timeline.lost_packets) == (again, 0)


def test_one_old_packet_that_is_sent_again_and_again_is_no_clock_that_was_set_back() -> None:
    timeline, out = run([*range(3_500), *[300] * 20, *range(3_500, 4_000)])
    assert samples(out) == list(range(4_000))
    assert timeline.duplicate_packets == 20


def test_memory_does_not_grow_with_the_length_of_the_call() -> None:
    """What is remembered of packets is as much after an hour as at the beginning, refused ones too."""
    timeline = Timeline(AudioFormat(packet_ms=100))
    sizes = []
    for number in range(36_000):
        if number % 600 == 7:
            with pytest.raises(DecodeError):
                timeline.push(START_MS + number * 100, b"\0")
            sizes.append(len(timeline._marks) + 1_000 * len(list(timeline._refusals)))
        else:
            timeline.push(START_MS + number * 100, bytes(3_200))
    assert max(sizes) <= 12_500


@pytest.mark.parametrize("at", [0, 1, 15, 99])
@pytest.mark.parametrize("ahead_ms", [11_000, 3_600_000, 10 * 365 * 24 * 3_600_000])
def test_one_timestamp_far_ahead_does_not_move_the_track(at: int, ahead_ms: int) -> None:
    timeline = Timeline(FORMAT)
    out = []
    for number in range(100):
        later_ms = ahead_ms if number == at else 0
        out += timeline.push(START_MS + number * PACKET_MS + later_ms, payload(number))
    out += timeline.flush()
    if at == 99 and ahead_ms < 24 * 3_600_000:  # the last one: nothing contradicts it
        assert samples(out)[:99] == list(range(99))
        assert (timeline.packets, timeline.stray_packets) == (100, 0)
        return
    first = 1 if at == 0 else 0
    assert (
        samples(out)
        == [-1 if number == at else number for number in range(100)][first : 99 if at == 99 else 100]
    )
    assert (timeline.packets, timeline.stray_packets) == (99, 1)


def test_a_leg_that_speaks_again_after_long_is_believed_with_its_second_packet() -> None:
    timeline = Timeline(FORMAT)
    for number in range(20):
        timeline.push(START_MS + number * PACKET_MS, payload(number))
    assert timeline.push(START_MS + 5_000 * PACKET_MS, payload(7)) == []
    assert timeline.push(START_MS + 5_000 * PACKET_MS, payload(7)) == [], "a repetition confirms nothing"
    assert timeline.duplicate_packets == 1
    out = timeline.push(START_MS + 5_001 * PACKET_MS, payload(8))
    out += timeline.flush()
    assert out[0] == Gap(20 * PACKET_SAMPLES, 4_980 * PACKET_SAMPLES, None)
    assert [piece.position // PACKET_SAMPLES for piece in out[1:]] == [5_000, 5_001]
    assert timeline.stray_packets == 0


@pytest.mark.parametrize("parts_per_million", [-300, -50, 50, 300])
def test_samples_that_drift_from_their_timestamps_are_held_to_them(parts_per_million: int) -> None:
    timeline, placed = Timeline(FORMAT), []
    for number in range(30_000):  # ten minutes
        told_ms = round(number * PACKET_MS * (1 + parts_per_million / 1e6))
        placed += timeline.push(START_MS + told_ms, payload(0), (told_ms, 0))
    late = [
        piece.position - piece.source[0] * 16
        for piece in placed
        if isinstance(piece, Packet) and piece.source
    ]
    assert max(map(abs, late)) <= PACKET_SAMPLES + 16
    assert timeline.packets >= 30_000 * (1 - 400 / 1e6)
    assert timeline.packets + timeline.late_packets == 30_000
    drift_packets = max(0, timeline.position // PACKET_SAMPLES - timeline.packets)
    assert abs(timeline.lost_packets - drift_packets) <= 1, "holes of half a packet are not whole ones"


@pytest.mark.parametrize(
    "unit",
    [1, 1_000, 1_000_000, 1e-3],
    ids=["milliseconds", "microseconds", "nanoseconds", "seconds with a fraction"],
)
def test_timestamps_in_any_unit_give_the_same_axis(unit: float) -> None:
    timeline, out = Timeline(FORMAT), []
    for number in range(50):
        told = (START_MS + number * PACKET_MS) * unit
        when_ms = plausible_ms(told)
        assert when_ms is not None
        out += timeline.push(when_ms, payload(number))
    assert samples(out + timeline.flush()) == list(range(50))


@pytest.mark.parametrize(("last", "cause"), [(b"\x08", None), (b"\x08" * 30, LOST_PACKETS)])
def test_silence_that_opus_does_not_transmit_is_no_loss(last: bytes, cause: str | None) -> None:
    timeline, out, spoken = Timeline(AudioFormat(Encoding.OPUS, 48_000)), [], b"\x08" * 30
    for number in range(10):
        out += timeline.push(START_MS + number * PACKET_MS, last if number == 9 else spoken)
    for number in range(29, 40):
        out += timeline.push(START_MS + number * PACKET_MS, spoken)
    out += timeline.flush()
    gaps = [piece for piece in out if isinstance(piece, Gap)]
    assert [(gap.sample_count, gap.cause) for gap in gaps] == [(19 * PACKET_SAMPLES, cause)]


def test_rtp_headers_are_taken_off() -> None:
    timeline = Timeline(AudioFormat(is_rtp=True))
    header = b"\x80\x60" + bytes(10)
    out = []
    for number in range(20):
        out += timeline.push(START_MS + number * PACKET_MS, header + payload(number))
    with pytest.raises(DecodeError, match="RTP packet"):
        timeline.push(START_MS + 20 * PACKET_MS, payload(20))
    assert samples(out + timeline.flush()) == [*range(20), -1]


def test_packets_of_any_length_are_counted_by_their_own() -> None:
    timeline = Timeline(FORMAT)
    for number in (0, 1, 2, 5, 6, 7, 8, 9):
        timeline.push(START_MS + number * 100, b"\1\0" * 1600)
    timeline.flush()
    assert timeline.lost_packets == 2


def test_packets_keep_their_source() -> None:
    timeline, out = Timeline(FORMAT), []
    for number in (0, 2, 1, 1, 5, 4):
        out += timeline.push(START_MS + number * PACKET_MS, payload(number), (1000, number))
    out += timeline.flush()
    assert [piece.source for piece in out if isinstance(piece, Packet)] == [
        (1000, n) for n in (0, 1, 2, 4, 5)
    ]


@pytest.mark.parametrize("packet_ms", [20, 100, 1_000])
def test_a_word_every_quarter_of_a_minute_is_kept(packet_ms: int) -> None:
    """Nothing comes from who is silent, and one packet may hold all that he says."""
    timeline = Timeline(AudioFormat(packet_ms=packet_ms))
    words = [START_MS, *(START_MS + 15_000 * number for number in range(1, 8))]
    found = [one for at in words for one in timeline.push(at, bytes(32 * packet_ms))] + timeline.flush()
    packets = [one.position // SAMPLES_PER_MS for one in found if isinstance(one, Packet)]
    assert packets == [at - START_MS for at in words]
    assert {one.cause for one in found if isinstance(one, Gap)} == {None}
    assert (timeline.packets, timeline.stray_packets, timeline.lost_packets) == (8, 0, 0)


def test_two_timestamps_that_contradict_each_other_are_not_believed() -> None:
    timeline = Timeline(AudioFormat(packet_ms=100))
    day_ms = 24 * 3_600_000
    wild = [START_MS + 100 + 2 * day_ms, START_MS + 100 + 5 * day_ms]
    for at in [START_MS, START_MS + 100, *wild, START_MS + 200]:
        timeline.push(at, bytes(3_200))
    timeline.flush()
    assert (timeline.packets, timeline.stray_packets) == (3, 2)
    assert timeline.position == 300 * SAMPLES_PER_MS


def test_what_waits_for_a_neighbour_when_the_clock_is_set_back_is_kept() -> None:
    timeline = Timeline(AudioFormat())
    before = [*range(0, 1_000, 20), 1_040, 1_060]
    back = range(-60_000, -59_000, 20)
    found = [one for at in (*before, *back) for one in timeline.push(START_MS + at, bytes(640))]
    found += timeline.flush()
    assert timeline.packets == sum(isinstance(one, Packet) for one in found) == len(before) + len(back)
    (gap,) = (one for one in found if isinstance(one, Gap))
    assert (gap.position, gap.sample_count, gap.cause) == (1_000 * SAMPLES_PER_MS, 640, LOST_PACKETS)
    assert timeline.position == 2_080 * SAMPLES_PER_MS
