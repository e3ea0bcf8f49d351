"""JSON ↔ messages.

Decoding has two paths. The fast one is a msgspec union keyed by ``msg_type``; it decodes base64 on the way
and takes well below a microsecond for an audio packet. What it refuses gets a second, tolerant try that
folds the spellings seen in Zoom's samples, mock servers and older documents into the documented form, and of
what Zoom sends leaves out optional fields that cannot be read (`salvage`).
Anything else is a `RemoteProtocolError`. Unknown fields and message types pass.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, get_args

import msgspec

from zccvoice.errors import RemoteProtocolError
from zccvoice.rtms.enums import stop_reason
from zccvoice.rtms.message import RtmsMessage
from zccvoice.rtms.messages import (
    AudioData,
    Message,
    OtherMessage,
    SessionStateUpdate,
    StreamStateUpdate,
    TypedMessage,
)
from zccvoice.rtms.payload import integer
from zccvoice.rtms.salvage import usable

_decoder = msgspec.json.Decoder(TypedMessage)
_encoder = msgspec.json.Encoder()
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What the decoder raises; the last for brackets within brackets within brackets."""
_STATES = (SessionStateUpdate, StreamStateUpdate)
_KINDS: dict[int, type[RtmsMessage]] = {kind.__struct_config__.tag: kind for kind in get_args(TypedMessage)}
_FROM_ZOOM = frozenset({2, 4, 6, 8, 9, 11, 12, 14, 17, 18, 20, 22})
"""What is Zoom's to send and ours to bear; a client's own messages have to be right."""


def encode(message: TypedMessage) -> str:
    """The message as one JSON object, for a text frame. Fields that are None are left out."""
    if isinstance(message, AudioData):  # its struct omits them by itself: the simulator's hot path
        return _encoder.encode(message).decode()
    return _encoder.encode(_without_nones(msgspec.to_builtins(message))).decode()


def _without_nones(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nones(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_nones(inner) for inner in value]
    return value


def decode(raw: str | bytes) -> Message:
    """One WebSocket message, text or binary, as a value.

    Raises:
        RemoteProtocolError: not a JSON object with an integer ``msg_type``, or fields of a known message
            are missing or of an impossible type. The text names the field, never the content.
    """
    try:
        message: Message = _decoder.decode(raw)
    except _UNREADABLE:
        return _decode_tolerantly(raw)
    if isinstance(message, _STATES) and _lacks_something(message):
        # Its variant names are those of optional fields, so the fast path takes it and loses them.
        with suppress(RemoteProtocolError):
            return _decode_tolerantly(raw)
    return message


def _lacks_something(update: SessionStateUpdate | StreamStateUpdate) -> bool:
    if isinstance(update, StreamStateUpdate):
        return update.reason is None
    return None in (update.rtms_session_id, update.stop_reason)


def _decode_tolerantly(raw: str | bytes) -> Message:
    try:
        fields = msgspec.json.decode(raw)
    except _UNREADABLE as error:
        raise RemoteProtocolError(f"expected a JSON object, got {_head(raw)}: {error}") from None
    if not isinstance(fields, dict):
        raise RemoteProtocolError(f"expected a JSON object, got {type(fields).__name__}")
    msg_type = fields.get("msg_type")
    if isinstance(msg_type, str) and msg_type.isascii() and msg_type.isdigit() and len(msg_type) < 6:
        msg_type = int(msg_type)
    if not isinstance(msg_type, int) or isinstance(msg_type, bool):
        raise RemoteProtocolError(f"expected an integer msg_type, got {type(msg_type).__name__}")
    if msg_type not in _KINDS:
        return OtherMessage(msg_type)
    canonical = _canonical(msg_type, fields)
    if msg_type in _FROM_ZOOM:
        canonical = usable(_KINDS[msg_type], canonical)
    try:
        message: Message = msgspec.convert({"msg_type": msg_type, **canonical}, TypedMessage, strict=False)
    except (msgspec.ValidationError, RecursionError) as refusal:
        raise RemoteProtocolError(f"message {msg_type}: {refusal}") from None
    return message


def _canonical(msg_type: int, fields: dict[str, Any]) -> dict[str, Any]:
    """Fold known variants of one message into the documented form."""
    known = {key: value for key, value in fields.items() if key != "msg_type" and value is not None}
    match msg_type:
        case 2 | 4:
            if "status_code" not in known and "status" in known:
                known["status_code"] = known["status"]
            if isinstance(server := known.get("media_server"), dict):
                known["media_server"] = {"server_urls": _server_urls(server.get("server_urls"))}
        case 6:
            inner = known.get("event", known.get("content", known))
            if isinstance(inner, dict) and "event_type" not in inner and "event_code" in inner:
                inner = {**inner, "event_type": inner["event_code"]}  # Zoom Phone, and RTMS V2
            known["event"] = inner
        case 8:
            known["reason"] = _stop_reason(known.get("reason", known.get("stop_reason")))
        case 9:
            known.setdefault("rtms_session_id", known.get("session_id"))
            known["stop_reason"] = _stop_reason(known.get("stop_reason", known.get("reason")))
        case 14 | 17 | 18:
            # Old documents put the payload itself where the object belongs, its fields beside it.
            if isinstance(known.get("content"), str):
                known["content"] = {**known, "data": known["content"]}
    return known


def _stop_reason(told: Any) -> int | None:
    """By number or name, as in webhooks. None where it cannot be used: the end of a stream counts without one."""
    number = integer(told)
    return stop_reason(told) if number is None and isinstance(told, str) else number


def _server_urls(urls: Any) -> dict[str, str]:
    """``server_urls`` as a plain string, or with lists as values, in the documented form."""
    if isinstance(urls, str):
        return {"all": urls}
    if not isinstance(urls, dict):
        return {}
    firsts = {key: value[0] if isinstance(value, list) and value else value for key, value in urls.items()}
    return {str(key): value for key, value in firsts.items() if isinstance(value, str)}


def _head(raw: str | bytes) -> str:
    return f"{len(raw)} {'characters' if isinstance(raw, str) else 'bytes'}"
