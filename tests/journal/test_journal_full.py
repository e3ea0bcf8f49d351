"""`journal.journal`: a disk without room."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.journal.keyring import (
    CODEC,
    START_MS,
    Keyring,
    Noted,
    entries_of,
    read_all,
    write_some,
    writer,
)
from zccvoice.errors import JournalFullError
from zccvoice.journal.journal import START, JournalReader, JournalWriter, Record
from zccvoice.journal.record import MAGIC, Kind
from zccvoice.journal.vault import Vault


@contextmanager
def room_up_to(size_bytes: int) -> Iterator[None]:
    """No file of this process can grow beyond this size."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_no_key_seals_twice_under_one_nonce(path: Path, keyring: Keyring) -> None:
    for number in range(12):
        with writer(path, keyring) as journal:
            write_some(journal, 3)
            for _ in range(2):  # a failed write, a refused one, and then what had failed
                with room_up_to(journal.end + number * 5):
                    for text in ("failed", "refused"):
                        with suppress(JournalFullError):
                            journal.write(Kind.RECEIVED, START_MS, [Noted(f"{text} {number}")])
                journal.retry()
            end = write_some(journal, 2)[-1].end
        os.truncate(path, end - 7 * (number % 3))  # and half of the time it is torn
    assert len(keyring.watched) == 12
    for key in keyring.watched:
        nonces = [nonce for nonce, _, _ in key.sealed]
        assert len(nonces) >= 7
        assert len(set(nonces)) == len(nonces)


def test_a_full_disk_corrupts_nothing_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    ring = Keyring()
    with writer(tmp_path / "length.journal", ring) as journal:
        length = write_some(journal, 2)[-1].end - START
    for room in range(length):
        path, ring = tmp_path / f"{room}.journal", Keyring()
        with writer(path, ring) as journal:
            before = write_some(journal, 2)
            with room_up_to(journal.end + room):
                kept, refused = Noted("x" * length), Noted("not taken")
                for entry in (kept, refused, refused):
                    with pytest.raises(
                        JournalFullError, match=r"^journal \d+: cannot be written: File too large$"
                    ):
                        journal.write(Kind.RECEIVED, START_MS, [entry])
                    assert read_all(path, ring) == before
                    assert path.stat().st_size == before[-1].end, "half a record would look like a torn tail"
                with pytest.raises(JournalFullError):
                    journal.retry()
            if room % 2:
                late = journal.retry()
                assert journal.retry() is None
                following = journal.write(Kind.DERIVED, START_MS, [Noted("after")])
            else:  # writing does it by itself
                following = journal.write(Kind.DERIVED, START_MS, [Noted("after")])
                late = Record(before[-1].end, following.offset, Kind.RECEIVED, START_MS, [kept])
        assert late is not None
        assert list(late.entries) == [kept]
        assert read_all(path, ring) == [*before, late, following]


def test_no_room_for_a_new_journal(path: Path) -> None:
    for room in range(len(MAGIC)):
        with (
            room_up_to(room),
            pytest.raises(JournalFullError, match="journal a: cannot be opened: File too large"),
        ):
            writer(path, Keyring())
    vault = Vault(path.parent / "keys", "master")
    for room in range(len(MAGIC), 60):  # for the journal, but not for its key
        with room_up_to(room), pytest.raises(JournalFullError):
            JournalWriter(path, CODEC, lambda: vault.new_key("a"), lambda: vault.keys("a"))
    with JournalWriter(path, CODEC, lambda: vault.new_key("a"), lambda: vault.keys("a")) as journal:
        records = write_some(journal)
    with JournalReader(path, CODEC, lambda: vault.keys("a")) as journal_reader:
        assert list(journal_reader.records()) == records


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("mounting a small file system takes rights that these tests do not have")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(journal: JournalWriter, accepted: list[Noted]) -> None:
    for number in range(100):
        accepted.append(Noted(f"{number} " * 500))
        journal.write(Kind.RECEIVED, START_MS, [accepted[-1]])


def test_a_small_disk_filled_to_the_brim(small_disk: Path) -> None:
    ballast, ring = small_disk / "ballast", Keyring()
    ballast.write_bytes(bytes(20_000))
    accepted: list[Noted] = []
    with writer(small_disk / "a.journal", ring) as journal:
        with pytest.raises(JournalFullError, match="cannot be written: No space left on device"):
            fill(journal, accepted)
        assert entries_of(read_all(small_disk / "a.journal", ring)) == accepted[:-1]
        with pytest.raises(JournalFullError):
            writer(small_disk / "b.journal", Keyring()).write(Kind.RECEIVED, START_MS, [Noted("x" * 9000)])
        ballast.unlink()
        accepted.append(Noted("after"))
        journal.write(Kind.RECEIVED, START_MS, [accepted[-1]])
    assert entries_of(read_all(small_disk / "a.journal", ring)) == accepted
