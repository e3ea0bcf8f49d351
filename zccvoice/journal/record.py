"""The framing of a journal: sealed records, one after the other, each opened without the others.

    file    :=  MAGIC record*
    record  :=  header ciphertext tag
    header  :=  mark:2 generation:1 size:3 check:2         little-endian; size is the ciphertext's

The content is AES-256-GCM (NIST SP 800-38D), which is the record's checksum too; its associated data are the
header. A file is opened for appending under a new key each time (its *generation*, see `vault`), and within a
generation offsets only grow: so the offset is a nonce that no key sees twice. `check` is a CRC of the header,
which lets a reader walk from record to record without decrypting what it does not want, and find the next one
when a header is damaged. What follows the last whole record is a torn tail.

Version 1 of the format had longer headers, under a mark of their own:

    header  :=  mark:2 kind:1 generation:1 length:4 check:2    length counts ciphertext and tag

They are read wherever they stand, and not written: a journal of version 1 becomes one of this version, which
holds both, when it is opened for appending.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"ZCCVJ\r\n\x02"
"""First bytes of a journal; the last one is the version of the format."""
OLD_MAGIC = b"ZCCVJ\r\n\x01"
"""Those of version 1."""
TAG_BYTES = 16
LONGEST_BYTES = 2**24
"""No record's ciphertext and tag are longer: one second of the loudest stream is a fraction of it."""
MOST_GENERATIONS = 255

_FIELDS = struct.Struct("<HBHB")
"""Mark, generation, and the size in three bytes."""
_OLD_FIELDS = struct.Struct("<HBBI")
_OLD_MARK = 0xC5A3
_CHECK = struct.Struct("<H")
HEADER_BYTES = _FIELDS.size + _CHECK.size
LONGEST_HEADER_BYTES = _OLD_FIELDS.size + _CHECK.size
"""A whole record is longer than this in either version."""
OVERHEAD_BYTES = HEADER_BYTES + TAG_BYTES
"""What framing and seal add to a record's content."""


class Kind(IntEnum):
    """Where a record's content comes from."""

    RECEIVED = 0
    """From Zoom, or about the connection to it: cannot be had again."""
    DERIVED = 1
    """Ours: transcripts and other facts."""


_MARKS = {Kind.RECEIVED: 0x3A5C, Kind.DERIVED: 0xC55C}
"""Far from one another and from the old one: no flipped bit makes one of another."""
_KINDS = {mark: kind for kind, mark in _MARKS.items()}
_ANY_MARK = re.compile(b"|".join(re.escape(mark.to_bytes(2, "little")) for mark in (*_KINDS, _OLD_MARK)))


@dataclass(frozen=True, slots=True)
class Header:
    """What can be known of a record without its key."""

    kind: Kind
    generation: int
    length: int
    """Bytes after the header."""
    size_bytes: int = HEADER_BYTES
    """Of the header itself."""

    @property
    def record_bytes(self) -> int:
        """Of the whole record."""
        return self.size_bytes + self.length


def seal(key: AESGCM, generation: int, offset: int, kind: Kind, content: bytes) -> bytes:
    """The bytes of a record that will stand at `offset` of its file.

    Raises:
        ValueError: the content is so long that no reader would take it for a record; a defect of the caller.
    """
    size = len(content)
    if size + TAG_BYTES > LONGEST_BYTES:
        raise ValueError(f"journal record: expected at most {LONGEST_BYTES} bytes, got {size + TAG_BYTES}")
    fields = _FIELDS.pack(_MARKS[kind], generation, size & 0xFFFF, size >> 16)
    header = fields + _CHECK.pack(_check(fields))
    return header + key.encrypt(_nonce(offset), content, header)


def unseal(key: AESGCM, offset: int, record: bytes) -> bytes | None:
    """The content of a whole record that stands at `offset`; None when it is not what was written there."""
    header = parse_header(record)
    if header is None:
        return None
    try:
        return key.decrypt(_nonce(offset), record[header.size_bytes :], record[: header.size_bytes])
    except InvalidTag:
        return None


def parse_header(data: bytes) -> Header | None:
    """The header at the beginning of `data`, of either version; None when none is there."""
    mark = int.from_bytes(data[:2], "little")
    if mark == _OLD_MARK:
        return _parse_old_header(data)
    kind = _KINDS.get(mark)
    if kind is None or not _is_checked(data, _FIELDS.size):
        return None
    _, generation, low, high = _FIELDS.unpack_from(data)
    length = (low | high << 16) + TAG_BYTES
    return Header(kind, generation, length) if length <= LONGEST_BYTES else None


def find_header(data: bytes, start: int = 0) -> int | None:
    """Where the next intact header begins in `data`, at `start` or after; None when there is none."""
    for mark in _ANY_MARK.finditer(data, start):
        at = mark.start()
        if parse_header(data[at : at + LONGEST_HEADER_BYTES]) is not None:
            return at
    return None


def _parse_old_header(data: bytes) -> Header | None:
    if not _is_checked(data, _OLD_FIELDS.size):
        return None
    _, kind, generation, length = _OLD_FIELDS.unpack_from(data)
    if kind > Kind.DERIVED or not TAG_BYTES <= length <= LONGEST_BYTES:
        return None
    return Header(Kind(kind), generation, length, LONGEST_HEADER_BYTES)


def _is_checked(data: bytes, size: int) -> bool:
    """Whether the first `size` bytes are followed by their check."""
    return data[size : size + _CHECK.size] == _CHECK.pack(_check(data[:size]))


def _check(fields: bytes) -> int:
    return zlib.crc32(fields) & 0xFFFF


def _nonce(offset: int) -> bytes:
    return offset.to_bytes(12, "big")
