"""Takes the payload out of an RTP packet (RFC 3550 §5.1).

What its header says of time and order is not used: Zoom's own timestamps come with every message.
"""

from __future__ import annotations

from zccvoice.errors import DecodeError

FIXED_BYTES = 12
_VERSION = 2


def unwrap(packet: bytes) -> bytes:
    """The payload of an RTP packet, without header, contributing sources, extension and padding.

    Raises:
        DecodeError: it is none, or what its header announces does not fit into it.
    """
    begin = _header_bytes(packet)
    padding = packet[-1] if packet and packet[0] & 0x20 else 0
    end = len(packet) - padding
    if begin is None or begin >= end or (padding == 0 and packet[0] & 0x20):
        raise DecodeError(
            f"RTP packet: expected version 2 and a header of {FIXED_BYTES} bytes or more before a payload; "
            f"got {len(packet)} bytes beginning with {packet[:8].hex() or 'nothing'}"
        )
    return packet[begin:end]


def _header_bytes(packet: bytes) -> int | None:
    """How long the header is, by what it says; None for what is no RTP."""
    if len(packet) < FIXED_BYTES or packet[0] >> 6 != _VERSION:
        return None
    length = FIXED_BYTES + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:  # an extension: its own header of four bytes ends with its length in words
        if len(packet) < length + 4:
            return None
        length += 4 + 4 * int.from_bytes(packet[length + 2 : length + 4], "big")
    return length
