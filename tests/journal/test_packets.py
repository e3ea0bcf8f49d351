from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.errors import JournalError
from zccvoice.journal.packets import BATCH, JITTER_MS, MOST_PACKETS, by_track, get_batch, put_packets
from zccvoice.journal.varint import ByteReader
from zccvoice.rtms.events import AudioReceived

START_MS = 1_781_000_012_340
NUMBERS = {f"ch-{number}": number for number in range(4)} | {"ch-far": 2**60}
NAMES = {number: name for name, number in NUMBERS.items()}

steps = st.sampled_from([20, 20, 20, 19, 21, 0, -20, 40, 20 + JITTER_MS, 21 + JITTER_MS, 5_000, -5_000])
sizes = st.sampled_from([80, 80, 80]) | st.integers(0, 300)


@st.composite
def some_packets(draw: st.DrawFn) -> list[AudioReceived]:
    at_ms = START_MS
    packets = []
    for channel_id in draw(st.lists(st.sampled_from(sorted(NUMBERS)), max_size=3 * MOST_PACKETS)):
        at_ms += draw(steps)
        packets.append(AudioReceived(channel_id, at_ms, bytes(draw(sizes))))
    return packets


def encoded(packets: list[AudioReceived], arrived_ms: int = START_MS) -> bytes:
    out = bytearray()
    put_packets(out, packets, arrived_ms, NUMBERS)
    return bytes(out)


def decoded(data: bytes, arrived_ms: int = START_MS) -> list[AudioReceived]:
    reader = ByteReader(data)
    packets: list[AudioReceived] = []
    while not reader.is_done:
        tag = reader.byte()
        assert tag & ~MOST_PACKETS == BATCH
        batch = get_batch(reader, tag & MOST_PACKETS, arrived_ms, NAMES.get)
        assert batch is not None
        packets += batch
    return packets


@given(some_packets(), st.integers(0, 2**63))
def test_packets_are_read_as_they_were_written(packets: list[AudioReceived], arrived_ms: int) -> None:
    for order in (packets, by_track(packets)):
        assert decoded(encoded(order, arrived_ms), arrived_ms) == order


@given(st.lists(st.sampled_from("abcx"), max_size=40))
def test_tracks_are_put_together_between_other_entries_and_nothing_else_moves(script: list[str]) -> None:
    entries: list[Any] = [
        number if name == "x" else AudioReceived(name, number, b"") for number, name in enumerate(script)
    ]
    ordered = by_track(entries)
    at = 0
    for is_audio, group in itertools.groupby(entries, lambda one: isinstance(one, AudioReceived)):
        before = list(group)
        after = ordered[at : at + len(before)]
        at += len(before)
        if not is_audio:
            assert after == before
            continue
        assert after[0] == before[0], "a call begins with the packet that came first"
        tracks = dict.fromkeys(one.channel_id for one in before)
        assert after == [one for track in tracks for one in before if one.channel_id == track]
    assert at == len(ordered)


def test_on_the_beat_only_runs_cost_anything() -> None:
    """A byte for both, of each a byte and its first timestamp, and what the one step and the one size are."""
    packets = [
        AudioReceived(f"ch-{track}", START_MS + number * 20, bytes(80))
        for track in range(2)
        for number in range(13)
    ]
    assert len(encoded(packets, START_MS + 260)) == 26 * 80 + 1 + 3 + 2 + 2 + 2


@pytest.mark.parametrize("pause_ms", [JITTER_MS + 1, 20, 5_000, -20, -5_000])
def test_what_is_off_the_beat_costs_a_run_and_no_more(pause_ms: int) -> None:
    late = [
        AudioReceived("ch-0", START_MS + number * 20 + (pause_ms if number >= 7 else 0), bytes(80))
        for number in range(13)
    ]
    even = [AudioReceived("ch-0", START_MS + number * 20, bytes(80)) for number in range(13)]
    assert len(encoded(late)) - len(encoded(even)) in range(1, 5)


def test_sizes_cost_what_they_tell() -> None:
    """41 sizes are 5.4 bits each."""
    chance = random.Random(1)  # the same every time is what is wanted
    payloads = [bytes(chance.randint(60, 100)) for _ in range(63)]
    payloads[:2] = bytes(60), bytes(100)
    varied = [AudioReceived("ch-0", START_MS + at * 20, data) for at, data in enumerate(payloads)]
    even = [AudioReceived("ch-0", START_MS + at * 20, bytes(100)) for at in range(63)]
    spent = len(encoded(varied)) - sum(map(len, payloads)) - (len(encoded(even)) - 63 * 100)
    assert spent == 43  # log2(41) * 63 = 337.5 bits


@given(st.integers(0, MOST_PACKETS), st.binary(max_size=60))
def test_any_bytes_are_packets_or_refused(run_count: int, data: bytes) -> None:
    try:
        packets = get_batch(ByteReader(data), run_count, START_MS, lambda number: f"ch-{number}")
    except (IndexError, JournalError):
        return
    assert packets is not None
    assert run_count <= len(packets) <= MOST_PACKETS


@pytest.mark.parametrize(
    ("runs", "what"), [([0], r"\[0\]"), ([63, 1], r"\[63, 1\]"), ([1, 64], r"\[1, 0\]")], ids=str
)
def test_no_batch_has_empty_runs_or_too_many_packets(runs: list[int], what: str) -> None:
    data = b"".join(bytes([head, 0]) for head in runs) + bytes(200)
    with pytest.raises(JournalError, match=f"expected at most 63 packets in runs, got {what}"):
        get_batch(ByteReader(data), len(runs), START_MS, NAMES.get)


def test_a_track_without_a_name_makes_no_packets() -> None:
    data = encoded([AudioReceived("ch-1", START_MS, b"sound")])
    assert get_batch(ByteReader(data[1:]), 1, START_MS, {0: "ch-0"}.get) is None
