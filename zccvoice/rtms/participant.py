"""Whom an id of Zoom's names: it may come as a number or as a text, and some name nobody."""

from __future__ import annotations

_NOBODY = frozenset({None, "", 0, -1, "0", "-1"})
"""What stands where a packet is a mix of everybody, or an event concerns no one."""


def participant_of(user_id: str | int | None) -> str | None:
    """The participant with this ``user_id``; None for nobody in particular."""
    return None if user_id in _NOBODY else str(user_id)
