"""CORE: WebSocket frames as a client reads them (RFC 6455, section 5): bytes in, whole messages out.

All messages that are whole by now are handed over at once, so that what comes after them is done once per read
and not once per message. How the bytes were cut makes no difference. After the end, by the server's CLOSE or by
something that the RFC forbids, nothing is read any more.

Not here: the opening handshake, and frames of our own; see `daemon.websocket`.
"""

from __future__ import annotations

import codecs
import struct
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
"""Opcodes, section 5.2."""
FINAL, RESERVED, OPCODE, MASKED, LENGTH = 0x80, 0x70, 0x0F, 0x80, 0x7F
"""Parts of a frame's first two bytes."""
LONGEST_CONTROL = 125
LONGEST_TWO_BYTE = 0xFFFF
LONGEST_EIGHT_BYTE = 2**63 - 1
PROTOCOL_ERROR, NO_CODE, BAD_TEXT, TOO_BIG = 1002, 1005, 1007, 1009
"""Close codes, section 7.4.1."""
_USUAL = struct.Struct("!HH")
_USUAL_KIND = (FINAL | TEXT) << 8 | (LONGEST_CONTROL + 1)
"""How the header of nearly every frame begins: a whole text, its length in the two bytes that follow."""
_SENT_CODES = frozenset({1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014})
_OWN_CODES = range(3_000, 5_000)
"""Of libraries and applications."""


@dataclass(frozen=True, slots=True)
class End:
    """Nothing more comes after this."""

    code: int
    """That the server closed with, `NO_CODE` if it gave none; or that we are to close with after a violation."""
    problem: str | None = None
    """What the server did that it must not; None when it said goodbye."""


class _ViolationError(Exception):
    """The stream is not to be read any further."""

    def __init__(self, problem: str, code: int = PROTOCOL_ERROR) -> None:
        super().__init__(problem)
        self.code = code


class FrameReader:
    """One connection's bytes, from the end of the handshake on."""

    def __init__(self, most_bytes: int) -> None:
        """Begin with a frame.

        Args:
            most_bytes: in one message; a longer one is a violation as soon as it is announced.
        """
        self._most_bytes = most_bytes
        self._held: list[bytes] = []
        self._held_bytes = self._needed_bytes = 0
        self._opcode: int | None = None  # of a message in fragments
        self._fragments: list[bytes] = []
        self._fragments_bytes = 0
        self._text = codecs.getincrementaldecoder("utf-8")()
        self._pings: list[bytes] = []
        self.end: End | None = None
        """How reading came to its end, if it did."""

    def push(self, data: bytes) -> list[bytes]:
        """Take in what was read; returns the messages that are whole now, text as checked UTF-8, oldest first."""
        messages: list[bytes] = []
        self._held.append(data)
        self._held_bytes += len(data)
        if self.end is None and self._held_bytes >= self._needed_bytes:
            held = b"".join(self._held)
            try:
                rest = held[self._read(held, messages) :]
            except _ViolationError as violation:
                self.end, rest = End(violation.code, str(violation)), b""
            self._held, self._held_bytes = [rest] if rest else [], len(rest)
        if self.end is not None:
            self._held.clear()
        return messages

    @property
    def asks_nothing(self) -> bool:
        """Whether neither a ping nor the end is to be answered, as is nearly always so."""
        return not self._pings and self.end is None

    def take_pings(self) -> list[bytes]:
        """What the pings said that are to be answered. Each is handed out once."""
        pings, self._pings = self._pings, []
        return pings

    def _read(self, data: bytes, messages: list[bytes]) -> int:
        """Read whole frames; returns where the first begins that is not whole."""
        at = 0
        while self.end is None:
            at = self._read_usual(data, at, messages)
            start, length = self._header(data, at)
            end = start + length
            if end > len(data):
                self._needed_bytes = end - at
                break
            first, payload, at = data[at], data[start:end], end
            if first == FINAL | TEXT:
                messages.append(_checked(payload))
            elif first == FINAL | BINARY:
                messages.append(payload)
            elif first & OPCODE >= CLOSE:
                self._control(first & OPCODE, payload)
            else:
                self._fragment(first, payload, messages)
        return at

    def _read_usual(self, data: bytes, at: int, messages: list[bytes]) -> int:
        """Read whole texts, each in one frame with a length in two bytes; returns where they end."""
        longest = self._most_bytes if self._opcode is None else 0  # between fragments there is none
        last = len(data) - _USUAL.size
        while at <= last:
            kind, length = _USUAL.unpack_from(data, at)
            start = at + _USUAL.size
            end = start + length
            if kind != _USUAL_KIND or not LONGEST_CONTROL < length <= longest or end > len(data):
                break
            messages.append(_checked(data[start:end]))
            at = end
        return at

    def _header(self, data: bytes, at: int) -> tuple[int, int]:
        """Where the payload of the frame at `at` begins and how long it is; of half a header, where that ends."""
        if len(data) < at + 2:
            return at + 2, 0
        first, second = data[at], data[at + 1]
        length = second & LENGTH
        self._check_header(first, second, length)
        start = at + 2
        if length > LONGEST_CONTROL:
            size, shorter = (2, LONGEST_CONTROL) if length == LONGEST_CONTROL + 1 else (8, LONGEST_TWO_BYTE)
            start += size
            if len(data) < start:
                return start, 0
            length = int.from_bytes(data[start - size : start], "big")
            if not shorter < length <= LONGEST_EIGHT_BYTE:
                raise _ViolationError(f"a length of {length} in {size} bytes")
        if self._fragments_bytes + length > self._most_bytes:
            raise _ViolationError(f"a message of more than {self._most_bytes} bytes", TOO_BIG)
        return start, length

    def _check_header(self, first: int, second: int, length: int) -> None:
        opcode = first & OPCODE
        if first & RESERVED:
            raise _ViolationError("a reserved bit")
        if second & MASKED:
            raise _ViolationError("a mask on a server's frame")
        if opcode >= CLOSE:
            if opcode > PONG or not first & FINAL or length > LONGEST_CONTROL:
                raise _ViolationError(f"control frame {opcode}: unknown, in fragments or too long")
        elif opcode > BINARY or (opcode == CONTINUATION) != (self._opcode is not None):
            raise _ViolationError(f"data frame {opcode}: unknown, or not where it may stand")

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self._pings.append(payload)
        elif opcode == CLOSE:
            self.end = End(_close_code(payload))

    def _fragment(self, first: int, payload: bytes, messages: list[bytes]) -> None:
        """One piece of a message that comes in several; its text is checked as far as it goes."""
        if self._opcode is None:
            self._opcode = first & OPCODE
        if self._opcode == TEXT:
            try:
                self._text.decode(payload, bool(first & FINAL))
            except UnicodeDecodeError:
                raise _ViolationError("text that is not UTF-8", BAD_TEXT) from None
        if payload:  # pieces of nothing count for no bytes: kept, they would grow without bound
            self._fragments.append(payload)
        self._fragments_bytes += len(payload)
        if first & FINAL:
            messages.append(b"".join(self._fragments))
            self._fragments.clear()
            self._fragments_bytes, self._opcode = 0, None


def _checked(text: bytes) -> bytes:
    """The text itself, if it is UTF-8; nearly all there is, audio, is ASCII."""
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError:
            raise _ViolationError("text that is not UTF-8", BAD_TEXT) from None
    return text


def _close_code(payload: bytes) -> int:
    if not payload:
        return NO_CODE
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or not (code in _SENT_CODES or code in _OWN_CODES):
        raise _ViolationError("a CLOSE with an impossible code")
    _checked(payload[2:])
    return code
