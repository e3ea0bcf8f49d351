"""G.711: a byte per sample at 8 kHz, logarithmic; ITU-T G.711 tables 1 and 2, in 16 bits as everybody has them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from zccvoice.audio.frame import SAMPLE_RATE_HZ, Encoding, Packet, Samples
from zccvoice.errors import DecodeError

RATE_HZ = 8_000
LONGEST_BYTES = RATE_HZ
"""A second."""


def sample_count(payload: bytes) -> int:
    """How long a payload is, in samples at 16 kHz.

    Raises:
        DecodeError: empty, or longer than a second.
    """
    if not 0 < len(payload) <= LONGEST_BYTES:
        raise DecodeError(
            f"G.711 payload: expected 1 to {LONGEST_BYTES} bytes; got {len(payload)} "
            f"beginning with {payload[:8].hex() or 'nothing'}"
        )
    return len(payload) * (SAMPLE_RATE_HZ // RATE_HZ)


class G711:
    """Without state; see `codecs.Codec`."""

    rate_hz = RATE_HZ
    delay_samples = 0
    preroll_ms = 0

    def __init__(self, law: Encoding) -> None:
        """`law`: ``PCMA`` or ``PCMU``."""
        self._table = table_of(law)

    def decode(self, packets: Sequence[Packet]) -> tuple[Samples, list[Packet]]:
        """See `codecs.Codec`."""
        codes = np.frombuffer(b"".join([packet.payload for packet in packets]), np.uint8)
        return self._table.take(codes), []

    def conceal(self, sample_count: int, follower: Packet | None) -> Samples:
        """Nothing."""
        return np.empty(0, np.int16)


@cache
def table_of(law: Encoding) -> Samples:
    """What each of the 256 codes means: ``int16[256]``."""
    codes = np.arange(256)
    if law is Encoding.PCMU:
        codes = ~codes & 0xFF
        magnitude = (((codes & 0x0F) << 3) + 0x84 << ((codes & 0x70) >> 4)) - 0x84
        is_negative = codes & 0x80 != 0
    else:
        codes = codes ^ 0x55  # every other bit is sent inverted
        exponent = (codes & 0x70) >> 4
        mantissa = ((codes & 0x0F) << 4) + 8
        magnitude = np.where(exponent == 0, mantissa, mantissa + 0x100 << np.maximum(exponent - 1, 0))
        is_negative = codes & 0x80 == 0
    return np.where(is_negative, -magnitude, magnitude).astype(np.int16)
