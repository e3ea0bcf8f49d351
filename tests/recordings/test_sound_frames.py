"""What is left of a broken file, at its true place."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from tests.recordings.sounds import click, clicks_ms, encode, spoil
from tests.speech.sounds import noise
from zccvoice.errors import RecordingError
from zccvoice.recordings.mp3_info import mp3_frame_s
from zccvoice.recordings.sound_file import examine, read

CLICKS_MS = (1_000, 3_000, 7_000, 11_000, 15_000, 19_000)
SOUND = click(20_000, *CLICKS_MS).reshape(1, -1)
BREAKABLE = [
    ("flac", "flac", 16_000),
    ("ogg", "libopus", 48_000),
    ("mp3", "libmp3lame", 8_000),
    ("mp3", "libmp3lame", 44_100),
    ("m4a", "aac", 48_000),
]


def found_ms(path: Path) -> list[float]:
    """Where clicks are."""
    sound = examine(path)
    stretches = list(read(sound, sound.rate_hz))
    line = np.zeros(stretches[-1].position + stretches[-1].samples.shape[1], np.int16)
    for one in stretches:
        line[one.position :][: one.samples.shape[1]] = one.samples[0]
    return clicks_ms(line, sound.rate_hz)


@pytest.mark.parametrize(("suffix", "codec", "rate_hz"), BREAKABLE)
@pytest.mark.parametrize(
    ("from_share", "until_share", "left_ms"),
    [(0, 0.25, CLICKS_MS[2:]), (0.02, 0.25, CLICKS_MS[2:]), (0.4, 0.6, CLICKS_MS[:3] + CLICKS_MS[4:])],
)
@pytest.mark.parametrize("seed", [None, 3, 4])
def test_what_is_left_is_where_it_was_recorded(
    tmp_path: Path,
    suffix: str,
    codec: str,
    rate_hz: int,
    from_share: float,
    until_share: float,
    left_ms: tuple[int, ...],
    seed: int | None,
) -> None:
    """Of noise that looks like frames of another rate or of more channels, too."""
    path = encode(tmp_path / f"call.{suffix}", codec, rate_hz, SOUND)
    spoil(path, from_share, until_share, seed=seed)
    found = found_ms(path)
    for expected_ms in left_ms:
        assert min(abs(one - expected_ms) for one in found) < 50, found


def uneven_mp3(tmp_path: Path, rate_hz: int) -> Path:
    """Of a variable bit rate: a silent half, and one with noise, whose frames are far longer; with CLICKS_MS."""
    samples = SOUND.copy()
    samples[0, :160_000][np.abs(samples[0, :160_000]) < 100] = 0
    samples[0, 160_000:] += noise(10_000, dbfs=-45)
    path = tmp_path / "call.mp3"
    return encode(path, "libmp3lame", rate_hz, samples, flags="+qscale", global_quality="472")


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
@pytest.mark.parametrize(
    ("from_share", "until_share", "left_ms"),
    [(0, 0.2, [19_000]), (0.1, 0.2, [19_000]), (0.3, 0.6, [1_000, 3_000, 19_000])],
)
@pytest.mark.parametrize("seed", [None, 3])
def test_what_is_left_of_an_mp3_is_where_its_first_frame_tells(
    tmp_path: Path, rate_hz: int, from_share: float, until_share: float, left_ms: list[int], seed: int | None
) -> None:
    """However long the frames are that are lost: it has counted all of them."""
    path = uneven_mp3(tmp_path, rate_hz)
    spoil(path, from_share, until_share, seed=seed)
    found = found_ms(path)
    for expected_ms in left_ms:
        assert min(abs(one - expected_ms) for one in found) < 5, found


@pytest.mark.parametrize("tail", [bytes(100_000), b"TAG" + bytes(125), b"x" * 100_000])
def test_what_follows_an_mp3_is_none_of_its_holes(tmp_path: Path, tail: bytes) -> None:
    path = uneven_mp3(tmp_path, 16_000)
    spoil(path, 0.1, 0.2)
    path.write_bytes(path.read_bytes() + tail)
    found = found_ms(path)
    assert min(abs(one - 15_000) for one in found) < 5, found


def test_between_the_holes_of_an_mp3_it_is_estimated_and_behind_them_known(tmp_path: Path) -> None:
    path = uneven_mp3(tmp_path, 44_100)
    spoil(path, 0.05, 0.1)
    spoil(path, 0.5, 0.6)
    found = found_ms(path)
    assert min(abs(one - 1_000) for one in found) < 5
    assert min(abs(one - 19_000) for one in found) < 5


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
@pytest.mark.parametrize("is_even", [True, False])
@pytest.mark.parametrize("second", [(0.3, 0.36), (0.4, 0.6)])
def test_between_the_holes_of_an_mp3_whole_frames_are_missing(
    tmp_path: Path, rate_hz: int, is_even: bool, second: tuple[float, float]
) -> None:
    """As many as there were, where they are equally long; else no more is known than that they were whole."""
    path = tmp_path / "call.mp3"
    path = encode(path, "libmp3lame", rate_hz, SOUND) if is_even else uneven_mp3(tmp_path, rate_hz)
    for hole in ((0.06, 0.08), second, (0.8, 0.82)):
        spoil(path, *hole)
    frame_ms = 1_000 * mp3_frame_s(rate_hz)
    found = found_ms(path)
    offs = [min((one - at for at in CLICKS_MS), key=abs) for one in found]
    known = [off for off in offs if abs(off) < 400]  # and not what is left of a frame
    in_frames = [off / frame_ms for off in known]
    assert len(known) >= 3
    assert [abs(off - round(off)) for off in in_frames] == pytest.approx([0] * len(known), abs=0.06)
    if is_even:
        assert known == pytest.approx([0] * len(known), abs=2)


def test_an_mp3_that_is_cut_off_has_not_lost_in_its_holes_what_is_cut_off(tmp_path: Path) -> None:
    path = uneven_mp3(tmp_path, 44_100)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 3 // 4])
    spoil(path, 0.2, 0.25)
    sound = examine(path)
    last = list(read(sound, 16_000))[-1]
    assert (last.position + last.samples.shape[1]) / 16_000 < 17


@pytest.mark.parametrize(("suffix", "codec", "rate_hz"), BREAKABLE[:2])
def test_what_was_cut_out_of_a_longer_file_begins_with_its_first_sound(
    tmp_path: Path, suffix: str, codec: str, rate_hz: int
) -> None:
    """It is whole, whatever its timestamps."""
    path = encode(tmp_path / f"call.{suffix}", codec, rate_hz, SOUND)
    with av.open(str(path)) as container:
        packets = [
            (one.pos, float(one.pts * one.time_base))
            for one in container.demux(audio=0)
            if one.pos is not None and one.pts is not None and one.time_base is not None
        ]
    cut_at, cut_s = next((at, time_s) for at, time_s in packets if time_s > 4)
    data = path.read_bytes()
    path.write_bytes(data[: packets[0][0]] + data[cut_at:])
    expected_ms = [one - cut_s * 1_000 for one in CLICKS_MS if one > cut_s * 1_000]
    assert found_ms(path) == pytest.approx(expected_ms, abs=1_000 if suffix == "ogg" else 5)


def test_tags_between_mp3s_are_no_sound(tmp_path: Path) -> None:
    path = encode(tmp_path / "call.mp3", "libmp3lame", 8_000, SOUND, {"title": "x" * 3_000})
    path.write_bytes(path.read_bytes() * 2)
    second_ms = 20_160  # with what LAME puts before its sound
    expected_ms = [*CLICKS_MS, *(second_ms + one for one in CLICKS_MS)]
    assert found_ms(path) == pytest.approx(expected_ms, abs=1_100)


def test_a_file_that_goes_on_at_another_rate_is_refused(tmp_path: Path) -> None:
    path = encode(tmp_path / "call.mp3", "libmp3lame", 8_000, SOUND)
    other = encode(tmp_path / "other.mp3", "libmp3lame", 16_000, SOUND)
    path.write_bytes(path.read_bytes() + other.read_bytes())
    with pytest.raises(RecordingError, match=r"its rate or channels change after 20\.\d s"):
        found_ms(path)
