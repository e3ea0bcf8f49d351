"""CORE: what the first frame of an MP3 says of all of it, where it holds that instead of sound (Xing, LAME)."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

LONGEST_FRAME_BYTES = 1_441
TAG = b"ID3"
"""How what MP3s are tagged with begins; in the middle of one, another file was put behind the first."""
_INFO = struct.Struct(">III")  # which fields there are, frames, bytes
_FRAMES_AND_BYTES = 0b11
_VERSION_1, _LAYER_3 = 0b11, 0b01
_KBITS_PER_S = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Of layer III, in version 1 or later, by number; 0 is whatever the encoder liked."""
_RATES_HZ = (44_100, 48_000, 32_000)
_RATE_PARTS = (4, 0, 2, 1)
"""Of these, by version."""


@dataclass(frozen=True, slots=True)
class Mp3Info:
    """What is known of an MP3 before it is read."""

    begin: int
    """Where its first frame should be: behind its tags."""
    size_bytes: int
    """Of the file."""
    is_told: bool
    """Whether the first frame tells something of all of them."""
    frame_count: int | None
    """As it tells: how many come after it; None where it does not, or where some of them are cut off."""
    end: int
    """Of the last one of these."""


def mp3_info(file: BinaryIO) -> Mp3Info:
    """Look at the first frame of a file, at its beginning.

    Raises:
        OSError: it cannot be read.
    """
    begin = 0
    while (head := file.read(LONGEST_FRAME_BYTES)).startswith(TAG):
        begin += 10 + sum(byte << 7 * n for n, byte in enumerate(head[9:5:-1]))
        file.seek(begin)
    size_bytes = file.seek(0, os.SEEK_END)
    at = max(head.find(b"Xing"), head.find(b"Info"))
    if at < 0 or at + 4 + _INFO.size > len(head):
        return Mp3Info(begin, size_bytes, at >= 0, None, size_bytes)
    fields, frame_count, told_bytes = _INFO.unpack_from(head, at + 4)
    end = begin + told_bytes
    is_whole = fields & _FRAMES_AND_BYTES == _FRAMES_AND_BYTES and end <= size_bytes
    return Mp3Info(begin, size_bytes, is_told=True, frame_count=frame_count if is_whole else None, end=end)


def mp3_frame_s(rate_hz: int) -> float:
    """How long a frame is."""
    return (1_152 if rate_hz >= 32_000 else 576) / rate_hz


def around_mp3_frame(packet: bytes) -> tuple[int, int]:
    """How many bytes are before and behind a frame that FFmpeg takes for a part of it: zeros, and what follows."""
    frame = packet.lstrip(b"\0")
    frame_bytes = _frame_bytes(frame[:3]) if len(frame) >= 3 else None
    return len(packet) - len(frame), max(0, len(frame) - (frame_bytes or len(frame)))


def _frame_bytes(header: bytes) -> int | None:
    """How long a frame is, by its first three bytes; None where these do not tell."""
    sync, coding, rates = header
    version, layer = coding >> 3 & 0b11, coding >> 1 & 0b11
    rate_number, kbits_number = rates >> 2 & 0b11, rates >> 4
    if sync != 0xFF or layer != _LAYER_3 or not _RATE_PARTS[version]:
        return None
    if rate_number == len(_RATES_HZ) or kbits_number in (0, 0b1111):
        return None
    is_version_1 = version == _VERSION_1
    rate_hz = _RATES_HZ[rate_number] // _RATE_PARTS[version]
    kbits_per_s = _KBITS_PER_S[is_version_1][kbits_number]
    return (144 if is_version_1 else 72) * kbits_per_s * 1_000 // rate_hz + (rates >> 1 & 1)
