"""Payloads that are no audio: their time is a gap, wherever they stand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.audio.test_timeline import FORMAT, PACKET_MS, PACKET_SAMPLES, START_MS, payload, samples
from zccvoice.audio.decoder import UNDECODABLE, Decoder
from zccvoice.audio.frame import Gap, Packet
from zccvoice.audio.holes import LOST_PACKETS
from zccvoice.audio.timeline import Timeline
from zccvoice.errors import DecodeError

BAD = b"\0"


def run(
    numbers: list[int], is_refused: Callable[[int], bool], *, shift_ms: dict[int, int] | None = None
) -> tuple[Timeline, list[Packet | Gap]]:
    timeline, out = Timeline(FORMAT), []
    for number in numbers:
        when_ms = START_MS + number * PACKET_MS + (shift_ms or {}).get(number, 0)
        try:
            out += timeline.push(when_ms, BAD if is_refused(number) else payload(number))
        except DecodeError:
            assert is_refused(number)
    return timeline, out + timeline.flush()


def gaps(out: list[Packet | Gap]) -> list[tuple[int, int, str | None]]:
    """In packets: first, the one after the last, cause."""
    return [
        (one.position // PACKET_SAMPLES, (one.position + one.sample_count) // PACKET_SAMPLES, one.cause)
        for one in out
        if isinstance(one, Gap)
    ]


@pytest.mark.parametrize(
    ("first", "end"),
    [(400, 401), (400, 475), (400, 550), (0, 1), (0, 300), (999, 1_000), (700, 1_000), (0, 1_000)],
)
def test_their_time_is_a_gap_of_its_length(first: int, end: int) -> None:
    timeline, out = run(list(range(1_000)), lambda number: first <= number < end)
    assert samples(out) == [-1 if first <= number < end else number for number in range(1_000)]
    assert gaps(out) == [(first, end, UNDECODABLE)]
    assert timeline.first_timestamp_ms == START_MS
    assert (timeline.packets, timeline.lost_packets) == (1_000 - (end - first), end - first)


def test_one_amid_a_long_quiet_is_loss_and_the_quiet_is_none() -> None:
    timeline, out = run([*range(20), 600, *range(1_200, 1_220)], lambda number: number == 600)
    assert gaps(out) == [(20, 600, None), (600, 601, UNDECODABLE), (601, 1_200, None)]
    assert timeline.lost_packets == 1


def test_after_a_time_in_which_nobody_listened() -> None:
    timeline, out = Timeline(FORMAT), []
    for number in range(1_000):
        if number == 400:
            timeline.expect_loss(START_MS + 100 * PACKET_MS, START_MS + 400 * PACKET_MS, "away")
        if not 100 <= number < 400:
            bad = 400 <= number < 700
            try:
                out += timeline.push(START_MS + number * PACKET_MS, BAD if bad else payload(number))
            except DecodeError:
                assert bad
    out += timeline.flush()
    assert gaps(out) == [(100, 400, "away"), (400, 700, UNDECODABLE)]


def test_empty_ones_are_as_if_nothing_had_come() -> None:
    timeline, out = Timeline(FORMAT), []
    for number in range(1_000):
        if 300 <= number < 600 or number >= 900:
            with pytest.raises(DecodeError):
                timeline.push(START_MS + number * PACKET_MS, b"")
        else:
            out += timeline.push(START_MS + number * PACKET_MS, payload(number))
    out += timeline.flush()
    assert gaps(out) == [(300, 600, None)]
    assert timeline.position == 900 * PACKET_SAMPLES


def test_other_losses_keep_their_cause() -> None:
    numbers = [number for number in range(1_000) if not 600 <= number < 605]
    _, out = run(numbers, lambda number: number == 300)
    assert gaps(out) == [(300, 301, UNDECODABLE), (600, 605, LOST_PACKETS)]


@pytest.mark.parametrize("at", [0, 500, 999])
@pytest.mark.parametrize("wrong_ms", [-3_600_000, 3_600_000, 5 * 24 * 3_600_000])
def test_one_with_a_wrong_timestamp_moves_neither_beginning_nor_end(at: int, wrong_ms: int) -> None:
    timeline, out = run(list(range(1_000)), lambda number: number == at, shift_ms={at: wrong_ms})
    first = 1 if at == 0 else 0
    assert timeline.first_timestamp_ms == START_MS + first * PACKET_MS
    assert len(samples(out)) == 999 if at in (0, 999) else 1_000


def test_what_was_refused_by_a_clock_that_was_set_back_does_not_lengthen_the_track() -> None:
    shift_ms = dict.fromkeys(range(3_100, 4_000), -60_000)
    timeline, out = run(list(range(4_000)), lambda number: 3_000 <= number < 3_100, shift_ms=shift_ms)
    assert [one.position // PACKET_SAMPLES for one in out if isinstance(one, Packet)] == list(range(3_900))
    assert timeline.position == 3_900 * PACKET_SAMPLES


@given(st.integers(1, 120), st.sets(st.integers(0, 119)), st.sets(st.integers(0, 119)))
def test_sound_and_gaps_fill_the_track_whatever_is_refused(count: int, bad: set[int], lost: set[int]) -> None:
    numbers = [number for number in range(count) if number not in lost]
    timeline, out = run(numbers, bad.__contains__)
    if not numbers:
        assert out == []
        return
    axis = [-1 if number in lost or number in bad else number for number in range(count)]
    assert samples(out) == axis[numbers[0] : numbers[-1] + 1]
    assert timeline.packets + timeline.lost_packets == len(axis[numbers[0] : numbers[-1] + 1])


@pytest.mark.parametrize("length", [5, 50])
def test_at_the_edges_of_a_track_they_are_silence_of_their_length(length: int) -> None:
    """Nothing fades into what was never heard; the packets between sound as if they stood alone."""
    _, out = run(list(range(200)), lambda number: number < length or number >= 200 - length)
    decoder = Decoder(FORMAT)
    heard, at = np.zeros(200 * PACKET_SAMPLES, np.int16), 0
    for piece in decoder.decode(out) + decoder.flush():
        if not isinstance(piece, Gap):
            heard[at : at + len(piece)] = piece
            at += len(piece)
        elif piece.sample_count > 8_000:
            at += piece.sample_count
    wanted = np.repeat(np.arange(200, dtype=np.int16), PACKET_SAMPLES)
    wanted[: length * PACKET_SAMPLES] = wanted[-length * PACKET_SAMPLES :] = 0
    assert np.array_equal(heard, wanted)
