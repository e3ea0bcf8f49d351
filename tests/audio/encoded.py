"""Sounds through every codec, and FFmpeg's word on what they decode to."""

from __future__ import annotations

import math
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from tests.speech.sounds import noise, voice
from zccvoice.audio.codecs import sample_count
from zccvoice.audio.frame import AudioFormat, Encoding, Gap, Packet, Samples
from zccvoice.simulator.encoders import encode_g711, encode_g722, encode_l16, encode_opus
from zccvoice.simulator.sources import resample

CALL: Samples = np.concatenate(
    [noise(400), voice(1200, melody=0), noise(300), voice(900, pitch_hz=190, dbfs=-26, melody=0), noise(200)]
)
"""Three seconds, ``int16[n]``, mono, 16 kHz."""

L16_FORMATS = [AudioFormat(Encoding.L16, rate, count) for rate in (8, 16, 32, 48) for count in (1, 2)]
L16_FORMATS = [AudioFormat(Encoding.L16, one.rate_hz * 1000, one.channel_count) for one in L16_FORMATS]
EXACT_FORMATS = [*L16_FORMATS, AudioFormat(Encoding.PCMA, 8_000), AudioFormat(Encoding.PCMU, 8_000)]
OPUS, G722 = AudioFormat(Encoding.OPUS, 48_000), AudioFormat(Encoding.G722)
FORMATS = [*EXACT_FORMATS, G722, OPUS, AudioFormat(Encoding.OPUS, 48_000, 2)]


def name_of(audio_format: AudioFormat) -> str:
    return f"{audio_format.encoding.value}-{audio_format.rate_hz // 1000}k-{audio_format.channel_count}"


def encoded(
    sound: Samples, audio_format: AudioFormat, *, packet_ms: int = 20, fec: bool = False
) -> list[bytes]:
    """`sound` in packets."""
    size = audio_format.rate_hz * packet_ms // 1000
    samples = resample(sound, audio_format.rate_hz)
    samples = np.repeat(samples[: len(samples) // size * size], audio_format.channel_count)
    match audio_format.encoding:
        case Encoding.L16:
            return encode_l16(samples, audio_format.channel_count, size, fec)
        case Encoding.PCMA | Encoding.PCMU as law:
            return encode_g711(samples, 1, size, fec, law=law)
        case Encoding.G722:
            return encode_g722(samples, 1, size, fec)
        case Encoding.OPUS:
            return encode_opus(samples, audio_format.channel_count, size, fec)


def placed(
    audio_format: AudioFormat, payloads: list[bytes], lost: frozenset[int] = frozenset()
) -> list[Packet | Gap]:
    """As a timeline would give them."""
    pieces: list[Packet | Gap] = []
    position = 0
    for number, payload in enumerate(payloads):
        count = sample_count(audio_format, payload)
        missing = number in lost
        pieces.append(Gap(position, count, "lost_packets") if missing else Packet(position, count, payload))
        position += count
    return pieces


def joined(pieces: list[Samples | Gap]) -> Samples:
    return np.concatenate([piece for piece in pieces if not isinstance(piece, Gap)])


def ffmpeg(name: str, payloads: list[bytes], rate_hz: int, layout: str = "mono") -> npt.NDArray[Any]:
    """FFmpeg's decoder of that name: its samples, interleaved."""
    context: Any = av.CodecContext.create(name, "r")
    context.sample_rate, context.layout = rate_hz, layout
    frames = [frame for payload in payloads for frame in context.decode(av.Packet(payload))]
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])


def snr_db(wanted: npt.NDArray[Any], got: npt.NDArray[Any]) -> float:
    error = float(np.sum((wanted.astype(np.float64) - got) ** 2))
    return 10 * math.log10(float(np.sum(wanted.astype(np.float64) ** 2)) / error) if error else math.inf
