"""The three HMACs, against the vectors that were computed apart from this code."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zccvoice.rtms import signature

SECRET_TOKEN = "demo-webhook-secret"
BODY = (
    b'{"event":"contact_center.voice_rtms_started","event_ts":1781000000123,"payload":'
    b'{"engagement_id":"ENG-0001/abc+Zz==","rtms_stream_id":"0a1b2c3d4e5f60718293a4b5c6d7e8f9",'
    b'"server_urls":"wss://rtms.example.test:443/signaling"}}'
)
SIGNATURE = "v0=f3d7f9a13b28d4e83e0c40d57440310777d74fc3fdf8cba3b7500901373e653e"


def test_handshake_signature_vector() -> None:
    assert (
        signature.handshake_signature(
            "demo-client-id", "demo-client-secret", "ENG-0001/abc+Zz==", "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
        )
        == "03396b80a426fe6a8bc8469939551c5af0595bc0082999f5bb44ceda91897e68"
    )


def test_handshake_signature_of_zooms_sdk() -> None:
    """Captured from Zoom's own client for ``cid``, ``csecret``, ``uuid-1==``, ``stream-1``."""
    assert (
        signature.handshake_signature("cid", "csecret", "uuid-1==", "stream-1")
        == "948cd456495644181bfa630d8b67b063d3359ac46db86698dba3a2476a8c8390"
    )


def test_encrypted_token_vector() -> None:
    assert (
        signature.encrypted_token(SECRET_TOKEN, "plain-token-0001")
        == "d7177c5088c8b97f3f513dd9c1dd836a3b971ebbba4c98832b3925fa7690115d"
    )


def test_webhook_signature_vector() -> None:
    assert len(BODY) == 224
    assert signature.webhook_signature(SECRET_TOKEN, "1781000001", BODY) == SIGNATURE
    assert signature.is_webhook_signed(SECRET_TOKEN, "1781000001", BODY, SIGNATURE)


@pytest.mark.parametrize(
    ("secret", "timestamp", "body", "given_signature"),
    [
        ("other", "1781000001", BODY, SIGNATURE),
        (SECRET_TOKEN, "1781000002", BODY, SIGNATURE),
        (SECRET_TOKEN, "1781000001", BODY + b" ", SIGNATURE),
        (SECRET_TOKEN, "1781000001", BODY, SIGNATURE.upper()),
        (SECRET_TOKEN, "1781000001", BODY, SIGNATURE[3:]),
        (SECRET_TOKEN, "1781000001", BODY, ""),
        (SECRET_TOKEN, "1781000001", BODY, "v0=ü"),
    ],
)
def test_anything_else_is_not_signed(secret: str, timestamp: str, body: Any, given_signature: Any) -> None:
    assert not signature.is_webhook_signed(secret, timestamp, body, given_signature)


@settings(deadline=None)
@given(st.text(), st.text(), st.binary(), st.text())
def test_any_header_value_gives_an_answer(
    secret: str, timestamp: str, body: Any, given_signature: Any
) -> None:
    """Header values come from outside: none may raise. (Lone surrogates cannot come out of a header.)"""
    try:
        (secret + timestamp + given_signature).encode()
    except UnicodeEncodeError:
        return
    assert not signature.is_webhook_signed(secret, timestamp, body, given_signature)


@pytest.mark.parametrize(
    ("timestamp", "now_s", "expected"),
    [
        ("1781000001", 1_781_000_001.0, True),
        ("1781000001", 1_781_000_301.0, True),
        ("1781000001", 1_781_000_301.5, False),
        ("1781000301", 1_781_000_001.0, True),
        ("1781000302", 1_781_000_001.0, False),
        ("1781000001000", 1_781_000_001.0, True),
        ("1781000001999", 1_781_000_400.0, False),
        ("", 0.0, False),
        ("-1781000001", 1_781_000_001.0, False),
        ("1781000001.5", 1_781_000_001.0, False),
        ("١٧٨١٠٠٠٠٠١", 1_781_000_001.0, False),
        ("²", 2.0, False),
        ("9" * 5_000, 1_781_000_001.0, False),
    ],
)
def test_freshness(timestamp: str, now_s: Any, expected: Any) -> None:
    assert signature.is_fresh(timestamp, now_s) is expected


@settings(deadline=None)
@given(st.text(), st.floats(0, 4e9))
def test_any_timestamp_gives_an_answer(timestamp: str, now_s: Any) -> None:
    assert signature.is_fresh(timestamp, now_s) in (True, False)
