"""When the frames of an Ogg file are, also behind a hole.

A page tells where its last packet ends. FFmpeg reckons on from there, and behind a hole goes on as if there were
none until that page is over: what it decodes of it is held back, and reckoned back from its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from zccvoice.recordings.ogg_headers import Headers
from zccvoice.recordings.ogg_pages import Page, first_page_of_sound, page_at

_PRE_SKIP = slice(10, 12)
"""In the header of Opus: samples that come before the beginning."""


class OggClock:
    """The clock of one file, which is read from its beginning."""

    def __init__(self, path: Path, headers: Headers | None, stream: Any) -> None:
        """`headers`: that it is read with instead of its own."""
        self._path = path
        self._headers = headers
        self._time_base = stream.time_base
        is_opus = stream.codec_context.name.endswith("opus")
        head = stream.codec_context.extradata or b""
        self._before = int.from_bytes(head[_PRE_SKIP], "little") if is_opus else 0
        self._origin_s: float | None = None  # the timestamp of the beginning
        self._at: int | None = None
        self._page: Page | None = None
        self._held: list[Any] | None = None
        self.is_behind_hole = False
        """Whether pages are missing before the packet that comes next."""

    def turn(self, packet: Any) -> Iterator[tuple[Any, float | None]]:
        """This packet comes next: what was held back, with its seconds, if it begins another page."""
        self.is_behind_hole = False
        if packet.size and packet.pos != self._at:
            yield from self.flush()
            self.is_behind_hole = self._turn_to(packet.pos)
            if self.is_behind_hole and self._page is not None and self._page.is_sound:
                self._held = []

    def place(self, frames: Iterable[Any]) -> Iterator[tuple[Any, float | None]]:
        """What the packet was decoded to, with its seconds, unless it is held back."""
        for frame in frames:
            if self._held is not None:
                self._held.append(frame)
            else:
                if self._origin_s is None:
                    self._origin_s = frame.time
                yield frame, None if frame.time is None else frame.time - (self._origin_s or 0.0)

    def flush(self) -> Iterator[tuple[Any, float | None]]:
        """What is held back: its page is over."""
        held, self._held = self._held or [], None
        if not held:
            return
        assert self._page is not None, "of another one nothing is held back"
        ended = held[:-1] if self._page.is_open else held
        end_s = float((self._page.granule - self._before) * self._time_base) - (self._origin_s or 0.0)
        at_s = end_s - sum(frame.samples / frame.sample_rate for frame in ended)
        for frame in held:
            yield frame, at_s
            at_s += frame.samples / frame.sample_rate

    def _turn_to(self, at: int) -> bool:
        """Whether pages are missing before this one."""
        last, is_first = self._page, self._at is None
        self._at = at
        with self._path.open("rb") as file:
            begin = at if self._headers is None else self._headers.place_in_file(at)
            self._page = page_at(file, begin)
            if not is_first:
                return last is not None and self._page is not None and self._page.is_apart(last)
            file.seek(0)
            is_behind_hole = self._headers is not None or begin != first_page_of_sound(file)
        self._origin_s = 0.0 if is_behind_hole else None
        return is_behind_hole
