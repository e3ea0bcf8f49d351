"""What a telephone line does to sound: packets in a codec, some of which never arrive, and how they sound."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import av
import numpy as np

from zccvoice.audio.frame import AudioFormat, Encoding
from zccvoice.simulator.encoders import Encoder, encode_g711, encode_g722, encode_l16, encode_opus
from zccvoice.simulator.sources import RATE_HZ, Samples, resample

PACKET_MS = 20
_AFTER_MS = 100
"""Of quiet behind the sound, so that a late codec gives all of it."""


@dataclass(frozen=True, slots=True)
class LineCodec:
    """A codec, and what FFmpeg calls its decoder."""

    audio_format: AudioFormat
    encode: Encoder
    decoder: str
    delay: int = 0
    """Samples at its rate by which what comes back is late."""


LINE_CODECS = {
    "L16": LineCodec(AudioFormat(), encode_l16, "pcm_s16le"),
    "G.711 A": LineCodec(AudioFormat(Encoding.PCMA, 8_000), encode_g711, "pcm_alaw"),
    "G.711 µ": LineCodec(
        AudioFormat(Encoding.PCMU, 8_000), partial(encode_g711, law=Encoding.PCMU), "pcm_mulaw"
    ),
    "G.722": LineCodec(AudioFormat(Encoding.G722), encode_g722, "g722", delay=22),
    "Opus": LineCodec(AudioFormat(Encoding.OPUS, 48_000), encode_opus, "libopus", delay=312),
}
"""By the name people know."""


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """Sound on its way."""

    codec: LineCodec
    payloads: list[bytes]
    """Of `PACKET_MS` each, with some quiet behind the sound."""
    is_lost: list[bool]
    """Which of them never arrive."""

    def arriving(self, first_ms: int = 0) -> list[tuple[int, bytes]]:
        """The packets that do, each with its timestamp."""
        return [
            (first_ms + number * PACKET_MS, payload)
            for number, (payload, is_lost) in enumerate(zip(self.payloads, self.is_lost, strict=True))
            if not is_lost
        ]


def carried(samples: Samples, codec: LineCodec, *, lost_ratio: float = 0.0, seed: int = 0) -> Carried:
    """`samples`, ``int16[n]``, mono, 16 kHz, as packets of a codec."""
    rate_hz = codec.audio_format.rate_hz
    step = rate_hz * PACKET_MS // 1000
    given = np.pad(resample(samples, rate_hz), (0, rate_hz * _AFTER_MS // 1000))
    payloads = codec.encode(given[: len(given) // step * step], 1, step, False)
    lost = np.random.default_rng(seed).random(len(payloads)) < lost_ratio
    return Carried(codec, payloads, lost.tolist())


def through(samples: Samples, codec: LineCodec, *, lost_ratio: float = 0.0, seed: int = 0) -> Samples:
    """`samples` as they arrive: the same length at 16 kHz, in place, with zeros where a packet was lost."""
    sent = carried(samples, codec, lost_ratio=lost_ratio, seed=seed)
    rate_hz = codec.audio_format.rate_hz
    decoder = _decoder(codec)
    pieces = [frame.to_ndarray().ravel() for one in sent.payloads for frame in decoder.decode(av.Packet(one))]
    heard = np.concatenate(pieces)
    if heard.dtype != np.int16:
        heard = np.clip(np.rint(heard * 32_768), -32_768, 32_767).astype(np.int16)
    heard = _wide(heard[codec.delay :], rate_hz)[: len(samples)]
    lost = np.repeat(sent.is_lost, RATE_HZ * PACKET_MS // 1000)[: len(heard)]
    heard[lost] = 0
    return heard


def _wide(samples: Samples, rate_hz: int) -> Samples:
    """Samples at `rate_hz` as 16 kHz mono: ``int16[n * 16000 / rate_hz]``."""
    if rate_hz == RATE_HZ:
        return samples.copy()
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(samples).reshape(1, -1), format="s16", layout="mono"
    )
    frame.sample_rate = rate_hz
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    pieces = [piece.to_ndarray()[0] for given in (frame, None) for piece in resampler.resample(given)]
    return np.concatenate(pieces).astype(np.int16)


def _decoder(codec: LineCodec) -> Any:
    context: Any = av.CodecContext.create(codec.decoder, "r")
    context.sample_rate, context.layout, context.format = codec.audio_format.rate_hz, "mono", "s16"
    return context
