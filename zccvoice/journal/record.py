"""The framing of a journal: sealed records, one after the other, each readable without the others.

    file    :=  MAGIC record*
    record  :=  header ciphertext tag
    header  :=  sync:2 kind:1 generation:1 length:4 check:2        little-endian; length counts ciphertext and tag

The content is AES-256-GCM (NIST SP 800-38D), which is the record's checksum too; its associated data are the
header. A file is opened for appending under a new key each time (its *generation*, see `vault`), and within a
generation offsets only grow: so the offset is a nonce that no key sees twice. `check` is a CRC of the header,
which lets a reader walk from record to record without decrypting what it does not want.

A damaged record costs itself. When a header is damaged, the next one is found by its sync mark, its check and
the seal behind it. What follows the last whole record is a torn tail.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"ZCCVJ\r\n\x01"
"""First bytes of a journal; the last one is the version of the format."""
TAG_BYTES = 16
LONGEST_BYTES = 2**24
"""No record's ciphertext is longer: one second of the loudest stream is a fraction of it."""
MOST_GENERATIONS = 255

_SYNC = 0xC5A3
_FIELDS = struct.Struct("<HBBI")
_CHECK = struct.Struct("<H")
HEADER_BYTES = _FIELDS.size + _CHECK.size
OVERHEAD_BYTES = HEADER_BYTES + TAG_BYTES
"""What framing and seal add to a record's content."""


class Kind(IntEnum):
    """Where a record's content comes from."""

    RECEIVED = 0
    """From Zoom, or about the connection to it: cannot be had again."""
    DERIVED = 1
    """Ours: transcripts and other facts."""


@dataclass(frozen=True, slots=True)
class Header:
    """What can be known of a record without its key."""

    kind: Kind
    generation: int
    length: int
    """Bytes after the header."""


def seal(key: AESGCM, generation: int, offset: int, kind: Kind, content: bytes) -> bytes:
    """The bytes of a record that will stand at `offset` of its file.

    Raises:
        ValueError: the content is so long that no reader would take it for a record; a defect of the caller.
    """
    length = len(content) + TAG_BYTES
    if length > LONGEST_BYTES:
        raise ValueError(f"journal record: expected at most {LONGEST_BYTES} bytes, got {length}")
    header = _pack(Header(kind, generation, length))
    return header + key.encrypt(_nonce(offset), content, header)


def unseal(key: AESGCM, offset: int, record: bytes) -> bytes | None:
    """The content of a whole record that stands at `offset`; None when it is not what was written there."""
    try:
        return key.decrypt(_nonce(offset), record[HEADER_BYTES:], record[:HEADER_BYTES])
    except InvalidTag:
        return None


def parse_header(data: bytes) -> Header | None:
    """The header at the beginning of `data`; None when none is there."""
    if len(data) < HEADER_BYTES:
        return None
    sync, kind, generation, length = _FIELDS.unpack_from(data)
    (check,) = _CHECK.unpack_from(data, _FIELDS.size)
    if sync != _SYNC or check != _check(data[: _FIELDS.size]):
        return None
    if kind > Kind.DERIVED or not TAG_BYTES <= length <= LONGEST_BYTES:
        return None
    return Header(Kind(kind), generation, length)


def find_header(data: bytes, start: int = 0) -> int | None:
    """Where the next intact header begins in `data`, at `start` or after; None when there is none."""
    mark = _SYNC.to_bytes(2, "little")
    at = data.find(mark, start)
    while at >= 0:
        if parse_header(data[at : at + HEADER_BYTES]) is not None:
            return at
        at = data.find(mark, at + 1)
    return None


def _pack(header: Header) -> bytes:
    fields = _FIELDS.pack(_SYNC, header.kind, header.generation, header.length)
    return fields + _CHECK.pack(_check(fields))


def _check(fields: bytes) -> int:
    return zlib.crc32(fields) & 0xFFFF


def _nonce(offset: int) -> bytes:
    return offset.to_bytes(12, "big")
