"""L16: linear PCM, signed 16-bit.

RFC 3551 §4.5.11 puts it in network order; Zoom's documented sample packet is a smooth wave only when read as
little-endian, so that is what it is here. Of two channels the mean is taken.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from zccvoice.audio.frame import SAMPLE_RATE_HZ, Packet, Samples
from zccvoice.errors import DecodeError


class Counter:
    """How long payloads are."""

    def __init__(self, rate_hz: int, channel_count: int) -> None:
        self._told = f"{rate_hz} Hz, {channel_count} channel(s)"
        self._unit = 2 * channel_count * max(1, rate_hz // SAMPLE_RATE_HZ)
        self._longest = 2 * channel_count * rate_hz
        self._samples_per_unit = max(1, SAMPLE_RATE_HZ // rate_hz)

    def sample_count(self, payload: bytes) -> int:
        """How long a payload is, in samples at 16 kHz.

        Raises:
            DecodeError: empty, no whole number of samples (at its own rate and at 16 kHz), or longer than the
                second that RTMS sends at most.
        """
        size = len(payload)
        if 0 < size <= self._longest and size % self._unit == 0:
            return size // self._unit * self._samples_per_unit
        raise DecodeError(
            f"L16 payload, {self._told}: expected a multiple of {self._unit} bytes up to {self._longest}; "
            f"got {size} beginning with {payload[:8].hex() or 'nothing'}"
        )


def channels(packets: Sequence[Packet], channel_count: int) -> npt.NDArray[np.int16]:
    """The channels of a run of packets, ``int16[channels, n]``; a read-only view where it is a single one."""
    if len(packets) == 1:
        samples = np.frombuffer(packets[0].payload, "<i2")
    else:
        samples = np.frombuffer(b"".join([packet.payload for packet in packets]), "<i2")
    return samples.reshape(-1, channel_count).T


class L16:
    """Without state; see `codecs.Codec`."""

    delay_samples = 0
    preroll_ms = 0

    def __init__(self, rate_hz: int, channel_count: int) -> None:
        self.rate_hz = rate_hz
        self._channel_count = channel_count

    def decode(self, packets: Sequence[Packet]) -> tuple[Samples, list[Packet]]:
        """See `codecs.Codec`; of one channel it is a read-only view."""
        came = channels(packets, self._channel_count)
        if self._channel_count == 2:
            return ((came[0].astype(np.int32) + came[1]) >> 1).astype(np.int16), []
        return came[0], []

    def conceal(self, sample_count: int, follower: Packet | None) -> Samples:
        """Nothing."""
        return np.empty(0, np.int16)
