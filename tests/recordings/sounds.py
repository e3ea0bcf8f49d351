"""Recordings made for tests, in every format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from tests.speech.sounds import noise

Channels = npt.NDArray[np.int16]
CLICK_MS = 4
FORMATS = [
    ("wav", "pcm_s16le", 16_000),
    ("wav", "pcm_s16le", 8_000),
    ("wav", "pcm_s16le", 44_100),
    ("wav", "pcm_alaw", 8_000),
    ("wav", "pcm_mulaw", 8_000),
    ("flac", "flac", 48_000),
    ("ogg", "libopus", 48_000),
    ("mp3", "libmp3lame", 44_100),
    ("mp3", "libmp3lame", 8_000),
    ("m4a", "aac", 48_000),
]
"""Suffix, FFmpeg's codec, rate."""


def encode(
    path: Path,
    codec: str,
    rate_hz: int,
    samples: Channels,
    tags: dict[str, str] | None = None,
    *,
    given_hz: int = 16_000,
    **options: str,
) -> Path:
    """Write ``int16[channels, n]``, at 16 kHz or as given, as a file of that codec and rate."""
    layout = "mono" if len(samples) == 1 else "stereo"
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="s16p", layout=layout)
    frame.sample_rate, frame.pts = given_hz, 0
    with av.open(str(path), "w") as container:
        container.metadata.update(tags or {})
        stream: Any = container.add_stream(
            codec, rate=rate_hz, layout=layout, options={"strict": "-2"} | options
        )
        resampler = av.AudioResampler(format=stream.codec_context.format, layout=layout, rate=rate_hz)
        for given in (frame, None):
            for piece in resampler.resample(given):
                container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


def spoil(path: Path, from_share: float, until_share: float, *, seed: int | None = 4) -> None:
    """Put noise, or zeros without a seed, in the place of some of a file's bytes, but never of the first 400."""
    data = bytearray(path.read_bytes())
    start, end = max(400, int(len(data) * from_share)), int(len(data) * until_share)
    data[start:end] = bytes(end - start) if seed is None else np.random.default_rng(seed).bytes(end - start)
    path.write_bytes(data)


def click(duration_ms: int, *at_ms: int) -> npt.NDArray[np.int16]:
    """A quiet line with loud clicks, ``int16[n]`` at 16 kHz."""
    samples = noise(duration_ms, dbfs=-75)
    for begin_ms in at_ms:
        samples[begin_ms * 16 : (begin_ms + CLICK_MS) * 16] = noise(CLICK_MS, dbfs=-12, seed=begin_ms)
    return samples


def clicks_ms(samples: npt.NDArray[np.int16], rate_hz: int) -> list[float]:
    """Where clicks begin: what is loud after 50 ms of quiet."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 2_500)
    begins = [at for number, at in enumerate(loud) if not number or at - loud[number - 1] > rate_hz // 20]
    return [float(at) * 1000 / rate_hz for at in begins]
