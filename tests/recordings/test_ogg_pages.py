from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from tests.recordings.sounds import click, encode
from zccvoice.recordings.ogg_pages import last_page, page_at
from zccvoice.recordings.sound_file import examine


@pytest.fixture
def data(tmp_path: Path) -> bytes:
    return encode(tmp_path / "call.ogg", "libopus", 48_000, click(6_000, 500).reshape(1, -1)).read_bytes()


def begins_of(data: bytes) -> list[int]:
    return [at for at in range(len(data)) if data[at : at + 4] == b"OggS"]


def test_every_page_of_a_whole_file_is_whole(data: bytes) -> None:
    """FFmpeg computes their checksums in its own way."""
    begins = begins_of(data)
    pages = [page_at(io.BytesIO(data), begin) for begin in begins]
    assert b"".join(one.content for one in pages if one is not None) == data
    assert [one.is_last for one in pages if one is not None] == [False] * (len(begins) - 1) + [True]


@pytest.mark.parametrize("place", [0, 5, 6, 14, 22, 26, 27, 40, -1])
def test_a_page_with_a_broken_byte_is_none(data: bytes, place: int) -> None:
    begin, end = begins_of(data)[2:4]
    spoilt = bytearray(data)
    spoilt[begin + place if place >= 0 else end + place] ^= 1
    assert page_at(io.BytesIO(spoilt), begin) is None
    assert page_at(io.BytesIO(data), begin + 1) is None


@pytest.mark.parametrize(
    "tail", [b"", bytes(200_000), b"OggS", b"OggS" * 30_000, np.random.default_rng(1).bytes(150_000)]
)
def test_the_last_page_is_found_whatever_follows_it(data: bytes, tail: bytes) -> None:
    last, before = begins_of(data)[-1], begins_of(data)[-2]
    found = last_page(io.BytesIO(data + tail))
    assert found is not None
    assert (found.begin, found.is_last) == (last, True)
    for end in (last, last + 10, last + 30, len(data) - 1):
        found = last_page(io.BytesIO(data[:end] + tail))
        assert found is not None
        assert (found.begin, found.is_last) == (before, False)
    assert last_page(io.BytesIO(tail)) is None


@pytest.mark.parametrize("block", range(2**16 - 5, 2**16 + 1))
def test_a_page_between_two_blocks_is_found(data: bytes, block: int) -> None:
    """A file is looked through from its end."""
    last = begins_of(data)[-1]
    tail = bytes(block - (len(data) - last))
    found = last_page(io.BytesIO(data + tail))
    assert found is not None
    assert found.begin == last


@pytest.mark.parametrize(("suffix", "codec"), [("ogg", "libopus"), ("ogg", "flac"), ("flac", "flac")])
def test_a_file_that_breaks_off_has_no_end(tmp_path: Path, suffix: str, codec: str) -> None:
    """Others tell how long they are."""
    path = encode(tmp_path / f"call.{suffix}", codec, 48_000, click(6_000, 500).reshape(1, -1))
    assert not examine(path).is_end_missing
    data = path.read_bytes()
    for end in (len(data) // 2, len(data) - 100, len(data) - 1):
        path.write_bytes(data[:end])
        assert examine(path).is_end_missing == (suffix == "ogg")
