"""How long a WAV was that is cut off: by its header, which says more than is in the file."""

from __future__ import annotations

import os
import struct
from typing import Any, BinaryIO

_UNKNOWN_BYTES = 0x7FFF_0000
"""Who writes into a pipe leaves the size 0, or says a number from about here on."""
_MOST_CHUNKS = 100


def cut_wave_duration_s(file: BinaryIO) -> float | None:
    """Seconds of sound that a RIFF or RF64 WAV says it has, where it has less; else None, as for other files.

    Args:
        file: at its beginning; read no further than to its samples.

    Raises:
        OSError: it cannot be read.
    """
    form, _, kind = _unpacked("<4sI4s", file) or (b"", 0, b"")
    if form not in (b"RIFF", b"RF64") or kind != b"WAVE":
        return None
    bytes_per_s = long_bytes = 0
    for _ in range(_MOST_CHUNKS):
        name, size_bytes = _unpacked("<4sI", file) or (b"", 0)
        begin = file.tell()
        if name == b"fmt ":
            *_, bytes_per_s = _unpacked("<HHII", file) or (0,)
        elif name == b"ds64":
            _, long_bytes = _unpacked("<QQ", file) or (0, 0)
        elif name == b"data":
            if form == b"RF64" and size_bytes == 0xFFFF_FFFF:
                told_bytes = long_bytes
            else:
                told_bytes = size_bytes if size_bytes < _UNKNOWN_BYTES else 0
            is_cut = told_bytes > file.seek(0, os.SEEK_END) - begin
            return told_bytes / bytes_per_s if is_cut and bytes_per_s else None
        elif not name:
            return None
        file.seek(begin + size_bytes + size_bytes % 2)
    return None


def _unpacked(layout: str, file: BinaryIO) -> tuple[Any, ...] | None:
    """The next fields; None at the end of the file."""
    data = file.read(struct.calcsize(layout))
    return struct.unpack(layout, data) if len(data) == struct.calcsize(layout) else None
