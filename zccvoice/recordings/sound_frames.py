"""What can be decoded of a file that may be broken, and where it belongs.

Most containers tell the time of what they hold: what comes after broken packets stays where it was, and so does
what comes after a broken beginning. In MP3 nothing tells it, and FFmpeg counts frames: there, broken bytes last as
long as the frames that are missing of those that the first one tells to be there, or as other bytes do.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import av

from zccvoice.errors import RecordingError
from zccvoice.recordings.mp3_info import (
    LONGEST_FRAME_BYTES,
    TAG,
    Mp3Info,
    around_mp3_frame,
    mp3_frame_s,
    mp3_info,
)

FOREIGN_S = 1.0
"""What comes at another rate, or with other channels, for so long is how the file goes on; less is damage."""
_MOST_FAILURES = 1_000
"""Attempts to find the next packet behind a broken stretch."""
_PAGE_BYTES = 27
"""Of an Ogg page's header, without the sizes of its segments."""


def frames(
    container: Any, path: Path, duration_s: float | None, *, is_mended: bool = False
) -> Iterator[tuple[Any, float | None]]:
    """The frames of a file's sound, each with its seconds from the beginning; None: it follows the one before.

    Broken packets, and broken stretches of the container, are passed over.

    Args:
        container: opened, not read from.
        path: where it is.
        duration_s: what it says.
        is_mended: its headers had to be; then its first sound may be broken, too.

    Raises:
        RecordingError: rate or channels change.
        av.FFmpegError, OSError: it cannot be read.
    """
    decoding = _Decoding(container, path)
    is_counting = container.format.name == "mp3"
    s_per_byte = decoded_s = 0.0
    origin_s = 0.0 if is_mended else None  # the timestamp of the beginning
    is_begun = is_measured = False
    for packet in _packets(container, decoding.stream):
        if not is_begun and packet.size:
            is_begun = True
            if is_counting:
                decoding.broken_bytes, s_per_byte = _before_mp3(path, packet.pos, duration_s)
            elif container.format.name == "ogg" and _is_after_broken_pages(path, packet.pos):
                origin_s = 0.0
        for frame in decoding.decode(packet):
            if is_counting:
                if decoding.broken_bytes and not is_measured:
                    s_per_byte, is_measured = _s_per_broken_byte(path) or s_per_byte, True
                yield frame, decoded_s + decoding.broken_bytes * s_per_byte
            else:
                if origin_s is None:
                    origin_s = 0.0 if decoding.broken_bytes else frame.time
                yield frame, None if frame.time is None or origin_s is None else frame.time - origin_s
            decoded_s += frame.samples / frame.sample_rate


_Format: TypeAlias = tuple[str, int, int]
"""Of samples, their rate and channels."""


class _Decoding:
    """The decoder of one file."""

    def __init__(self, container: Any, path: Path) -> None:
        self.stream = container.streams.audio[0]
        self._path = path
        self._decoder = self.stream.codec_context
        self._is_mp3 = container.format.name == "mp3"
        self._behind_bytes = 0
        self._told = _format_of(self._decoder)
        self._format: _Format | None = None
        self._foreign: _Format | None = None
        self._foreign_s = self._decoded_s = 0.0
        self.broken_bytes = 0
        """Of what was sound and cannot be decoded."""
        self.whole_count = 0
        """Packets that were decoded."""

    @property
    def rate_hz(self) -> int:
        """Of what was decoded."""
        return (self._format or self._told)[1]

    def decode(self, packet: Any) -> list[Any]:
        """Its frames; none of a broken one."""
        self.broken_bytes += self._behind_bytes
        self._behind_bytes = 0
        try:
            decoded: list[Any] = self._decoder.decode(packet)
        except av.FFmpegError:
            if not bytes(packet).startswith(TAG):
                self.broken_bytes += packet.size
            return []
        for frame in decoded:
            if self._is_foreign(frame):
                self.broken_bytes += packet.size
                self._renew()
                return []
            self._decoded_s += frame.samples / frame.sample_rate
        if self._is_mp3:
            before, self._behind_bytes = around_mp3_frame(bytes(packet))
            self.broken_bytes += before
        self.whole_count += 1
        return decoded

    def _is_foreign(self, frame: Any) -> bool:
        """Whether it is not like the others: something in broken bytes that looks like a frame."""
        found = _format_of(frame)
        if (
            self._format is None
        ):  # the first frame knows better than the container, unless it is damaged there
            self._format = self._told if self.broken_bytes else found
        if found == self._format:
            self._foreign_s = 0.0
            return False
        if found != self._foreign:
            self._foreign, self._foreign_s = found, 0.0
        self._foreign_s += frame.samples / frame.sample_rate
        if self._foreign_s < FOREIGN_S:
            return True
        if self._decoded_s:
            raise RecordingError(f"{self._path}: its rate or channels change after {self._decoded_s:.1f} s")
        self._format = found  # the container was wrong
        return False

    def _renew(self) -> None:
        """The decoder may take what follows for the same as what was foreign."""
        fresh = av.CodecContext.create(self._decoder.codec.name, "r")
        fresh.extradata = self._decoder.extradata
        self._decoder = fresh


def _format_of(what: Any) -> _Format:
    """`what`: a frame, or a decoder."""
    return "" if what.format is None else what.format.name, what.sample_rate, what.layout.nb_channels


def _packets(container: Any, stream: Any) -> Iterator[Any]:
    failures = 0
    while failures < _MOST_FAILURES:
        try:
            for packet in container.demux(stream):
                failures = 0
                yield packet
        except av.InvalidDataError:  # FFmpeg goes on behind it when it is asked again
            failures += 1
        else:
            return


def _before_mp3(path: Path, at: int, duration_s: float | None) -> tuple[int, float]:
    """How many broken bytes are before the first packet, which is `at`; and how many seconds a byte lasts.

    The first frame tells how long all of it is; without that FFmpeg goes by what it finds from there on.
    """
    info = _info_of(path)
    broken = _broken_before(info, at)
    is_of_all = broken and info.is_told
    return broken, (duration_s or 0.0) / (info.size_bytes - (info.begin if is_of_all else at))


def _broken_before(info: Mp3Info, at: int) -> int:
    """The first frame may hold no sound, and is passed over."""
    return at - info.begin if at - info.begin > LONGEST_FRAME_BYTES else 0


def _info_of(path: Path) -> Mp3Info:
    with path.open("rb") as file:
        return mp3_info(file)


def _s_per_broken_byte(path: Path) -> float | None:
    """How many seconds a broken byte of an MP3 lasts, by how many frames there are and how many there were.

    To know that, all of it is read once more. None where nothing tells how many there were, or it is wrong.
    """
    info = _info_of(path)
    if info.frame_count is None:
        return None
    beyond = 0  # of broken bytes behind what the first frame tells of
    with av.open(str(path.absolute()), format="mp3") as container:
        decoding = _Decoding(container, path)
        for number, packet in enumerate(_packets(container, decoding.stream)):
            if not number:
                decoding.broken_bytes = _broken_before(info, packet.pos)
            if not packet.size or packet.pos >= info.end:
                break
            is_broken = not decoding.decode(packet)
            beyond = max(0, packet.pos + packet.size - info.end) if is_broken else 0
    broken_bytes = decoding.broken_bytes - beyond
    missing_s = (info.frame_count - decoding.whole_count) * mp3_frame_s(decoding.rate_hz)
    return missing_s / broken_bytes if missing_s > 0 and broken_bytes > 0 else None


def _is_after_broken_pages(path: Path, at: int) -> bool:
    """Whether pages of an Ogg file were passed over before its first packet: FFmpeg tells nothing of them."""
    with path.open("rb") as file:
        return at != first_page_of_sound(file)


def first_page_of_sound(file: BinaryIO) -> int | None:
    """Where the pages of an Ogg file begin that are no headers; None where these are broken.

    Args:
        file: at its beginning.

    Raises:
        OSError: it cannot be read.
    """
    while True:
        at = file.tell()
        page = file.read(_PAGE_BYTES)
        if len(page) < _PAGE_BYTES or not page.startswith(b"OggS"):
            return None
        if int.from_bytes(page[6:14], "little", signed=True) > 0:  # headers end at sample 0, or go on (-1)
            return at
        file.seek(sum(file.read(page[26])), 1)
