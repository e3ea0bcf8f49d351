from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import av
import pytest

from tests.recordings.sounds import click, encode
from zccvoice.recordings.mp3_info import LONGEST_FRAME_BYTES, around_mp3_frame, mp3_frame_s, mp3_info

LENGTH_S = 5
SOUND = click(1_000 * LENGTH_S, 500).reshape(1, -1)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000])
@pytest.mark.parametrize("tags", [{}, {"title": "x" * 3_000}])
def test_the_first_frame_tells_how_many_there_are(tmp_path: Path, rate_hz: int, tags: dict[str, str]) -> None:
    data = encode(tmp_path / "call.mp3", "libmp3lame", rate_hz, SOUND, tags).read_bytes()
    info = mp3_info(io.BytesIO(data))
    assert (info.size_bytes, info.is_told) == (len(data), True)
    assert info.begin == data.index(b"\xff", data.index(b"TSSE"))
    assert info.frame_count is not None
    frame_s = mp3_frame_s(rate_hz)
    assert LENGTH_S < info.frame_count * frame_s < LENGTH_S + 5 * frame_s


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000])
@pytest.mark.parametrize("options", [{}, {"b": "32k"}, {"flags": "+qscale", "global_quality": "472"}])
def test_what_is_no_part_of_a_frame(tmp_path: Path, rate_hz: int, options: dict[str, Any]) -> None:
    path = encode(tmp_path / "call.mp3", "libmp3lame", rate_hz, SOUND, **options)
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
    assert len(packets) > 40
    for packet in packets:
        assert around_mp3_frame(packet) == (0, 0)
        assert around_mp3_frame(bytes(70) + packet + b"x" * 30) == (70, 30)
    for broken in (b"", b"\xff\xfb", bytes(9), b"text", b"\xff\xfb\x0f\x00", b"\xff\xeb\x90\x00"):
        assert around_mp3_frame(broken) in ((0, 0), (len(broken), 0))


def test_of_what_is_cut_off_nobody_knows_how_many_there_are(tmp_path: Path) -> None:
    data = encode(tmp_path / "call.mp3", "libmp3lame", 16_000, SOUND).read_bytes()
    assert mp3_info(io.BytesIO(data + b"TAG" + bytes(125))).frame_count is not None
    info = mp3_info(io.BytesIO(data[:-1]))
    assert (info.is_told, info.frame_count) == (True, None)


@pytest.mark.parametrize(
    "head", [b"", b"ID3", b"ID3\x04\x00\x00\x00\x00\x00\x02xx", b"\xff\xfb" + bytes(2_000)]
)
def test_who_tells_nothing(head: bytes) -> None:
    info = mp3_info(io.BytesIO(head))
    assert (info.is_told, info.frame_count) == (False, None)


@pytest.mark.parametrize(
    "told", [struct.pack(">I", 0), struct.pack(">II", 1, 9), struct.pack(">II", 2, 9), struct.pack(">I", 3)]
)
def test_who_tells_half_of_it(told: bytes) -> None:
    head = b"\xff\xfb" + bytes(LONGEST_FRAME_BYTES - 6 - len(told)) + b"Info" + told
    assert mp3_info(io.BytesIO(head)).frame_count is None
