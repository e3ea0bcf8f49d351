"""The payload of a webhook, read tolerantly: flat or nested, keys in either spelling, URLs in every shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

INSTANCE_KEYS = ("meeting_uuid", "webinar_uuid", "session_id", "engagement_id", "call_id")
_DEEPEST_URLS = 3
_INTEGERS = 2**63


class Payload:
    """What stands in ``payload``, or beside it in ``payload.object``; the outer one counts."""

    def __init__(self, payload: Any) -> None:
        outer = payload if isinstance(payload, dict) else {}
        nested = outer.get("object")
        self._fields: dict[str, Any] = {**nested, **outer} if isinstance(nested, dict) else outer

    def get(self, *keys: str) -> Any:
        """The first value under these keys that is not empty, in snake_case or camelCase."""
        return next(self._values(keys), None)

    def id(self, *keys: str) -> str | None:
        """The first usable id under these keys.

        Ids are opaque; one with control characters or half a surrogate pair can neither be signed nor stored.
        """
        return next((one for one in self._values(keys) if isinstance(one, str) and one.isprintable()), None)

    def integer(self, key: str) -> int | None:
        """A number, which may have come as a text."""
        return integer(self.get(key))

    def signaling_url(self) -> str | None:
        """The first WebSocket URL of ``server_urls``: a text with commas, a list, an object, or a mix."""
        urls = _texts(self.get("server_urls", "server_url"), _DEEPEST_URLS)
        return next((url for url in urls if url.startswith(("wss://", "ws://")) and url.isprintable()), None)

    def _values(self, keys: tuple[str, ...]) -> Iterator[Any]:
        for key in keys:
            head, *tail = key.split("_")
            for spelling in (key, head + "".join(word.capitalize() for word in tail)):
                if value := self._fields.get(spelling):
                    yield value


def integer(value: Any) -> int | None:
    """An integer of 64 bits, which may have come as a numeric string; a boolean is none."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    return value if is_integer and -_INTEGERS <= value < _INTEGERS else None


def _texts(urls: Any, depth: int) -> Iterator[str]:
    match urls:
        case str():
            yield from (one.strip() for one in urls.split(","))
        case list() if depth:
            for one in urls:
                yield from _texts(one, depth - 1)
        case dict() if depth:
            for one in (urls.get("signaling"), urls.get("all"), *urls.values()):
                yield from _texts(one, depth - 1)
