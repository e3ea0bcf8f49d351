from __future__ import annotations

import errno
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.journal.keyring import (
    CODEC,
    START_MS,
    Keyring,
    Noted,
    packet,
    read_all,
    reader,
    write_some,
    writer,
)
from zccvoice.errors import JournalError, KeyMissingError
from zccvoice.journal.journal import START, Damage, JournalReader, JournalWriter, Record
from zccvoice.journal.record import MAGIC, OVERHEAD_BYTES, Kind
from zccvoice.journal.vault import Vault
from zccvoice.rtms.events import AudioReceived


def test_what_is_written_is_read(path: Path, keyring: Keyring, written: list[Record]) -> None:
    assert read_all(path, keyring) == written
    assert [one.offset for one in written] == [START, *(one.end for one in written[:-1])]
    assert path.stat().st_size == written[-1].end
    assert {one.kind for one in written} == set(Kind)


def test_reading_begins_and_ends_where_it_is_told(
    path: Path, keyring: Keyring, written: list[Record]
) -> None:
    with reader(path, keyring) as journal:
        for number, record in enumerate(written):
            assert journal.read(record.offset) == record
            assert list(journal.records(record.offset)) == written[number:]
            assert list(journal.records(end=record.end)) == written[: number + 1]
            assert list(journal.records(end=record.end - 1)) == written[:number]
        assert journal.read(written[-1].end) is None
        for kind in Kind:
            wanted = [record for record in written if record.kind is kind]
            assert list(journal.records(kind=kind)) == wanted
            assert journal.offsets(kind) == [record.offset for record in wanted]
        assert journal.whole_end() == journal.size_bytes == written[-1].end


def test_a_reader_follows(path: Path, keyring: Keyring) -> None:
    with writer(path, keyring) as journal, reader(path, keyring) as follower:
        assert follower.read(START) is None
        for record in write_some(journal):
            assert follower.read(record.offset) == record


def test_a_reader_learns_of_new_keys(path: Path, keyring: Keyring, written: list[Record]) -> None:
    with reader(path, keyring) as follower:
        for _ in range(2):
            with writer(path, keyring) as journal:
                (record,) = write_some(journal, 1)
            assert follower.read(record.offset) == record


def test_nobody_else_may_look(path: Path, keyring: Keyring) -> None:
    before = os.umask(0)
    try:
        writer(path, keyring).close()
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


# Keys


def test_nothing_of_the_content_is_in_the_file(path: Path, keyring: Keyring) -> None:
    with writer(path, keyring) as journal:
        journal.write(Kind.RECEIVED, START_MS, [packet(0, b"the sound of a voice"), Noted("what was said")])
    data = path.read_bytes()
    for secret in (b"the sound", b"voice", b"what was said", b"Noted", b"ch-7f31"):
        assert secret not in data


def test_another_journals_key_opens_nothing(path: Path, keyring: Keyring, written: list[Record]) -> None:
    other = Keyring()
    for _ in keyring.watched:
        other.new_key()
    assert read_all(path, other) == [Damage(record.offset, record.end) for record in written]


def test_a_key_that_is_missing_costs_its_records_and_cuts_nothing(
    path: Path, keyring: Keyring, written: list[Record]
) -> None:
    """A key is on the disk before anything is sealed with it: no crash takes it, and it may be found again."""
    keys = keyring.keys()
    lost = [Damage(record.offset, record.end) for record in written[3:]]
    for damaged in ([keys[0], None], [keys[0]]):
        with JournalReader(path, CODEC, lambda kept=damaged: kept) as journal:  # type: ignore[misc]
            assert list(journal.records()) == [*written[:3], *lost]
            assert journal.whole_end() == written[-1].end
    with JournalWriter(path, CODEC, keyring.new_key, lambda: [keys[0], None]) as journal:
        assert (journal.cut_bytes, journal.end) == (0, written[-1].end)
    assert read_all(path, keyring) == written


def test_a_journal_whose_key_was_shredded_is_left_alone(path: Path) -> None:
    vault = Vault(path.parent / "keys", "master")
    with JournalWriter(path, CODEC, lambda: vault.new_key("a"), lambda: vault.keys("a")) as journal:
        write_some(journal)
    before = path.read_bytes()
    vault.shred("a")
    with pytest.raises(KeyMissingError):
        JournalReader(path, CODEC, lambda: vault.keys("a"))
    with pytest.raises(KeyMissingError):
        JournalWriter(path, CODEC, lambda: vault.new_key("a"), lambda: vault.keys("a"))
    assert path.read_bytes() == before


def test_a_crash_between_a_journal_and_its_first_key(path: Path) -> None:
    vault = Vault(path.parent / "keys", "master")
    for size in range(len(MAGIC) + 1):
        path.write_bytes(MAGIC[:size])
        vault.shred("a")
        with JournalWriter(path, CODEC, lambda: vault.new_key("a"), lambda: vault.keys("a")) as journal:
            assert journal.is_new
            records = write_some(journal)
        with JournalReader(path, CODEC, lambda: vault.keys("a")) as journal_reader:
            assert list(journal_reader.records()) == records


# Several at once


def test_one_writer_at_a_time(path: Path, keyring: Keyring) -> None:
    with writer(path, keyring) as journal:
        records = write_some(journal, 2)
        with pytest.raises(JournalError, match=r"^journal a: another process writes it$"):
            writer(path, keyring)
        program = (
            "import sys; from pathlib import Path; from tests.journal.keyring import Keyring, writer\n"
            "writer(Path(sys.argv[1]), Keyring())"
        )
        other = subprocess.run(
            [sys.executable, "-c", program, path], check=False, capture_output=True, text=True
        )
        assert other.stderr.endswith("JournalError: journal a: another process writes it\n")
        records += write_some(journal, 2)
    assert read_all(path, keyring) == records
    with writer(path, keyring) as journal:
        journal.close()
        with writer(path, keyring):
            pass


def test_readers_of_a_growing_journal_see_no_damage(path: Path, keyring: Keyring) -> None:
    """Records of several pages: a reader meets them half written."""
    count = 300
    entries = [packet(number, number.to_bytes(2, "big") * 10_000) for number in range(count)]

    def follow(kind: Kind | None) -> list[AudioReceived]:
        with reader(path, keyring) as follower:
            offset, found = START, list[AudioReceived]()
            while len(found) < count:
                record = follower.read(offset, kind)
                assert not isinstance(record, Damage)
                if record is not None:
                    offset = record.end
                    found += record.entries
            return found

    with writer(path, keyring) as journal, ThreadPoolExecutor(3) as pool:
        followers = [pool.submit(follow, kind) for kind in (None, Kind.RECEIVED)]
        for entry in entries:
            journal.write(Kind.RECEIVED, START_MS, [entry])
            if any(one.done() for one in followers):
                break
        journal.sync()
    assert [one.result() for one in followers] == [entries] * 2


def test_framing_costs_what_it_says(path: Path, keyring: Keyring) -> None:
    with writer(path, keyring) as journal:
        record = journal.write(Kind.RECEIVED, 1, [])
        assert record.end - record.offset == OVERHEAD_BYTES + 1


def test_what_could_not_be_synced_is_written_anew_before_the_next_attempt(
    path: Path, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[tuple[int, bytes]] = []
    with writer(path, keyring) as journal:
        write_some(journal)
        journal.sync()
        synced_end = journal.end
        write_some(journal)
        after = path.read_bytes()

        def note(descriptor: int, data: bytes, offset: int) -> int:
            written.append((offset, data))
            return len(data)

        def fail(descriptor: int) -> None:
            raise OSError(errno.EIO, "Input/output error")

        with monkeypatch.context() as broken:
            broken.setattr(os, "fdatasync", fail)
            with pytest.raises(JournalError, match="cannot be synced"):
                journal.sync()
        with monkeypatch.context() as watched:
            watched.setattr(os, "pwrite", note)
            journal.sync()
            journal.sync()  # all is well again: nothing more is written twice
    assert written == [(synced_end, after[synced_end:])]
    assert path.read_bytes() == after
