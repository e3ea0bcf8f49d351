"""What is left of an Ogg file of which pages are missing, at its true place to the packet."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.recordings.sounds import click, encode
from tests.recordings.test_sound_frames import found_ms
from zccvoice.recordings.ogg_pages import Page, pages
from zccvoice.recordings.sound_file import examine, read

LENGTH_MS = 12_000
CLICKS_MS = range(100, LENGTH_MS, 250)
RATE_HZ = {"libopus": 48_000, "flac": 16_000, "vorbis": 16_000}
BLEND_MS = {"libopus": 10, "flac": 5, "vorbis": 140}
"""So much beside a hole is gone with it: of Vorbis, whose blocks overlap, two of them."""


def made(tmp_path: Path, codec: str) -> tuple[Path, list[Page]]:
    sound = np.tile(click(LENGTH_MS, *CLICKS_MS), (2, 1))
    path = encode(tmp_path / "call.ogg", codec, RATE_HZ[codec], sound)
    with path.open("rb") as file:
        return path, list(pages(file, 0, 2**24))


@pytest.mark.parametrize("codec", RATE_HZ)
@pytest.mark.parametrize(
    "broken", [[2], [3], [2, 3], [5], [7, 9], [4, 6, 8, 10], [-2], [-3], [-4, -2], [6, -1]]
)
def test_all_that_is_left_is_where_it_was_and_nothing_else_is_there(
    tmp_path: Path, codec: str, broken: list[int]
) -> None:
    path, found = made(tmp_path, codec)
    data = bytearray(path.read_bytes())
    holes_ms = []
    for number in broken:
        before, page = found[number - 1], found[number]
        data[page.begin : page.end] = bytes(len(page.content))
        holes_ms.append(tuple(one.granule * 1_000 / RATE_HZ[codec] for one in (before, page)))
    path.write_bytes(data)
    heard_ms = found_ms(path)
    # Of the last page of Vorbis FFmpeg cuts off half a block where it does not know where it began.
    off_ms = 40 if codec == "vorbis" and -2 in broken else 5
    for one in heard_ms:
        assert min(abs(one - at) for at in CLICKS_MS) < off_ms, "nothing is where it was not"
    blend_ms = BLEND_MS[codec]
    for at in CLICKS_MS:
        if not any(begin - blend_ms < at < end + blend_ms for begin, end in holes_ms):
            assert min(abs(one - at) for one in heard_ms) < off_ms, at


@pytest.mark.parametrize("codec", RATE_HZ)
def test_a_hole_is_as_long_as_its_pages(tmp_path: Path, codec: str) -> None:
    path, found = made(tmp_path, codec)
    data = bytearray(path.read_bytes())
    data[found[5].begin] = data[found[6].begin] = 0
    path.write_bytes(data)
    ((begin, end),) = [
        (one.position + one.samples.shape[1], later.position)
        for one, later in pairwise(read(examine(path), 16_000))
        if later.position > one.position + one.samples.shape[1]
    ]
    expected_ms = [found[number].granule * 1_000 / RATE_HZ[codec] for number in (4, 6)]
    assert [begin / 16, end / 16] == pytest.approx(expected_ms, abs=BLEND_MS[codec])
