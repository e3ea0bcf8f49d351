"""What a telephone line does to sound: there and back through a codec, with packets that never arrive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import av
import numpy as np

from zccvoice.simulator.sources import RATE_HZ, Samples, resample

PACKET_MS = 20


@dataclass(frozen=True, slots=True)
class LineCodec:
    """A codec as FFmpeg knows it."""

    encoder: str
    rate_hz: int
    """Of the samples it takes and gives."""
    delay: int = 0
    """Samples at `rate_hz` by which what comes back is late."""


LINE_CODECS = {
    "L16": LineCodec("pcm_s16le", 16_000),
    "G.711 A": LineCodec("pcm_alaw", 8_000),
    "G.711 µ": LineCodec("pcm_mulaw", 8_000),
    "G.722": LineCodec("g722", 16_000, delay=22),
    "Opus": LineCodec("libopus", 48_000, delay=312),
}
"""By the name people know."""


def through(samples: Samples, codec: LineCodec, *, lost_ratio: float = 0.0, seed: int = 0) -> Samples:
    """`samples` as they arrive: the same length at 16 kHz, in place, with zeros where a packet was lost."""
    encoder = _context(codec, "w")
    decoder = _context(codec, "r")
    given = np.pad(resample(samples, codec.rate_hz), (0, codec.delay + codec.rate_hz // 10))
    packets = [packet for frame in _frames(given, codec.rate_hz) for packet in encoder.encode(frame)]
    pieces = [frame.to_ndarray().ravel() for packet in packets for frame in decoder.decode(packet)]
    heard = np.concatenate(pieces)
    if heard.dtype != np.int16:
        heard = np.clip(np.rint(heard * 32_768), -32_768, 32_767).astype(np.int16)
    heard = resample_back(heard[codec.delay :], codec.rate_hz)[: len(samples)]
    if lost_ratio:
        step = RATE_HZ * PACKET_MS // 1000
        lost = np.random.default_rng(seed).random(-(-len(heard) // step)) < lost_ratio
        heard[np.repeat(lost, step)[: len(heard)]] = 0
    return heard


def resample_back(samples: Samples, rate_hz: int) -> Samples:
    """Samples at `rate_hz` as 16 kHz mono: ``int16[n * 16000 / rate_hz]``."""
    if rate_hz == RATE_HZ:
        return samples.copy()
    frame = _frame(samples, rate_hz)
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    pieces = [piece.to_ndarray()[0] for given in (frame, None) for piece in resampler.resample(given)]
    return np.concatenate(pieces).astype(np.int16)


def _context(codec: LineCodec, mode: str) -> Any:
    create: Any = av.CodecContext.create
    context = create(codec.encoder, mode)
    context.sample_rate, context.layout, context.format = codec.rate_hz, "mono", "s16"
    return context


def _frames(samples: Samples, rate_hz: int) -> Iterator[Any]:
    step = rate_hz * PACKET_MS // 1000
    for at in range(0, len(samples) - step + 1, step):
        yield _frame(samples[at : at + step], rate_hz)


def _frame(samples: Samples, rate_hz: int) -> Any:
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(samples).reshape(1, -1), format="s16", layout="mono"
    )
    frame.sample_rate = rate_hz
    return frame
