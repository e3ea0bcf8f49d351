"""An Ogg file as FFmpeg is to see it: with headers instead of its own, and with what is whole of its last page."""

from __future__ import annotations

import os
from typing import BinaryIO

from zccvoice.recordings.ogg_headers import Headers
from zccvoice.recordings.ogg_tail import Tail


class MendedFile:
    """A file to be read by FFmpeg."""

    def __init__(self, file: BinaryIO, headers: Headers | None, tail: Tail | None) -> None:
        """`file`: stays open for as long as this is used."""
        self._file = file
        self._head = b"" if headers is None else headers.pages
        self._shift = 0 if headers is None else headers.place_in_file(0)
        self._tail = b"" if tail is None else tail.page
        end = file.seek(0, os.SEEK_END) if tail is None else tail.begin
        self._tail_at = end - self._shift
        self._at = 0

    def read(self, size: int) -> bytes:
        """The next bytes, not always as many as that; empty at the end."""
        if self._at < len(self._head):
            content = self._head[self._at : self._at + size]
        elif self._at < self._tail_at:
            self._file.seek(self._at + self._shift)
            content = self._file.read(min(size, self._tail_at - self._at))
        else:
            behind = self._at - self._tail_at
            content = self._tail[behind : behind + size]
        self._at += len(content)
        return content

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go on elsewhere."""
        size = self._tail_at + len(self._tail)
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: size}[whence]
        return self._at

    def tell(self) -> int:
        """Where it goes on."""
        return self._at
