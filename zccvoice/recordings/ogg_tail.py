"""The last sound of an Ogg file that was cut off within a page: FFmpeg leaves out all of that page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from zccvoice.audio.codecs import opus
from zccvoice.audio.frame import SAMPLE_RATE_HZ
from zccvoice.errors import DecodeError
from zccvoice.recordings.ogg_headers import OPUS_HEAD
from zccvoice.recordings.ogg_pages import Page, cut_page_at, last_page, page_at

_OPUS_PER_SAMPLE = 48_000 // SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class Tail:
    """What takes the place of a page that is not whole."""

    begin: int
    """Where that is in the file."""
    page: bytes


def cut_tail(file: BinaryIO, last: Page, *, is_opus: bool) -> Tail | None:
    """The packets that are whole behind the last whole page of a file, as a page; None where there are none.

    Raises:
        OSError: it cannot be read.
    """
    page = cut_page_at(file, last.end)
    if page is None or page.serial != last.serial or page.number != last.number + 1:
        return None
    end = -1  # FFmpeg finds out, but of Opus it wants to know
    if is_opus:
        if page.goes_on:
            return None  # how long its first packet is was told in the page before
        try:
            end = last.granule + sum(map(_opus_samples, page.packets))
        except DecodeError:
            return None
    return Tail(last.end, page.ending_at(end).content)


def only_tail(path: Path) -> Tail | None:
    """The same of a file that FFmpeg cannot open, for it was cut off within the first page of its sound.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        first, last = page_at(file, 0), last_page(file)
        if first is None or last is None or last.is_sound or first.serial != last.serial:
            return None
        return cut_tail(file, last, is_opus=first.body.startswith(OPUS_HEAD))


def _opus_samples(packet: bytes) -> int:
    """At 48 kHz."""
    return opus.sample_count(packet) * _OPUS_PER_SAMPLE
