"""What the tests of journals share: keys in memory, and records to write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from zccvoice.journal.entry import Entry, EntryCodec
from zccvoice.journal.journal import START, Damage, JournalReader, JournalWriter, Record
from zccvoice.journal.record import Kind
from zccvoice.rtms.events import AudioReceived

START_MS = 1_781_000_012_340


@dataclass(frozen=True, slots=True)
class Noted:
    """An entry that is no audio."""

    text: str


CODEC = EntryCodec([Noted])


class WatchedKey:
    """AES-GCM that remembers under which nonce it sealed what."""

    def __init__(self) -> None:
        self._key = AESGCM(AESGCM.generate_key(256))
        self.sealed: list[tuple[bytes, bytes, bytes | None]] = []

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        self.sealed.append((nonce, data, associated_data))
        return self._key.encrypt(nonce, data, associated_data)

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        return self._key.decrypt(nonce, data, associated_data)


@dataclass
class Keyring:
    """The keys of one journal, for one test: what `Vault` does without its folder."""

    watched: list[WatchedKey] = field(default_factory=list)

    def new_key(self) -> tuple[int, AESGCM]:
        self.watched.append(WatchedKey())
        return len(self.watched) - 1, cast(AESGCM, self.watched[-1])

    def keys(self) -> list[AESGCM | None]:
        return cast("list[AESGCM | None]", list(self.watched))

    def copy(self) -> Keyring:
        return Keyring(list(self.watched))


def writer(path: Path, keyring: Keyring, codec: EntryCodec = CODEC) -> JournalWriter:
    return JournalWriter(path, codec, keyring.new_key, keyring.keys)


def reader(path: Path, keyring: Keyring, codec: EntryCodec = CODEC) -> JournalReader:
    return JournalReader(path, codec, keyring.keys)


def read_all(path: Path, keyring: Keyring, start: int = START) -> list[Record | Damage]:
    with reader(path, keyring) as journal:
        return list(journal.records(start))


def entries_of(found: Sequence[Record | Damage]) -> list[Entry]:
    """The entries of all records, in order; fails on damage."""
    entries: list[Entry] = []
    for one in found:
        assert isinstance(one, Record), one
        entries += one.entries
    return entries


def packet(number: int, payload: bytes, channel_id: str = "ch-7f31", packet_ms: int = 20) -> AudioReceived:
    return AudioReceived(channel_id, START_MS + number * packet_ms, payload)


def write_some(journal: JournalWriter, count: int = 5, first: int = 0) -> list[Record]:
    """Records of every kind of content: audio, another entry, both, nothing."""
    written = []
    for number in range(first, first + count):
        content: list[Entry] = [packet(number, bytes([number]) * 6)] if number % 4 != 1 else []
        content += [Noted(f"fact {number}")] if number % 4 not in (0, 3) else []
        content = [] if number % 4 == 3 else content
        kind = Kind.DERIVED if number % 4 == 1 else Kind.RECEIVED
        written.append(journal.write(kind, START_MS + number, content))
    return written
