"""Zoom's webhooks: signed, posted, and posted again when nobody says 200.

Zoom "Using webhooks": success is 200 or 204 within 3 seconds; otherwise three retries, 5 minutes after the
first attempt, 20 minutes after that and 60 minutes after that. The signature covers the raw body.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import h11
import trio

from zccvoice.errors import ScenarioError
from zccvoice.rtms.signature import encrypted_token, webhook_signature
from zccvoice.simulator.timing import Timing

LARGEST_ANSWER_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A signed webhook, ready to be posted."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class WebhookAnswer:
    """What the endpoint said."""

    status: int
    body: bytes


Deliver = Callable[[WebhookRequest], Awaitable[WebhookAnswer]]
"""Carries one webhook to the endpoint, once; raises OSError where nobody can be reached."""

Complain = Callable[[str], None]
"""Takes one sentence on what the other side did wrong."""


def signed(secret_token: str, event: str, event_ts: int, payload: Mapping[str, Any]) -> WebhookRequest:
    """A webhook with its three ``x-zm-`` headers, dated now.

    Args:
        secret_token: signs it.
        event: such as ``contact_center.voice_rtms_started``.
        event_ts: epoch milliseconds.
        payload: flat, as Zoom's OpenAPI description and all its runnable samples have it.
    """
    envelope = {"event": event, "event_ts": event_ts, "payload": payload}
    body = json.dumps(envelope, separators=(",", ":"), ensure_ascii=False).encode()
    timestamp = str(int(time.time()))
    headers = {
        "content-type": "application/json",
        "x-zm-request-timestamp": timestamp,
        "x-zm-signature": webhook_signature(secret_token, timestamp, body),
        "x-zm-trackingid": f"v=2.0;clid=us02;rid=SIM_{secrets.token_hex(8)}",
        "user-agent": "Zoom Marketplace/1.0a",
    }
    return WebhookRequest(headers, body)


def post_to(url: str) -> Deliver:
    """Deliveries by HTTP/1.1 to an ``http://`` URL, one connection each.

    Raises:
        ScenarioError: not such a URL.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise ScenarioError(f"expected an http:// webhook URL, got {url!r}")
    host, port = parts.hostname, parts.port or 80
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    async def deliver(request: WebhookRequest) -> WebhookAnswer:
        async with await trio.open_tcp_stream(host, port) as connection:
            return await _exchange(connection, f"{host}:{port}", target, request)

    return deliver


async def _exchange(
    connection: trio.abc.Stream, authority: str, target: str, request: WebhookRequest
) -> WebhookAnswer:
    http = h11.Connection(h11.CLIENT)
    headers = {
        "host": authority,
        "connection": "close",
        **request.headers,
        "content-length": str(len(request.body)),
    }
    head = h11.Request(method="POST", target=target, headers=list(headers.items()))
    for part in (head, h11.Data(data=request.body), h11.EndOfMessage()):
        await connection.send_all(http.send(part) or b"")
    status, body = 0, b""
    while True:
        match http.next_event():
            case h11.NEED_DATA:
                http.receive_data(bytes(await connection.receive_some()))
            case h11.Response(status_code=status):
                pass
            case h11.Data(data=data):
                body += data
                if len(body) > LARGEST_ANSWER_BYTES:
                    raise OSError("the answer to a webhook is too long")
            case h11.EndOfMessage() | h11.ConnectionClosed() | h11.PAUSED:
                return WebhookAnswer(status, body)


async def deliver_with_retries(
    deliver: Deliver, make_request: Callable[[], WebhookRequest], timing: Timing, complain: Complain
) -> bool:
    """Deliver one webhook, on Zoom's schedule until it is taken. False when every attempt failed.

    Args:
        deliver: one attempt.
        make_request: signs anew for every attempt, since the signature's date must be fresh.
        timing: time-out and delays.
        complain: told of every attempt that failed.
    """
    for delay_s in (0.0, *timing.webhook_retry_delays_s):
        await trio.sleep(delay_s)
        problem = f"webhook not answered within {timing.webhook_timeout_s:g} s"
        with trio.move_on_after(timing.webhook_timeout_s):
            problem = await _attempt(deliver, make_request())
        if not problem:
            return True
        complain(problem)
    return False


async def _attempt(deliver: Deliver, request: WebhookRequest) -> str:
    try:
        answer = await deliver(request)
    except (OSError, trio.BrokenResourceError, h11.RemoteProtocolError) as error:
        return f"webhook could not be delivered: {error}"
    return "" if answer.status in (200, 204) else f"webhook answered {answer.status}, expected 200 or 204"


async def probe(deliver: Deliver, secret_token: str, timing: Timing, complain: Complain) -> bool:
    """Send ``endpoint.url_validation`` once and check the answer, as Zoom does when an endpoint is saved.

    The answer must come in time, be 200 and JSON, repeat ``plainToken`` and carry its HMAC as
    ``encryptedToken``; otherwise `complain` is told and the result is False.
    """
    plain_token = secrets.token_urlsafe(16)
    request = signed(
        secret_token, "endpoint.url_validation", int(time.time() * 1_000), {"plainToken": plain_token}
    )
    answer: WebhookAnswer | None = None
    try:
        with trio.move_on_after(timing.webhook_timeout_s):
            answer = await deliver(request)
    except (OSError, trio.BrokenResourceError, h11.RemoteProtocolError) as error:
        complain(f"endpoint.url_validation could not be delivered: {error}")
        return False
    if answer is None:
        complain(f"endpoint.url_validation not answered within {timing.webhook_timeout_s:g} s")
        return False
    try:
        fields = json.loads(answer.body)
    except ValueError:
        fields = None
    expected = {"plainToken": plain_token, "encryptedToken": encrypted_token(secret_token, plain_token)}
    if answer.status != 200 or fields != expected:
        complain(f"endpoint.url_validation: wrong answer (status {answer.status}), not token and HMAC")
        return False
    return True
