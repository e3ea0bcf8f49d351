"""CORE: the pages of an Ogg file, RFC 3533, as far as they are whole: each has a checksum."""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from typing import BinaryIO

_CAPTURE = b"OggS"
_HEADER_BYTES = 27
"""Without the sizes of its segments."""
_LONGEST_BYTES = _HEADER_BYTES + 255 + 255 * 255
_CHECKSUM = slice(22, 26)
_LAST = 0x04
"""Flag of the page that ends a stream."""
_BLOCK_BYTES = 2**16
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True, slots=True)
class Page:
    """A page, whole."""

    begin: int
    """Where it is in the file."""
    content: bytes
    """All of it, from its header on."""

    @property
    def is_last(self) -> bool:
        """Whether its stream ends with it."""
        return bool(self.content[5] & _LAST)


def page_at(file: BinaryIO, begin: int) -> Page | None:
    """The page that begins there; None where none does, or it is not whole.

    Raises:
        OSError: it cannot be read.
    """
    file.seek(begin)
    content = file.read(_LONGEST_BYTES)
    if len(content) < _HEADER_BYTES or not content.startswith(_CAPTURE):
        return None
    sizes_end = _HEADER_BYTES + content[_HEADER_BYTES - 1]
    size = sizes_end + sum(content[_HEADER_BYTES:sizes_end])
    content = content[:size]
    is_whole = len(content) == size and content[_CHECKSUM] == checksum(content)
    return Page(begin, content) if is_whole else None


def last_page(file: BinaryIO) -> Page | None:
    """The last whole page, whatever follows it; None where there is none.

    Raises:
        OSError: it cannot be read.
    """
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        begin = max(0, end - _BLOCK_BYTES)
        file.seek(begin)
        block = file.read(end - begin + len(_CAPTURE) - 1)  # one may begin in it and end behind it
        at = len(block)
        while (at := block.rfind(_CAPTURE, 0, at + len(_CAPTURE) - 1)) >= 0:
            if (page := page_at(file, begin + at)) is not None:
                return page
        end = begin
    return None


def checksum(content: bytes) -> bytes:
    """The checksum of a page, whatever stands in its place: CRC-32 with the highest bit first, from zero on."""
    bare = content[: _CHECKSUM.start] + bytes(4) + content[_CHECKSUM.stop :]
    mirrored = zlib.crc32(bare.translate(_MIRRORED), 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    return mirrored.to_bytes(4, "big").translate(_MIRRORED)
