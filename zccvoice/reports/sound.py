"""The sound that a call's page plays: within the page, or in a file beside it."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import quote

LONGEST_WITHIN_BYTES = 24_000_000
"""Of a sound that is put into the page: about fifty minutes. Browsers do not play `data:` URLs of any length."""


@dataclass(frozen=True, slots=True)
class PageSound:
    """Ogg/Opus on the call's clock: position 0 is its first packet."""

    url: str
    is_within: bool
    """In the page itself."""
    has_sides: bool
    """The agent's side is left, the customer's right; else all are in the middle."""


def sound_within(sound: bytes, *, has_sides: bool) -> PageSound:
    """A sound as a part of the page."""
    return PageSound(f"data:audio/ogg;base64,{b64encode(sound).decode('ascii')}", True, has_sides)


def sound_beside(name: str, *, has_sides: bool) -> PageSound:
    """A sound in a file of that name in the page's folder."""
    return PageSound(quote(name), False, has_sides)
