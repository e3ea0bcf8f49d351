"""One journal: appending to it, following it, reading it back.

One writer at a time (a lock on the file says so), any number of readers, also in other processes and while it
grows. Everything here is blocking and meant for a worker thread.

The first record says whose journal it is, and stands there twice: so that a damaged disk block does not make a
file that belongs to nobody.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from zccvoice.errors import JournalError, JournalFullError, JournalUnavailableError
from zccvoice.journal.entry import Entry, EntryCodec
from zccvoice.journal.packets import by_track
from zccvoice.journal.record import (
    LONGEST_HEADER_BYTES,
    MAGIC,
    OLD_MAGIC,
    Header,
    Kind,
    find_header,
    parse_header,
    seal,
    unseal,
)
from zccvoice.journal.tracks import TrackNames, TrackNumbers

START = len(MAGIC)
"""Offset of a journal's first record."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SEARCH_BYTES = 2**16
NewKey = Callable[[], tuple[int, AESGCM]]
Keys = Callable[[], Sequence[AESGCM | None]]


@dataclass(frozen=True, slots=True)
class Record:
    """A record that was read, or has been written."""

    offset: int
    end: int
    """Where the next one begins."""
    kind: Kind
    arrived_ms: int
    """When its entries had arrived, by our clock, epoch milliseconds."""
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Damage:
    """A stretch of the file that is not what was written: its content is lost, and only its."""

    offset: int
    end: int


class JournalReader:
    """Reads a journal, from any record on, as far as it is whole by now."""

    def __init__(self, path: Path, codec: EntryCodec, keys: Keys) -> None:
        """Open the file.

        Args:
            path: the journal.
            codec: knows the types of its entries.
            keys: asked again when a record of a new generation is met.

        Raises:
            JournalError: no such file, or not a journal of this version.
            JournalUnavailableError: the system refuses.
            KeyMissingError: it has no key any more.
        """
        self._name = path.name
        self._codec = codec
        self._ask_keys = keys
        self._keys = list(keys())
        self._names = TrackNames(self._contents)
        try:
            self._file = path.open("rb", buffering=0)
        except OSError as error:
            kind = JournalError if isinstance(error, FileNotFoundError) else JournalUnavailableError
            raise kind(f"journal {path.name}: cannot be read: {error.strerror}") from None
        if self._pread(len(MAGIC), 0) not in (MAGIC, OLD_MAGIC):
            self._file.close()
            raise JournalError(
                f"journal {path.name}: expected a journal of version {OLD_MAGIC[-1]} or {MAGIC[-1]}"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read(self, offset: int, kind: Kind | None = None, end: int | None = None) -> Record | Damage | None:
        """What stands at `offset`, or the next record of this kind after it; None when there is no more by now.

        Args:
            offset: where a record begins: `START`, or the end of another one.
            kind: records of the other kind are stepped over without decrypting them.
            end: of what may be read; the file's, when None.

        A record is damage, too, when it names a track by a number that no record tells any more: whose sound it
        is cannot be known.

        Raises:
            JournalUnavailableError: the disk refuses.
            JournalError: a whole record holds a type that is not known here.
        """
        size = self.size_bytes
        limit = size if end is None else min(end, size)
        while True:
            header = parse_header(self._pread(LONGEST_HEADER_BYTES, offset))
            if header is None:
                return self._skip_damage(offset, limit)
            after = offset + header.record_bytes
            if after > limit:
                return None
            if kind is None or header.kind is kind:
                return self._unseal(header, offset, after)
            offset = after

    def records(
        self, start: int = START, kind: Kind | None = None, end: int | None = None
    ) -> Iterator[Record | Damage]:
        """All records from `start` on; see `read`."""
        while (found := self.read(start, kind, end)) is not None:
            yield found
            start = found.end

    @property
    def size_bytes(self) -> int:
        """Size of the file by now."""
        return os.fstat(self._file.fileno()).st_size

    def offsets(self, kind: Kind) -> list[int]:
        """Where the records of one kind begin, without a look inside them."""
        return [offset for offset, header in self._headers() if header.kind is kind]

    def whole_end(self) -> int:
        """Where the last whole record ends: what follows is a torn tail.

        A record whose key is missing is whole: a key is on the disk before anything is sealed with it, so it was
        not a crash that took it, and it may be found again.
        """
        headers = list(self._headers())
        for offset, header in reversed(headers):
            end = offset + header.record_bytes
            if self._key(header.generation) is None or self._content(header, offset, end) is not None:
                return end
        return START

    def _headers(self, start: int = START) -> Iterator[tuple[int, Header]]:
        """Where whole records begin, at `start` or after, without a look inside them."""
        offset, limit = start, self.size_bytes
        while offset < limit:
            header = parse_header(self._pread(LONGEST_HEADER_BYTES, offset))
            if header is not None and offset + header.record_bytes <= limit:
                yield offset, header
                offset += header.record_bytes
                continue
            damage = self._skip_damage(offset, limit)
            if damage is None:
                return
            offset = damage.end

    def _unseal(self, header: Header, offset: int, end: int) -> Record | Damage:
        content = self._content(header, offset, end)
        if content is None:
            return Damage(offset, end)
        self._names.learn(header.generation, content)
        decoded = self._codec.decode(
            content, lambda number: self._names.name(header.generation, number, offset)
        )
        return Damage(offset, end) if decoded is None else Record(offset, end, header.kind, *decoded)

    def _contents(self, generation: int, start: int) -> Iterator[bytes]:
        """What intact records of one generation hold, from `start` on, which may lie within a record."""
        for offset, header in self._headers(max(start, START)):
            if header.generation == generation:
                content = self._content(header, offset, offset + header.record_bytes)
                if content is not None:
                    yield content

    def _content(self, header: Header, offset: int, end: int) -> bytes | None:
        key = self._key(header.generation)
        return None if key is None else unseal(key, offset, self._pread(end - offset, offset))

    def _key(self, generation: int) -> AESGCM | None:
        if generation >= len(self._keys):
            self._keys = list(self._ask_keys())
        return self._keys[generation] if generation < len(self._keys) else None

    def _skip_damage(self, offset: int, limit: int) -> Damage | None:
        """There is no header at `offset`: damage up to the next one, or the torn end of the file."""
        at = offset + 1
        while at + LONGEST_HEADER_BYTES <= limit:
            piece = self._pread(min(_SEARCH_BYTES, limit - at), at)
            found = find_header(piece)
            if found is not None:
                return Damage(offset, at + found)
            at += max(1, len(piece) - LONGEST_HEADER_BYTES + 1)  # a header may lie across two pieces
        return None

    def _pread(self, size: int, offset: int) -> bytes:
        try:
            data = os.pread(self._file.fileno(), size, offset)
            while 0 < len(data) < size:
                more = os.pread(self._file.fileno(), size - len(data), offset + len(data))
                if not more:
                    break
                data += more
        except OSError as error:
            raise JournalUnavailableError(
                f"journal {self._name}: cannot be read at {offset}: {error.strerror}"
            ) from None
        return data


class JournalWriter:
    """Appends to a journal. One thread at a time."""

    def __init__(self, path: Path, codec: EntryCodec, new_key: NewKey, keys: Keys) -> None:
        """Open the file for appending, or begin it; a torn tail is cut off.

        Raises:
            JournalFullError: no room for a new file.
            JournalUnavailableError: the system refuses.
            JournalError: not a journal, or another process writes it.
            KeyMissingError: it has no key any more.
        """
        self._codec = codec
        self._tracks = TrackNumbers()
        self._unwritten: tuple[bytes, Record] | None = None
        self._descriptor = -1
        self.name = path.stem
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._lock()
            self._end = self._begin(path, codec, keys)
            self.cut_bytes = os.fstat(self._descriptor).st_size - self._end
            """Length of the torn tail that was cut off."""
            os.ftruncate(self._descriptor, self._end)
            self._generation, self._key = new_key()
            self._synced_end, self._has_failed_to_sync = self._end, False
        except OSError as error:
            self.close()
            kind = JournalFullError if error.errno in _FULL else JournalUnavailableError
            raise kind(f"journal {self.name}: cannot be opened: {error.strerror}") from None
        except JournalError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def end(self) -> int:
        """Where the next record will begin."""
        return self._end

    @property
    def is_new(self) -> bool:
        """Nothing has been written to it yet."""
        return self._end == START

    def write(self, kind: Kind, arrived_ms: int, entries: Sequence[Entry]) -> Record:
        """Append one record; packets that lie between two other entries are put in the order of their tracks.

        When it fails, the record counts as accepted and is written before the next one, so that no offset is
        ever sealed twice; only one record waits so.

        Raises:
            JournalFullError: there is no room; if an earlier record still waits, this one was not taken.
            JournalError: the file cannot be written.
        """
        self.retry()
        entries = by_track(entries)
        told = self._tracks.due(entries, self._end)
        content = self._codec.encode(arrived_ms, entries, self._tracks.numbers, told)
        sealed = seal(self._key, self._generation, self._end, kind, content)
        self._tracks.note_told(told, self._end)
        record = Record(self._end, self._end + len(sealed), kind, arrived_ms, entries)
        self._unwritten = sealed, record
        self.retry()
        return record

    def retry(self) -> Record | None:
        """Write the record that waits; None when none does.

        Raises:
            JournalFullError: there is still no room.
            JournalError: the file cannot be written.
        """
        if self._unwritten is None:
            return None
        sealed, record = self._unwritten
        try:
            self._pwrite(sealed, self._end)
        except OSError as error:
            self._take_back()
            kind = JournalFullError if error.errno in _FULL else JournalError
            raise kind(f"journal {self.name}: cannot be written: {error.strerror}") from None
        self._end = record.end
        self._unwritten = None
        return record

    def sync(self) -> None:
        """Return when everything written is on the disk; another thread may write meanwhile.

        After a failure the next attempt writes anew what was not synced: Linux takes what it could not bring to
        the disk for written, and would not try again. (LWN, "PostgreSQL's fsync() surprise", 2018.)

        Raises:
            JournalError: it is not.
        """
        end = self._end
        try:
            if self._has_failed_to_sync:
                self._pwrite(
                    os.pread(self._descriptor, end - self._synced_end, self._synced_end), self._synced_end
                )
            os.fdatasync(self._descriptor)
        except OSError as error:
            self._has_failed_to_sync = True
            raise JournalError(f"journal {self.name}: cannot be synced: {error.strerror}") from None
        self._has_failed_to_sync = False
        self._synced_end = end

    def close(self) -> None:
        """Close the file, and let others write it. Twice is harmless."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _lock(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalError(f"journal {self.name}: another process writes it") from None

    def _begin(self, path: Path, codec: EntryCodec, keys: Keys) -> int:
        """Make a new file a journal of this version, and an old one; find the end of what is whole.

        One without a record may have no key yet: a crash came between the two.
        """
        beginning = os.pread(self._descriptor, START + 1, 0)
        end = START
        if not any(magic.startswith(beginning) for magic in (MAGIC, OLD_MAGIC)):
            with JournalReader(path, codec, keys) as reader:
                end = reader.whole_end()
        if not beginning.startswith(MAGIC):
            self._pwrite(MAGIC, 0)
        return end

    def _pwrite(self, data: bytes, offset: int) -> None:
        done = 0
        while done < len(data):
            done += os.pwrite(self._descriptor, data[done:], offset + done)

    def _take_back(self) -> None:
        """Leave no half of a record behind: readers would take it for a torn tail and wait."""
        with suppress(OSError):  # the next attempt writes over it
            os.ftruncate(self._descriptor, self._end)


def is_locked(path: Path) -> bool:
    """Whether a writer has a journal open, in whichever process; False when there is none."""
    try:
        with path.open("rb", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False
