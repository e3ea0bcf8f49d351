from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.errors import RemoteProtocolError
from zccvoice.rtms import messages as m
from zccvoice.rtms.message import RtmsMessage
from zccvoice.rtms.wire import decode

AT = 1_781_000_004_000
INFO = {"channel_id": "c1", "queue_id": "q", "display_name": "Lee", "user_id": "a7"}
UNREADABLE = [True, 0.5, [1], {"a": 1}]


def event(**info: Any) -> m.ParticipantInfo | None:
    fields = {"event_type": 10, "event_ts": AT, "participant_info": {**INFO, **info}}
    message = decode(json.dumps({"msg_type": 6, "event": fields}))
    assert isinstance(message, m.EventUpdate)
    assert (message.event.event_type, message.event.timestamp_ms) == (10, AT)
    return message.event.info


def without(**gone: None) -> m.ParticipantInfo:
    return m.ParticipantInfo(**{**INFO, **gone})


@pytest.mark.parametrize(
    "field",
    ["account_id", "division_id", "phone_number", "queue_name", "display_name", "participant_mode"],
)
def test_a_number_where_a_text_belongs_is_read_as_one(field: str) -> None:
    info = event(**{field: 15_555_550_123})
    assert info == m.ParticipantInfo(**{**INFO, field: "15555550123"})


@pytest.mark.parametrize("value", UNREADABLE)
def test_what_cannot_be_read_costs_itself_alone(value: Any) -> None:
    assert event(account_id=value) == without()
    assert event(display_name=value) == without(display_name=None)


def test_an_event_counts_without_saying_whom_it_is_about() -> None:
    message = decode(json.dumps({"msg_type": 6, "event": {"event_type": 10, "participant_info": "Lee"}}))
    assert message == m.EventUpdate(event=m.Event(event_type=10))


def test_one_of_several_people_who_cannot_be_read_leaves_the_others() -> None:
    people = [{"user_id": 5, "user_name": "Ana"}, "Bo", {"user_id": [6], "user_name": 7}]
    message = decode(json.dumps({"msg_type": 6, "event": {"event_type": 3, "participants": people}}))
    assert isinstance(message, m.EventUpdate)
    assert message.event.participants == [
        m.Participant(user_id=5, user_name="Ana"),
        m.Participant(user_name="7"),
    ]


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (
            {"msg_type": 8, "state": 4, "reason": 21, "timestamp": "soon"},
            m.StreamStateUpdate(state=4, reason=21),
        ),
        (
            {"msg_type": 9, "state": 3, "rtms_session_id": 7},
            m.SessionStateUpdate(state=3, rtms_session_id="7"),
        ),
        ({"msg_type": 12, "timestamp": 5, "sequence": "abc"}, m.KeepAliveRequest(timestamp=5)),
        ({"msg_type": 12, "timestamp": 5.5, "sequence": 1}, m.KeepAliveRequest(timestamp=5.5, sequence=1)),
        (
            {"msg_type": 14, "content": {"data": "AAAB", "timestamp": AT, "user_id": 5, "user_name": [1]}},
            m.AudioData(content=m.AudioContent(data=b"\0\0\1", timestamp=AT, user_id=5)),
        ),
        (
            {"msg_type": 17, "content": {"data": "Hi", "start_time": AT, "end_time": AT + 0.5, "language": "en"}},
            m.TranscriptData(content=m.TranscriptContent(data="Hi", start_time=AT, end_time=AT + 0.5)),
        ),
        (
            {"msg_type": 4, "status_code": 0, "media_params": {"transcript": {"src_language": "en"}}},
            m.MediaHandshakeResponse(
                status_code=0, media_params=m.EffectiveParams(transcript=m.TranscriptParams())
            ),
        ),
    ],
)  # fmt: skip
def test_optional_fields_of_every_message(told: dict[str, Any], message: RtmsMessage) -> None:
    assert decode(json.dumps(told)) == message


@pytest.mark.parametrize(
    "told",
    [
        {"msg_type": 4, "status_code": 0, "media_params": {"audio": {"codec": "L16"}}},
        {"msg_type": 4, "status_code": 0, "media_params": {"audio": [1]}},
        {"msg_type": 4, "status_code": 0, "media_params": "all"},
        {"msg_type": 14, "content": {"data": "AAAB", "timestamp": AT, "channel_id": ["c1"]}},
        {"msg_type": 17, "content": {"data": "Hi", "timestamp": AT, "user_id": {"id": 5}}},
        {"msg_type": 18, "content": {"data": "Hi", "timestamp": "soon"}},
        {"msg_type": 8, "state": "over"},
    ],
)
def test_what_decides_how_sound_is_decoded_and_whose_it_is_has_to_be_right(told: dict[str, Any]) -> None:
    with pytest.raises(RemoteProtocolError):
        decode(json.dumps(told))


def test_a_refusal_names_the_field_that_matters() -> None:
    with pytest.raises(RemoteProtocolError, match=r"message 14: .*\$\.content\.timestamp"):
        decode('{"msg_type":14,"content":{"user_name":[],"data":"AAAB","timestamp":"soon"}}')


def test_a_client_has_to_be_right() -> None:
    with pytest.raises(RemoteProtocolError):
        decode('{"msg_type":3,"rtms_stream_id":"s","signature":"x","media_type":1,"media_params":"all"}')


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e9, 1e9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(m.ParticipantInfo.__struct_fields__), _values))
def test_whatever_stands_beside_them_the_channel_and_its_role_are_known(info: dict[str, Any]) -> None:
    told = event(**{**info, "channel_id": "c1"})
    assert told is not None
    assert told.channel_id == "c1"
