"""CORE: a webhook request in, a verified event and the answer out. No I/O, no clock.

Zoom sends ``POST`` with JSON, signed over the raw body. It takes any status but 200 and 204 for a failed
delivery and repeats it for more than an hour, so only what a repetition could mend gets an error status; what
we merely cannot use is answered 200 and reported in `Answer.problem`.

Source: Zoom "Using webhooks", "RTMS webhooks" (per product); the flat payload is the documented one, the
nested form (``payload.object``) appears in older texts and is accepted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from zccvoice.rtms.enums import Product, StopReason, stop_reason
from zccvoice.rtms.signature import encrypted_token, is_fresh, is_webhook_signed
from zccvoice.rtms.timestamps import plausible_ms

LONGEST_PLAIN_TOKEN = 256
_PRODUCTS = {
    "contact_center.voice": (Product.CONTACT_CENTER, "engagement_id"),
    "meeting": (Product.MEETING, "meeting_uuid"),
    "webinar": (Product.WEBINAR, "webinar_uuid"),
    "session": (Product.VIDEO_SDK, "session_id"),
    "phone": (Product.PHONE, "call_id"),
}
_INSTANCE_KEYS = ("meeting_uuid", "webinar_uuid", "session_id", "engagement_id", "call_id")


@dataclass(frozen=True, slots=True)
class StreamStarted:
    """``*.rtms_started``: Zoom wants us to connect."""

    product: Product
    engagement_id: str
    """Engagement id, meeting or webinar UUID, session id or call id: opaque, verbatim."""
    stream_id: str
    server_url: str
    """The signaling URL; not yet checked against the allow-list."""
    event_ts_ms: int
    account_id: str | None = None


@dataclass(frozen=True, slots=True)
class StreamInterrupted:
    """``*.rtms_interrupted``: Zoom lost the signaling connection."""

    product: Product
    engagement_id: str
    stream_id: str | None
    event_ts_ms: int


@dataclass(frozen=True, slots=True)
class StreamStopped:
    """``*.rtms_stopped``: nothing more will come from the stream."""

    product: Product
    engagement_id: str
    stream_id: str | None
    """Zoom's own Contact Center sample does without it; then all streams of the engagement are meant."""
    event_ts_ms: int
    reason: StopReason | None = None


WebhookEvent = StreamStarted | StreamInterrupted | StreamStopped


class Problem(StrEnum):
    """Why a webhook was refused or passed over; also the label of its counter."""

    BAD_SIGNATURE = "bad_signature"
    STALE = "stale_timestamp"
    NOT_JSON = "not_json"
    NO_EVENT = "no_event"
    BAD_CHALLENGE = "bad_challenge"
    UNKNOWN_EVENT = "unknown_event"
    NO_IDS = "no_ids"
    NO_SERVER_URLS = "no_server_urls"


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send back, and what was learned."""

    status: int
    document: dict[str, str]
    """Goes out as JSON."""
    event: WebhookEvent | None = None
    problem: Problem | None = None
    detail: str = ""
    """The problem with its ids, for the log. Never holds tokens or signatures."""


class WebhookReceiver:
    """Checks and reads webhooks of one Zoom app."""

    def __init__(self, secret_token: str) -> None:
        self._secret_token = secret_token

    def receive(self, headers: Mapping[str, str], body: bytes, now_s: float) -> Answer:
        """Judge one request.

        Args:
            headers: names in lower case.
            body: raw, as received.
            now_s: Unix time in seconds.
        """
        signature = headers.get("x-zm-signature")
        timestamp = headers.get("x-zm-request-timestamp", "")
        if signature is not None:
            if not is_webhook_signed(self._secret_token, timestamp, body, signature):
                return _refusal(401, Problem.BAD_SIGNATURE, "x-zm-signature does not match the body")
            if not is_fresh(timestamp, now_s):
                return _refusal(401, Problem.STALE, f"x-zm-request-timestamp {timestamp[:16]!r} is not now")
        try:
            envelope = json.loads(body)
        except (ValueError, RecursionError):
            # A stranger learns no more than that the signature is missing.
            if signature is None:
                return _refusal(401, Problem.BAD_SIGNATURE, "x-zm-signature is missing")
            return _refusal(400, Problem.NOT_JSON, f"{len(body)} bytes that are no JSON")
        name = envelope.get("event") if isinstance(envelope, dict) else None
        if signature is None and name != "endpoint.url_validation":
            return _refusal(401, Problem.BAD_SIGNATURE, "x-zm-signature is missing")
        if not isinstance(name, str) or not name:
            return _refusal(400, Problem.NO_EVENT, "expected a JSON object with a string 'event'")
        payload = envelope.get("payload")
        payload = payload if isinstance(payload, dict) else {}
        if name == "endpoint.url_validation":
            return self._challenge(payload)
        return _read_event(name, envelope.get("event_ts"), payload, now_s)

    def _challenge(self, payload: dict[str, Any]) -> Answer:
        """Answer ``endpoint.url_validation``.

        Zoom does not promise to sign the challenge, and the answer is an HMAC of a text that the sender
        chooses, under the very key that signs webhooks. A token shaped like the text of a webhook signature
        (``v0:…``) would make us sign a forged webhook, so tokens with a colon are refused.
        """
        token = payload.get("plainToken")
        is_token = isinstance(token, str) and token.isascii() and 0 < len(token) <= LONGEST_PLAIN_TOKEN
        if not isinstance(token, str) or not is_token or ":" in token:
            return _refusal(400, Problem.BAD_CHALLENGE, "expected payload.plainToken, short, no colons")
        return Answer(
            200, {"plainToken": token, "encryptedToken": encrypted_token(self._secret_token, token)}
        )


def _refusal(status: int, problem: Problem, detail: str) -> Answer:
    return Answer(status, {"status": "refused", "problem": problem.value}, problem=problem, detail=detail)


def _ignored(problem: Problem, detail: str) -> Answer:
    return Answer(200, {"status": "ignored", "problem": problem.value}, problem=problem, detail=detail)


def _read_event(name: str, event_ts: Any, payload: dict[str, Any], now_s: float) -> Answer:
    prefix, _, kind = name.rpartition("rtms_")
    product, id_key = _PRODUCTS.get(prefix.rstrip("._"), (None, ""))
    if product is None or kind not in ("started", "interrupted", "stopped"):
        return _ignored(Problem.UNKNOWN_EVENT, f"event {name[:80]!r} is not one this program handles")
    nested = payload.get("object")
    view = {**nested, **payload} if isinstance(nested, dict) else payload
    engagement_id = _id(view, id_key, *_INSTANCE_KEYS)
    stream_id = _id(view, "rtms_stream_id")
    if engagement_id is None or (stream_id is None and kind != "stopped"):
        return _ignored(Problem.NO_IDS, f"{name} lacks an id: engagement {engagement_id}, stream {stream_id}")
    # Without a usable time of Zoom's the time of arrival is the best there is.
    when = plausible_ms(_integer(event_ts)) or int(now_s * 1000)
    accepted = {"status": "ok"}
    if kind == "stopped":
        told = view.get("stop_reason")
        reason = stop_reason(told if isinstance(told, str) and not told.isdigit() else _integer(told))
        stopped = StreamStopped(product, engagement_id, stream_id, when, reason)
        return Answer(200, accepted, event=stopped)
    assert stream_id is not None
    if kind == "interrupted":
        return Answer(200, accepted, event=StreamInterrupted(product, engagement_id, stream_id, when))
    server_url = _signaling_url(view.get("server_urls") or view.get("server_url"))
    if server_url is None:
        return _ignored(
            Problem.NO_SERVER_URLS,
            f"{name} without ws(s) URL, engagement {engagement_id}, stream {stream_id}",
        )
    account_id = view.get("account_id")
    started = StreamStarted(
        product,
        engagement_id,
        stream_id,
        server_url,
        when,
        account_id if isinstance(account_id, str) else None,
    )
    return Answer(200, accepted, event=started)


def _id(view: dict[str, Any], *keys: str) -> str | None:
    """The first usable id under these keys, in snake_case or camelCase.

    Ids are opaque; one with control characters or half a surrogate pair can neither be signed nor stored.
    """
    for key in keys:
        head, *tail = key.split("_")
        for spelling in (key, head + "".join(word.capitalize() for word in tail)):
            value = view.get(spelling)
            if isinstance(value, str) and value and value.isprintable():
                return value
    return None


def _integer(value: Any) -> int | None:
    """An integer that may come as a numeric string; a boolean is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    return None


def _signaling_url(urls: Any) -> str | None:
    """The first WebSocket URL of ``server_urls``: a text with commas, a list, or an object by purpose."""
    if isinstance(urls, dict):
        candidates = [urls.get("signaling"), urls.get("all"), *urls.values()]
    elif isinstance(urls, str):
        candidates = list(urls.split(","))
    elif isinstance(urls, list):
        candidates = list(urls)
    else:
        return None
    texts = (one.strip() for one in candidates if isinstance(one, str))
    return next((text for text in texts if text.startswith(("wss://", "ws://"))), None)
