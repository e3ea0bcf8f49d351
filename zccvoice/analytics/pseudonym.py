"""Phone numbers: what is kept of them is a keyed hash and the last four digits.

The hash tells that two calls came from one number, and finds the calls of a customer who asks for erasure, to
whoever has the key; without the key it tells nothing, because all phone numbers can be tried.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeptNumber:
    """What is kept of a phone number; both None when nothing is."""

    hash: str | None = None
    """HMAC-SHA256 of its digits, 32 hexadecimal digits."""
    last4: str | None = None


class PhonePseudonym:
    """Makes pseudonyms of phone numbers, the same for the same key."""

    def __init__(self, key: str | None) -> None:
        """Args: key: a secret; None when nothing is to be kept of phone numbers."""
        self._key = (
            None if key is None else hashlib.sha256(b"zccvoice phone numbers\0" + key.encode()).digest()
        )

    def of(self, number: str | None) -> KeptNumber:
        """What is kept of a number; ``+1 (555) 555-0123`` and ``0015555550123`` are the same one."""
        digits = "".join(letter for letter in number or "" if letter.isascii() and letter.isdigit())
        if (number or "").lstrip().startswith("00"):
            digits = digits.removeprefix("00")
        if self._key is None or not digits:
            return KeptNumber()
        return KeptNumber(hmac.digest(self._key, digits.encode(), "sha256").hex()[:32], digits[-4:])
