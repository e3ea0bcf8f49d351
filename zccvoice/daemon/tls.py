"""TLS that gives all it has at once.

A server writes each message into a record of its own, and OpenSSL hands out one record at a time: what was read
together would fall apart again, and all that is done once per read would be done once per message.
"""

from __future__ import annotations

import ssl
from typing import Any

RECORD_BYTES = 2**14
"""The most that one record holds (RFC 8446, section 5.1)."""


class WholeReads(ssl.SSLObject):
    """For a context's ``sslobject_class``."""

    _problem: ssl.SSLError | None = None

    def read(self, most_bytes: int = 1024, buffer: Any = None) -> bytes:
        """Up to so many bytes of all records that have come; what is wrong with the next one is told after them.

        Raises:
            ssl.SSLError: as the standard library's; ``SSLWantReadError`` when nothing is there.
        """
        if self._problem is not None:
            raise self._problem
        if buffer is not None:
            return super().read(most_bytes, buffer)
        piece = super().read(min(most_bytes, RECORD_BYTES))
        pieces, rest = [piece], most_bytes - len(piece)
        while piece and rest > 0:
            try:
                piece = super().read(min(rest, RECORD_BYTES))
            except ssl.SSLWantReadError:
                break
            except ssl.SSLError as problem:
                self._problem = problem
                break
            pieces.append(piece)
            rest -= len(piece)
        return b"".join(pieces)
