"""The names that events of a stream can have, for whoever names some in the settings."""

from __future__ import annotations

import re

from zccvoice.rtms.enums import ContactCenterEventType, EventType, SessionState, StreamState
from zccvoice.rtms.sessions import ONE_SESSION_PAUSED

EVENT_NAMES = frozenset(
    {
        *(one.name.lower() for one in (*EventType, *ContactCenterEventType)),
        *(f"stream_{one.name.lower()}" for one in StreamState),
        *(f"session_{one.name.lower()}" for one in SessionState),
        ONE_SESSION_PAUSED,
    }
)
"""As `signaling` tells them. An event that this version does not know is told by its number."""
_BY_NUMBER = re.compile(r"(unknown|phone_event|(stream|session)_unknown)_\d+")


def is_event_name(name: str) -> bool:
    """Whether an event of a stream can ever have this name."""
    return name in EVENT_NAMES or _BY_NUMBER.fullmatch(name) is not None
