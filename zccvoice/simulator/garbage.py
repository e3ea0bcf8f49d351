"""Frames that no good server sends, for clients that must survive them."""

from __future__ import annotations

import json
from enum import StrEnum

from zccvoice.simulator.frames import Opcode, frame, in_pieces

CUT_OFF = '{"msg_type": 14, "content": {"data": '
"""A message that breaks off."""

HUGE_BYTES = 9 * 1024 * 1024
"""Zoom's largest packet is 256,000 characters; its SDK takes at least 8 MB."""


class Garbage(StrEnum):
    """What is sent."""

    CUT_OFF = "cut_off"
    """JSON that breaks off."""
    NO_OBJECT = "no_object"
    """JSON that is a list."""
    NO_TYPE = "no_type"
    """An object whose ``msg_type`` is a word."""
    UNKNOWN_TYPE = "unknown_type"
    """A message of a type nobody has defined."""
    UNKNOWN_FIELDS = "unknown_fields"
    """A keep-alive answer, which is the client's to send, with fields nobody has defined."""
    WRONG_FIELDS = "wrong_fields"
    """An audio message whose fields are of other types."""
    BAD_BASE64 = "bad_base64"
    """An audio message whose data is no base64."""
    BAD_UTF8 = "bad_utf8"
    """A text frame that is no UTF-8: RFC 6455 has the client fail the connection."""
    EMPTY = "empty"
    """A message without content."""
    HUGE = "huge"
    """A message of `HUGE_BYTES`."""
    PING = "ping"
    """A ping and a pong that nobody asked for."""
    PIECES = "pieces"
    """An unknown message in three frames, a ping between them."""
    RESERVED_OPCODE = "reserved_opcode"
    """A frame of a kind that RFC 6455 keeps for later: the client has to fail the connection."""


def frames_of(kind: Garbage) -> bytes:
    """The garbage, as it goes over the wire."""
    match kind:
        case Garbage.BAD_UTF8:
            return frame(Opcode.TEXT, b'{"msg_type": 99, "text": "\xff\xfe"}')
        case Garbage.PING:
            return frame(Opcode.PING, b"are you there") + frame(Opcode.PONG, b"nobody asked")
        case Garbage.PIECES:
            return in_pieces(Opcode.TEXT, _TEXTS[Garbage.UNKNOWN_TYPE].encode())
        case Garbage.RESERVED_OPCODE:
            return b"\x83\x00"
        case Garbage.HUGE:
            return frame(Opcode.TEXT, b'{"msg_type": 99, "padding": "' + b"x" * HUGE_BYTES + b'"}')
        case _:
            return frame(Opcode.TEXT, _TEXTS[kind].encode())


_TEXTS = {
    Garbage.CUT_OFF: CUT_OFF,
    Garbage.NO_OBJECT: "[14, 15]",
    Garbage.NO_TYPE: '{"msg_type": "KEEP_ALIVE_REQ"}',
    Garbage.UNKNOWN_TYPE: '{"msg_type": 99, "content": {"name": "äöü€"}}',
    Garbage.UNKNOWN_FIELDS: json.dumps({"msg_type": 13, "future": {"deep": [1, None]}, "timestamp": "soon"}),
    Garbage.WRONG_FIELDS: json.dumps({"msg_type": 14, "content": {"data": 7, "timestamp": "now"}}),
    Garbage.BAD_BASE64: json.dumps({"msg_type": 14, "content": {"data": "!!!", "timestamp": 1781000000000}}),
    Garbage.EMPTY: "",
}
