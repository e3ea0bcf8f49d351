"""L16: linear PCM, signed 16-bit.

RFC 3551 §4.5.11 puts it in network order; Zoom's documented sample packet is a smooth wave only when read as
little-endian, so that is what it is here.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zccvoice.errors import DecodeError

LONGEST_BYTES = 16_000 * 2
"""One second at 16 kHz: the longest packet that RTMS sends."""


def sample_count(payload: bytes) -> int:
    """Samples in a mono payload.

    Raises:
        DecodeError: empty, not a whole number of samples, or longer than RTMS sends.
    """
    size = len(payload)
    if size == 0 or size % 2 or size > LONGEST_BYTES:
        raise DecodeError(
            f"L16 payload: expected 2 to {LONGEST_BYTES} bytes, two a sample; got {size} "
            f"beginning with {payload[:8].hex() or 'nothing'}"
        )
    return size // 2


class L16Decoder:
    """Stateless; see `codecs.Decoder`."""

    def decode(self, payload: bytes) -> npt.NDArray[np.int16]:
        """A read-only view of the payload, ``int16[n]``, mono."""
        sample_count(payload)
        return np.frombuffer(payload, dtype="<i2")
