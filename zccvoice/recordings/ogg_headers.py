"""The headers of an Ogg file whose first pages are broken, as far as they can still be had.

Without its headers a sound cannot be decoded, but they need not lie in whole pages: much of a page's own header
must be as it is, which its checksum proves, and Opus needs nothing of its tags.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from zccvoice.errors import RecordingError
from zccvoice.recordings.ogg_pages import Page, header_page_at, new_header_page, pages

_LONGEST_BYTES = 2**24
"""Pictures may lie among the headers."""
OPUS_HEAD = b"OpusHead"
"""How Opus' first header begins."""
_HEADERS = {OPUS_HEAD: 2, b"\x01vorbis": 3}
"""How many there are, by how the first one begins; others need only that one."""
_NO_TAGS = b"OpusTags" + bytes(8)


@dataclass(frozen=True, slots=True)
class Headers:
    """What takes the place of the beginning of a file."""

    pages: bytes
    end: int
    """Where in the file it goes on."""

    def place_in_file(self, at: int) -> int:
        """Where something behind them lies in the file."""
        return at + self.end - len(self.pages)


def mended_headers(path: Path) -> Headers | None:
    """What FFmpeg needs for reading a file that it cannot open; None where that is not for its headers' sake.

    Raises:
        RecordingError: they are gone.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        found = list(_beginning(file))
        if not found or not found[-1].is_sound:
            return None  # no Ogg file, or without sound
        sound = found[-1]
        if found[0].is_first and found[0].serial != sound.serial:
            return None  # of several streams
        first = found[0] if found[0].is_first else header_page_at(file, 0, sound.serial, 0)
        if first is None:
            raise _gone(path)
        run = _run(file, first, sound)
    mended = b"".join(page.content for page in run)
    if sum(page.packet_ends for page in run) >= _headers_count(first):
        is_untouched = first.begin == 0 and run[-1].end == sound.begin and all(page in found for page in run)
        return None if is_untouched else Headers(mended, sound.begin)
    if first.body.startswith(OPUS_HEAD):
        return Headers(first.content + new_header_page(_NO_TAGS, sound.serial, 1), sound.begin)
    raise _gone(path)


def _headers_count(first: Page) -> int:
    """How many packets FFmpeg wants to have before it goes on."""
    return next((count for begin, count in _HEADERS.items() if first.body.startswith(begin)), 1)


def _beginning(file: BinaryIO) -> Iterator[Page]:
    """The whole pages up to the first one with sound."""
    for page in pages(file, 0, _LONGEST_BYTES):
        yield page
        if page.is_sound:
            return


def _run(file: BinaryIO, first: Page, sound: Page) -> list[Page]:
    """The pages of the headers without a hole."""
    run = [first]
    while run[-1].end < sound.begin:
        page = header_page_at(file, run[-1].end, sound.serial, len(run))
        if page is None:
            break
        run.append(page)
    return run


def _gone(path: Path) -> RecordingError:
    return RecordingError(
        f"{path}: the headers at its beginning are damaged or missing: without them its sound cannot be decoded"
    )
