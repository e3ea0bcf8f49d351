"""CORE: a webhook request in, a verified event and the answer out. No I/O, no clock.

Zoom sends ``POST`` with JSON, signed over the raw body. It takes any status but 200 and 204 for a failed
delivery and repeats it for more than an hour, so only what a repetition could mend gets an error status; what
we merely cannot use is answered 200 and reported in `Answer.problem`.

Several apps may send to one door: a signature is compared with the secret token of each, and what an event says
of product and account, with whose token signed it, tells the app whose credentials its stream is received with.

Source: Zoom "Using webhooks", "RTMS webhooks" (per product); the flat payload is the documented one, the
nested form (``payload.object``) appears in older texts and is accepted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from zccvoice.config import AppCredentials
from zccvoice.rtms.enums import Product, StopReason, stop_reason
from zccvoice.rtms.payload import INSTANCE_KEYS, Payload, integer
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
    client_id: str | None = None
    """The app that it belongs to, by whose secret token signed the webhook."""
    is_dated: bool = True
    """Whether Zoom told `event_ts_ms`. Otherwise it is when the webhook came, and a repetition has a later one."""


@dataclass(frozen=True, slots=True)
class StreamInterrupted:
    """``*.rtms_interrupted``: Zoom lost the signaling connection."""

    product: Product
    engagement_id: str
    stream_id: str | None
    event_ts_ms: int
    server_url: str | None = None
    """Where to connect again, in case that is told; not yet checked against the allow-list."""
    client_ids: tuple[str, ...] = ()
    """The apps by whose secret tokens it is signed, and whose streams alone it can mean; empty: not known."""


@dataclass(frozen=True, slots=True)
class StreamStopped:
    """``*.rtms_stopped``: nothing more will come from the stream."""

    product: Product
    engagement_id: str
    """Empty when only the stream is told."""
    stream_id: str | None
    """Zoom's own Contact Center sample does without it; then all streams of the engagement are meant that had
    begun by then."""
    event_ts_ms: int
    reason: StopReason | None = None
    client_ids: tuple[str, ...] = ()
    """The apps by whose secret tokens it is signed, and whose streams alone it can mean; empty: not known."""


WebhookEvent = StreamStarted | StreamInterrupted | StreamStopped


def is_meant(event: StreamStopped | StreamInterrupted, started: StreamStarted) -> bool:
    """Whether an event is about a stream: one of an app that signed it and, without a stream's id, begun by then.

    Zoom repeats a webhook for more than an hour, in which a transfer may have begun another stream of the call.
    """
    if event.client_ids and started.client_id not in (None, *event.client_ids):
        return False
    if event.stream_id is not None:
        return started.stream_id == event.stream_id
    return started.engagement_id == event.engagement_id and started.event_ts_ms <= event.event_ts_ms


def may_be_of_one_app(started: StreamStarted, other: StreamStarted) -> bool:
    """Whether two announcements of a stream are not known to be signed by different apps: only one has it."""
    return None in (started.client_id, other.client_id) or started.client_id == other.client_id


def is_ended_by(stopped: StreamStopped, started: StreamStarted) -> bool:
    """Whether a stop ends what is announced, whichever of the two came first.

    Not what has been started anew since then, by the times that Zoom tells; at the same moment the stop is the
    later one. A start without a time may be the repetition of one before the stop, and what is revoked is over for
    good.
    """
    if not is_meant(stopped, started):
        return False
    if stopped.stream_id is not None and (
        not started.is_dated or stopped.reason is StopReason.STREAM_REVOKED
    ):
        return True
    return started.event_ts_ms <= stopped.event_ts_ms


class AccountNoticeKind(StrEnum):
    """Events of the account as a whole."""

    CONCURRENCY_LIMITED = "rtms.concurrency_limited"
    """A stream was refused: the account has as many as it may have."""
    CONCURRENCY_NEAR_LIMIT = "rtms.concurrency_near_limit"
    START_FAILED = "rtms.start_failed"
    """A stream did not begin; its payload is not documented."""


@dataclass(frozen=True, slots=True)
class AccountNotice:
    """Zoom tells about the account, not about a stream that we receive: for the log and the counters."""

    kind: AccountNoticeKind
    concurrency: int | None
    """Streams of the account at that time."""
    limit: int | None
    """How many it may have."""
    engagement_id: str | None
    """What was not let in, if that is told."""
    operator_id: str | None


_ACCOUNT_NOTICES = frozenset(AccountNoticeKind)


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
    NO_APP = "no_app"


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send back, and what was learned."""

    status: int
    document: dict[str, str]
    """Goes out as JSON."""
    event: WebhookEvent | None = None
    notice: AccountNotice | None = None
    problem: Problem | None = None
    detail: str = ""
    """The problem with its ids, for the log. Never holds tokens or signatures."""


class WebhookReceiver:
    """Checks and reads webhooks of the Zoom apps that send them here."""

    def __init__(self, apps: Sequence[AppCredentials]) -> None:
        """Prepare for these apps, each with its secret token; there must be one.

        Where several could be meant, the first one is.
        """
        self._apps = apps

    def receive(self, headers: Mapping[str, str], body: bytes, now_s: float) -> Answer:
        """Judge one request.

        Args:
            headers: names in lower case.
            body: raw, as received.
            now_s: Unix time in seconds.
        """
        signature = headers.get("x-zm-signature")
        timestamp = headers.get("x-zm-request-timestamp", "")
        signers: Sequence[AppCredentials] = self._apps
        if signature is not None:
            signers = self._signers(timestamp, body, signature)
            if not signers:
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
        payload = Payload(envelope.get("payload"))
        if name == "endpoint.url_validation":
            # Zoom signs its challenges; an unsigned one is answered for the last app, the one without a section.
            return _challenge(payload, signers[-1].secret_token.get_secret_value())
        return _choose_app(_read_event(name, envelope.get("event_ts"), payload, now_s), signers)

    def _signers(self, timestamp: str, body: bytes, signature: str) -> Sequence[AppCredentials]:
        """The apps whose token made this signature. All are tried, so that time tells nothing of which."""
        return [
            app
            for app in self._apps
            if is_webhook_signed(app.secret_token.get_secret_value(), timestamp, body, signature)
        ]


def _challenge(payload: Payload, secret_token: str) -> Answer:
    """Answer ``endpoint.url_validation``.

    Zoom does not promise to sign the challenge, and the answer is an HMAC of a text that the sender
    chooses, under the very key that signs webhooks. A token shaped like the text of a webhook signature
    (``v0:…``) would make us sign a forged webhook, so tokens with a colon are refused.
    """
    token = payload.get("plainToken")
    is_token = isinstance(token, str) and token.isascii() and 0 < len(token) <= LONGEST_PLAIN_TOKEN
    if not isinstance(token, str) or not is_token or ":" in token:
        return _refusal(400, Problem.BAD_CHALLENGE, "expected payload.plainToken, short, no colons")
    return Answer(200, {"plainToken": token, "encryptedToken": encrypted_token(secret_token, token)})


def _refusal(status: int, problem: Problem, detail: str) -> Answer:
    return Answer(status, {"status": "refused", "problem": problem.value}, problem=problem, detail=detail)


def _ignored(problem: Problem, detail: str) -> Answer:
    return Answer(200, {"status": "ignored", "problem": problem.value}, problem=problem, detail=detail)


def _accepted(event: WebhookEvent) -> Answer:
    return Answer(200, {"status": "ok"}, event=event)


def _read_event(name: str, event_ts: Any, payload: Payload, now_s: float) -> Answer:
    if name in _ACCOUNT_NOTICES:
        return Answer(200, {"status": "ok"}, notice=_read_notice(AccountNoticeKind(name), payload))
    prefix, _, kind = name.rpartition("rtms_")
    product, id_key = _PRODUCTS.get(prefix.rstrip("._"), (None, ""))
    if product is None or kind not in ("started", "interrupted", "stopped"):
        return _ignored(Problem.UNKNOWN_EVENT, f"event {name[:80]!r} is not one this program handles")
    engagement_id = payload.id(id_key, *INSTANCE_KEYS)
    stream_id = payload.id("rtms_stream_id")
    # Without a usable time of Zoom's the time of arrival is the best there is.
    told_ms = plausible_ms(integer(event_ts))
    when = told_ms or int(now_s * 1000)
    if kind == "stopped" and (engagement_id or stream_id):  # either tells what must be ended, or deleted
        return _accepted(StreamStopped(product, engagement_id or "", stream_id, when, _stop_reason(payload)))
    if engagement_id is None or stream_id is None:
        return _ignored(Problem.NO_IDS, f"{name} lacks an id: engagement {engagement_id}, stream {stream_id}")
    server_url = payload.signaling_url()
    if kind == "interrupted":
        return _accepted(StreamInterrupted(product, engagement_id, stream_id, when, server_url))
    if server_url is None:
        return _ignored(
            Problem.NO_SERVER_URLS,
            f"{name} without ws(s) URL, engagement {engagement_id}, stream {stream_id}",
        )
    account_id = payload.id("account_id")
    started = StreamStarted(product, engagement_id, stream_id, server_url, when, account_id)
    return _accepted(replace(started, is_dated=told_ms is not None))


def _stop_reason(payload: Payload) -> StopReason | None:
    """By number or name."""
    told = payload.get("stop_reason")
    return stop_reason(told if isinstance(told, str) and not told.isdigit() else integer(told))


def _read_notice(kind: AccountNoticeKind, payload: Payload) -> AccountNotice:
    refused = Payload(payload.get("id_field"))
    return AccountNotice(
        kind,
        concurrency=payload.integer("concurrency_number"),
        limit=payload.integer("concurrency_limit"),
        engagement_id=refused.id(*INSTANCE_KEYS) or payload.id(*INSTANCE_KEYS),
        operator_id=payload.id("operator_id"),
    )


def _choose_app(answer: Answer, signers: Sequence[AppCredentials]) -> Answer:
    """A start belongs to the first app that signed it and serves its product and account."""
    started = answer.event
    if isinstance(started, StreamStopped | StreamInterrupted):
        client_ids = tuple(app.client_id for app in signers)
        return replace(answer, event=replace(started, client_ids=client_ids))
    if started is None:
        return answer
    for app in signers:
        if app.serves(started.product, started.account_id):
            return replace(answer, event=replace(started, client_id=app.client_id))
    whose = f"product {started.product}, account {started.account_id}"
    ids = f"engagement {started.engagement_id}, stream {started.stream_id}"
    return _ignored(Problem.NO_APP, f"none of the apps that signed this serves {whose}; {ids}")
