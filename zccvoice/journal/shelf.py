"""The folder of journals: which are open, which are closed, and what goes first when the disk has no more room.

    <folder>/open/<name>.journal      running, or not wholly in the database yet: never deleted for room
    <folder>/closed/<name>.journal    everything in it is in the database; its sound is kept while there is room
    <folder>/keys/<name>.key          see `vault`

A name is a hash of the stream's id: opaque, fit for a file system, and the same every time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from threading import Lock

from zccvoice.errors import JournalError, JournalUnavailableError
from zccvoice.journal.entry import EntryCodec
from zccvoice.journal.journal import START, JournalReader, JournalWriter, is_locked
from zccvoice.journal.vault import Vault, sync_folder

_SUFFIX = ".journal"


@dataclass(frozen=True, slots=True)
class ShelvedJournal:
    """A journal in its folder."""

    name: str
    size_bytes: int
    closed_at: float
    """Unix time of its last record."""


class Shelf:
    """All journals of one daemon. Any thread."""

    def __init__(self, folder: Path, vault: Vault, types: Iterable[type]) -> None:
        """Open the folder; made if it is not there.

        Args:
            folder: for the journals alone.
            vault: their keys.
            types: what the entries of these journals may be, beside audio packets.

        Raises:
            JournalError: the folder cannot be used.
        """
        self._open, self._closed = folder / "open", folder / "closed"
        self._vault = vault
        self._codec = EntryCodec(types)
        self._moving = Lock()
        """Held while a journal changes its folder, is found in one, or goes for room: never two at a time."""
        try:
            for one in (self._open, self._closed):
                one.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise JournalError(f"the journal folder {folder} cannot be used: {error.strerror}") from None

    def writer(self, name: str) -> JournalWriter:
        """Begin a journal, or go on with one, closed or not.

        Raises:
            JournalFullError: no room for a new file.
            JournalUnavailableError: the system refuses.
            JournalError: another process writes it, or it cannot be used.
        """
        path = self._open / f"{name}{_SUFFIX}"
        try:
            with self._moving:
                is_new = not _is_there(path)
                if is_new and self.is_closed(name):
                    self._move(name, self._closed, self._open)
                writer = JournalWriter(
                    path, self._codec, lambda: self._vault.new_key(name), lambda: self._vault.keys(name)
                )
            if is_new:
                sync_folder(self._open)
        except OSError as error:
            raise JournalUnavailableError(f"journal {name}: cannot be opened: {error.strerror}") from None
        return writer

    def reader(self, name: str) -> JournalReader:
        """Read a journal, closed or not.

        Raises:
            JournalError: there is none, or it cannot be read.
            JournalUnavailableError: the system refuses.
            KeyMissingError: its key was shredded.
        """
        with self._moving:
            for folder in (self._open, self._closed):
                path = folder / f"{name}{_SUFFIX}"
                if _is_there(path):
                    return JournalReader(path, self._codec, lambda: self._vault.keys(name))
        raise JournalError(f"journal {name}: there is none")

    def read_file(self, path: Path) -> JournalReader:
        """Read a journal that lies elsewhere; its key is looked for by its name.

        Raises:
            JournalError: it cannot be read.
            KeyMissingError: its key was shredded, or never was here.
        """
        if not _is_there(path):  # has no key either, and would be taken for one that was shredded
            raise JournalError("there is no such file")
        return JournalReader(path, self._codec, lambda: self._vault.keys(path.stem))

    def is_closed(self, name: str) -> bool:
        """Whether a journal of this name was finished.

        Raises:
            JournalUnavailableError: the system does not tell.
        """
        return _is_there(self._closed / f"{name}{_SUFFIX}")

    def exists(self, name: str) -> bool:
        """Whether there is a journal of this name.

        Raises:
            JournalUnavailableError: the system does not tell.
        """
        return self.is_closed(name) or _is_there(self._open / f"{name}{_SUFFIX}")

    def is_blank(self, name: str) -> bool:
        """Whether an open journal was begun and has no record yet, which a missing key of it does not tell."""
        return _size(self._open / f"{name}{_SUFFIX}") <= START

    def has_key(self, name: str) -> bool:
        """Whether there is a key of this name, whether or not it opens with our master key."""
        return self._vault.has(name)

    def is_being_written(self, name: str) -> bool:
        """Whether a writer has it open, in whichever process: its call is running."""
        return is_locked(self._open / f"{name}{_SUFFIX}")

    def close(self, name: str) -> None:
        """Everything in a journal is in the database: its sound may go when room is needed.

        One that somebody writes again by now stays open.

        Raises:
            JournalError: it is not open, or the file system refuses.
        """
        try:
            with self._moving:
                if not self.is_being_written(name):
                    self._move(name, self._open, self._closed)
        except OSError as error:
            raise JournalError(f"journal {name}: cannot be closed: {error.strerror}") from None

    def adopt(self, name: str, other: Shelf) -> None:
        """Take over an open journal of another shelf that has the same keys and lies on the same disk.

        One of that name that is here already is replaced: until then it can be read.

        Raises:
            JournalError: it is not there, or the file system refuses.
        """
        try:
            with self._moving:
                other._move(name, other._open, self._open)
                (self._closed / f"{name}{_SUFFIX}").unlink(missing_ok=True)
                sync_folder(self._closed)
        except OSError as error:
            raise JournalError(f"journal {name}: cannot be taken over: {error.strerror}") from None

    def open_names(self) -> list[str]:
        """Journals that are not finished, the oldest first."""
        return [one.name for one in _shelved(self._open)]

    def names(self) -> list[str]:
        """All journals, open and closed, in no order."""
        return [*self.open_names(), *(one.name for one in self.closed())]

    def closed(self) -> list[ShelvedJournal]:
        """Finished journals, the oldest first."""
        return _shelved(self._closed)

    def size_bytes(self) -> int:
        """Bytes of all journals."""
        return sum(_size(path) for folder in (self._open, self._closed) for path in folder.iterdir())

    def shred(self, name: str) -> int:
        """Delete a journal and its key, finished or not; returns the bytes of sound and all that are gone.

        The key goes first: from then on what is left of the file, here or in a copy, is noise.

        Raises:
            JournalError: the file system refuses.
        """
        with self._moving:
            return self._shred(name)

    def drop(self, name: str) -> None:
        """Delete an open journal and leave its key: one of the same name on another shelf needs it.

        Raises:
            JournalError: the file system refuses.
        """
        try:
            with self._moving:
                (self._open / f"{name}{_SUFFIX}").unlink(missing_ok=True)
                sync_folder(self._open)
        except OSError as error:
            raise JournalError(f"journal {name}: cannot be deleted: {error.strerror}") from None

    def shred_closed(self, name: str) -> int:
        """Delete a journal if it is finished, and not open again by now; returns the bytes that are gone.

        Raises:
            JournalError: the file system refuses.
        """
        with self._moving:
            return self._shred(name) if self.is_closed(name) else 0

    def make_room(self, budget_bytes: int, *, keep: Collection[str] = ()) -> list[ShelvedJournal]:
        """Delete finished journals, the oldest first, until all take no more than the budget.

        What is not in the database yet is never deleted, nor what is named in `keep` (a legal hold): when that
        alone is more than the budget, the budget is exceeded.

        Raises:
            JournalError: the file system refuses.
        """
        surplus = self.size_bytes() - budget_bytes
        deleted = []
        for journal in self.closed() if surplus > 0 else ():
            if surplus <= 0:
                break
            if journal.name not in keep and (removed := self.shred_closed(journal.name)):
                surplus -= removed
                deleted.append(journal)
        return deleted

    def _shred(self, name: str) -> int:
        removed = 0
        try:
            self._vault.shred(name)
            for folder in (self._open, self._closed):
                path = folder / f"{name}{_SUFFIX}"
                removed += _size(path)
                path.unlink(missing_ok=True)
                sync_folder(folder)
        except OSError as error:
            raise JournalError(f"journal {name}: cannot be deleted: {error.strerror}") from None
        return removed

    def _move(self, name: str, source: Path, target: Path) -> None:
        (source / f"{name}{_SUFFIX}").rename(target / f"{name}{_SUFFIX}")
        sync_folder(target)
        sync_folder(source)


def journal_name(stream_id: str) -> str:
    """Name of a stream's journal."""
    return blake2b(stream_id.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _is_there(path: Path) -> bool:
    """Whether a file is there: what the disk or the network cannot tell at the moment is not taken for a no."""
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise JournalUnavailableError(
            f"journal {path.stem}: cannot be looked for: {error.strerror}"
        ) from None
    return True


def _shelved(folder: Path) -> list[ShelvedJournal]:
    """The journals in a folder, the oldest first.

    Raises:
        JournalUnavailableError: the system refuses.
    """
    found = []
    try:
        for path in folder.glob(f"*{_SUFFIX}"):
            with suppress(FileNotFoundError):  # deleted or moved meanwhile
                status = path.stat()
                found.append(ShelvedJournal(path.stem, status.st_size, status.st_mtime))
    except OSError as error:
        raise JournalUnavailableError(f"{folder} cannot be read: {error.strerror}") from None
    return sorted(found, key=lambda one: one.closed_at)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
