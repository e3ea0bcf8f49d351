from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.config import AppCredentials
from zccvoice.rtms.enums import Product, StopReason
from zccvoice.rtms.signature import encrypted_token, webhook_signature
from zccvoice.rtms.webhook import (
    AccountNotice,
    AccountNoticeKind,
    Answer,
    Problem,
    StreamInterrupted,
    StreamStarted,
    StreamStopped,
    WebhookReceiver,
    is_ended_by,
    is_meant,
)

SECRET = "demo-webhook-secret"
NOW_S = 1_781_000_001.0
STARTED = (
    b'{"event":"contact_center.voice_rtms_started","event_ts":1781000000123,"payload":{"engagement_id":'
    b'"ENG-0001/abc+Zz==","rtms_stream_id":"0a1b2c3d4e5f60718293a4b5c6d7e8f9","server_urls":'
    b'"wss://rtms.example.test:443/signaling"}}'
)
STARTED_SIGNATURE = "v0=f3d7f9a13b28d4e83e0c40d57440310777d74fc3fdf8cba3b7500901373e653e"


APP = AppCredentials.model_validate({"client_id": "app", "client_secret": "x", "secret_token": SECRET})


def receive(document: Any, **headers: str) -> Answer:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    timestamp = str(int(NOW_S))
    signed = {
        "x-zm-request-timestamp": timestamp,
        "x-zm-signature": webhook_signature(SECRET, timestamp, body),
    }
    return WebhookReceiver([APP]).receive({**signed, **headers}, body, NOW_S)


def started(**payload: Any) -> dict[str, Any]:
    return {"event": "contact_center.voice_rtms_started", "event_ts": 1781000000123, "payload": payload}


def test_a_started_webhook_with_zooms_own_signature() -> None:
    headers = {"x-zm-request-timestamp": "1781000001", "x-zm-signature": STARTED_SIGNATURE}
    answer = WebhookReceiver([APP]).receive(headers, STARTED, NOW_S)
    assert answer.status == 200
    assert answer.event == StreamStarted(
        Product.CONTACT_CENTER,
        "ENG-0001/abc+Zz==",
        "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        "wss://rtms.example.test:443/signaling",
        1781000000123,
        client_id="app",
    )


@pytest.mark.parametrize("flip", range(0, len(STARTED), 7))
def test_a_changed_body_is_refused(flip: int) -> None:
    body = bytearray(STARTED)
    body[flip] ^= 1
    headers = {"x-zm-request-timestamp": "1781000001", "x-zm-signature": STARTED_SIGNATURE}
    answer = WebhookReceiver([APP]).receive(headers, bytes(body), NOW_S)
    assert (answer.status, answer.problem, answer.event) == (401, Problem.BAD_SIGNATURE, None)


@pytest.mark.parametrize("away_s", [-301, 301, 86_400])
def test_a_stale_timestamp_is_refused(away_s: int) -> None:
    headers = {"x-zm-request-timestamp": "1781000001", "x-zm-signature": STARTED_SIGNATURE}
    answer = WebhookReceiver([APP]).receive(headers, STARTED, NOW_S + away_s)
    assert (answer.status, answer.problem) == (401, Problem.STALE)


def test_a_missing_signature_is_refused() -> None:
    answer = WebhookReceiver([APP]).receive({}, STARTED, NOW_S)
    assert (answer.status, answer.problem) == (401, Problem.BAD_SIGNATURE)
    assert WebhookReceiver([APP]).receive({}, b"{", NOW_S).status == 401


@pytest.mark.parametrize(
    ("body", "problem"),
    [(b"{", Problem.NOT_JSON), (b"\xff", Problem.NOT_JSON), (b"[" * 100_000, Problem.NOT_JSON),
     (b"[]", Problem.NO_EVENT), (b"{}", Problem.NO_EVENT), (b'{"event":5}', Problem.NO_EVENT)],
)  # fmt: skip
def test_signed_nonsense_is_a_bad_request(body: bytes, problem: Problem) -> None:
    answer = receive(body)
    assert (answer.status, answer.problem) == (400, problem)


@pytest.mark.parametrize("name", ["meeting.rtms.started", "contactcenter.rtms_started", "x", "rtms_started",
                                  "contact_center.voice_rtms_began"])  # fmt: skip
def test_an_unknown_event_is_acknowledged_and_ignored(name: str) -> None:
    answer = receive({"event": name, "event_ts": 1, "payload": {}})
    assert (answer.status, answer.problem, answer.event) == (200, Problem.UNKNOWN_EVENT, None)


@pytest.mark.parametrize("urls", [None, "", [], {}, 5, "https://x", ["ftp://x"], {"all": 7}])
def test_a_start_without_urls_is_reported_with_its_ids(urls: Any) -> None:
    answer = receive(started(engagement_id="E", rtms_stream_id="S", server_urls=urls))
    assert (answer.status, answer.problem) == (200, Problem.NO_SERVER_URLS)
    assert "E" in answer.detail
    assert "S" in answer.detail


@pytest.mark.parametrize("payload", [{}, {"engagement_id": "E"}, {"rtms_stream_id": "S"},
                                     {"engagement_id": 5, "rtms_stream_id": "S"}])  # fmt: skip
def test_a_start_without_ids_is_reported(payload: dict[str, Any]) -> None:
    assert receive(started(**payload, server_urls="wss://x")).problem is Problem.NO_IDS


@pytest.mark.parametrize(
    "urls",
    ["wss://a/x", " wss://a/x , wss://b", ["wss://a/x", "wss://b"], {"all": "wss://b", "signaling": "wss://a/x"},
     {"all": "wss://a/x"}, {"other": "wss://a/x"}, "srt://c,wss://a/x",
     {"audio": ["wss://a/x"]}, [{"all": "udp://c,wss://a/x"}], [["wss://a/x"]]],
)  # fmt: skip
def test_server_urls_in_all_their_forms(urls: Any) -> None:
    event = receive(started(engagement_id="E", rtms_stream_id="S", server_urls=urls)).event
    assert isinstance(event, StreamStarted)
    assert event.server_url == "wss://a/x"


def test_a_url_that_cannot_be_stored_is_none() -> None:
    answer = receive(started(engagement_id="E", rtms_stream_id="S", server_urls="wss://\ud800"))
    assert answer.problem is Problem.NO_SERVER_URLS


def test_nested_payload_and_other_id_keys() -> None:
    payload = {
        "account_id": "A",
        "object": {"session_id": "E", "rtms_stream_id": "S", "server_url": "wss://x"},
    }
    event = receive(started(**payload)).event
    assert event == StreamStarted(Product.CONTACT_CENTER, "E", "S", "wss://x", 1781000000123, "A", "app")


@pytest.mark.parametrize(
    ("name", "key", "product"),
    [("meeting", "meeting_uuid", Product.MEETING), ("webinar", "webinar_uuid", Product.WEBINAR),
     ("session", "session_id", Product.VIDEO_SDK), ("phone", "call_id", Product.PHONE)],
)  # fmt: skip
def test_every_product_is_known_by_its_event(name: str, key: str, product: Product) -> None:
    payload = {key: "I", "rtms_stream_id": "S", "server_urls": "wss://x"}
    event = receive({"event": f"{name}.rtms_started", "event_ts": "1781000000007", "payload": payload}).event
    assert event == StreamStarted(product, "I", "S", "wss://x", 1781000000007, client_id="app")


@pytest.mark.parametrize(("given", "reason"), [(21, StopReason.CUSTOMER_DISCONNECTED), ("21", StopReason(21)),
                                               ("STOP_BC_CUSTOMER_DISCONNECTED", StopReason(21)),
                                               (99, None), (None, None), (True, None), ("x", None)])  # fmt: skip
def test_stopped_with_and_without_a_reason(given: Any, reason: StopReason | None) -> None:
    payload = {"engagement_id": "E", "stop_reason": given}
    event = receive(
        {"event": "contact_center.voice_rtms_stopped", "event_ts": 1781000000005, "payload": payload}
    ).event
    assert event == StreamStopped(Product.CONTACT_CENTER, "E", None, 1781000000005, reason, ("app",))


@pytest.mark.parametrize(
    ("more", "server_url"), [({}, None), ({"server_urls": "wss://b"}, "wss://b"), ({"server_urls": 5}, None)]
)
def test_interrupted(more: dict[str, Any], server_url: str | None) -> None:
    payload = {"engagement_id": "E", "rtms_stream_id": "S", **more}
    event = receive(
        {"event": "contact_center.voice_rtms_interrupted", "event_ts": 1781000000005, "payload": payload}
    ).event
    assert event == StreamInterrupted(Product.CONTACT_CENTER, "E", "S", 1781000000005, server_url, ("app",))


@pytest.mark.parametrize(
    ("name", "payload", "notice"),
    [
        ("rtms.concurrency_limited",
         {"operator_id": "U", "concurrency_number": 2000, "id_field": {"session_id": "X"}},
         AccountNotice(AccountNoticeKind.CONCURRENCY_LIMITED, 2000, None, "X", "U")),
        ("rtms.concurrency_near_limit",
         {"concurrency_limit": "2000", "concurrency_number": 1900, "percentage": 95},
         AccountNotice(AccountNoticeKind.CONCURRENCY_NEAR_LIMIT, 1900, 2000, None, None)),
        ("rtms.start_failed", {"meeting_uuid": "M"},
         AccountNotice(AccountNoticeKind.START_FAILED, None, None, "M", None)),
        ("rtms.start_failed", None, AccountNotice(AccountNoticeKind.START_FAILED, None, None, None, None)),
        ("rtms.concurrency_limited", {"concurrency_number": 10**400, "id_field": 5},
         AccountNotice(AccountNoticeKind.CONCURRENCY_LIMITED, None, None, None, None)),
    ],
)  # fmt: skip
def test_events_of_the_account(name: str, payload: Any, notice: AccountNotice) -> None:
    answer = receive({"event": name, "event_ts": 1781000000005, "payload": payload})
    assert (answer.status, answer.problem, answer.event, answer.notice) == (200, None, None, notice)


def app(client_id: str, token: str, **more: Any) -> AppCredentials:
    return AppCredentials.model_validate(
        {"client_id": client_id, "client_secret": "x", "secret_token": token, **more}
    )


APPS = [
    app("video", "t-video", products=["video_sdk"]),
    app("north", "t-shared", accounts=["A-north"]),
    app("south", "t-shared", accounts=["A-south"]),
]


def receive_of_many(token: str, event: str, **payload: Any) -> Answer:
    body = json.dumps({"event": event, "event_ts": 1781000000123, "payload": payload}).encode()
    timestamp = str(int(NOW_S))
    signature = webhook_signature(token, timestamp, body)
    headers = {"x-zm-request-timestamp": timestamp, "x-zm-signature": signature}
    return WebhookReceiver(APPS).receive(headers, body, NOW_S)


@pytest.mark.parametrize(
    ("token", "product", "account_id", "client_id"),
    [("t-video", "session", "A-north", "video"), ("t-shared", "meeting", "A-north", "north"),
     ("t-shared", "meeting", "A-south", "south"), ("t-shared", "session", None, "north")],
)  # fmt: skip
def test_token_product_and_account_choose_the_app(
    token: str, product: str, account_id: str | None, client_id: str
) -> None:
    answer = receive_of_many(
        token,
        f"{product}.rtms_started",
        session_id="E",
        rtms_stream_id="S",
        server_urls="wss://x",
        account_id=account_id,
    )
    assert isinstance(answer.event, StreamStarted)
    assert answer.event.client_id == client_id


@pytest.mark.parametrize(("token", "account_id"), [("t-video", None), ("t-shared", "A-west")])
def test_a_stream_that_no_app_serves_is_reported(token: str, account_id: str | None) -> None:
    ids = {"meeting_uuid": "E", "rtms_stream_id": "S", "account_id": account_id}
    answer = receive_of_many(token, "meeting.rtms_started", **ids, server_urls="wss://x")
    assert (answer.status, answer.problem, answer.event) == (200, Problem.NO_APP, None)
    assert "meeting" in answer.detail
    assert answer.event is None
    stopped = receive_of_many(token, "meeting.rtms_stopped", **ids)
    assert isinstance(stopped.event, StreamStopped)


def test_a_token_of_nobody_is_refused() -> None:
    answer = receive_of_many("t-other", "meeting.rtms_stopped", meeting_uuid="E")
    assert (answer.status, answer.problem) == (401, Problem.BAD_SIGNATURE)


def test_a_challenge_is_answered_with_the_token_that_signed_it() -> None:
    for token in ("t-video", "t-shared"):
        answer = receive_of_many(token, "endpoint.url_validation", plainToken="p")
        assert answer.document["encryptedToken"] == encrypted_token(token, "p")
    body = b'{"event":"endpoint.url_validation","payload":{"plainToken":"p"}}'
    unsigned = WebhookReceiver(APPS).receive({}, body, NOW_S)
    assert unsigned.document["encryptedToken"] == encrypted_token("t-shared", "p")


def test_the_challenge_is_answered_signed_or_not() -> None:
    challenge = {"event": "endpoint.url_validation", "payload": {"plainToken": "plain-token-0001"}}
    wanted = {
        "plainToken": "plain-token-0001",
        "encryptedToken": "d7177c5088c8b97f3f513dd9c1dd836a3b971ebbba4c98832b3925fa7690115d",
    }
    assert receive(challenge).document == wanted
    assert WebhookReceiver([APP]).receive({}, json.dumps(challenge).encode(), NOW_S).document == wanted


def test_the_challenge_cannot_be_used_to_forge_a_webhook() -> None:
    forged = f"v0:{int(NOW_S)}:" + STARTED.decode()
    body = json.dumps({"event": "endpoint.url_validation", "payload": {"plainToken": forged}}).encode()
    answer = WebhookReceiver([APP]).receive({}, body, NOW_S)
    assert answer.problem is Problem.BAD_CHALLENGE
    assert "encryptedToken" not in answer.document


@pytest.mark.parametrize("token", [None, "", 5, "x" * 300, "a:b"])
def test_a_challenge_that_is_none(token: Any) -> None:
    answer = receive({"event": "endpoint.url_validation", "payload": {"plainToken": token}})
    assert (answer.status, answer.problem) == (400, Problem.BAD_CHALLENGE)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
keys = st.sampled_from(
    ["engagement_id", "rtms_stream_id", "server_urls", "stop_reason", "object", "plainToken"]
)


@given(
    event=st.sampled_from(["contact_center.voice_rtms_started", "rtms.concurrency_limited",
                           "meeting.rtms_stopped", "session.rtms_interrupted",
                           "endpoint.url_validation"]) | json_values,
    payload=st.dictionaries(keys, json_values | st.just("wss://x")) | json_values,
    event_ts=json_values,
)  # fmt: skip
def test_any_signed_document_gets_an_answer(event: Any, payload: Any, event_ts: Any) -> None:
    answer = receive({"event": event, "payload": payload, "event_ts": event_ts})
    assert answer.status in (200, 400)
    assert [answer.event, answer.problem, answer.notice].count(None) >= 2
    if answer.event is not None:
        msgspec.msgpack.encode(answer.event)  # what is taken in can be written down


@given(st.binary(max_size=200), st.booleans(), st.text(max_size=20))
def test_any_bytes_get_an_answer(body: bytes, is_signed: bool, timestamp: str) -> None:
    if is_signed:
        assert receive(body).status in (200, 400)
    headers = {"x-zm-request-timestamp": timestamp, "x-zm-signature": timestamp}
    for unsigned in ({}, headers):
        assert WebhookReceiver([APP]).receive(unsigned, body, NOW_S).status in (200, 400, 401)


@given(st.data())
def test_a_webhook_with_bytes_changed_gets_an_answer(data: st.DataObject) -> None:
    body = bytearray(STARTED)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    answer = receive(bytes(body))
    assert answer.status in (200, 400)
    if answer.event is not None:
        msgspec.msgpack.encode(answer.event)  # what is taken in can be written down


@pytest.mark.parametrize("event_ts", [None, 0, -5, "soon", 10**22, True])
def test_without_a_usable_time_the_time_of_arrival_is_taken(event_ts: Any) -> None:
    event = receive(
        {**started(engagement_id="E", rtms_stream_id="S", server_urls="wss://x"), "event_ts": event_ts}
    )
    assert isinstance(event.event, StreamStarted)
    assert event.event.event_ts_ms == NOW_S * 1000
    assert not event.event.is_dated


def test_microseconds_are_understood() -> None:
    document = {
        **started(engagement_id="E", rtms_stream_id="S", server_urls="wss://x"),
        "event_ts": 1781000000123456,
    }
    event = receive(document).event
    assert isinstance(event, StreamStarted)
    assert event.event_ts_ms == 1781000000123


@pytest.mark.parametrize("payload", [{}, {"engagement_id": 12345}])
def test_the_stream_alone_tells_what_is_stopped(payload: dict[str, Any]) -> None:
    """A revocation above all: what is answered 200 is never told again."""
    payload = {**payload, "rtms_stream_id": "S", "stop_reason": 8}
    event = receive({"event": "contact_center.voice_rtms_stopped", "event_ts": 1, "payload": payload}).event
    assert isinstance(event, StreamStopped)
    assert (event.engagement_id, event.stream_id) == ("", "S")
    assert event.reason is StopReason.STREAM_REVOKED


@pytest.mark.parametrize("bad", ["\ud800", "a\x00b", "a\nb"])
def test_ids_that_can_neither_be_signed_nor_stored_are_none(bad: str) -> None:
    answer = receive(started(engagement_id=bad, rtms_stream_id="S", server_urls="wss://x"))
    assert (answer.status, answer.problem) == (200, Problem.NO_IDS)
    assert "S" in answer.detail


def test_camel_case_ids() -> None:
    event = receive(started(engagementId="E", rtmsStreamId="S", server_urls="wss://x")).event
    assert isinstance(event, StreamStarted)
    assert (event.engagement_id, event.stream_id) == ("E", "S")


def test_half_a_surrogate_pair_as_token_is_refused() -> None:
    body = b'{"event":"endpoint.url_validation","payload":{"plainToken":"\\ud800"}}'
    answer = WebhookReceiver([APP]).receive({}, body, NOW_S)
    assert (answer.status, answer.problem) == (400, Problem.BAD_CHALLENGE)


@pytest.mark.parametrize(("token", "client_ids"), [("t-video", ("video",)), ("t-shared", ("north", "south"))])
@pytest.mark.parametrize("what", ["stopped", "interrupted"])
def test_an_end_tells_who_signed_it(token: str, client_ids: tuple[str, ...], what: str) -> None:
    event = receive_of_many(token, f"meeting.rtms_{what}", meeting_uuid="E", rtms_stream_id="S").event
    assert isinstance(event, StreamStopped | StreamInterrupted)
    assert event.client_ids == client_ids


@pytest.mark.parametrize(
    ("stream_id", "event_ts_ms", "client_ids", "means_it"),
    [("S", 0, (), True), ("T", 99, (), False), (None, 50, (), True), (None, 51, (), True), (None, 49, (), False),
     ("S", 99, ("ours",), True), ("S", 99, ("other", "ours"), True), ("S", 99, ("other",), False),
     (None, 99, ("other",), False)],
)  # fmt: skip
def test_whom_an_end_means(
    stream_id: str | None, event_ts_ms: int, client_ids: tuple[str, ...], means_it: bool
) -> None:
    started = StreamStarted(Product.CONTACT_CENTER, "E", "S", "wss://x", 50, client_id="ours")
    stopped = StreamStopped(Product.CONTACT_CENTER, "E", stream_id, event_ts_ms, client_ids=client_ids)
    assert is_meant(stopped, started) is means_it
    if not means_it and client_ids:
        assert is_meant(stopped, replace(started, client_id=None)), (
            "an earlier version did not note whose it is"
        )


@pytest.mark.parametrize(
    ("stream_id", "started_ms", "reason", "ends_it"),
    [("S", 49, None, True), ("S", 50, None, True), ("S", 51, None, False), (None, 50, None, True),
     (None, 51, None, False), ("T", 49, None, False), ("S", 51, StopReason.STREAM_REVOKED, True),
     (None, 51, StopReason.STREAM_REVOKED, False)],
)  # fmt: skip
def test_what_is_started_after_a_stop_is_not_ended_by_it(
    stream_id: str | None, started_ms: int, reason: StopReason | None, ends_it: bool
) -> None:
    started = StreamStarted(Product.CONTACT_CENTER, "E", "S", "wss://x", started_ms)
    stopped = StreamStopped(Product.CONTACT_CENTER, "E", stream_id, 50, reason)
    assert is_ended_by(stopped, started) is ends_it
    undated = replace(started, is_dated=False)
    assert is_ended_by(stopped, undated) is (ends_it or stream_id == "S"), "it may be a repetition"
