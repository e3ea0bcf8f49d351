"""How long a WAV was by its header, where that says more than is in the file, or less."""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

_UNKNOWN_BYTES = 0x7FFF_0000
"""Who writes into a pipe leaves the size 0, or says a number from about here on."""
_MOST_CHUNKS = 100
_IS_NAME = re.compile(rb"(?!RIFF|RF64)[ -~]{4}")
"""Of what may follow samples: tags, cue points."""


@dataclass(frozen=True, slots=True)
class _Data:
    begin: int
    told_bytes: int  # 0 where it does not tell
    bytes_per_s: int


def cut_wave_duration_s(file: BinaryIO) -> float | None:
    """Seconds of sound that a RIFF or RF64 WAV says it has, where it has less; else None, as for other files.

    Args:
        file: at its beginning; read no further than to its samples.

    Raises:
        OSError: it cannot be read.
    """
    data = _data(file)
    if data is None or data.told_bytes <= file.seek(0, os.SEEK_END) - data.begin:
        return None
    return data.told_bytes / data.bytes_per_s


def unread_wave_s(file: BinaryIO) -> float:
    """Seconds of sound that seem to lie behind what such a file says it has, and that nobody reads.

    Whoever was interrupted may have left a length of long ago; or another WAV was put behind the first.

    Args:
        file: at its beginning.

    Raises:
        OSError: it cannot be read.
    """
    data = _data(file)
    if data is None or not data.told_bytes:
        return 0.0
    end = data.begin + data.told_bytes
    return min(_strange_bytes(file, at) for at in (end, end + end % 2)) / data.bytes_per_s  # not all pad it


def _strange_bytes(file: BinaryIO, at: int) -> int:
    """How many there are from there on, up to the end, behind whatever is a chunk of something else."""
    end = file.seek(0, os.SEEK_END)
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        name, size_bytes = _unpacked("<4sI", file) or (b"", 0)
        if name == b"data" or not _IS_NAME.fullmatch(name) or size_bytes > end - at:
            break
        at += 8 + size_bytes + size_bytes % 2
    return max(0, end - at)


def _data(file: BinaryIO) -> _Data | None:
    """Where its samples are; None where that is nowhere to be read, as of other files."""
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
            return _Data(begin, told_bytes, bytes_per_s) if bytes_per_s else None
        elif not name:
            return None
        file.seek(begin + size_bytes + size_bytes % 2)
    return None


def _unpacked(layout: str, file: BinaryIO) -> tuple[Any, ...] | None:
    """The next fields; None at the end of the file."""
    data = file.read(struct.calcsize(layout))
    return struct.unpack(layout, data) if len(data) == struct.calcsize(layout) else None
