"""CORE: the pages of an Ogg file, RFC 3533, as far as they are whole: each has a checksum."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_CAPTURE = b"OggS"
_HEADER_BYTES = 27
"""Without the sizes of its segments."""
_LONGEST_BYTES = _HEADER_BYTES + 255 + 255 * 255
_CHECKSUM = slice(22, 26)
_GOES_ON, _FIRST, _LAST = 0x01, 0x02, 0x04
"""Flags: a page that begins within a packet, and those that begin and end a stream."""
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
    def end(self) -> int:
        """Where in the file the next one should begin."""
        return self.begin + len(self.content)

    @property
    def goes_on(self) -> bool:
        """Whether its first packet began in the page before."""
        return bool(self.content[5] & _GOES_ON)

    @property
    def is_first(self) -> bool:
        """Whether its stream begins with it."""
        return bool(self.content[5] & _FIRST)

    @property
    def is_last(self) -> bool:
        """Whether its stream ends with it."""
        return bool(self.content[5] & _LAST)

    @property
    def is_sound(self) -> bool:
        """Whether sound ends in it, as it does not in headers."""
        return self.granule > 0

    @property
    def granule(self) -> int:
        """Where in the sound its last packet ends, in samples; 0 in headers, -1 where none ends."""
        return int.from_bytes(self.content[6:14], "little", signed=True)

    @property
    def is_open(self) -> bool:
        """Whether its last packet goes on in the next one."""
        return self.content[self._sizes_end - 1] == 255

    @property
    def serial(self) -> bytes:
        """Of its stream."""
        return self.content[14:18]

    @property
    def number(self) -> int:
        """In its stream."""
        return int.from_bytes(self.content[18:22], "little")

    def is_apart(self, before: Page) -> bool:
        """Whether pages of its stream are missing since that one."""
        return self.serial == before.serial and self.number != before.number + 1

    @property
    def packet_ends(self) -> int:
        """How many packets end in it: each with a segment that is not full."""
        return sum(size < 255 for size in self.content[_HEADER_BYTES : self._sizes_end])

    @property
    def body(self) -> bytes:
        """Its packets."""
        return self.content[self._sizes_end :]

    @property
    def packets(self) -> list[bytes]:
        """Those that end in it; of the first one what is here of it."""
        found, at, begin = [], self._sizes_end, self._sizes_end
        for size in self.content[_HEADER_BYTES : self._sizes_end]:
            at += size
            if size < 255:
                found.append(self.content[begin:at])
                begin = at
        return found

    def ending_at(self, granule: int) -> Page:
        """The same, with another end, after which more may come."""
        flags = self.content[5] & ~_LAST
        head = self.content[:5] + bytes([flags]) + granule.to_bytes(8, "little", signed=True)
        return Page(self.begin, _checked(head + self.content[14:]))

    @property
    def _sizes_end(self) -> int:
        return _HEADER_BYTES + self.content[_HEADER_BYTES - 1]


def page_at(file: BinaryIO, begin: int) -> Page | None:
    """The page that begins there; None where none does, or it is not whole.

    Raises:
        OSError: it cannot be read.
    """
    content = _content_at(file, begin)
    is_whole = content.startswith(_CAPTURE) and content[_CHECKSUM] == _checksum(content)
    return Page(begin, content) if is_whole else None


def header_page_at(file: BinaryIO, begin: int, serial: bytes, number: int) -> Page | None:
    """The page of that number of a stream that begins there; None where there is none, or it is broken.

    Where no more of it is broken than what is known of it, it is mended, if its checksum proves it.

    Raises:
        OSError: it cannot be read.
    """
    content = _content_at(file, begin)
    for flags in (_FIRST,) if number == 0 else (0, _GOES_ON):
        mended = _header(flags, serial, number) + content[_CHECKSUM.start :]
        if content and content[_CHECKSUM] == _checksum(mended):
            return Page(begin, mended)
    page = page_at(file, begin)
    return page if page is not None and page.number == number and page.is_first == (number == 0) else None


def new_header_page(packet: bytes, serial: bytes, number: int) -> bytes:
    """A page of one short packet (254 bytes at most), of that number of a stream but not the first."""
    return _checked(_header(0, serial, number) + bytes(4) + bytes([1, len(packet)]) + packet)


def cut_page_at(file: BinaryIO, begin: int) -> Page | None:
    """A page with the whole packets of the one that begins there, and in which the file ends; None without any.

    Raises:
        OSError: it cannot be read.
    """
    file.seek(begin)
    content = file.read(_LONGEST_BYTES)
    if len(content) < _HEADER_BYTES or not content.startswith(_CAPTURE):
        return None
    sizes_end = _HEADER_BYTES + content[_HEADER_BYTES - 1]
    sizes = content[_HEADER_BYTES:sizes_end]
    if sizes_end + sum(sizes) <= len(content):
        return None  # all of it is there, and broken
    count, kept_bytes, at = 0, 0, 0
    for number, size in enumerate(sizes, start=1):
        at += size
        if sizes_end + at > len(content):
            break
        if size < 255:
            count, kept_bytes = number, at
    if not count:
        return None
    head = content[: _HEADER_BYTES - 1] + bytes([count]) + sizes[:count]
    return Page(begin, _checked(head + content[sizes_end : sizes_end + kept_bytes]))


def pages(file: BinaryIO, begin: int, most_bytes: int) -> Iterator[Page]:
    """The whole pages among so many bytes from there on, whatever lies between them.

    Raises (while it is iterated):
        OSError: it cannot be read.
    """
    at, end = begin, begin + most_bytes
    while at < end:
        file.seek(at)
        block = file.read(_BLOCK_BYTES)
        if len(block) < len(_CAPTURE):
            return
        found = block.find(_CAPTURE)
        if found < 0:
            at += len(block) - len(_CAPTURE) + 1
        elif (page := page_at(file, at + found)) is None:
            at += found + 1
        else:
            yield page
            at = page.end


def first_page_of_sound(file: BinaryIO) -> int | None:
    """Where the pages of an Ogg file begin that are no headers; None where these are broken.

    Args:
        file: at its beginning.

    Raises:
        OSError: it cannot be read.
    """
    while True:
        at = file.tell()
        page = file.read(_HEADER_BYTES)
        if len(page) < _HEADER_BYTES or not page.startswith(_CAPTURE):
            return None
        if int.from_bytes(page[6:14], "little", signed=True) > 0:  # headers end at sample 0, or go on (-1)
            return at
        file.seek(sum(file.read(page[26])), 1)


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


def _content_at(file: BinaryIO, begin: int) -> bytes:
    """What would be a page if one began there; empty where the file is too short for it."""
    file.seek(begin)
    content = file.read(_LONGEST_BYTES)
    if len(content) < _HEADER_BYTES:
        return b""
    sizes_end = _HEADER_BYTES + content[_HEADER_BYTES - 1]
    size = sizes_end + sum(content[_HEADER_BYTES:sizes_end])
    return content[:size] if len(content) >= size else b""


def _header(flags: int, serial: bytes, number: int) -> bytes:
    """Of a page without sound, up to its checksum."""
    return _CAPTURE + bytes([0, flags]) + bytes(8) + serial + number.to_bytes(4, "little")


def _checked(content: bytes) -> bytes:
    """A page with its checksum."""
    return content[: _CHECKSUM.start] + _checksum(content) + content[_CHECKSUM.stop :]


def _checksum(content: bytes) -> bytes:
    """Of a page, whatever stands in its place: CRC-32 with the highest bit first, from zero on."""
    bare = content[: _CHECKSUM.start] + bytes(4) + content[_CHECKSUM.stop :]
    mirrored = zlib.crc32(bare.translate(_MIRRORED), 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    return mirrored.to_bytes(4, "big").translate(_MIRRORED)
