from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audio.encoded import CALL, FORMATS, G722, OPUS, encoded, ffmpeg, name_of, placed, snr_db
from zccvoice.audio.codecs import as_carried, codec_for, is_silence_notice, libopus, opus, sample_count
from zccvoice.audio.codecs.g711 import table_of
from zccvoice.audio.frame import AudioFormat, Encoding, Packet, Samples
from zccvoice.errors import DecodeError
from zccvoice.simulator.encoders import in_rtp


def decoded(audio_format: AudioFormat, payloads: list[bytes]) -> Samples:
    packets = [piece for piece in placed(audio_format, payloads) if isinstance(piece, Packet)]
    samples, refused = codec_for(audio_format).decode(packets)
    assert not refused
    return samples


@pytest.mark.parametrize(("law", "name"), [(Encoding.PCMA, "pcm_alaw"), (Encoding.PCMU, "pcm_mulaw")])
def test_every_code_of_g711_means_what_it_means_to_ffmpeg(law: Encoding, name: str) -> None:
    assert np.array_equal(table_of(law), ffmpeg(name, [bytes(range(256))], 8_000))
    assert np.array_equal(decoded(AudioFormat(law, 8_000), [bytes(range(256))]), table_of(law))


def test_l16_is_little_endian() -> None:
    payload = bytes([0x01, 0x00, 0xFF, 0xFF, 0x00, 0x80])
    assert decoded(AudioFormat(), [payload]).tolist() == [1, -1, -32_768]
    assert sample_count(AudioFormat(), payload) == 3


def test_two_channels_of_l16_are_mixed_without_overflow() -> None:
    payload = np.array([32_767, 32_767, -32_768, -32_768, 100, -100, 5, 8], "<i2").tobytes()
    assert decoded(AudioFormat(channel_count=2), [payload]).tolist() == [32_767, -32_768, 0, 6]


def test_g722_is_ffmpegs_to_the_bit_and_22_samples_late() -> None:
    payloads = encoded(CALL, G722)
    samples = decoded(G722, payloads)
    assert np.array_equal(samples, ffmpeg("g722", payloads, 16_000))
    assert snr_db(CALL[:-22], samples[22:]) > 20
    assert all(snr_db(CALL[:-22], np.roll(samples, by)[22:]) < 20 for by in (-2, 2))


@pytest.mark.parametrize("channel_count", [1, 2])
def test_opus_sounds_as_ffmpegs_libopus_does(channel_count: int) -> None:
    audio_format = AudioFormat(Encoding.OPUS, 48_000, channel_count)
    payloads = encoded(CALL, audio_format)
    layout = "stereo" if channel_count == 2 else "mono"
    wide = ffmpeg("libopus", payloads, 48_000, layout)[::channel_count]
    sound = decoded(audio_format, payloads)
    assert len(sound) * 3 == len(wide)
    # The phase of the two differs in SILK's band; the level of 20 ms does not.
    for one, other in zip(sound.reshape(-1, 320), wide.reshape(-1, 960), strict=True):
        level, wanted = np.sqrt(np.mean(one.astype(float) ** 2)), np.sqrt(np.mean(other.astype(float) ** 2))
        assert level == pytest.approx(wanted, rel=0.06, abs=20)


@pytest.mark.parametrize("frame_ms", [2.5, 5, 10, 20, 40, 60])
def test_every_length_of_opus_frame(frame_ms: float) -> None:
    context = av.CodecContext.create("libopus", "w")
    assert isinstance(context, av.AudioCodecContext)
    context.sample_rate, context.layout, context.format = 48_000, "mono", "s16"
    context.options = {"application": "audio", "frame_duration": f"{frame_ms:g}"}
    size = int(48 * frame_ms)
    payloads = []
    for number in range(6):
        sound = (8_000 * np.sin(np.arange(number * size, (number + 1) * size) / 20)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(sound.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 48_000
        payloads += [bytes(packet) for packet in context.encode(frame)]
    counts = {sample_count(OPUS, payload) for payload in payloads}
    assert counts == {int(16 * frame_ms)}
    sound = decoded(OPUS, payloads)
    assert len(sound) == len(payloads) * int(16 * frame_ms)
    assert sound.any()


@pytest.mark.parametrize(
    ("packet", "samples"),
    [
        pytest.param(b"\x08", 320, id="a frame of nothing (DTX)"),
        pytest.param(b"\x78" + bytes(1275), 320, id="the largest frame"),
        pytest.param(b"\x79" + bytes(10), 640, id="two equal frames"),
        pytest.param(b"\x7a\x03" + bytes(10), 640, id="two frames"),
        pytest.param(b"\x7a\xfc\x01" + bytes(300), 640, id="two frames, the first of 256 bytes"),
        pytest.param(b"\x7b\x06" + bytes(12), 1920, id="six equal frames: 120 ms"),
        pytest.param(b"\x7b\x83\x01\x02" + bytes(9), 960, id="three frames"),
        pytest.param(b"\x7b\x41\x05" + bytes(9), 320, id="padding"),
        pytest.param(b"\x7b\x41\xff\x01" + bytes(255 + 9), 320, id="much padding"),
        pytest.param(b"\x1b\x02" + bytes(4), 1920, id="two frames of 60 ms"),
    ],
)
def test_packets_of_opus(packet: bytes, samples: int) -> None:
    assert sample_count(OPUS, packet) == samples
    assert len(decoded(OPUS, [packet])) == samples


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(b"", id="R1: nothing"),
        pytest.param(b"\x78" + bytes(1276), id="R2: a frame too large"),
        pytest.param(b"\x79" + bytes(9), id="R3: two unequal halves"),
        pytest.param(b"\x7a", id="R4: no length"),
        pytest.param(b"\x7a\xfc", id="R4: half a length"),
        pytest.param(b"\x7a\x0b" + bytes(10), id="R4: more than there is"),
        pytest.param(b"\x7b", id="R5: no count"),
        pytest.param(b"\x7b\x00" + bytes(10), id="R5: no frames"),
        pytest.param(b"\x7b\x07" + bytes(14), id="R5: 140 ms"),
        pytest.param(b"\x7b\x03" + bytes(10), id="R6: not in three parts"),
        pytest.param(b"\x7b\x41", id="R6: padding without its length"),
        pytest.param(b"\x7b\x41\x0a" + bytes(9), id="R6: more padding than there is"),
        pytest.param(b"\x7b\x83\x09\x09" + bytes(9), id="R7: more than there is"),
    ],
)
def test_packets_that_are_no_opus(packet: bytes) -> None:
    with pytest.raises(DecodeError, match=rf"Opus payload: .* got {len(packet)} bytes"):
        sample_count(OPUS, packet)


@settings(max_examples=300)
@given(st.binary(max_size=60) | st.binary(min_size=1, max_size=4).map(lambda head: head * 400))
def test_what_we_accept_of_opus_libopus_accepts(packet: bytes) -> None:
    try:
        count = sample_count(OPUS, packet)
    except DecodeError:
        return
    assert len(decoded(OPUS, [packet])) == count, "and nothing was refused"


def test_silence_notices() -> None:
    assert is_silence_notice(OPUS, b"\x08")
    assert not is_silence_notice(OPUS, bytes(20))
    assert not is_silence_notice(G722, b"\x08")


@pytest.mark.parametrize("audio_format", FORMATS, ids=name_of)
def test_impossible_sizes_are_refused_with_format_and_head(audio_format: AudioFormat) -> None:
    head = bytes.fromhex("f7ab")  # to Opus one of many frames, of which none is there
    longest = audio_format.rate_hz * 2 * audio_format.channel_count
    for payload in (b"", head + bytes(longest)):
        with pytest.raises(DecodeError, match=payload[:4].hex() or "nothing") as refused:
            sample_count(audio_format, payload)
        assert str(len(payload)) in str(refused.value)


@pytest.mark.parametrize(("rate_hz", "size"), [(16_000, 3), (32_000, 6), (48_000, 8)])
def test_l16_comes_in_whole_samples(rate_hz: int, size: int) -> None:
    with pytest.raises(DecodeError, match="expected a multiple of"):
        sample_count(AudioFormat(Encoding.L16, rate_hz), bytes(size))


# What payloads really are


def announced(encoding: Encoding, rate_hz: int, **more: object) -> AudioFormat:
    return AudioFormat(encoding, rate_hz, packet_ms=20, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "size", "channel_count"),
    [(1, 640, 1), (1, 1280, 2), (2, 1280, 2), (2, 640, 1), (1, 700, 1), (2, 700, 2)],
)
def test_the_payload_decides_on_the_channels_of_l16(told: int, size: int, channel_count: int) -> None:
    carried = as_carried(announced(Encoding.L16, 16_000, channel_count=told), bytes(size))
    assert carried == announced(Encoding.L16, 16_000, channel_count=channel_count)


@pytest.mark.parametrize("audio_format", [OPUS, G722, AudioFormat(Encoding.PCMA, 8_000)], ids=name_of)
def test_rtp_is_recognised(audio_format: AudioFormat) -> None:
    told = announced(audio_format.encoding, audio_format.rate_hz, is_rtp=True)
    payloads = encoded(CALL, audio_format)
    packets = in_rtp(payloads, 4, 960)
    assert as_carried(told, packets[0]).is_rtp
    assert not as_carried(told, payloads[0]).is_rtp
    assert as_carried(told, b"").is_rtp, "what is nothing tells nothing"


def test_l16_that_is_called_rtp_is_bare() -> None:
    told = announced(Encoding.L16, 16_000, is_rtp=True)
    assert not as_carried(told, b"\x80" + bytes(639)).is_rtp
    assert as_carried(told, b"\x80" + bytes(651)).is_rtp


# Without libopus


def test_ffmpegs_opus_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libopus, "load", lambda: None)
    assert not opus.is_concealing()
    codec = codec_for(OPUS)
    assert isinstance(codec, opus.FFmpegOpusCodec)
    payloads = encoded(CALL, OPUS)
    packets = [piece for piece in placed(OPUS, payloads) if isinstance(piece, Packet)]
    samples, refused = codec.decode(packets)
    assert not refused
    assert len(samples) == len(payloads) * 960
    delay = codec.delay_samples
    assert snr_db(ffmpeg("libopus", payloads, 48_000)[delay:], samples[delay:]) > 10
    assert codec.conceal(960, None).size == 0


def test_a_library_that_lacks_something_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "libopus.so").write_bytes(b"no library")
    good = libopus.load()
    assert good is not None
    others = ["libm.so.6", "no-such-library.so", str(tmp_path / "libopus.so")]
    monkeypatch.setattr(libopus, "_candidates", lambda: iter([*others, good.path]))
    found = libopus.load.__wrapped__()
    assert found is not None
    assert found.path == good.path
    monkeypatch.setattr(libopus, "_candidates", lambda: iter(others))
    assert libopus.load.__wrapped__() is None
