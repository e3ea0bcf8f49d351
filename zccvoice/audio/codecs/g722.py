"""G.722 at 64 kbit/s: two sub-bands of ADPCM, 16 kHz; FFmpeg's decoder.

Its predictors adapt to what was said, so that one decoder goes with a track to its end, and simply goes on with
the next packet after a hole: within 15 packets nothing is left of the difference. (In RTP the codec's clock says
8000, and a packet of 20 ms has 160 bytes, as in G.711; neither matters here.)
"""

from __future__ import annotations

from collections.abc import Sequence

import av
import numpy as np

from zccvoice.audio.frame import SAMPLE_RATE_HZ, Packet, Samples
from zccvoice.errors import DecodeError

LONGEST_BYTES = SAMPLE_RATE_HZ // 2
"""A second."""
_FILTER_DELAY_SAMPLES = 22
"""Of the two filters that part the bands and put them together again, ITU-T G.722 §1.1 and 4.4."""


def sample_count(payload: bytes) -> int:
    """How long a payload is, in samples at 16 kHz.

    Raises:
        DecodeError: empty, or longer than a second.
    """
    if not 0 < len(payload) <= LONGEST_BYTES:
        raise DecodeError(
            f"G.722 payload: expected 1 to {LONGEST_BYTES} bytes; got {len(payload)} "
            f"beginning with {payload[:8].hex() or 'nothing'}"
        )
    return len(payload) * 2


class G722:
    """See `codecs.Codec`."""

    rate_hz = SAMPLE_RATE_HZ
    delay_samples = _FILTER_DELAY_SAMPLES
    preroll_ms = 400

    def __init__(self) -> None:
        self._context = av.CodecContext.create("g722", "r")
        assert isinstance(self._context, av.AudioCodecContext)
        self._context.sample_rate = SAMPLE_RATE_HZ
        self._context.layout = "mono"

    def decode(self, packets: Sequence[Packet]) -> tuple[Samples, list[Packet]]:
        """See `codecs.Codec`."""
        # An empty packet would mean the end to FFmpeg; `sample_count` lets none through.
        frames = self._context.decode(av.Packet(b"".join([packet.payload for packet in packets])))
        arrays = [frame.to_ndarray()[0] for frame in frames]
        return (arrays[0] if len(arrays) == 1 else np.concatenate(arrays)), []

    def conceal(self, sample_count: int, follower: Packet | None) -> Samples:
        """Nothing: what a predictor is fed that was never sent takes it further away."""
        return np.empty(0, np.int16)
