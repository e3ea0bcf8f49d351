"""What was found in a text."""

from __future__ import annotations

from dataclasses import dataclass

from zccvoice.config.redaction import RedactedClass


@dataclass(frozen=True, slots=True)
class Find:
    """Tokens that must not be stored."""

    kind: RedactedClass
    first: int
    """Index of its first token."""
    last: int
    """Index of its last token."""
