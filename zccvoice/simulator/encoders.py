"""A leg's sound → the payloads of its packets, as Zoom's side encodes them: FFmpeg's encoders, and G.711 by table.

Codecs with a memory encode a leg from its beginning to its end, also what is then lost or held.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from zccvoice.audio.codecs.g711 import table_of
from zccvoice.audio.frame import Encoding, Samples
from zccvoice.rtms.enums import Codec

OPUS_BITS_PER_S = 32_000
"""Per channel."""
_FEC_EXPECTED_LOSS_PERCENT = "15"
"""libopus puts a second copy into packets only when it expects losses."""
_RTP_HEADER_BYTES = 12

Encoder = Callable[[Samples, int, int, bool], list[bytes]]
"""(samples, channels, samples per packet and channel, FEC): samples are ``int16[n · channels]``, interleaved, at
the codec's rate, of whole packets."""


def encode_l16(samples: Samples, channel_count: int, packet_samples: int, fec: bool) -> list[bytes]:
    """Zoom's L16 is little-endian; its documentation's sample packet is smooth only when read so."""
    return _cut(samples.astype("<i2").tobytes(), 2 * channel_count * packet_samples)


def encode_g711(
    samples: Samples, channel_count: int, packet_samples: int, fec: bool, *, law: Encoding = Encoding.PCMA
) -> list[bytes]:
    """A-law is what Zoom sends; `law` may be the other one."""
    codes: npt.NDArray[np.uint8] = _codes_of(law).take(samples.view(np.uint16))
    return _cut(codes.tobytes(), packet_samples)


def encode_g722(samples: Samples, channel_count: int, packet_samples: int, fec: bool) -> list[bytes]:
    """64 kbit/s: half a byte per sample."""
    context = _context("g722", 16_000, "mono")
    return _cut(b"".join(_encoded(context, samples.reshape(1, -1), "mono", 16_000)), packet_samples // 2)


def encode_opus(samples: Samples, channel_count: int, packet_samples: int, fec: bool) -> list[bytes]:
    """With libopus' settings for speech."""
    layout = "stereo" if channel_count == 2 else "mono"
    context = _context("libopus", 48_000, layout)
    context.bit_rate = OPUS_BITS_PER_S * channel_count
    context.options = {"application": "voip", "frame_duration": f"{packet_samples / 48:g}"}
    if fec:
        context.options |= {"fec": "1", "packet_loss": _FEC_EXPECTED_LOSS_PERCENT}
    payloads = []
    for packet in samples.reshape(-1, packet_samples * channel_count):
        payloads += _encoded(context, packet.reshape(1, -1), layout, 48_000)
    return payloads


ENCODERS: dict[int, Encoder] = {
    Codec.L16: encode_l16,
    Codec.G711: encode_g711,
    Codec.G722: encode_g722,
    Codec.OPUS: encode_opus,
}
"""By Zoom's number of the codec."""


def in_rtp(payloads: list[bytes], codec: int, packet_samples: int) -> list[bytes]:
    """Each with the header of RFC 3550 in front. G.722's clock counts half of its samples."""
    payload_type = {Codec.G711: 8, Codec.G722: 9}.get(Codec(codec), 96)
    step = packet_samples // 2 if codec == Codec.G722 else packet_samples
    return [
        bytes([0x80, payload_type])
        + (number & 0xFFFF).to_bytes(2, "big")
        + (number * step & 0xFFFFFFFF).to_bytes(4, "big")
        + b"zccv"
        + payload
        for number, payload in enumerate(payloads)
    ]


def _cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data) - size + 1, size)]


@cache
def _codes_of(law: Encoding) -> npt.NDArray[np.uint8]:
    """The nearest code of every 16-bit sample, by its bits: ``uint8[65536]``."""
    values = table_of(law).astype(np.int32)
    order = np.argsort(values, kind="stable")
    middles = (values[order][1:] + values[order][:-1]) / 2
    every = np.arange(65_536, dtype=np.uint16).view(np.int16)
    return order[np.searchsorted(middles, every)].astype(np.uint8)


def _context(name: str, rate_hz: int, layout: str) -> Any:
    context: Any = av.CodecContext.create(name, "w")
    context.sample_rate, context.layout, context.format = rate_hz, layout, "s16"
    return context


def _encoded(context: Any, samples: Samples, layout: str, rate_hz: int) -> list[bytes]:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="s16", layout=layout)
    frame.sample_rate = rate_hz
    return [bytes(packet) for packet in context.encode(frame)]
