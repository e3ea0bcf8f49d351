"""What is left of an Ogg file that was cut off within a page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.recordings.test_ogg_clock import RATE_HZ, made
from zccvoice.errors import RecordingError
from zccvoice.recordings.ogg_pages import Page, cut_page_at, page_at
from zccvoice.recordings.sound_file import examine, read

PACKET_S = 0.08
"""Of the longest: FLAC's."""


def heard(path: Path) -> npt.NDArray[np.int16]:
    return np.concatenate([one.samples for one in read(examine(path), 16_000)], axis=1)


def cut(path: Path, found: list[Page], number: int, share: float) -> float:
    """Cut a file off within a page; returns about where in its samples that is."""
    page, before = found[number], found[number - 1]
    path.write_bytes(path.read_bytes()[: page.begin + round(len(page.content) * share)])
    return before.granule + (page.granule - before.granule) * share


@pytest.mark.parametrize("codec", RATE_HZ)
@pytest.mark.parametrize("number", [3, 6, -2])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.9, 0.999])
def test_all_packets_that_are_there_are_heard(tmp_path: Path, codec: str, number: int, share: float) -> None:
    path, found = made(tmp_path, codec)
    whole = heard(path)
    left_s = cut(path, found, number, share) / RATE_HZ[codec]
    sound = examine(path)
    assert sound.is_end_missing
    left = heard(path)
    assert left.shape[1] / 16_000 == pytest.approx(left_s, abs=2 * PACKET_S)
    steady = left.shape[1] - 1_600  # the resampler is not at the end of the whole file, and Vorbis blends
    assert np.array_equal(left[:, :steady], whole[:, :steady])


@pytest.mark.parametrize("codec", RATE_HZ)
@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_of_a_file_that_ends_in_its_first_page_of_sound_all_packets_are_heard(
    tmp_path: Path, codec: str, share: float
) -> None:
    path, found = made(tmp_path, codec)
    whole = heard(path)
    first = next(number for number, page in enumerate(found) if page.is_sound)
    left_s = cut(path, found, first, share) / RATE_HZ[codec]
    assert examine(path).is_end_missing
    left = heard(path)
    assert left.shape[1] / 16_000 == pytest.approx(left_s, abs=2 * PACKET_S)
    steady = left.shape[1] - 1_600
    assert steady > 0
    assert np.array_equal(left[:, :steady], whole[:, :steady])


@pytest.mark.parametrize("codec", RATE_HZ)
def test_a_file_that_ends_before_its_first_packet_is_refused(tmp_path: Path, codec: str) -> None:
    path, found = made(tmp_path, codec)
    first = next(page for page in found if page.is_sound)
    data = path.read_bytes()
    for end in (first.begin, first.begin + 1, first.begin + 27, first.begin + 60):
        path.write_bytes(data[:end])
        with pytest.raises(RecordingError):
            heard(path)


def test_a_page_that_is_there_and_broken_is_not_taken_for_a_cut_one(tmp_path: Path) -> None:
    """Nothing tells which of its packets are broken."""
    path, found = made(tmp_path, "flac")
    data = bytearray(path.read_bytes())
    last = found[-1]
    data[last.begin + len(last.content) // 2] ^= 1
    path.write_bytes(data)
    sound = examine(path)
    assert sound.is_end_missing
    assert sound.tail is None


@pytest.mark.parametrize("codec", RATE_HZ)
def test_whatever_is_cut_off_there_is_a_page_of_whole_packets_or_none(tmp_path: Path, codec: str) -> None:
    path, found = made(tmp_path, codec)
    data, page = path.read_bytes(), found[4]
    counts = []
    for end in range(page.begin, page.end, 97):
        path.write_bytes(data[:end])
        with path.open("rb") as file:
            kept = cut_page_at(file, page.begin)
        counts.append(0 if kept is None else kept.packet_ends)
        if kept is not None:
            path.write_bytes(kept.content)
            with path.open("rb") as file:
                assert page_at(file, 0) is not None
            assert kept.packets == page.packets[: len(kept.packets)]
            assert kept.ending_at(-1).granule == -1
    assert counts == sorted(counts)
    assert counts[-1] == page.packet_ends - 1
