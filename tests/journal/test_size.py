"""The promise about size: a journal is at most 3 % larger than the payloads in it."""

from __future__ import annotations

import random
from itertools import chain
from operator import attrgetter
from pathlib import Path

import pytest

from tests.journal.keyring import START_MS, Keyring, entries_of, read_all, writer
from zccvoice.journal.journal import START
from zccvoice.journal.record import Kind
from zccvoice.rtms.events import AudioReceived

RECORD_MS = 250
MINUTE_MS = 60_000
UUIDS = ("0f8fad5b-d9cb-469f-a165-70867728950e", "7c9e6679-7425-40de-944b-e07fc1f90ae7")
FORMS = {
    "L16 slow": (100, 3200, 3200),
    "L16": (20, 640, 640),
    "G.711 or G.722": (20, 160, 160),
    "Opus": (20, 80, 80),
    "Opus of a variable rate": (20, 60, 100),
}


def received(
    packet_ms: int, least_bytes: int, most_bytes: int, channel_ids: tuple[str, ...], jitter_ms: int = 0
) -> list[list[AudioReceived]]:
    """A minute of a call, by the record, packets in the order in which they come."""
    chance = random.Random(1)
    records: list[list[AudioReceived]] = [[] for _ in range(MINUTE_MS // RECORD_MS)]
    for at_ms in range(0, MINUTE_MS, packet_ms):
        records[at_ms // RECORD_MS] += [
            AudioReceived(
                channel_id,
                START_MS + at_ms + chance.randint(-jitter_ms, jitter_ms),
                bytes(chance.randint(least_bytes, most_bytes)),
            )
            for channel_id in channel_ids
        ]
    return records


def overhead(path: Path, records: list[list[AudioReceived]]) -> float:
    """What the journal of a minute is larger than its payloads, as a share of them; it must be read back, too."""
    keyring = Keyring()
    with writer(path, keyring) as journal:
        for number, packets in enumerate(records, 1):
            journal.write(Kind.RECEIVED, START_MS + number * RECORD_MS, packets)
        size = journal.end - START
    found = entries_of(read_all(path, keyring))
    packets = list(chain.from_iterable(records))
    assert sorted(found, key=attrgetter("channel_id")) == sorted(packets, key=attrgetter("channel_id"))
    return size / sum(len(packet.payload) for packet in packets) - 1


@pytest.mark.parametrize("channel_ids", [("ch-7f31", "ch-90c2"), UUIDS], ids=["short", "long"])
@pytest.mark.parametrize("form", FORMS)
def test_a_journal_is_hardly_larger_than_its_payloads(
    path: Path, form: str, channel_ids: tuple[str, ...]
) -> None:
    assert 0 < overhead(path, received(*FORMS[form], channel_ids)) <= 0.03


@pytest.mark.parametrize("form", ["L16 slow", "L16", "G.711 or G.722", "Opus"])
@pytest.mark.parametrize("jitter_ms", [1, 2])
def test_timestamps_off_the_beat_cost_little(path: Path, form: str, jitter_ms: int) -> None:
    assert overhead(path, received(*FORMS[form], UUIDS, jitter_ms)) <= 0.03


@pytest.mark.parametrize("form", FORMS)
def test_one_side_alone_costs_its_framing_and_no_names(path: Path, form: str) -> None:
    """Half the sound under as many seals: what is fixed counts twice."""
    packet_ms, least_bytes, most_bytes = FORMS[form]
    spent = overhead(path, received(packet_ms, least_bytes, most_bytes, UUIDS[:1]))
    assert spent * (least_bytes + most_bytes) / 2 * RECORD_MS / packet_ms <= 48
