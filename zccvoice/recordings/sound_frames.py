"""What can be decoded of a file that may be broken, and where it belongs.

Most containers tell the time of what they hold: what comes after broken packets stays where it was, and so does
what comes after a broken beginning. In MP3 nothing tells it, and FFmpeg counts frames: there, broken bytes last as
long as the frames that are missing of those that the first one tells to be there, or as other bytes do; in whole
frames.

So what comes after the last hole of an MP3 is where it was, and what lies between holes is so where all frames
are equally long. Of a variable bit rate half of that is, and a tenth is off by more than two frames (measured with
noise and silence in turns, two to five holes in a minute). The table of places that the first frame may hold is no
help: it is far coarser.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

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
from zccvoice.recordings.ogg_clock import OggClock
from zccvoice.recordings.ogg_headers import Headers

FOREIGN_S = 1.0
"""What comes at another rate, or with other channels, for so long is how the file goes on; less is damage."""
_MOST_FAILURES = 1_000
"""Attempts to find the next packet behind a broken stretch."""


def frames(
    container: Any, path: Path, duration_s: float | None, headers: Headers | None = None
) -> Iterator[tuple[Any, float | None]]:
    """The frames of a file's sound, each with its seconds from the beginning; None: it follows the one before.

    Broken packets, and broken stretches of the container, are passed over.

    Args:
        container: opened, not read from.
        path: where it is.
        duration_s: what it says.
        headers: that an Ogg file is read with instead of its own.

    Raises:
        RecordingError: rate or channels change.
        av.FFmpegError, OSError: it cannot be read.
    """
    decoding = _Decoding(container, path)
    match container.format.name:
        case "mp3":
            yield from _counted(container, decoding, path, duration_s)
        case "ogg":
            clock = OggClock(path, headers, decoding.stream)
            for packet in _packets(container, decoding.stream):
                yield from clock.turn(packet)
                if clock.is_behind_hole:
                    decoding.forget()
                yield from clock.place(decoding.decode(packet))
            yield from clock.flush()
        case _:
            yield from _told(container, decoding)


def _told(container: Any, decoding: _Decoding) -> Iterator[tuple[Any, float | None]]:
    origin_s: float | None = None  # the timestamp of the beginning
    for packet in _packets(container, decoding.stream):
        for frame in decoding.decode(packet):
            if origin_s is None:
                origin_s = 0.0 if decoding.broken_bytes else frame.time
            yield frame, None if frame.time is None or origin_s is None else frame.time - origin_s


def _counted(
    container: Any, decoding: _Decoding, path: Path, duration_s: float | None
) -> Iterator[tuple[Any, float | None]]:
    """Of an MP3, in which nothing tells times."""
    decoded_s = 0.0
    s_per_byte: float | None = None
    is_measured = False
    for packet in _packets(container, decoding.stream):
        if s_per_byte is None and packet.size:
            decoding.broken_bytes, s_per_byte = _before_mp3(path, packet.pos, duration_s)
        for frame in decoding.decode(packet):
            if decoding.broken_bytes and not is_measured:
                s_per_byte, is_measured = _s_per_broken_byte(path) or s_per_byte, True
            frame_s = mp3_frame_s(decoding.rate_hz)
            lost_count = round(decoding.broken_bytes * (s_per_byte or 0.0) / frame_s)
            yield frame, decoded_s + lost_count * frame_s
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

    def forget(self) -> None:
        """There is a hole: Vorbis would blend what was before it into what follows."""
        if self._decoder.name == "vorbis":
            self._decoder.flush_buffers()

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
