from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.errors import (
    ConnectionFailedError,
    HandshakeRefusedError,
    LocalProtocolError,
    RemoteProtocolError,
)
from zccvoice.rtms import wire
from zccvoice.rtms.core import State
from zccvoice.rtms.enums import Product
from zccvoice.rtms.events import CallEventReceived, ParticipantConnected, Role, StreamEnded
from zccvoice.rtms.identity import StreamIdentity
from zccvoice.rtms.messages import StreamCloseRequest
from zccvoice.rtms.signaling import SignalingConnection, SignalingEvent, SignalingOpened

ENGAGEMENT, STREAM = "ENG-0001/abc+Zz==", "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
SIGNATURE = "03396b80a426fe6a8bc8469939551c5af0595bc0082999f5bb44ceda91897e68"
OPENED = (
    '{"msg_type":2,"protocol_version":1,"sequence":0,"status_code":0,"reason":"","media_server":{"server_urls":'
    '{"audio":"wss://m/a","all":"wss://m/all"}}}'
)


def connection(product: Product = Product.CONTACT_CENTER) -> SignalingConnection:
    identity = StreamIdentity.sign(product, ENGAGEMENT, STREAM, "demo-client-id", "demo-client-secret")
    return SignalingConnection(identity, silence_timeout_s=65, now=100.0)


def open_connection(product: Product = Product.CONTACT_CENTER) -> SignalingConnection:
    core = connection(product)
    core.messages_to_send()
    tell(core, OPENED)
    core.messages_to_send()
    events(core)
    return core


def tell(core: SignalingConnection, raw: str, now: float = 101.0) -> None:
    core.receive_message(wire.decode(raw), now)


def events(core: SignalingConnection) -> list[SignalingEvent]:
    out = []
    while (event := core.next_event()) is not None:
        out.append(event)
    return out


def sent(core: SignalingConnection) -> list[dict[str, Any]]:
    return [json.loads(wire.encode(message)) for message in core.messages_to_send()]


def test_the_handshake_that_zoom_documents() -> None:
    core = connection()
    assert sent(core) == [
        {
            "msg_type": 1,
            "protocol_version": 1,
            "sequence": 1,
            "engagement_id": ENGAGEMENT,
            "rtms_stream_id": STREAM,
            "signature": SIGNATURE,
            "buffer_data": True,
        }
    ]
    tell(core, OPENED)
    assert core.is_open
    assert events(core) == [SignalingOpened({"audio": "wss://m/a", "all": "wss://m/all"})]
    (subscription,) = sent(core)
    assert subscription["msg_type"] == 5
    assert [one["event_type"] for one in subscription["events"]] == list(range(8, 30))
    assert sent(core) == []


@pytest.mark.parametrize(
    ("product", "keys"),
    [(Product.MEETING, {"meeting_uuid"}), (Product.WEBINAR, {"webinar_uuid", "meeting_uuid"}),
     (Product.VIDEO_SDK, {"session_id", "meeting_uuid"}), (Product.PHONE, {"call_id"}),
     (Product.CONTACT_CENTER, {"engagement_id"})],
)  # fmt: skip
def test_each_product_names_itself_by_its_own_key(product: Product, keys: set[str]) -> None:
    (request,) = sent(connection(product))
    named = {
        key
        for key in ("meeting_uuid", "webinar_uuid", "session_id", "call_id", "engagement_id")
        if key in request
    }
    assert named == keys


@pytest.mark.parametrize("status", ["status_code", "status"])
def test_a_refusal_is_raised_with_code_and_reason(status: str) -> None:
    core = connection()
    with pytest.raises(HandshakeRefusedError, match="bad signature") as caught:
        tell(core, f'{{"msg_type":2,"{status}":3,"reason":"bad signature"}}')
    assert (caught.value.which, caught.value.status_code) == ("signaling", 3)
    assert core.is_done


def test_acceptance_without_urls_is_no_acceptance() -> None:
    with pytest.raises(RemoteProtocolError, match="URLs"):
        tell(connection(), '{"msg_type":2,"status_code":0}')


@pytest.mark.parametrize(
    ("asked", "answered"),
    [('{"msg_type":12,"timestamp":1781000010000}', {"msg_type": 13, "timestamp": 1781000010000}),
     ('{"msg_type":12,"timestamp":5,"sequence":7}', {"msg_type": 13, "timestamp": 5, "sequence": 7}),
     ('{"msg_type":12}', {"msg_type": 13})],
)  # fmt: skip
def test_keep_alives_are_echoed(asked: str, answered: dict[str, int]) -> None:
    core = open_connection()
    tell(core, asked)
    assert sent(core) == [answered]


@pytest.mark.parametrize("key", ["participant_info", "paticipant_info"])
def test_who_the_consumer_is_under_both_spellings(key: str) -> None:
    core = open_connection()
    tell(
        core,
        '{"msg_type":6,"event":{"event_type":8,"event_ts":1781000004000,"'
        + key
        + '":{"channel_id":"ch-7f31",'
        '"participant_mode":"caller","queue_id":"q_MadeUp","queue_name":"Orders","account_id":"acc_Made_Up",'
        '"phone_number":"+15555550123","user_id":"contact_42","display_name":"Ana Example"}}}',
    )
    assert events(core) == [
        ParticipantConnected(
            "ch-7f31",
            Role.CONSUMER,
            1781000004000,
            "contact_42",
            "Ana Example",
            "q_MadeUp",
            "Orders",
            "+15555550123",
        ),
        CallEventReceived("consumer_answered", 1781000004000, "ch-7f31"),
    ]


def test_event_numbers_are_read_by_product() -> None:
    raw = '{"msg_type":6,"event":{"event_type":8,"timestamp":1781000004000,"participants":[{"user_id":1}]}}'
    meeting, contact_center = open_connection(Product.MEETING), open_connection()
    tell(meeting, raw)
    tell(contact_center, raw)
    assert events(meeting) == [CallEventReceived("participant_video_on", 1781000004000, "1")]
    assert events(contact_center) == [CallEventReceived("consumer_answered", 1781000004000)]


@pytest.mark.parametrize(("number", "name"), [(1, "first_packet_timestamp"), (7, "media_connection_interrupted"),
                                              (12, "user_hold"), (33, "unknown_33")])  # fmt: skip
def test_other_events(number: int, name: str) -> None:
    core = open_connection()
    tell(core, f'{{"msg_type":6,"event":{{"event_type":{number},"event_ts":1781000004000}}}}')
    assert events(core) == [CallEventReceived(name, 1781000004000)]


def test_people_of_a_meeting() -> None:
    core = open_connection(Product.MEETING)
    tell(core, '{"msg_type":6,"event":{"event_type":3,"timestamp":1781000004000,"participants":'
         '[{"user_id":16780001,"user_name":"Ana"},{"user_id":"16780002"}]}}')  # fmt: skip
    tell(
        core, '{"msg_type":6,"event":{"event_type":2,"timestamp":1781000005000,"user_id":5,"user_name":"Bo"}}'
    )
    assert events(core) == [
        ParticipantConnected("16780001", None, 1781000004000, user_id="16780001", display_name="Ana"),
        CallEventReceived("participant_join", 1781000004000, "16780001"),
        CallEventReceived("participant_join", 1781000004000, "16780002"),
        ParticipantConnected("5", None, 1781000005000, user_id="5", display_name="Bo"),
        CallEventReceived("active_speaker_change", 1781000005000, "5"),
    ]


@pytest.mark.parametrize("nobody", [0, "0", -1, "-1", "", None])
def test_an_event_about_nobody_is_about_nobody(nobody: Any) -> None:
    core = open_connection(Product.MEETING)
    told = {"event_type": 2, "timestamp": 1781000005000, "user_id": nobody, "user_name": "?"}
    tell(core, json.dumps({"msg_type": 6, "event": told}))
    people = [{"user_id": nobody, "user_name": "?"}, {"user_id": 5}]
    told = {"event_type": 4, "timestamp": 1781000006000, "participants": people}
    tell(core, json.dumps({"msg_type": 6, "event": told}))
    assert events(core) == [
        CallEventReceived("active_speaker_change", 1781000005000),
        CallEventReceived("participant_leave", 1781000006000, "5"),
    ]


def test_an_event_is_not_lost_for_one_odd_field() -> None:
    core = open_connection()
    info = {"channel_id": "c1", "account_id": 1, "phone_number": 15555550123, "display_name": "Lee"}
    told = {"event_type": 10, "event_ts": 1781000004000, "participant_info": info}
    tell(core, json.dumps({"msg_type": 6, "event": told}))
    assert events(core) == [
        ParticipantConnected("c1", Role.USER, 1781000004000, display_name="Lee"),
        CallEventReceived("user_answered", 1781000004000, "c1"),
    ]


def test_events_of_a_phone_call_are_told_by_number() -> None:
    """They have an event_code, and what the numbers stand for is not what they stand for in meetings."""
    core = open_connection(Product.PHONE)
    for code in (1, 3, 7, 70001):
        tell(core, f'{{"msg_type":6,"event":{{"event_code":{code},"timestamp":1781000004000,"participants":'
             '[{"user_id":5,"user_name":"Bo"}]}}')  # fmt: skip
    assert events(core) == [
        CallEventReceived("first_packet_timestamp", 1781000004000),
        CallEventReceived("phone_event_3", 1781000004000),
        CallEventReceived("media_connection_interrupted", 1781000004000),
        CallEventReceived("phone_event_70001", 1781000004000),
    ]


def test_asking_zoom_to_end_the_stream() -> None:
    core = open_connection()
    core.messages_to_send()
    core.request_close()
    (request,) = core.messages_to_send()
    assert request == StreamCloseRequest(rtms_stream_id=STREAM)
    tell(core, '{"msg_type":22,"status_code":0,"reason":"OK"}')
    assert not core.is_done, "TERMINATED follows"
    closed = connection()
    closed.messages_to_send()
    closed.request_close()
    assert closed.messages_to_send() == [], "there is nothing to end yet"


def test_termination_is_final() -> None:
    core = open_connection()
    tell(core, '{"msg_type":8,"state":4,"reason":21,"timestamp":1781000600000}')
    assert events(core) == [
        CallEventReceived("stream_terminated", 1781000600000),
        StreamEnded("customer_disconnected", "Zoom ended the stream"),
    ]
    assert core.is_done
    assert core.get_timer() is None
    with pytest.raises(RemoteProtocolError, match="ENDED"):
        tell(core, OPENED)


def test_other_states_are_events() -> None:
    core = open_connection()
    tell(core, '{"msg_type":8,"state":1,"timestamp":1781000600}')
    tell(core, '{"msg_type":9,"state":3,"rtms_session_id":"s","timestamp":1781000600000000}')
    assert events(core) == [
        CallEventReceived("stream_active", 1781000600000),
        CallEventReceived("session_paused", 1781000600000, session_id="s"),
    ]


def test_what_is_not_legal_has_no_effect() -> None:
    core = open_connection()
    with pytest.raises(RemoteProtocolError, match="SignalingHandshakeResponse"):
        tell(core, OPENED)
    assert events(core) == []
    assert core.is_open


def test_media_is_announced_only_when_open() -> None:
    with pytest.raises(LocalProtocolError):
        connection().announce_media()
    core = open_connection()
    core.announce_media()
    assert sent(core) == [{"msg_type": 7, "rtms_stream_id": STREAM}]


def test_silence_ends_it_and_any_message_is_life() -> None:
    core = open_connection()
    assert core.get_timer() == 101 + 65
    core.receive_garbage(130.0)
    core.handle_timer(166.0)
    assert core.is_open
    tell(core, '{"msg_type":99}', 140.0)
    with pytest.raises(ConnectionFailedError, match="nothing arrived on signaling for 65 s"):
        core.handle_timer(140.0 + 65)
    assert core.is_done


RAW_MESSAGES = [
    OPENED,
    '{"msg_type":2,"status_code":8,"reason":"duplicate"}',
    '{"msg_type":5,"events":[]}',
    '{"msg_type":6,"event":{"event_type":8,"participant_info":{"channel_id":7}}}',
    '{"msg_type":6,"event":{"event_type":31}}',
    '{"msg_type":8,"state":1}',
    '{"msg_type":8,"state":4}',
    '{"msg_type":9,"state":5}',
    '{"msg_type":12,"timestamp":1}',
    '{"msg_type":14,"content":{"data":"","timestamp":1}}',
    '{"msg_type":22}',
    '{"msg_type":77}',
]


@given(
    st.lists(st.tuples(st.sampled_from(RAW_MESSAGES), st.floats(0, 100)), max_size=30),
    st.sampled_from([one for one in Product if one is not Product.RECORDING]),
)
def test_any_order_of_messages_ends_in_a_legal_state(
    script: list[tuple[str, float]], product: Product
) -> None:
    core = connection(product)
    now = 100.0
    for raw, pause in script:
        now += pause
        timer = core.get_timer()
        if timer is not None and timer <= now:
            with pytest.raises(ConnectionFailedError):
                core.handle_timer(now)
        was_done = core.is_done
        with suppress(RemoteProtocolError):
            tell(core, raw, now)
        assert core.state in State
        assert not was_done or core.is_done, "an ended connection stays ended"
        timer = core.get_timer()
        assert timer is None or timer > now, "no timer is in the past"
        events(core)
        sent(core)
