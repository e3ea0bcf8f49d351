"""What is left of an Ogg file whose first pages are broken."""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.recordings.sounds import click, encode
from tests.recordings.test_sound_frames import CLICKS_MS, SOUND, found_ms
from zccvoice.errors import RecordingError
from zccvoice.recordings.mended_file import MendedFile
from zccvoice.recordings.ogg_headers import Headers, mended_headers
from zccvoice.recordings.ogg_pages import Page, pages
from zccvoice.recordings.ogg_tail import Tail
from zccvoice.recordings.sound_file import examine, read

CODECS = {"libopus": 1, "flac": 1, "vorbis": 2}
"""With the channels that FFmpeg can encode."""
NO_HEADERS = r"call\.ogg: the headers at its beginning are damaged or missing"

Spoil = Callable[[bytearray, Page], None]


def whole_file(tmp_path: Path, codec: str) -> tuple[Path, list[Page]]:
    sound = np.repeat(SOUND, CODECS[codec], axis=0)
    path = encode(tmp_path / "call.ogg", codec, 48_000 if codec == "libopus" else 16_000, sound)
    with path.open("rb") as file:
        return path, list(pages(file, 0, 2**24))


def flip(place: int) -> Spoil:
    """A byte, counted from the beginning of the page or from its end."""

    def spoil(data: bytearray, page: Page) -> None:
        data[page.begin + place if place >= 0 else page.end + place] ^= 0x55

    return spoil


def fill(seed: int | None) -> Spoil:
    """With noise, or with zeros."""

    def spoil(data: bytearray, page: Page) -> None:
        size = len(page.content)
        data[page.begin : page.end] = bytes(size) if seed is None else np.random.default_rng(seed).bytes(size)

    return spoil


def cut_out(data: bytearray, page: Page) -> None:
    del data[page.begin : page.end]


def spoil(path: Path, how: Spoil, *broken: Page) -> None:
    data = bytearray(path.read_bytes())
    for page in reversed(broken):
        how(data, page)
    path.write_bytes(data)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("place", [0, 3, 4, 5, 6, 13, 14, 17, 18, 21])
def test_what_a_page_says_of_itself_can_be_had_again(
    tmp_path: Path, codec: str, number: int, place: int
) -> None:
    path, found = whole_file(tmp_path, codec)
    spoil(path, flip(place), found[number])
    assert found_ms(path) == pytest.approx(CLICKS_MS, abs=5)


@pytest.mark.parametrize(
    "how", [flip(0), flip(22), flip(26), flip(27), flip(30), flip(-1), fill(None), fill(3), cut_out]
)
def test_opus_can_be_read_without_its_tags(tmp_path: Path, how: Spoil) -> None:
    path, found = whole_file(tmp_path, "libopus")
    spoil(path, how, found[1])
    assert found_ms(path) == pytest.approx(CLICKS_MS, abs=5)


def test_tags_of_many_pages_of_which_one_is_broken(tmp_path: Path) -> None:
    tags = {"title": "x" * 200_000}
    path = encode(tmp_path / "call.ogg", "libopus", 48_000, SOUND, tags)
    with path.open("rb") as file:
        found = list(pages(file, 0, 2**24))
    assert not found[3].is_sound
    for how in (flip(40), fill(None), cut_out):
        path = encode(tmp_path / "call.ogg", "libopus", 48_000, SOUND, tags)
        spoil(path, how, found[2])
        assert found_ms(path) == pytest.approx(CLICKS_MS, abs=5)


@pytest.mark.parametrize("codec", ["libopus", "vorbis"])
@pytest.mark.parametrize("is_headers_page_broken", [False, True])
def test_what_is_missing_behind_the_headers_is_a_hole(
    tmp_path: Path, codec: str, is_headers_page_broken: bool
) -> None:
    """However long: FFmpeg gives up after 64 kB."""
    path, found = whole_file(tmp_path, codec)
    broken = found[2:6]
    spoil(path, fill(None), *broken, found[-3])
    data = bytearray(path.read_bytes())
    data[broken[1].begin : broken[1].begin] = bytes(70_000)
    if is_headers_page_broken:
        data[0] = data[found[1].begin] = 0
    path.write_bytes(data)
    stretches = list(read(examine(path), 16_000))
    assert stretches[0].position / 16_000 == pytest.approx(4, abs=0.2)
    left_ms = [one for one in CLICKS_MS if one > 4_200]
    assert found_ms(path) == pytest.approx(left_ms, abs=10)


@pytest.mark.parametrize(
    ("codec", "number", "how"),
    [
        *itertools.product(CODECS, [0], [flip(22), flip(-1), fill(None), fill(3), cut_out]),
        *itertools.product(["vorbis"], [1], [flip(22), flip(-1), fill(None), fill(3), cut_out]),
    ],
)
def test_that_the_headers_are_gone_is_told(tmp_path: Path, codec: str, number: int, how: Spoil) -> None:
    """Nothing is guessed: of what is neither whole nor proved by its checksum nobody knows what it was."""
    path, found = whole_file(tmp_path, codec)
    spoil(path, how, found[number])
    with pytest.raises(RecordingError, match=NO_HEADERS):
        examine(path)


def test_who_has_no_headers_because_it_is_no_ogg_file_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "call.ogg"
    for content in (b"OggS", b"OggS" * 9_000, bytes(100_000), b"Dear Sir or Madam"):
        path.write_bytes(content)
        assert mended_headers(path) is None
        with pytest.raises(RecordingError, match="cannot be read"):
            examine(path)


@pytest.mark.parametrize("codec", CODECS)
def test_whole_headers_are_not_touched(tmp_path: Path, codec: str) -> None:
    path, _ = whole_file(tmp_path, codec)
    assert mended_headers(path) is None
    assert examine(path).headers is None


def test_a_mended_file_is_read_like_any_other(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    content, new = rng.bytes(3_000), rng.bytes(100)
    for end, tail_at in itertools.product((0, 60, 500), (None, 2_900, 3_000)):
        tail = None if tail_at is None else Tail(tail_at, new[:50])
        expected = io.BytesIO(new + content[end:tail_at] + (b"" if tail is None else tail.page))
        mended = MendedFile(io.BytesIO(content), Headers(new, end), tail)
        for offset, whence in ((0, os.SEEK_SET), (50, os.SEEK_SET), (20, os.SEEK_CUR), (-70, os.SEEK_END)):
            assert mended.seek(offset, whence) == expected.seek(offset, whence) == mended.tell()
            wanted = expected.read(90)
            got = mended.read(90)
            got += mended.read(90 - len(got))
            got += mended.read(90 - len(got))
            assert got == wanted
        assert mended.seek(0, os.SEEK_END) == expected.seek(0, os.SEEK_END)
        assert mended.read(10) == b""


def test_a_recording_of_clicks_alone_has_no_sound_in_its_headers(tmp_path: Path) -> None:
    path = encode(tmp_path / "call.ogg", "libopus", 48_000, click(100).reshape(1, -1))
    path.write_bytes(path.read_bytes()[:100])
    assert mended_headers(path) is None
