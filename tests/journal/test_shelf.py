from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.journal.keyring import START_MS, Noted, entries_of
from zccvoice.errors import JournalError, JournalUnavailableError, KeyMissingError
from zccvoice.journal.journal import START, JournalReader
from zccvoice.journal.record import Kind
from zccvoice.journal.shelf import Shelf, ShelvedJournal, journal_name
from zccvoice.journal.vault import Vault


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "keys", "master")


@pytest.fixture
def shelf(tmp_path: Path, vault: Vault) -> Shelf:
    return Shelf(tmp_path / "journals", vault, [Noted])


def note(shelf: Shelf, name: str, text: str, age_s: int | None = None) -> int:
    """Write a fact into a journal; returns the journal's size."""
    with shelf.writer(name) as journal:
        journal.write(Kind.RECEIVED, START_MS, [Noted(text)])
    if age_s is not None:
        os.utime(file_of(shelf, name), (1_800_000_000 - age_s,) * 2)
    return journal.end


def note_and_close(shelf: Shelf, name: str, text: str, age_s: int) -> int:
    size = note(shelf, name, text, age_s)
    shelf.close(name)
    return size


def file_of(shelf: Shelf, name: str) -> Path:
    (path,) = shelf._open.parent.glob(f"*/{name}.journal")
    return path


def notes(reader: JournalReader) -> list[str]:
    with reader:
        return [entry.text for entry in entries_of(list(reader.records()))]


def names(journals: Sequence[ShelvedJournal]) -> list[str]:
    return [one.name for one in journals]


def test_a_journal_is_open_then_closed_then_open_again(shelf: Shelf) -> None:
    def state() -> tuple[bool, bool, list[str], list[str]]:
        return shelf.exists("a"), shelf.is_closed("a"), shelf.open_names(), names(shelf.closed())

    assert state() == (False, False, [], [])
    note(shelf, "a", "first")
    assert state() == (True, False, ["a"], [])
    shelf.close("a")
    assert state() == (True, True, [], ["a"])
    assert notes(shelf.reader("a")) == ["first"]
    size = note(shelf, "a", "second")
    assert state() == (True, False, ["a"], [])
    assert notes(shelf.reader("a")) == ["first", "second"]
    assert shelf.size_bytes() == size


def test_a_reader_keeps_its_journal_wherever_it_goes(shelf: Shelf) -> None:
    with shelf.writer("a") as journal, shelf.reader("a") as reader:
        first = journal.write(Kind.RECEIVED, START_MS, [Noted("first")])
        shelf.close("a")
        second = journal.write(Kind.RECEIVED, START_MS, [Noted("second")])
        assert list(reader.records()) == [first, second]
        shelf.shred("a")
        assert reader.read(START) == first


def test_a_journal_that_is_written_has_one_writer(shelf: Shelf) -> None:
    with shelf.writer("a"), pytest.raises(JournalError, match="journal a: another process writes it"):
        shelf.writer("a")


def test_what_is_not_there_is_told(shelf: Shelf) -> None:
    with pytest.raises(JournalError, match=r"^journal a: there is none$"):
        shelf.reader("a")
    with pytest.raises(JournalError, match=r"^journal a: cannot be closed: No such file or directory$"):
        shelf.close("a")
    assert shelf.shred("a") == 0


def test_nobody_else_may_look(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        shelf = Shelf(tmp_path / "journals", Vault(tmp_path / "keys", "master"), [Noted])
        note(shelf, "a", "first")
    finally:
        os.umask(before)
    for path in tmp_path.rglob("*"):
        if path != tmp_path / "journals":
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_folder_that_cannot_be_used(tmp_path: Path, vault: Vault) -> None:
    (tmp_path / "journals").touch()
    with pytest.raises(JournalError, match=r"the journal folder .* cannot be used: Not a directory"):
        Shelf(tmp_path / "journals", vault, [Noted])


def test_a_file_that_lies_elsewhere(tmp_path: Path, shelf: Shelf) -> None:
    note(shelf, "a", "first")
    elsewhere = file_of(shelf, "a").rename(tmp_path / "a.journal")
    assert notes(shelf.read_file(elsewhere)) == ["first"]
    with pytest.raises(KeyMissingError, match="journal b has no key"):
        shelf.read_file(elsewhere.rename(tmp_path / "b.journal"))


def test_shredding_takes_key_and_sound(tmp_path: Path, shelf: Shelf) -> None:
    sizes = {name: note(shelf, name, name) for name in ("open", "closed", "other")}
    shelf.close("closed")
    copies = {name: file_of(shelf, name).read_bytes() for name in sizes}
    for name in ("open", "closed"):
        assert shelf.shred(name) == sizes[name]
        assert not shelf.exists(name)
        copy = tmp_path / f"{name}.journal"
        copy.write_bytes(copies[name])
        with pytest.raises(KeyMissingError, match=f"journal {name} has no key"):
            shelf.read_file(copy)
        assert not (tmp_path / "keys" / f"{name}.key").exists()
    assert notes(shelf.reader("other")) == ["other"]
    note(shelf, "open", "anew")
    assert notes(shelf.reader("open")) == ["anew"]


def test_a_crash_between_key_and_sound(shelf: Shelf, vault: Vault) -> None:
    note(shelf, "a", "first")
    vault.shred("a")
    assert shelf.open_names() == ["a"]
    for opening in (shelf.reader, shelf.writer):
        with pytest.raises(KeyMissingError):
            opening("a")
    assert shelf.shred("a") > 0
    assert shelf.open_names() == []


def test_the_oldest_come_first(shelf: Shelf) -> None:
    for name, age_s in (("b", 20), ("a", 10), ("c", 30)):
        note_and_close(shelf, f"closed-{name}", "old", age_s)
        note(shelf, f"open-{name}", "new", age_s)
    assert shelf.open_names() == ["open-c", "open-b", "open-a"]
    assert names(shelf.closed()) == ["closed-c", "closed-b", "closed-a"]
    assert [one.closed_at for one in shelf.closed()] == [1_800_000_000 - age_s for age_s in (30, 20, 10)]
    assert len({one.size_bytes for one in shelf.closed()}) == 1


def test_room_is_made_from_the_oldest_closed_and_no_further(shelf: Shelf) -> None:
    size = note(shelf, "oldest", "x", age_s=1_000)
    for name, age_s in (("b", 20), ("a", 10), ("d", 40), ("c", 30)):
        assert note_and_close(shelf, name, "x", age_s) == size
    assert shelf.make_room(5 * size) == []
    assert names(shelf.make_room(5 * size - 1)) == ["d"]
    assert names(shelf.make_room(2 * size + 1, keep={"c"})) == ["b", "a"]
    assert shelf.make_room(0, keep=["c"]) == []
    assert (shelf.open_names(), names(shelf.closed())) == (["oldest"], ["c"])
    assert notes(shelf.reader("oldest")) == ["x"]
    assert names(shelf.make_room(0)) == ["c"]
    assert shelf.make_room(0) == []
    assert shelf.size_bytes() == size


def test_journals_that_go_while_they_are_looked_at(tmp_path: Path, shelf: Shelf) -> None:
    """A name without a file behind it is what is left of one that went between the listing and the look."""
    size = note(shelf, "a", "x")
    note_and_close(shelf, "b", "x", 10)
    for folder in ("open", "closed"):
        (tmp_path / "journals" / folder / "gone.journal").symlink_to(tmp_path / "nowhere")
    assert shelf.open_names() == ["a"]
    assert names(shelf.closed()) == ["b"]
    assert shelf.size_bytes() == 2 * size
    assert names(shelf.make_room(size)) == ["b"]


def test_a_journal_that_is_opened_again_is_never_deleted_for_room(shelf: Shelf) -> None:
    """Whoever comes first: a journal that is open has kept everything it had."""
    rounds = 150
    for number in range(rounds):
        note_and_close(shelf, f"{number}", "first", 0)

    def open_again() -> int:
        survived = 0
        for number in range(rounds):
            with shelf.writer(f"{number}") as journal:
                survived += not journal.is_new
                journal.write(Kind.RECEIVED, START_MS, [Noted("second")])
        return survived

    def make_room() -> int:
        return sum(len(shelf.make_room(shelf.size_bytes() - 1)) for _ in range(rounds))

    with ThreadPoolExecutor(2) as pool:
        survived, deleted = pool.submit(open_again), pool.submit(make_room)
    assert survived.result() + deleted.result() == rounds
    for number in range(rounds):
        assert notes(shelf.reader(f"{number}")) in (["first", "second"], ["second"])


def test_a_journal_that_is_closed_meanwhile_is_found(shelf: Shelf) -> None:
    note(shelf, "a", "first")

    def open_and_close() -> None:
        for _ in range(200):
            shelf.writer("a").close()
            shelf.close("a")

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(open_and_close)
        while not done.done():
            assert notes(shelf.reader("a")) == ["first"]
    done.result()


def test_a_name_tells_nothing_and_is_the_same_every_time() -> None:
    assert journal_name("stream/..\ud800") == journal_name("stream/..\ud800")
    assert len({journal_name(f"{number}") for number in range(1000)}) == 1000
    assert journal_name("q1w2e3==").isalnum()
    assert journal_name("q1w2e3==") == "5e697903d43ecaae883e1b5a1577f8ee", (
        "journals are found by it after an update"
    )


def test_a_writer_shows_while_it_has_the_journal(shelf: Shelf) -> None:
    assert not shelf.is_being_written("a")
    with shelf.writer("a"):
        assert shelf.is_being_written("a")
    assert not shelf.is_being_written("a")
    shelf.close("a")
    assert not shelf.is_being_written("a")


def test_only_what_is_finished_is_shredded_by_age(shelf: Shelf) -> None:
    shelf.writer("a").close()
    assert shelf.shred_closed("a") == 0
    assert shelf.has_key("a")
    shelf.close("a")
    size = shelf.size_bytes()
    assert shelf.shred_closed("a") == size > 0
    assert not shelf.exists("a")
    assert not shelf.has_key("a")
    assert shelf.shred_closed("a") == 0


def test_what_is_written_again_by_now_stays_open(shelf: Shelf) -> None:
    with shelf.writer("a"):
        shelf.close("a")
        assert not shelf.is_closed("a")
    shelf.close("a")
    assert shelf.is_closed("a")


@pytest.mark.parametrize("state", [errno.ESTALE, errno.EIO])
def test_what_the_system_cannot_tell_is_not_taken_for_a_no(
    shelf: Shelf, state: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.writer("a").close()
    real = os.stat

    def refuse(path: Any, *rest: Any, **more: Any) -> os.stat_result:
        if str(path).endswith(".journal"):
            raise OSError(state, os.strerror(state))
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "stat", refuse)
    for ask in (shelf.exists, shelf.is_closed, shelf.reader, shelf.writer):
        with pytest.raises(JournalUnavailableError):
            ask("a")
    with pytest.raises(JournalUnavailableError):
        shelf.open_names()
    monkeypatch.undo()
    assert shelf.open_names() == ["a"]
