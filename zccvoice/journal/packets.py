"""Audio packets in a record: what they have in common is written once.

    batch   :=  01###### run*# [steps] sizes payload*     at most 63 packets in # runs
    run     :=  head:varint first:signed                  packets of one track, one after the other
    steps   :=  least:signed excess                       ms from packet to packet, of all runs; if there are any
    sizes   :=  least:varint excess                       bytes of each payload
    excess  :=  most:varint digits                        by how much each exceeds the least

`head` is 64 times the track's number, and how many packets. `first` is the run's first timestamp, from that of
the run before; for the first run, from the record's arrival. `digits` are those of one little-endian number in
base `most` + 1, the first one lowest, and take no byte when all are equal: so packets of a constant bit rate
that come on the beat cost nothing beside their run, and others little more than what is surprising in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from zccvoice.errors import JournalError
from zccvoice.journal.varint import ByteReader, put_signed, put_varint
from zccvoice.rtms.events import AudioReceived

BATCH = 0x40
"""First byte of a batch, with the number of its runs added."""
MOST_PACKETS = 63
"""In a batch: as many as its counts can tell, and few enough for their sizes to be one number."""
_COUNT_BITS = 6
JITTER_MS = 15
"""A step further than this from the usual one begins a new run: a pause must not make all steps long to write."""
_AS_EXPECTED, _SAME_SIZE, _NUMBER_BITS = 0x40, 0x20, 0x1F

NameOf = Callable[[int], str | None]
"""The channel id of a track's number; None when nobody knows."""


def by_track(entries: Iterable[Any]) -> list[Any]:
    """The entries with the packets between two others sorted by track, tracks and packets in order of arrival.

    The very first packet stays the first. Only so does a record hold one run per track.
    """
    ordered: list[Any] = []
    tracks: dict[str, list[AudioReceived]] = {}
    for entry in entries:
        if type(entry) is AudioReceived:
            tracks.setdefault(entry.channel_id, []).append(entry)
            continue
        for packets in tracks.values():
            ordered += packets
        tracks.clear()
        ordered.append(entry)
    for packets in tracks.values():
        ordered += packets
    return ordered


def put_packets(
    out: bytearray, packets: Sequence[AudioReceived], arrived_ms: int, numbers: Mapping[str, int]
) -> None:
    """Append packets, in order, as batches.

    Args:
        out: what is written.
        packets: any number of them.
        arrived_ms: the record's.
        numbers: of the tracks, by channel id.

    Raises:
        OverflowError: a timestamp of more than 64 bits.
    """
    for start in range(0, len(packets), MOST_PACKETS):
        _put_batch(out, packets[start : start + MOST_PACKETS], arrived_ms, numbers)


def get_batch(
    reader: ByteReader, run_count: int, arrived_ms: int, name_of: NameOf
) -> list[AudioReceived] | None:
    """Packets that `put_packets` wrote, after the batch's first byte; None when a track has no name.

    Raises:
        IndexError: the bytes end too early.
        JournalError: they are no batch.
    """
    runs = [(reader.varint(), reader.signed()) for _ in range(run_count)]
    counts = [head & MOST_PACKETS for head, _ in runs]
    count = sum(counts)
    if count > MOST_PACKETS or 0 in counts:
        raise JournalError(f"journal entry: expected at most {MOST_PACKETS} packets in runs, got {counts}")
    steps = iter(_get_excess(reader, reader.signed(), count - run_count) if count > run_count else ())
    sizes = iter(_get_excess(reader, reader.varint(), count) if count else ())
    packets: list[AudioReceived] = []
    first_ms = arrived_ms
    for head, since_ms in runs:
        name = name_of(head >> _COUNT_BITS)
        if name is None:
            return None
        first_ms += since_ms
        timestamp_ms = first_ms
        for index in range(head & MOST_PACKETS):
            timestamp_ms += next(steps) if index else 0
            packets.append(AudioReceived(name, timestamp_ms, reader.take(next(sizes))))
    return packets


def _put_batch(
    out: bytearray, packets: Sequence[AudioReceived], arrived_ms: int, numbers: Mapping[str, int]
) -> None:
    runs, steps = _runs(packets)
    out.append(BATCH | len(runs))
    before_ms = arrived_ms
    for first, count in runs:
        put_varint(out, numbers[first.channel_id] << _COUNT_BITS | count)
        put_signed(out, first.timestamp_ms - before_ms)
        before_ms = first.timestamp_ms
    if steps:
        least = min(steps)
        put_signed(out, least)
        _put_excess(out, steps, least)
    sizes = [len(packet.payload) for packet in packets]
    least = min(sizes)
    put_varint(out, least)
    _put_excess(out, sizes, least)
    for packet in packets:
        out += packet.payload


def _runs(packets: Sequence[AudioReceived]) -> tuple[list[tuple[AudioReceived, int]], list[int]]:
    """The first packet and the length of every run, and all steps within them."""
    steps_ms = [
        after.timestamp_ms - before.timestamp_ms if after.channel_id == before.channel_id else None
        for before, after in pairwise(packets)
    ]
    told_ms = sorted([step for step in steps_ms if step is not None])
    usual_ms = told_ms[len(told_ms) // 2] if told_ms else 0
    least_ms, most_ms = usual_ms - JITTER_MS, usual_ms + JITTER_MS
    starts, steps = [0], []
    for index, step in enumerate(steps_ms, 1):
        if step is not None and least_ms <= step <= most_ms:
            steps.append(step)
        else:
            starts.append(index)
    return [(packets[start], end - start) for start, end in pairwise([*starts, len(packets)])], steps


def _put_excess(out: bytearray, numbers: Sequence[int], least: int) -> None:
    base = max(numbers) - least + 1
    put_varint(out, base - 1)
    if base > 1:
        packed = 0
        for number in reversed(numbers):
            packed = packed * base + number - least
        out += packed.to_bytes(_digit_bytes(base, len(numbers)), "little")


def _get_excess(reader: ByteReader, least: int, count: int) -> list[int]:
    base = reader.varint() + 1
    if base == 1:
        return [least] * count
    packed = int.from_bytes(reader.take(_digit_bytes(base, count)), "little")
    numbers = []
    for _ in range(count):
        packed, digit = divmod(packed, base)
        numbers.append(least + digit)
    return numbers


def _digit_bytes(base: int, count: int) -> int:
    most: int = base**count - 1
    return (most.bit_length() + 7) // 8


class SinglePackets:
    """Packets of a record of version 1, each with a byte of its own: read, and never written.

        track   :=  00000001 size name                     the next track of this record
        packet  :=  1ts##### [track] [step] [size] payload    # is the track's number

    The timestamp is left out when it is one step after the track's last one (bit t), the size when it equals
    the last one (bit s).
    """

    def __init__(self) -> None:
        """Begin a record."""
        self._tracks: list[_Track] = []

    def add_track(self, channel_id: str) -> None:
        """The next track."""
        self._tracks.append(_Track(channel_id))

    def get(self, reader: ByteReader, tag: int) -> AudioReceived:
        """The packet whose first byte was `tag`.

        Raises:
            IndexError: the bytes end too early, or its track was not told.
        """
        number = tag & _NUMBER_BITS
        track = self._tracks[reader.varint() if number == _NUMBER_BITS else number]
        surprise_ms = 0 if tag & _AS_EXPECTED else reader.signed()
        size = track.size if tag & _SAME_SIZE else reader.varint()
        return track.follow(track.timestamp_ms + track.step_ms + surprise_ms, reader.take(size))


class _Track:
    def __init__(self, channel_id: str) -> None:
        self.channel_id = channel_id
        self.timestamp_ms = self.step_ms = self.size = 0

    def follow(self, timestamp_ms: int, payload: bytes) -> AudioReceived:
        self.step_ms = timestamp_ms - self.timestamp_ms if self.timestamp_ms else 0
        self.timestamp_ms, self.size = timestamp_ms, len(payload)
        return AudioReceived(self.channel_id, timestamp_ms, payload)
