"""Encoding and decoding, with the examples of Zoom's documentation and of its SDK as witnesses."""

from __future__ import annotations

import base64
import json
import typing
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zccvoice.errors import RemoteProtocolError
from zccvoice.rtms import enums
from zccvoice.rtms import messages as m
from zccvoice.rtms.passed_over import AudioMetadata, ChatMetadata, ShareData, VideoData
from zccvoice.rtms.timestamps import epoch_ms
from zccvoice.rtms.wire import decode, encode

STREAM_ID = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"


# Every message type: what is encoded is decoded again

small = st.integers(-(2**31), 2**31 - 1)
wide = st.integers(0, 2**53)
words = st.text(max_size=20)
ids = words | small


def _strategy(annotation: Any) -> Any:
    match annotation:
        case t if t is int:
            return wide
        case t if t is str:
            return words
        case t if t is bool:
            return st.booleans()
        case t if t is float:
            return st.floats(allow_nan=False, allow_infinity=False)
        case t if t is bytes:
            return st.binary(max_size=64)
        case t if t is type(None):
            return st.none()
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is list:
        return st.lists(_strategy(args[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(_strategy(args[0]), _strategy(args[1]), max_size=3)
    if args:
        return st.one_of([_strategy(one) for one in args])
    if annotation is Any:
        return st.integers(-(2**53), 2**53) | st.text(max_size=5)
    if annotation is msgspec.UnsetType:
        return st.just(msgspec.UNSET)
    assert issubclass(annotation, msgspec.Struct), annotation
    hints = typing.get_type_hints(annotation)
    fields = {name: _strategy(hints[name]) for name in annotation.__struct_fields__}
    return st.builds(annotation, **fields)


TYPES = typing.get_args(m.TypedMessage)
any_message = st.one_of([_strategy(one) for one in TYPES])


@settings(deadline=None)
@given(any_message)
def test_decode_after_encode_is_the_identity(message: Any) -> None:
    assert decode(encode(message)) == message


@settings(deadline=None)
@given(any_message)
def test_frames_may_be_text_or_binary(message: Any) -> None:
    assert decode(encode(message).encode()) == message


@pytest.mark.parametrize("kind", TYPES)
def test_the_message_type_is_the_number_zoom_gave_it(kind: Any) -> None:
    tag = kind.__struct_config__.tag
    assert enums.MessageType(tag)


def test_none_is_not_written() -> None:
    text = encode(m.SignalingHandshakeRequest(rtms_stream_id="s", signature="x", engagement_id="e"))
    assert "null" not in text
    assert set(json.loads(text)) == {
        "msg_type", "protocol_version", "sequence", "engagement_id", "rtms_stream_id", "signature",
    }  # fmt: skip


# Any input gives a message or RemoteProtocolError


@settings(deadline=None)
@given(st.binary() | st.text())
def test_any_bytes_are_a_message_or_refused(raw: Any) -> None:
    try:
        message = decode(raw)
    except RemoteProtocolError:
        return
    assert isinstance(message, msgspec.Struct)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
field_names = st.sampled_from(
    sorted({name for kind in TYPES for name in kind.__struct_fields__} | {"status", "session_id", "data"})
)


@settings(deadline=None)
@given(
    st.integers(-2, 40) | st.sampled_from([str(n) for n in range(30)]) | json_values,
    st.dictionaries(field_names, json_values, max_size=6),
)
def test_any_json_object_is_a_message_or_refused(msg_type: Any, fields: Any) -> None:
    try:
        message = decode(json.dumps({**fields, "msg_type": msg_type}))
    except RemoteProtocolError:
        return
    assert isinstance(message, msgspec.Struct)


@settings(deadline=None)
@given(any_message, st.data())
def test_a_message_with_one_field_spoilt_is_a_message_or_refused(message: Any, data: st.DataObject) -> None:
    fields = json.loads(encode(message))
    key = data.draw(st.sampled_from(sorted(fields)))
    fields[key] = data.draw(json_values)
    try:
        decode(json.dumps(fields))
    except RemoteProtocolError:
        return


def test_refusals_do_not_repeat_what_was_said() -> None:
    raw = '{"msg_type":18,"content":{"data":"my card number is 1234","timestamp":"soon"}}'
    with pytest.raises(RemoteProtocolError) as refused:
        decode(raw)
    assert "card" not in str(refused.value)


# The documents' examples


def test_signaling_handshake() -> None:
    message = m.SignalingHandshakeRequest(
        engagement_id="Qm9vLXNhbXBsZS1pZA", rtms_stream_id=STREAM_ID, signature="0339", buffer_data=True
    )
    assert json.loads(encode(message)) == json.loads(
        '{"msg_type":1,"protocol_version":1,"sequence":1,"engagement_id":"Qm9vLXNhbXBsZS1pZA",'
        '"rtms_stream_id":"0a1b2c3d4e5f60718293a4b5c6d7e8f9","signature":"0339","buffer_data":true}'
    )


def test_signaling_response() -> None:
    message = decode(
        '{"msg_type":2,"protocol_version":1,"sequence":0,"status_code":0,"reason":"",'
        '"media_server":{"server_urls":{"audio":"wss://rtms-med.example.test:443/a",'
        '"transcript":"wss://rtms-med.example.test:443/t","all":"wss://rtms-med.example.test:443/all"}}}'
    )
    assert isinstance(message, m.SignalingHandshakeResponse)
    assert message.media_server is not None
    assert message.media_server.server_urls["all"] == "wss://rtms-med.example.test:443/all"


def test_media_handshake() -> None:
    message = m.MediaHandshakeRequest(
        engagement_id="Qm9vLXNhbXBsZS1pZA",
        rtms_stream_id=STREAM_ID,
        signature="0339",
        media_type=enums.MediaType.ALL,
        media_params=m.MediaParams(
            audio=m.AudioParams(), transcript=m.TranscriptParams(src_language=9, enable_lid=True)
        ),
    )
    assert json.loads(encode(message)) == json.loads(
        '{"msg_type":3,"protocol_version":1,"sequence":0,"engagement_id":"Qm9vLXNhbXBsZS1pZA",'
        '"rtms_stream_id":"0a1b2c3d4e5f60718293a4b5c6d7e8f9","signature":"0339","media_type":32,'
        '"payload_encryption":false,"media_params":{"audio":{"content_type":2,"sample_rate":1,"channel":1,'
        '"codec":1,"data_opt":2,"send_rate":20},"transcript":{"content_type":5,"src_language":9,"enable_lid":true}}}'
    )


@pytest.mark.parametrize("key", ["participant_info", "paticipant_info"])
def test_consumer_answered_in_either_spelling(key: str) -> None:
    message = decode(
        '{"msg_type":6,"event":{"event_type":8,"event_ts":1781000004000,"KEY":{"channel_id":"ch-7f31",'
        '"participant_mode":"caller","queue_id":"q_MadeUp","queue_name":"Orders","account_id":"acc_Made_Up",'
        '"division_id":"div_1","phone_number":"+15555550123","user_id":"contact_42",'
        '"display_name":"Ana Example"}}}'.replace("KEY", key)
    )
    assert isinstance(message, m.EventUpdate)
    assert message.event.info is not None
    assert message.event.info.channel_id == "ch-7f31"
    assert message.event.timestamp_ms == 1_781_000_004_000


def test_audio_is_decoded_from_base64() -> None:
    data = base64.b64encode(bytes(640)).decode()
    message = decode(
        f'{{"msg_type":14,"content":{{"channel_id":"ch-7f31","data":"{data}","length":640,'
        '"timestamp":1781000012340}}'
    )
    assert message == m.AudioData(
        content=m.AudioContent(data=bytes(640), timestamp=1_781_000_012_340, channel_id="ch-7f31", length=640)
    )


# Forms seen in the wild


def test_audio_with_the_payload_as_content() -> None:
    message = decode('{"msg_type":14,"content":"AAAB","user_id":7,"user_name":"A","timestamp":1781000012340}')
    assert isinstance(message, m.AudioData)
    assert (message.content.data, message.content.user_id) == (b"\0\0\1", 7)


@pytest.mark.parametrize(
    "urls",
    ['"wss://a.test/x"', '{"all":["wss://a.test/x","wss://b.test/x"]}', '{"all":"wss://a.test/x","no":3}'],
)
def test_server_urls_in_odd_shapes(urls: Any) -> None:
    message = decode(f'{{"msg_type":2,"status":0,"reason":null,"media_server":{{"server_urls":{urls}}}}}')
    assert isinstance(message, m.SignalingHandshakeResponse)
    assert message.media_server is not None
    assert message.media_server.server_urls == {"all": "wss://a.test/x"}


def test_events_without_the_inner_object() -> None:
    flat = decode('{"msg_type":6,"event_type":1,"timestamp":1781000000500}')
    under_content = decode('{"msg_type":6,"content":{"event_type":1,"timestamp":1781000000500}}')
    assert (
        flat == under_content == decode('{"msg_type":6,"event":{"event_type":1,"timestamp":1781000000500}}')
    )


@pytest.mark.parametrize("code", ["3", '"3"'])
def test_events_by_code(code: str) -> None:
    by_type = decode('{"msg_type":6,"event":{"event_type":3,"timestamp":1781000000500}}')
    assert by_type == decode(f'{{"msg_type":6,"event":{{"event_code":{code},"timestamp":1781000000500}}}}')
    assert by_type == decode(f'{{"msg_type":6,"event_code":{code},"timestamp":1781000000500}}')
    both = decode('{"msg_type":6,"event":{"event_type":3,"event_code":70001,"timestamp":1781000000500}}')
    assert by_type == both


def test_stop_reason_and_session_id_under_their_other_names() -> None:
    assert decode('{"msg_type":9,"state":5,"session_id":"s","reason":21}') == m.SessionStateUpdate(
        state=5, rtms_session_id="s", stop_reason=21
    )


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("STOP_BC_HOST_DISABLED_APP", 5),
        ("customer_disconnected", 21),
        ("21", 21),
        ("99", 99),
        ("STOP_BC_WHAT_NOBODY_KNOWS", None),
        ("9" * 5_000, None),
        (["STOP_BC_USER_LEFT"], None),
    ],
)
def test_a_stop_reason_by_name_or_one_that_cannot_be_used_costs_no_end(told: Any, reason: int | None) -> None:
    stream_ended = m.StreamStateUpdate(state=4, reason=reason)
    session_ended = m.SessionStateUpdate(state=5, rtms_session_id="s", stop_reason=reason)
    for key in ("stop_reason", "reason"):
        assert decode(json.dumps({"msg_type": 8, "state": 4, key: told})) == stream_ended
        update = {"msg_type": 9, "state": 5, "rtms_session_id": "s", key: told}
        assert decode(json.dumps(update)) == session_ended


@pytest.mark.parametrize("msg_type", range(1, 30))
def test_every_type_of_message_is_known(msg_type: int) -> None:
    assert msg_type in {one.__struct_config__.tag for one in TYPES}


@pytest.mark.parametrize(
    ("msg_type", "kind"), [(15, VideoData), (16, ShareData), (23, AudioMetadata), (27, ChatMetadata)]
)
def test_what_is_passed_over_is_not_read(msg_type: int, kind: type) -> None:
    assert decode(json.dumps({"msg_type": msg_type, "content": [1]})) == kind()


@pytest.mark.parametrize("msg_type", [0, 30, 99, -1])
def test_other_message_types_pass(msg_type: Any) -> None:
    assert decode(json.dumps({"msg_type": msg_type, "anything": [1]})) == m.OtherMessage(msg_type)


@pytest.mark.parametrize(
    "raw",
    ["", "[]", "12", "null", '{"msg_type":"SIGNALING_HAND_SHAKE_REQ"}', '{"msg_type":true}', "{}", b"\xff{}"],
)
def test_what_is_no_message_is_refused(raw: Any) -> None:
    with pytest.raises(RemoteProtocolError):
        decode(raw)


@pytest.mark.parametrize(
    ("timestamp", "expected_ms"),
    [
        (1_781_000_000, 1_781_000_000_000),
        (1_781_000_000.5, 1_781_000_000_500),
        (1_781_000_000_123, 1_781_000_000_123),
        (1_781_000_000_123_456, 1_781_000_000_123),
        (1_781_000_000_123_456_789, 1_781_000_000_123),
    ],
)
def test_timestamps_in_any_unit(timestamp: float, expected_ms: Any) -> None:
    assert epoch_ms(timestamp) == expected_ms


def test_names_of_numbers() -> None:
    assert enums.name_of(enums.StopReason, 21) == "CUSTOMER_DISCONNECTED"
    assert enums.name_of(enums.ContactCenterEventType, 33) == "unknown_33"
    assert enums.name_of(enums.StopReason, None) == "none"
