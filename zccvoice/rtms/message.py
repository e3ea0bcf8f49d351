"""What all RTMS messages have in common."""

from __future__ import annotations

import msgspec


class RtmsMessage(msgspec.Struct, frozen=True, tag_field="msg_type", kw_only=True):
    """Base of all messages. ``msg_type`` is the struct's tag, so it cannot disagree with the type."""
