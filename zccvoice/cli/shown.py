"""Names that others gave, on a terminal."""

from __future__ import annotations

from unicodedata import category


def shown(text: str) -> str:
    """A text on one line: what is no character, or would move the cursor, as in a string of Python.

    A file's name may hold line ends, what terminals obey, and bytes that are no characters.
    """
    return "".join(one.encode("unicode_escape").decode() if _is_control(one) else one for one in text)


def _is_control(letter: str) -> bool:
    kind = category(letter)
    return kind.startswith("C") or kind in ("Zl", "Zp")
