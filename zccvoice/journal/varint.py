"""Whole numbers as bytes: small ones take one, large ones up to ten.

varint  :=  seven bits a byte, the lowest first, the top bit set while more follow        (LEB128)
signed  :=  a varint: twice the number, or twice its amount and one when it is negative
"""

from __future__ import annotations

_MOST_BITS = 70
"""Ten bytes at most: enough for the difference of any two 64-bit timestamps."""
_BOUND = 1 << _MOST_BITS


def put_varint(out: bytearray, number: int) -> None:
    """Append a number that is not negative.

    Raises:
        OverflowError: it is negative, or takes more than 70 bits.
    """
    if not 0 <= number < _BOUND:
        raise OverflowError(f"expected a number of {_MOST_BITS} bits, got {number}")
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def put_signed(out: bytearray, number: int) -> None:
    """Append a number of either sign.

    Raises:
        OverflowError: it takes more than 69 bits.
    """
    put_varint(out, number << 1 if number >= 0 else -number << 1 | 1)


class ByteReader:
    """A walk through bytes; every step raises IndexError where they end too early, or a number does not end."""

    def __init__(self, data: bytes) -> None:
        """Begin at the first byte."""
        self._data = data
        self._at = 0

    @property
    def is_done(self) -> bool:
        """There are no more bytes."""
        return self._at == len(self._data)

    def byte(self) -> int:
        """The next byte."""
        value = self._data[self._at]
        self._at += 1
        return value

    def varint(self) -> int:
        """What `put_varint` appended."""
        number = shift = 0
        while (part := self.byte()) > 0x7F:
            number |= (part & 0x7F) << shift
            shift += 7
            if shift == _MOST_BITS:
                raise IndexError
        return number | part << shift

    def signed(self) -> int:
        """What `put_signed` appended."""
        number = self.varint()
        return -(number >> 1) if number & 1 else number >> 1

    def take(self, size: int) -> bytes:
        """So many bytes."""
        taken = self._data[self._at : self._at + size]
        if len(taken) != size:
            raise IndexError
        self._at += size
        return taken

    def bytes(self) -> bytes:
        """As many bytes as a varint before them says."""
        return self.take(self.varint())
