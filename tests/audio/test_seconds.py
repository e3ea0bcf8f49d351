"""Tracks whose timestamps are whole seconds."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.audio.axis import assert_seamless
from tests.audio.test_timeline import START_MS
from zccvoice.audio.decoder import UNDECODABLE
from zccvoice.audio.frame import SAMPLES_PER_MS, AudioFormat, Encoding, Gap, Packet
from zccvoice.audio.holes import LOST_PACKETS
from zccvoice.audio.timeline import Timeline
from zccvoice.errors import DecodeError
from zccvoice.rtms.timestamps import plausible_ms

SECOND_MS = 1_000


def told_ms(when_ms: int) -> int:
    """What a clock of whole seconds makes of a time."""
    ms = plausible_ms(when_ms // SECOND_MS)
    assert ms is not None
    return ms


class Sender:
    """Sends packets of one length, each of which holds its number."""

    def __init__(self, packet_ms: int = 20, start_ms: int = START_MS) -> None:
        self.packet_ms, self.start_ms = packet_ms, start_ms
        self.timeline = Timeline(AudioFormat(packet_ms=packet_ms))
        self.out: list[Packet | Gap] = []

    def payload(self, number: int) -> bytes:
        return np.full(self.packet_ms * SAMPLES_PER_MS, number, "<i2").tobytes()

    def when_ms(self, number: int) -> int:
        return self.start_ms + number * self.packet_ms

    def send(self, numbers: Iterable[int], *, value: int | None = None, later_ms: int = 0) -> None:
        for number in numbers:
            payload = self.payload(number if value is None else value)
            self.out += self.timeline.push(told_ms(self.when_ms(number) + later_ms), payload)

    def end(self) -> None:
        self.out += self.timeline.flush()

    def axis(self) -> list[int]:
        """In packets: their numbers, or −1 for a missing one. Checks that positions have no seam."""
        axis, position = [], 0
        for piece in self.out:
            assert piece.position == position
            position += piece.sample_count
            count, rest = divmod(piece.sample_count, self.packet_ms * SAMPLES_PER_MS)
            assert rest == 0
            axis += [-1] * count if isinstance(piece, Gap) else [int(np.frombuffer(piece.payload, "<i2")[0])]
        assert position == self.timeline.position
        return axis

    def heard(self) -> list[int]:
        return [int(np.frombuffer(one.payload, "<i2")[0]) for one in self.out if isinstance(one, Packet)]

    def gaps(self) -> list[tuple[int, str | None]]:
        """How long they are, in ms, and why."""
        return [(one.sample_count // SAMPLES_PER_MS, one.cause) for one in self.out if isinstance(one, Gap)]

    def late_ms(self) -> float:
        """How much later than it was the end of the track is."""
        first_ms, last = self.timeline.first_timestamp_ms, self.heard()[-1]
        assert first_ms is not None
        return first_ms + self.timeline.position / SAMPLES_PER_MS - self.when_ms(last + 1)


@pytest.mark.parametrize("packet_ms", [20, 40, 60, 100, 200, 500, 1_000])
@pytest.mark.parametrize("phase_ms", [0, 1, 340, 660, 980, 999])
def test_a_track_of_whole_seconds_is_heard_completely(packet_ms: int, phase_ms: int) -> None:
    sender = Sender(packet_ms, START_MS // SECOND_MS * SECOND_MS + phase_ms)
    sender.send(range(10_000 // packet_ms))
    sender.end()
    assert sender.axis() == list(range(10_000 // packet_ms))
    assert sender.timeline.late_packets == sender.timeline.duplicate_packets == 0
    assert sender.timeline.lost_packets == 0
    assert abs(sender.late_ms()) < packet_ms, "and stands where it was"


@pytest.mark.parametrize("value", [0, None])
def test_a_packet_comes_out_at_once_when_its_place_is_plain(value: int | None) -> None:
    """The first second waits for the next one; so does what may be a repetition, or silence."""
    sender = Sender()
    sender.send(range(42))
    assert sender.out == [], "33 of the first second, 9 of the next one"
    sender.send([42])
    assert len(sender.heard()) == 43
    sender.send(range(43, 63), value=value)
    assert len(sender.heard()) == (63 if value is None else 44)
    sender.send(range(63, 94))
    sender.end()
    assert len(sender.axis()) == 94


@pytest.mark.parametrize("packet_ms", [20, 100])
@pytest.mark.parametrize("phase_ms", [0, 340, 980])
@pytest.mark.parametrize(
    ("from_ms", "until_ms"),
    [(4_100, 4_200), (4_900, 5_300), (4_000, 5_000), (4_300, 6_300), (4_300, 6_400), (4_300, 16_100)],
)  # fmt: skip
def test_a_hole_is_a_gap_of_its_length(packet_ms: int, phase_ms: int, from_ms: int, until_ms: int) -> None:
    sender = Sender(packet_ms, START_MS // SECOND_MS * SECOND_MS + phase_ms)
    missing = range(from_ms // packet_ms, until_ms // packet_ms)
    sender.send(number for number in range(20_000 // packet_ms) if number not in missing)
    sender.end()
    is_quiet = until_ms - from_ms > 2_000
    assert sender.gaps() == [(until_ms - from_ms, None if is_quiet else LOST_PACKETS)]
    assert sender.timeline.lost_packets == (0 if is_quiet else len(missing))
    assert sender.timeline.late_packets == sender.timeline.duplicate_packets == 0
    assert sender.heard() == [number for number in range(20_000 // packet_ms) if number not in missing]
    assert abs(sender.late_ms()) < packet_ms


@given(st.data())
def test_sound_and_gaps_fill_the_track_whatever_is_lost(data: st.DataObject) -> None:
    """The first two seconds and the last two are there; between them anything may be lost."""
    packet_ms = data.draw(st.sampled_from([20, 40, 100]))
    sender = Sender(packet_ms, START_MS + data.draw(st.integers(0, 999)))
    per_second, count = 1_000 // packet_ms, 12_000 // packet_ms
    lost: set[int] = set()
    for _ in range(data.draw(st.integers(0, 6))):
        first = data.draw(st.integers(2 * per_second, count - 3 * per_second))
        lost.update(range(first, min(first + data.draw(st.integers(1, 150)), count - 3 * per_second)))
    sender.send(number for number in range(count) if number not in lost)
    sender.end()
    assert sender.heard() == [number for number in range(count) if number not in lost]
    assert sum(length_ms for length_ms, _ in sender.gaps()) == len(lost) * packet_ms
    assert sender.timeline.position == 12_000 * SAMPLES_PER_MS
    assert sender.timeline.late_packets == sender.timeline.duplicate_packets == 0
    begin_ms = sender.timeline.first_timestamp_ms or 0
    for piece in sender.out:
        if isinstance(piece, Packet):
            at_ms = begin_ms + piece.position / SAMPLES_PER_MS
            assert abs(at_ms - sender.when_ms(int(np.frombuffer(piece.payload, "<i2")[0]))) < 1_000


@given(st.lists(st.integers(0, 9), min_size=300, max_size=300), st.integers(0, 999))
def test_any_order_inside_the_window_gives_the_same_sound(lateness: list[int], phase_ms: int) -> None:
    """Seconds in order; within one nothing but the order of arrival is known."""
    sender = Sender(start_ms=START_MS + phase_ms)
    arrival = sorted(range(300), key=lambda number: (number + lateness[number], number))
    sender.send(arrival)
    sender.end()
    assert sender.axis() == sorted(arrival, key=lambda number: told_ms(sender.when_ms(number)))
    assert sender.timeline.late_packets == sender.timeline.duplicate_packets == 0
    assert abs(sender.late_ms()) < 300


@given(st.integers(0, 999), st.integers(120, 400), st.integers(1, 300), st.booleans())
def test_what_comes_again_after_an_interruption_is_heard_once(
    phase_ms: int, before: int, again: int, is_ended: bool
) -> None:
    sender = Sender(start_ms=START_MS + phase_ms)
    sender.send(range(before))
    is_in_second = told_ms(sender.when_ms(max(0, before - again))) == told_ms(sender.when_ms(before - 1))
    sender.send(range(max(0, before - again), before))
    if not is_ended or is_in_second:  # a second that is not full may hold something twice
        sender.send(range(before, 600))
    sender.end()
    assert sender.axis() == list(range(600 if not is_ended or is_in_second else before))
    assert sender.timeline.duplicate_packets == min(again, before)
    assert sender.timeline.late_packets == 0


@pytest.mark.parametrize("silent", [range(300), range(20), range(40, 45), range(100, 300), range(70, 90)])
def test_silence_is_no_repetition(silent: range) -> None:
    """Payload after payload is the same."""
    sender = Sender()
    for number in range(300):
        sender.send([number], value=7 if number in silent else None)
    sender.end()
    assert sender.axis() == [7 if number in silent else number for number in range(300)]
    assert sender.timeline.duplicate_packets == sender.timeline.late_packets == 0
    assert sender.timeline.first_timestamp_ms == START_MS


def test_a_tone_is_no_repetition() -> None:
    sender = Sender()
    for number in range(300):
        sender.send([number], value=number % 5)
    sender.end()
    assert sender.axis() == [number % 5 for number in range(300)]


@pytest.mark.parametrize("again", [1, 5, 17, 30])
def test_of_silence_that_comes_again_what_follows_it_is_heard(again: int) -> None:
    sender = Sender()
    sender.send(range(150))
    sender.send(range(150, 170), value=7)
    sender.send(range(170, 175))
    for number in range(175 - again, 175):  # all in one second
        sender.send([number], value=7 if number < 170 else None)
    sender.send(range(175, 300))
    sender.end()
    wanted = [*range(150), *[7] * 20, *range(170, 300)]
    if again < 20:
        assert sender.axis() == wanted
    assert sender.timeline.duplicate_packets >= again - 1
    assert sender.heard()[-125:] == list(range(175, 300))


@pytest.mark.parametrize("step_ms", [-1_000, -3_000, -60_000, -400_000, 7 * 24 * 3_600_000])
@pytest.mark.parametrize("at", [160, 183])
def test_a_clock_that_is_set_costs_nothing(step_ms: int, at: int) -> None:
    sender = Sender()
    sender.send(range(at))
    sender.send(range(at, 400), later_ms=step_ms)
    sender.end()
    assert sender.axis() == list(range(400))
    assert sender.timeline.late_packets == sender.timeline.lost_packets == 0


@pytest.mark.parametrize("at", [0, 1, 33, 60, 199])
@pytest.mark.parametrize("ahead_ms", [11_000, 3_600_000, 10 * 365 * 24 * 3_600_000])
def test_one_timestamp_far_ahead_does_not_move_the_track(at: int, ahead_ms: int) -> None:
    sender = Sender()
    sender.send(range(at))
    sender.send([at], later_ms=ahead_ms)
    sender.send(range(at + 1, 300))
    sender.end()
    heard = [number for number in range(300) if number != at]
    assert sender.heard() == heard
    assert sender.timeline.stray_packets == 1
    assert sum(length_ms for length_ms, _ in sender.gaps()) == (0 if at < 33 else 20)


def test_late_sound_for_a_hole_that_is_closed_is_no_clock_that_was_set_back() -> None:
    sender = Sender()
    sender.send([*range(100), *range(250, 350), *range(100, 250), *range(350, 400)])
    sender.end()
    assert sender.axis() == [*range(100), *[-1] * 150, *range(250, 400)]
    assert sender.timeline.late_packets == 150


@pytest.mark.parametrize("pause", [range(110, 129), range(110, 170), range(140, 159)])
def test_silence_that_opus_does_not_transmit_is_no_loss(pause: range) -> None:
    """Its place is told by the packet that announces it."""
    timeline, out = Timeline(AudioFormat(Encoding.OPUS, 48_000)), []
    for number in range(300):
        if number not in pause:
            payload = b"\x08" if number == pause.start - 1 else b"\x08" + number.to_bytes(9, "big")
            out += timeline.push(told_ms(START_MS + number * 20), payload)
    out += timeline.flush()
    assert [(one.position, one.sample_count, one.cause) for one in out if isinstance(one, Gap)] == [
        (pause.start * 320, len(pause) * 320, None)
    ]
    assert (timeline.packets, timeline.position) == (300 - len(pause), 300 * 320)


@given(st.lists(st.integers(0, 60), max_size=30), st.integers(0, 999))
def test_pauses_of_opus_fill_the_track(lengths: list[int], phase_ms: int) -> None:
    """Words with pauses of any length, each of which is announced."""
    timeline, out, at, sent = Timeline(AudioFormat(Encoding.OPUS, 48_000)), [], 0, []
    for length in (*lengths, 0, 0, 0):
        for _ in range(50):
            sent.append(b"\x08" + at.to_bytes(9, "big"))
            out += timeline.push(told_ms(START_MS + phase_ms + at * 20), sent[-1])
            at += 1
        sent.append(b"\x08")
        out += timeline.push(told_ms(START_MS + phase_ms + at * 20), sent[-1])
        at += 1 + length
    out += timeline.flush()
    assert [one.payload for one in out if isinstance(one, Packet)] == sent
    assert {one.cause for one in out if isinstance(one, Gap)} <= {None}
    assert timeline.position == sum(one.sample_count for one in out)
    begin_ms = timeline.first_timestamp_ms or 0
    assert abs(begin_ms + timeline.position // 16 - (START_MS + phase_ms + at * 20)) <= 20


@pytest.mark.parametrize("bad", [range(120, 130), range(120, 300), range(390, 400)])
def test_what_was_refused_is_told(bad: range) -> None:
    sender = Sender()
    for number in range(400):
        if number in bad:
            with pytest.raises(DecodeError):
                sender.timeline.push(told_ms(sender.when_ms(number)), b"\0")
        else:
            sender.send([number])
    sender.end()
    assert sender.gaps() == ([(len(bad) * 20, UNDECODABLE)] if bad.stop < 400 else [])


@pytest.mark.parametrize("parts_per_million", [-300, -50, 50, 300])
def test_samples_that_drift_from_their_timestamps_are_held_to_them(parts_per_million: int) -> None:
    timeline, placed = Timeline(AudioFormat()), []
    for number in range(30_000):  # ten minutes
        when_ms = round(number * 20 * (1 + parts_per_million / 1e6))
        payload = number.to_bytes(2, "little") * 320
        placed += timeline.push(told_ms(START_MS + when_ms), payload, (when_ms, 0))
    late = [one.position - one.source[0] * 16 for one in placed if isinstance(one, Packet) and one.source]
    assert max(map(abs, late)) <= 320 + 16
    assert timeline.lost_packets + timeline.late_packets <= 10


@given(st.lists(st.integers(-9, 9), min_size=300, max_size=600), st.integers(0, 999))
def test_jitter_of_less_than_half_a_packet_costs_no_sound(jitter_ms: list[int], phase_ms: int) -> None:
    sender = Sender(start_ms=START_MS + phase_ms)
    for number, shift_ms in enumerate(jitter_ms):
        sender.send([number], later_ms=shift_ms)
    sender.end()
    assert sender.heard() == list(range(len(jitter_ms)))
    assert sender.timeline.lost_packets <= 1


def test_a_clock_that_stands_still_takes_no_memory() -> None:
    timeline, waiting = Timeline(AudioFormat()), []
    for number in range(5_000):
        timeline.push(START_MS // 1_000 * 1_000, number.to_bytes(2, "little") * 320)
        waiting.append(len(timeline._waiting) + len(timeline._late) + len(timeline._seconds._heard))
    assert max(waiting) <= 110


# Tracks whose timestamps are finer


@pytest.mark.parametrize("phase_ms", [0, 20, 40, 500, 980])
@pytest.mark.parametrize("is_odd", [True, False])
def test_one_whole_second_among_finer_timestamps_changes_nothing(phase_ms: int, is_odd: bool) -> None:
    """The same as of a track of which all timestamps are a millisecond later, push by push.

    Nor does it matter that the packet came twice, or that another one bears the same timestamp.
    """
    odd = bytes([1, 2]) * 320
    results = []
    for shift_ms in (0, 1):
        start_ms, sender = START_MS // 1_000 * 1_000 + phase_ms, Sender()
        placed = []
        for number in (0, 0, 1, 2, 3, 7, 5, *range(8, 120), *range(90, 100), *range(125, 200)):
            when_ms = start_ms + number * 20
            placed.append(sender.timeline.push(when_ms + shift_ms, sender.payload(number)))
            if is_odd and when_ms % 1_000 == 0:
                placed.append(sender.timeline.push(when_ms + shift_ms, odd))
        placed.append(sender.timeline.flush())
        counts = sender.timeline
        results.append(
            (placed, counts.packets, counts.lost_packets, counts.duplicate_packets, counts.late_packets)
        )
        assert counts.first_timestamp_ms == start_ms + shift_ms
    assert results[0] == results[1]


def test_a_packet_of_a_second_each_second_comes_out_at_once() -> None:
    sender = Sender(1_000, START_MS // 1_000 * 1_000)
    sender.send([0])
    for number in range(1, 20):
        sender.send([number])
        assert len(sender.heard()) == number + 1


def test_a_word_every_quarter_of_a_minute_is_kept() -> None:
    timeline, start_ms = Timeline(AudioFormat(packet_ms=20)), START_MS // 1_000 * 1_000
    words = [start_ms + 15_000 * number for number in range(8)]
    found = [one for at in words for one in timeline.push(at, bytes(640))] + timeline.flush()
    packets = [one.position // SAMPLES_PER_MS for one in found if isinstance(one, Packet)]
    assert packets == [at - start_ms for at in words]


@example([(23, 0, 320), (23, 0, 320), (0, 4, 320), (0, 2, 320), (3, 1, 320)])
@example([(second, second * 7 % 5, 300) for second in (36, 36, 10, 7, 1, 4, 3, 0, 1, 0, 2, 3, 0)])
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 4), st.integers(1, 400)), max_size=80))
def test_any_whole_seconds_give_an_axis_without_seams(script: list[tuple[int, int, int]]) -> None:
    timeline, out = Timeline(AudioFormat()), []
    for second, value, half in script:
        out += timeline.push(START_MS // 1_000 * 1_000 + second * 1_000, bytes([value, 0]) * half)
    out += timeline.flush()
    assert_seamless(timeline, out, len(script))
