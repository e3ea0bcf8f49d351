"""WebSocket frames as a server writes them (RFC 6455, section 5.2): unmasked, whole or in pieces.

Written here and not by the WebSocket library, because a load of many calls needs them cheap, and because a
server that is to misbehave needs them broken.
"""

from __future__ import annotations

from enum import IntEnum


class Opcode(IntEnum):
    """What a frame is."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


def frame(opcode: Opcode, payload: bytes, *, is_final: bool = True) -> bytes:
    """One frame; `is_final` is false for a message that goes on in a CONTINUATION."""
    first, size = opcode | (0x80 if is_final else 0), len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65_536:
        return bytes((first, 126)) + size.to_bytes(2, "big") + payload
    return bytes((first, 127)) + size.to_bytes(8, "big") + payload


def in_pieces(opcode: Opcode, payload: bytes) -> bytes:
    """One message in three frames, cut wherever that falls (in a character, too), a ping between them."""
    third = len(payload) // 3
    return (
        frame(opcode, payload[:third], is_final=False)
        + frame(Opcode.PING, b"between")
        + frame(Opcode.CONTINUATION, payload[third : 2 * third], is_final=False)
        + frame(Opcode.CONTINUATION, payload[2 * third :])
    )
