"""A chat message of Zoom's, in either of its forms, as an event.

Until July 2026 ``content.data`` is the text. Since then it may be an object with the text, ids and what was done,
or that object written as text.

Source: Zoom RTMS documentation, "Media data", chat; RTMS_CHAT_OPERATION_TYPE.
"""

from __future__ import annotations

import json
from typing import Any

from zccvoice.rtms.enums import ChatOperation
from zccvoice.rtms.events import Change, ChatReceived
from zccvoice.rtms.messages import ChatContent
from zccvoice.rtms.payload import integer
from zccvoice.rtms.timestamps import required_ms

_CHANGES = {
    ChatOperation.NEW: Change.NEW,
    ChatOperation.UPDATE: Change.UPDATED,
    ChatOperation.DELETE: Change.DELETED,
}
_REACTIONS = (ChatOperation.ADD_EMOJI_REACTION, ChatOperation.REMOVE_EMOJI_REACTION)


def chat_received(content: ChatContent) -> ChatReceived | None:
    """The message as an event; None for what is no message, such as a reaction to one.

    Without an operation that we know it is taken for a new one if it has a text; an empty one is never put in the
    place of what was written, as when a file of it is taken away.

    Raises:
        RemoteProtocolError: it has no possible time.
    """
    timestamp_ms = required_ms(content.timestamp, "chat")
    told = _fields(content.data)
    if told is None:
        return ChatReceived(timestamp_ms, str(content.data), _text(content.user_id), content.user_name)
    operation = integer(told.get("operation_type"))
    text = told.get("data")
    text = text if isinstance(text, str) else ""
    change = _CHANGES.get(operation)  # type: ignore[call-overload]
    if operation in _REACTIONS or (change in (None, Change.UPDATED) and not text):
        return None
    sender = told.get("sender")
    sender = sender if isinstance(sender, dict) else {}
    return ChatReceived(
        timestamp_ms,
        text,
        _text(sender.get("user_id", content.user_id)),
        _text(sender.get("user_name", content.user_name)),
        _text(told.get("message_id")),
        change or Change.NEW,
    )


def _fields(data: str | dict[str, Any]) -> dict[str, Any] | None:
    """The object form's fields; None for a text. People write braces too: a text must have one of its keys."""
    if isinstance(data, dict):
        return data
    if not data.lstrip().startswith("{"):
        return None
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) and {"message_id", "operation_type"} & told.keys() else None


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
