"""The content of a sound file, whole and in memory, as samples: what a request to a recognition server carries.

FFmpeg reads it; of WAV files as our own daemons send them nothing is changed. Recordings of any length are
`zccvoice.recordings`' business.
"""

from __future__ import annotations

import io
from typing import Any

import av
import numpy as np

from zccvoice.audio.fitting import Fitting
from zccvoice.audio.frame import SAMPLE_RATE_HZ, Samples
from zccvoice.errors import DecodeError

CONTAINERS = "wav,flac,ogg,mp3,mov,mp4,m4a,matroska,webm"
"""FFmpeg would also read playlists, and follow them to other files and hosts."""


def samples_of(content: bytes, *, longest_s: float) -> Samples:
    """All of a file's sound: ``int16[n]``, mono, 16 kHz.

    Args:
        content: the file.
        longest_s: no more is taken in, however small the file.

    Raises:
        DecodeError: it holds no sound that can be read, or too much.
    """
    most = round(longest_s * SAMPLE_RATE_HZ)
    pieces: list[Samples] = []
    count = 0
    try:
        for piece in _decoded(content):
            pieces.append(piece)
            count += piece.size
            if count > most:
                raise DecodeError(f"expected at most {longest_s:g} s of sound, got more")
    except (av.FFmpegError, ValueError, IndexError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise DecodeError(
            f"expected a sound file ({CONTAINERS}), got one that cannot be read: {reason}"
        ) from None
    if not count:
        raise DecodeError("expected a sound file, got one without sound")
    return np.concatenate(pieces)


def _decoded(content: bytes) -> Any:
    fitting = Fitting(SAMPLE_RATE_HZ, "mono")
    options = {"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}
    with av.open(io.BytesIO(content), mode="r", metadata_errors="replace", options=options) as container:
        for frame in [*container.streams.audio[:1]] and container.decode(audio=0):
            yield from (one[0] for one in fitting.push(frame))
        yield from (one[0] for one in fitting.flush())
