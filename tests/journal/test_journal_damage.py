"""`journal.journal`: wrong bytes, torn tails, killed writers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journal.keyring import (
    CODEC,
    START_MS,
    Keyring,
    Noted,
    entries_of,
    packet,
    read_all,
    reader,
    write_some,
    writer,
)
from zccvoice.errors import JournalError
from zccvoice.journal.entry import EntryCodec
from zccvoice.journal.journal import START, Damage, JournalReader, JournalWriter, Record
from zccvoice.journal.record import HEADER_BYTES, MAGIC, Kind
from zccvoice.journal.vault import Vault


def test_every_wrong_byte_costs_the_record_it_lies_in(
    path: Path, keyring: Keyring, written: list[Record]
) -> None:
    data = path.read_bytes()
    with path.open("r+b", buffering=0) as file:
        for at in range(START, len(data)):
            hit = next(number for number, record in enumerate(written) if record.offset <= at < record.end)
            damage = Damage(written[hit].offset, written[hit].end)
            verdicts: list[list[Record | Damage]] = [[*written[:hit], damage, *written[hit + 1 :]]]
            if hit == len(written) - 1 and at < damage.offset + HEADER_BYTES:
                verdicts = [[*written[:hit]]]  # without a header it is a torn tail
            for bit in range(8):
                os.pwrite(file.fileno(), bytes([data[at] ^ 1 << bit]), at)
                assert read_all(path, keyring) in verdicts, f"byte {at}, bit {bit}"
            os.pwrite(file.fileno(), data[at : at + 1], at)
    assert read_all(path, keyring) == written


def test_damage_over_several_records(path: Path, keyring: Keyring, written: list[Record]) -> None:
    data = path.read_bytes()
    first, last = written[1].offset + 3, written[3].offset + HEADER_BYTES
    for noise in (bytes(last - first), b"\xff" * (last - first), os.urandom(last - first)):
        path.write_bytes(data[:first] + noise + data[last:])
        assert read_all(path, keyring) == [
            written[0],
            Damage(written[1].offset, written[4].offset),
            *written[4:],
        ]


@pytest.mark.parametrize("hidden", [2**16 - 12, 2**16 - 11, 2**16 - 10, 2**16 - 9, 2**16, 3 * 2**16 + 5])
def test_the_next_header_is_found_wherever_the_search_is_cut(
    path: Path, keyring: Keyring, hidden: int
) -> None:
    with writer(path, keyring) as journal:
        big = journal.write(Kind.RECEIVED, START_MS, [packet(0, bytes(hidden))])
        following = journal.write(Kind.RECEIVED, START_MS, [Noted("found")])
    with path.open("r+b", buffering=0) as file:
        file.seek(big.offset)
        file.write(bytes(2))
    for start in range(60):  # the header stands at every place around the seam
        with reader(path, keyring) as journal_reader:
            found = journal_reader.read(big.offset + 1 + start)
        assert found == Damage(big.offset + 1 + start, following.offset)
    assert read_all(path, keyring) == [Damage(big.offset, big.end), following]


def test_records_that_changed_places_are_damage(path: Path, keyring: Keyring) -> None:
    with writer(path, keyring) as journal:
        one, two = (journal.write(Kind.RECEIVED, START_MS, [Noted(text)]) for text in ("left", "best"))
    data = path.read_bytes()
    path.write_bytes(MAGIC + data[two.offset :] + data[one.offset : two.offset])
    assert read_all(path, keyring) == [Damage(one.offset, one.end), Damage(two.offset, two.end)]


def test_the_damaged_beginning_of_a_file_is_told(path: Path, keyring: Keyring, written: list[Record]) -> None:
    data = path.read_bytes()
    for at in range(len(MAGIC)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(JournalError, match=r"^journal a\.journal: expected a journal of version 1 or 2$"):
            reader(path, keyring)
        with pytest.raises(JournalError, match="expected a journal of version 1 or 2"):
            writer(path, keyring)
        assert path.stat().st_size == len(data), "nothing is cut from what is no journal"


def test_what_cannot_be_read_is_told(path: Path, keyring: Keyring) -> None:
    with pytest.raises(JournalError, match=r"^journal a\.journal: cannot be read: No such file"):
        reader(path, keyring)
    path.mkdir()
    with pytest.raises(JournalError, match="cannot be read: Is a directory"):
        reader(path, keyring)
    with pytest.raises(JournalError, match="cannot be opened: Is a directory"):
        writer(path, keyring)


def test_a_type_of_a_later_version_is_told_and_not_cut_off(path: Path, keyring: Keyring) -> None:
    with writer(path, keyring) as journal:
        (record,) = write_some(journal, 1, first=1)
    old = EntryCodec([])
    with (
        reader(path, keyring, old) as journal_reader,
        pytest.raises(JournalError, match="'Noted' is not known"),
    ):
        journal_reader.read(START)
    with writer(path, keyring, old) as journal:
        assert (journal.cut_bytes, journal.end) == (0, record.end)


# The torn tail


def test_a_file_cut_off_anywhere_goes_on_after_its_last_whole_record(
    path: Path, keyring: Keyring, written: list[Record]
) -> None:
    data = path.read_bytes()
    for size in range(len(data) + 1):
        path.write_bytes(data[:size])
        ring = keyring.copy()
        whole = [record for record in written if record.end <= size]
        if size >= START:
            assert read_all(path, ring) == whole, "a torn tail is no damage"
        with writer(path, ring) as journal:
            end = whole[-1].end if whole else START
            assert (journal.end, journal.is_new) == (end, not whole)
            assert journal.cut_bytes == max(0, size - end)
            assert path.stat().st_size == end, "nothing of the tail is left"
            more = write_some(journal, 1, first=7) + write_some(journal, 1, first=8)
        assert read_all(path, ring) == whole + more


@pytest.mark.parametrize("filling", [b"\0", b"\xff"])
def test_a_tail_that_never_reached_the_disk(
    path: Path, keyring: Keyring, written: list[Record], filling: bytes
) -> None:
    """After a loss of power the file may have its length and not its bytes."""
    data = path.read_bytes()
    for size in range(written[3].offset, len(data)):
        filled = data[:size] + filling * (len(data) - size)
        path.write_bytes(filled)
        whole = [record for record in written if filled[: record.end] == data[: record.end]]
        ring = keyring.copy()
        with writer(path, ring) as journal:
            assert journal.end == whole[-1].end
            more = write_some(journal, 1, first=9)
        assert read_all(path, ring) == whole + more


def test_damage_before_whole_records_is_no_torn_tail(
    path: Path, keyring: Keyring, written: list[Record]
) -> None:
    with path.open("r+b", buffering=0) as file:
        file.seek(written[2].offset)
        file.write(bytes(written[3].offset - written[2].offset))
    with writer(path, keyring) as journal:
        assert (journal.cut_bytes, journal.end) == (0, written[-1].end)
        more = write_some(journal, 1)
    assert read_all(path, keyring) == [
        *written[:2],
        Damage(written[2].offset, written[3].offset),
        *written[3:],
        *more,
    ]


def test_what_a_killed_writer_had_written_is_there(path: Path) -> None:
    vault = Vault(path.parent / "keys", "master")
    program = """
import sys
from pathlib import Path
from tests.journal.keyring import CODEC, Noted
from zccvoice.journal.journal import JournalWriter
from zccvoice.journal.record import Kind
from zccvoice.journal.vault import Vault
vault = Vault(Path(sys.argv[1]).parent / "keys", "master")
journal = JournalWriter(Path(sys.argv[1]), CODEC, lambda: vault.new_key("a"), lambda: vault.keys("a"))
for number in range(10**9):
    journal.write(Kind.RECEIVED, number, [Noted(f"{number} " * 5000)])
    print(number, flush=True)
"""
    accepted = []
    for rounds in range(3):
        child = subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.PIPE, text=True)
        with child:
            assert child.stdout is not None
            for _ in range(20 + rounds):
                child.stdout.readline()
            child.kill()
            told = 20 + rounds + len(child.stdout.read().splitlines())
        accepted.append(told)
    with JournalWriter(path, CODEC, lambda: vault.new_key("a"), lambda: vault.keys("a")):
        pass
    with JournalReader(path, CODEC, lambda: vault.keys("a")) as journal:
        numbers = [int(entry.text.split()[0]) for entry in entries_of(list(journal.records()))]
    runs = [list(range(count)) for count in run_lengths(numbers)]
    assert [number for run in runs for number in run] == numbers, "each run is whole and in order"
    assert [len(run) - told in (0, 1) for run, told in zip(runs, accepted, strict=True)] == [True] * 3


def run_lengths(numbers: list[int]) -> list[int]:
    """Lengths of the runs that begin with 0."""
    starts = [at for at, number in enumerate(numbers) if number == 0]
    return [end - start for start, end in zip(starts, [*starts[1:], len(numbers)], strict=True)]
