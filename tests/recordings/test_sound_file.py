"""What a file holds, in every format, at its true place."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.audio.encoded import encoded, snr_db
from tests.recordings.sounds import FORMATS, click, clicks_ms, encode
from tests.speech.sounds import noise, voice
from zccvoice.audio.frame import AudioFormat, Encoding
from zccvoice.errors import RecordingError
from zccvoice.recordings.sound_file import Channels, examine, read, started_at


def whole(path: Path, raw: Encoding | None = None) -> tuple[Channels, int]:
    """All of a file without holes, and its rate."""
    sound = examine(path, raw)
    stretches = list(read(sound, sound.rate_hz))
    end = 0
    for stretch in stretches:
        assert stretch.position == end
        end += stretch.samples.shape[1]
    return np.concatenate([one.samples for one in stretches], axis=1), sound.rate_hz


@pytest.mark.parametrize(("suffix", "codec", "rate_hz"), FORMATS)
@pytest.mark.parametrize("channel_count", [1, 2])
def test_a_click_is_where_it_was_recorded(
    tmp_path: Path, suffix: str, codec: str, rate_hz: int, channel_count: int
) -> None:
    sides = [click(3_000, 500, 2_000), click(3_000, 1_250)][:channel_count]
    path = encode(tmp_path / f"Grabación ñ 通話.{suffix}", codec, rate_hz, np.stack(sides))
    samples, kept_hz = whole(path)
    assert kept_hz == (8_000 if rate_hz == 8_000 else 16_000)
    assert samples.shape[0] == channel_count
    assert samples.shape[1] / kept_hz == pytest.approx(3, abs=0.08)  # AAC's padding is not marked in files
    for expected, channel in zip([[500, 2_000], [1_250]], samples, strict=False):
        assert clicks_ms(channel, kept_hz) == pytest.approx(expected, abs=5)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000])
def test_linear_files_are_kept_to_the_bit(tmp_path: Path, rate_hz: int) -> None:
    sound = np.ascontiguousarray(voice(1_000)[:: 16_000 // rate_hz])
    path = tmp_path / "voice.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=rate_hz, layout="mono")
        frame = av.AudioFrame.from_ndarray(sound.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = rate_hz
        container.mux(stream.encode(frame))
    samples, kept_hz = whole(path)
    assert kept_hz == rate_hz
    assert np.array_equal(samples[0], sound)


@pytest.mark.parametrize(
    ("suffix", "audio_format"),
    [
        (".al", AudioFormat(Encoding.PCMA, 8_000)),
        (".ul", AudioFormat(Encoding.PCMU, 8_000)),
        (".g722", AudioFormat(Encoding.G722)),
    ],
)
def test_raw_files(tmp_path: Path, suffix: str, audio_format: AudioFormat) -> None:
    data = b"".join(encoded(click(2_000, 700), audio_format))
    named, unnamed = tmp_path / f"call{suffix}", tmp_path / "call.bin"
    for path in (named, unnamed):
        path.write_bytes(data)
    samples, kept_hz = whole(named)
    assert kept_hz == (16_000 if audio_format.encoding is Encoding.G722 else 8_000)
    assert samples.shape == (1, 2 * kept_hz)
    assert clicks_ms(samples[0], kept_hz) == pytest.approx([700], abs=2)
    assert np.array_equal(whole(unnamed, audio_format.encoding)[0], samples)
    assert examine(named).duration_s == 2


def test_narrow_raw_sound_beside_wide_sound(tmp_path: Path) -> None:
    path = tmp_path / "call.al"
    path.write_bytes(b"".join(encoded(click(2_000, 700), AudioFormat(Encoding.PCMA, 8_000))))
    samples = np.concatenate([one.samples for one in read(examine(path), 16_000)], axis=1)
    assert samples.shape == (1, 32_000)
    assert clicks_ms(samples[0], 16_000) == pytest.approx([700], abs=2)


@pytest.mark.parametrize(
    ("suffix", "codec", "rate_hz", "hz"),
    [("wav", "pcm_s16le", 8_000, 3_400), ("flac", "flac", 8_000, 3_400), ("wav", "pcm_s16le", 44_100, 7_000)],
)
def test_a_tone_stays_itself_at_the_edge_of_its_band(
    tmp_path: Path, suffix: str, codec: str, rate_hz: int, hz: int
) -> None:
    """Also in narrow sound beside wide sound."""
    tone = np.rint(30_000 * np.sin(2 * np.pi * hz * np.arange(rate_hz) / rate_hz)).astype(np.int16)
    path = tmp_path / f"tone.{suffix}"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=rate_hz, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = rate_hz
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    sound = np.concatenate([one.samples for one in read(examine(path), 16_000)], axis=1)[0]
    expected = 30_000 * np.sin(2 * np.pi * hz * np.arange(len(sound)) / 16_000)
    assert snr_db(expected[200:-200], sound[200:-200]) >= 80


def test_what_follows_broken_packets_stays_where_it_was(tmp_path: Path) -> None:
    path = encode(tmp_path / "call.ogg", "libopus", 48_000, click(8_000, 500, 7_000).reshape(1, -1))
    data = bytearray(path.read_bytes())
    pages = [at for at in range(len(data)) if data[at : at + 4] == b"OggS"]
    for page in pages[4:6]:
        data[page] ^= 0xFF
    path.write_bytes(data)
    sound = examine(path)
    stretches = list(read(sound, 16_000))
    missing = sum(later.position - one.position - one.samples.shape[1] for one, later in pairwise(stretches))
    assert missing > 16_000
    last = stretches[-1].position + stretches[-1].samples.shape[1]
    assert last == pytest.approx(8 * 16_000, abs=16 * 40)
    sounded = np.zeros(last, np.int16)
    for one in stretches:
        sounded[one.position :][: one.samples.shape[1]] = one.samples[0]
    assert clicks_ms(sounded, 16_000) == pytest.approx([500, 7_000], abs=10)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("empty.wav", b"", "empty"),
        ("text.wav", b"Dear Sir or Madam, this is no sound. " * 40, "cannot be read"),
        ("silent.wav", b"", "no sound"),
        ("list.m3u8", b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\ncall.wav\n", "cannot be read"),
        ("list.wav", b"ffconcat version 1.0\nfile call.wav\n", "cannot be read"),
    ],
)
def test_what_is_no_sound_is_told_by_name(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    encode(tmp_path / "call.wav", "pcm_s16le", 16_000, click(9_000).reshape(1, -1))
    path = tmp_path / name
    path.write_bytes(content)
    if name == "silent.wav":
        data = (tmp_path / "call.wav").read_bytes()
        path.write_bytes(data[: data.index(b"data") + 8])
    with pytest.raises(RecordingError, match=problem) as caught:
        list(read(examine(path), 16_000))
    assert str(caught.value).startswith(str(path))


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="No such file"):
        examine(tmp_path / "nowhere.wav")


def test_a_folder_is_told_how_its_files_are_meant(tmp_path: Path) -> None:
    for raw in (None, Encoding.PCMA):
        with pytest.raises(RecordingError, match=r"a folder; name the files in it, as in .*/\*$"):
            examine(tmp_path, raw)


def test_more_than_two_channels_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "surround.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16_000, layout="5.1")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 6 * 160), np.int16), format="s16", layout="5.1")
        frame.sample_rate = 16_000
        container.mux(stream.encode(frame))
    with pytest.raises(RecordingError, match="one or two channels, got 6"):
        examine(path)


@pytest.mark.parametrize("places", [*combinations(range(18), 2), ()])
def test_sides_are_not_mixed_whatever_loudspeakers_they_are_named_for(
    tmp_path: Path, places: tuple[int, ...]
) -> None:
    sides = np.stack([click(1_000, 200), click(1_000, 700)])
    path = tmp_path / "call.wav"
    mask = sum(1 << place for place in places)
    extensible = struct.pack("<HHI", 22, 16, mask) + bytes.fromhex("0100000000001000800000AA00389B71")
    path.write_bytes(wave(sides, tag=0xFFFE, more_format=extensible))
    samples = np.concatenate([one.samples for one in read(examine(path), 16_000)], axis=1)
    assert np.array_equal(samples, sides)


def wave(
    samples: Channels,
    *,
    tag: int = 1,
    more_format: bytes = b"",
    told_bytes: int | None = None,
    is_long: bool = False,
) -> bytes:
    """A WAV of 16 kHz that says it has `told_bytes` of samples; a long one tells that in 64 bits."""
    data = np.ascontiguousarray(samples.T).tobytes()
    told = len(data) if told_bytes is None else told_bytes
    count = len(samples)
    form = struct.pack("<HHIIHH", tag, count, 16_000, 32_000 * count, 2 * count, 16) + more_format
    body = b"WAVE"
    if is_long:
        body += b"ds64" + struct.pack("<IQQQI", 28, told + 100, told, told // 2 // count, 0)
        told = 0xFFFF_FFFF
    body += b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", told) + data
    return (b"RF64" if is_long else b"RIFF") + struct.pack("<I", min(told + 100, 0xFFFF_FFFF)) + body


@pytest.mark.parametrize(
    ("told_bytes", "is_long", "duration_s"),
    [
        (320_000, False, 10),
        (320_000, True, 10),
        (64_000, False, 2),
        (0, False, 2),
        (0xFFFF_FFFF, False, 2),
        (0x7FFF_FFFF, False, 2),
        (0xFFFF_FF00, False, 2),
    ],
)
def test_a_wave_that_is_cut_off_says_how_long_it_was(
    tmp_path: Path, told_bytes: int, is_long: bool, duration_s: int
) -> None:
    """Who writes into a pipe does not know: then it is as long as it is."""
    path = tmp_path / "call.wav"
    path.write_bytes(wave(click(2_000, 500).reshape(1, -1), told_bytes=told_bytes, is_long=is_long))
    sound = examine(path)
    assert sound.duration_s == pytest.approx(duration_s)
    assert sum(one.samples.shape[1] for one in read(sound, 16_000)) == 32_000


def test_what_cannot_be_decoded_is_told_by_name(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    path.write_bytes(wave(click(1_000).reshape(1, -1), tag=0x1234))
    with pytest.raises(RecordingError, match=r"call\.wav: .*decode"):
        examine(path)


def test_a_file_of_two_tracks_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "call.mka"
    with av.open(str(path), "w") as container:
        tracks = [container.add_stream("pcm_s16le", rate=16_000, layout="mono") for _ in range(2)]
        for track in tracks:
            frame = av.AudioFrame.from_ndarray(click(1_000).reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate, frame.pts = 16_000, 0
            container.mux(track.encode(frame))
    with pytest.raises(RecordingError, match=r"call\.mka: expected one audio track, got 2"):
        examine(path)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"creation_time": "2026-05-01T10:20:30Z"}, datetime(2026, 5, 1, 10, 20, 30, tzinfo=UTC)),
        ({"date": "2026-05-01", "creation_time": "10:20:30"}, datetime(2026, 5, 1, 10, 20, 30).astimezone()),
        ({"date": "2026-05-01T10:20:30+02:00"}, datetime(2026, 5, 1, 8, 20, 30, tzinfo=UTC)),
        ({"date": "2026-05-01"}, None),
        ({"date": "2026"}, None),
        ({"creation_time": "1904-01-01T00:00:00Z"}, None),
        ({"creation_time": "9999-12-31T23:59:59"}, None),
        ({"creation_time": "0001-01-01T00:00:00"}, None),
        ({"creation_time": "0001-01-01T00:00:00+14:00"}, None),
        ({"creation_time": "9999-12-31T23:59:59-12:00"}, None),
        ({"creation_time": (datetime.now(UTC) + timedelta(days=3)).isoformat()}, None),
        ({"title": "x"}, None),
    ],
)
def test_the_moment_that_tags_tell(tags: dict[str, str], expected: datetime | None) -> None:
    assert started_at(tags) == expected


def test_tags_of_a_file(tmp_path: Path) -> None:
    tags = {"date": "2026-05-01T10:20:30Z"}
    path = encode(tmp_path / "call.flac", "flac", 16_000, click(500).reshape(1, -1), tags)
    assert examine(path).started_at == datetime(2026, 5, 1, 10, 20, 30, tzinfo=UTC)


def test_a_file_with_a_container_is_not_raw_whatever_its_name(tmp_path: Path) -> None:
    named = encode(tmp_path / "call.wav", "pcm_alaw", 8_000, noise(1_000).reshape(1, -1))
    expected, _ = whole(named)
    for suffix in (".al", ".ULAW", ".g722"):
        named = named.rename(named.with_suffix(suffix))
        assert np.array_equal(whole(named)[0], expected)


def test_a_wave_in_the_other_order_is_refused(tmp_path: Path) -> None:
    """FFmpeg would make noise of it."""
    path = tmp_path / "call.wav"
    form = struct.pack(
        ">4sI4s4sIHHIIHH4sI",
        b"RIFX",
        36 + 3_200,
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        16_000,
        32_000,
        2,
        16,
        b"data",
        3_200,
    )
    path.write_bytes(form + noise(100).astype(">i2").tobytes())
    with pytest.raises(RecordingError, match="big-endian"):
        examine(path)


@pytest.mark.parametrize("told_bytes", [96_000, 96_001])
def test_sound_behind_what_a_wave_says_is_told(tmp_path: Path, told_bytes: int) -> None:
    """Who was interrupted left an old length; somebody put another one behind it; but tags are no sound."""
    sound = wave(noise(6_000).reshape(1, -1), told_bytes=told_bytes)
    sounds = {
        "old": sound,
        "two": wave(noise(1_000).reshape(1, -1)) + sound,
        "plain": wave(noise(1_000).reshape(1, -1)),
        "tags": wave(noise(1_000).reshape(1, -1)) + struct.pack("<4sI", b"LIST", 300_000) + bytes(300_000),
        "more tags": wave(noise(1_000).reshape(1, -1)) + 2 * struct.pack("<4sI9sx", b"id3 ", 9, bytes(9)),
        "nothing": wave(noise(1_000).reshape(1, -1), told_bytes=0),
    }
    unread_s = {}
    for name, data in sounds.items():
        (tmp_path / name).write_bytes(data)
        unread_s[name] = examine(tmp_path / name).unread_s
    told = {name: unread for name, unread in unread_s.items() if unread}
    assert told == {
        "old": pytest.approx(3, abs=0.001),
        "two": pytest.approx(len(sound) / 32_000, abs=0.001),
    }
