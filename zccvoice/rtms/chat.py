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

    An operation that we do not know is taken for a new message if it has a text; an empty one is never put in the
    place of what was written.

    Raises:
        RemoteProtocolError: it has no possible time.
    """
    timestamp_ms = required_ms(content.timestamp, "chat")
    told = _fields(content.data)
    if told is None:
        return ChatReceived(timestamp_ms, str(content.data), _text(content.user_id), content.user_name)
    operation = integer(told.get("operation_type"))
    operation = ChatOperation.NEW if operation is None else operation
    text = told.get("data")
    text = text if isinstance(text, str) else ""
    change = _CHANGES.get(operation)  # type: ignore[call-overload]
    if change is None:
        if operation in _REACTIONS or not text:
            return None
        change = Change.NEW
    sender = told.get("sender")
    sender = sender if isinstance(sender, dict) else {}
    return ChatReceived(
        timestamp_ms,
        text,
        _text(sender.get("user_id", content.user_id)),
        _text(sender.get("user_name", content.user_name)),
        _text(told.get("message_id")),
        change,
    )


def _fields(data: str | dict[str, Any]) -> dict[str, Any] | None:
    """The object form's fields; None for a text. People write braces too: an object must have one of its keys."""
    if isinstance(data, str):
        if not data.lstrip().startswith("{"):
            return None
        try:
            data = json.loads(data)
        except (ValueError, RecursionError):
            return None
    return data if isinstance(data, dict) and {"message_id", "operation_type"} & data.keys() else None


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
