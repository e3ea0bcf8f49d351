"""A journal that the version before wrote: two openings of two tracks and facts, and one of 33 tracks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.journal.keyring import CODEC, START_MS, Noted, write_some
from zccvoice.journal.journal import START, Damage, JournalReader, JournalWriter, Record
from zccvoice.journal.record import MAGIC, OLD_MAGIC, Kind
from zccvoice.rtms.events import AudioReceived

GOLDEN = Path(__file__).parents[1] / "data" / "journal" / "version_1.journal"
AGENT, CUSTOMER = "0f8fad5b-d9cb-469f-a165-70867728950e", "7c9e6679-7425-40de-944b-e07fc1f90ae7"


def packet(channel_id: str, at_ms: int, payload: bytes) -> AudioReceived:
    return AudioReceived(channel_id, START_MS + at_ms, payload)


CONTENTS: list[tuple[Kind, int, list[object]]] = [
    (
        Kind.RECEIVED,
        START_MS,
        [
            Noted("begun"),
            packet(AGENT, 0, b"a0"),
            packet(CUSTOMER, 7, b"c0"),
            packet(AGENT, 20, b"a1"),
            packet(CUSTOMER, 27, b"c1"),
            packet(AGENT, 40, b"a2"),
        ],
    ),
    (Kind.DERIVED, START_MS + 250, [Noted("derived")]),
    (
        Kind.RECEIVED,
        START_MS,
        [
            packet(AGENT, 60, b"longer"),
            Noted("between"),
            packet(AGENT, 40, b""),
            packet(CUSTOMER, 5_047, b"c2"),
        ],
    ),
    (Kind.RECEIVED, START_MS + 500, [packet(f"ch-{n % 33}", n, bytes([n])) for n in range(70)]),
]


def keys() -> list[AESGCM]:
    return [AESGCM(bytes([generation]) * 32) for generation in range(4)]


def read_all(path: Path) -> list[Record | Damage]:
    with JournalReader(path, CODEC, keys) as reader:
        return list(reader.records())


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copy(GOLDEN, tmp_path / "a.journal"))


def test_a_journal_of_version_1_is_read(old: Path) -> None:
    found = [one for one in read_all(old) if isinstance(one, Record)]
    assert old.read_bytes().startswith(OLD_MAGIC)
    assert [(one.kind, one.arrived_ms, one.entries) for one in found] == CONTENTS
    with JournalReader(old, CODEC, keys) as reader:
        assert [reader.read(one.offset) for one in found] == found
        assert reader.offsets(Kind.RECEIVED) == [one.offset for one in found if one.kind is Kind.RECEIVED]
        assert reader.whole_end() == reader.size_bytes


def test_a_journal_of_version_1_goes_on_as_one_of_this(old: Path) -> None:
    """The version before would take what follows for a torn tail: it has to see that it cannot read it."""
    before = read_all(old)
    with JournalWriter(old, CODEC, lambda: (3, keys()[3]), keys) as journal:
        assert (journal.cut_bytes, journal.is_new) == (0, False)
        assert old.read_bytes().startswith(MAGIC)
        more = write_some(journal)
    assert read_all(old) == before + more


def test_a_journal_of_version_1_without_a_record_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    path.write_bytes(OLD_MAGIC)
    with JournalWriter(path, CODEC, lambda: (3, keys()[3]), list) as journal:
        assert journal.is_new
        written = write_some(journal)
    assert path.read_bytes().startswith(MAGIC)
    assert read_all(path) == written


def test_every_wrong_byte_of_version_1_costs_the_record_it_lies_in(old: Path) -> None:
    data, whole = old.read_bytes(), read_all(old)
    for at in range(START, len(data)):
        old.write_bytes(data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :])
        left = [one for one in whole if not one.offset <= at < one.end]
        assert [one for one in read_all(old) if isinstance(one, Record)] == left, f"byte {at}"


def test_a_torn_tail_of_version_1_is_cut(old: Path) -> None:
    data, whole = old.read_bytes(), read_all(old)
    for size in range(START, len(data), 3):
        old.write_bytes(data[:size])
        kept = [one for one in whole if one.end <= size]
        with JournalWriter(old, CODEC, lambda: (3, keys()[3]), keys) as journal:
            assert journal.end == (kept[-1].end if kept else START)
            more = write_some(journal, 1)
        assert read_all(old) == kept + more
