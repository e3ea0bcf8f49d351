"""What was found in a text, and the classes of what is looked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

RedactedClass = Literal["email", "iban", "card", "national_id", "security_code", "phone", "name"]
CLASSES: tuple[RedactedClass, ...] = get_args(RedactedClass)
"""In the order in which they are looked for: what an earlier one has found is no find of a later one."""


@dataclass(frozen=True, slots=True)
class Find:
    """Tokens that must not be stored."""

    kind: RedactedClass
    first: int
    """Index of its first token."""
    last: int
