"""The table of allowed audio parameters, defaults, ids and signatures."""

from __future__ import annotations

from typing import Any

import pytest

from zccvoice.errors import HandshakeRefusedError
from zccvoice.rtms.messages import AudioParams
from zccvoice.simulator.handshakes import ID_KEYS, Identity, check_identity, check_media

L16 = {"content_type": 2, "codec": 1, "sample_rate": 1, "channel": 1, "data_opt": 2, "send_rate": 20}
IDENTITY = Identity("ENG-0001/abc+Zz==", "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "03396b80")


def terms(audio: Any = None, media_type: Any = 32, **params: Any) -> Any:
    return check_media({"media_type": media_type, "media_params": {"audio": audio, **params}})


def status_of(call: Any, *args: Any, **kwargs: Any) -> Any:
    with pytest.raises(HandshakeRefusedError) as refused:
        call(*args, **kwargs)
    assert refused.value.reason
    return refused.value.status_code


@pytest.mark.parametrize(
    "fields", [{}, {"media_params": None}, {"media_params": {}}, {"media_params": {"audio": None}}]
)
def test_server_defaults(fields: Any) -> None:
    assert check_media({"media_type": 1} | fields).audio == AudioParams(
        content_type=2, codec=1, sample_rate=1, channel=1, data_opt=1, send_rate=20
    )


@pytest.mark.parametrize(
    "change",
    [
        *({"sample_rate": rate, "channel": channel} for rate in range(4) for channel in (1, 2)),
        *({"send_rate": rate} for rate in (20, 40, 100, 980, 1_000)),
        {"content_type": 1},  # most of Zoom's samples ask for RTP with L16
        {"data_opt": 1},
        {"codec": 4, "sample_rate": 3, "channel": 2},
        {"codec": 4, "sample_rate": 3, "content_type": 1},
        {"codec": 2, "sample_rate": 0},
        {"codec": 3, "sample_rate": 1, "content_type": 1},
    ],
)
def test_allowed_combinations(change: Any) -> None:
    wanted = L16 | change
    assert terms(wanted).audio == AudioParams(**wanted)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"content_type": 5}, 19),
        ({"codec": 7}, 22),
        ({"codec": 0}, 22),
        ({"sample_rate": 4}, 20),
        ({"codec": 4}, 20),
        ({"codec": 2}, 20),
        ({"codec": 3, "sample_rate": 0}, 20),
        ({"channel": 0}, 21),
        ({"channel": 3}, 21),
        ({"codec": 2, "sample_rate": 0, "channel": 2}, 21),
        ({"data_opt": 3}, 23),
        ({"send_rate": 0}, 24),
        ({"send_rate": 30}, 24),
        ({"send_rate": -20}, 24),
        ({"codec": 4, "sample_rate": 3, "send_rate": 40}, 24),
        ({"send_rate": "20"}, 18),
        ({"channel": True}, 18),
    ],
)
def test_combinations_that_are_refused(change: Any, status: int) -> None:
    assert status_of(terms, L16 | change) == status


def test_longer_packets_than_a_second_are_clamped() -> None:
    assert terms(L16 | {"send_rate": 5_000}).audio.send_rate == 1_000


@pytest.mark.parametrize(("media_type", "expected"), [(1, 1), (8, 8), (9, 9), (32, 9)])
def test_media_types_served(media_type: Any, expected: Any) -> None:
    assert terms(media_type=media_type).media_types == expected


@pytest.mark.parametrize(
    ("media_type", "status"),
    [(2, 10), (3, 10), (4, 11), (16, 13), (0, 14), (-1, 10), (64, 14), (None, 7), ("1", 7)],
)
def test_media_types_refused(media_type: Any, status: int) -> None:
    assert status_of(terms, media_type=media_type) == status


@pytest.mark.parametrize(
    ("transcript", "status"),
    [
        ({"content_type": 2}, 37),
        ({"src_language": 37}, 43),
        ({"src_language": "en"}, 43),
        ({"enable_lid": 1}, 36),
        (3, 36),
    ],
)
def test_transcript_params_refused(transcript: Any, status: int) -> None:
    assert status_of(terms, transcript=transcript) == status


def test_transcript_params_are_echoed_with_their_default() -> None:
    assert terms(transcript={"src_language": 28}).transcript.enable_lid is True


@pytest.mark.parametrize("key", ID_KEYS)
def test_the_id_may_come_under_any_key(key: str) -> None:
    fields = {
        key: IDENTITY.engagement_id,
        "rtms_stream_id": IDENTITY.stream_id,
        "signature": IDENTITY.signature,
    }
    check_identity("signaling", fields, IDENTITY)
    check_identity(
        "signaling", fields | {"protocol_version": 1, "session_id": IDENTITY.engagement_id}, IDENTITY
    )


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"engagement_id": None}, 4),
        ({"engagement_id": "other"}, 2),
        ({"meeting_uuid": "other"}, 2),
        ({"rtms_stream_id": None}, 2),
        ({"rtms_stream_id": IDENTITY.stream_id.upper()}, 2),
        ({"signature": IDENTITY.signature.upper()}, 3),
        ({"signature": "ü"}, 3),
        ({"signature": 3}, 3),
        ({"protocol_version": "1"}, 4),
    ],
)
def test_identities_refused(change: Any, status: int) -> None:
    right = {
        "engagement_id": IDENTITY.engagement_id,
        "rtms_stream_id": IDENTITY.stream_id,
        "signature": IDENTITY.signature,
    }
    assert status_of(check_identity, "signaling", right | change, IDENTITY) == status
