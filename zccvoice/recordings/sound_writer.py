"""Samples → WAV, FLAC or Ogg/Opus."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import av
import numpy as np

from zccvoice.audio.frame import SAMPLE_RATE_HZ
from zccvoice.recordings.sound_file import Channels


@dataclass(frozen=True, slots=True)
class _Format:
    container: str
    codec: str
    bit_rate_per_channel: int | None = None


_FORMATS = {
    ".wav": _Format("wav", "pcm_s16le"),
    ".flac": _Format("flac", "flac"),
    ".ogg": _Format("ogg", "libopus", 32_000),
}
SUFFIXES = tuple(_FORMATS)
"""Of the files that can be written."""
_LONGEST_WAV_BYTES = 2**32 - 2**16
"""A WAV counts its bytes in 32 bits."""


def is_too_long(path: Path, sample_count: int, channel_count: int) -> bool:
    """Whether a sound does not fit into a file of that name."""
    return path.suffix.lower() == ".wav" and 2 * sample_count * channel_count > _LONGEST_WAV_BYTES


def write_sound(file: IO[bytes], suffix: str, blocks: Iterable[Channels], channel_count: int) -> None:
    """Write 16 kHz sound; blocking.

    Args:
        file: seekable; stays open.
        suffix: one of `SUFFIXES`.
        blocks: ``int16[channel_count, n]`` each.
        channel_count: 1 or 2; the first is the left one.

    Raises:
        OSError: the file cannot be written.
    """
    form = _FORMATS[suffix.lower()]
    layout = "mono" if channel_count == 1 else "stereo"
    with av.open(file, mode="w", format=form.container) as container:
        stream: Any = container.add_stream(form.codec, rate=SAMPLE_RATE_HZ, layout=layout)
        if form.bit_rate_per_channel is not None:
            stream.bit_rate = form.bit_rate_per_channel * channel_count
        position = 0
        for block in blocks:
            interleaved = np.ascontiguousarray(block.T).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(interleaved, format="s16", layout=layout)
            frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, position
            position += block.shape[1]
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
