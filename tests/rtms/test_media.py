from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.errors import ConnectionFailedError, HandshakeRefusedError, RemoteProtocolError
from zccvoice.rtms import wire
from zccvoice.rtms.core import State
from zccvoice.rtms.enums import MediaType, Product
from zccvoice.rtms.events import (
    AudioReceived,
    Change,
    ChatReceived,
    MediaOpened,
    MediaPassedOver,
    TranscriptReceived,
)
from zccvoice.rtms.identity import StreamIdentity
from zccvoice.rtms.media import MIX, MediaAccepted, MediaConnection, MediaEvent
from zccvoice.rtms.messages import AudioParams, ChatParams, MediaParams, TranscriptParams

WANTED = AudioParams(send_rate=100)
ACCEPTED = (
    '{"msg_type":4,"status_code":0,"reason":"","payload_encrypted":false,"media_params":{"audio":{"content_type":2,'
    '"sample_rate":1,"channel":1,"codec":1,"data_opt":2,"send_rate":20}}}'
)


def connection() -> MediaConnection:
    identity = StreamIdentity.sign(Product.CONTACT_CENTER, "E", "S", "id", "secret")
    return MediaConnection(
        identity, MediaType.AUDIO, MediaParams(audio=WANTED), silence_timeout_s=65, now=100.0
    )


def open_connection() -> MediaConnection:
    core = connection()
    core.messages_to_send()
    tell(core, ACCEPTED)
    events(core)
    return core


def tell(core: MediaConnection, raw: str, now: float = 101.0) -> None:
    core.receive_message(wire.decode(raw), now)


def events(core: MediaConnection) -> list[MediaEvent]:
    out = []
    while (event := core.next_event()) is not None:
        out.append(event)
    return out


def sent(core: MediaConnection) -> list[dict[str, Any]]:
    return [json.loads(wire.encode(message)) for message in core.messages_to_send()]


def audio(**content: Any) -> str:
    data = base64.b64encode(b"\x01\x00\x02\x00").decode()
    return json.dumps({"msg_type": 14, "content": {"data": data, "timestamp": 1781000012340, **content}})


def test_the_handshake() -> None:
    core = connection()
    (request,) = sent(core)
    assert (request["msg_type"], request["media_type"], request["engagement_id"]) == (3, 1, "E")
    assert request["media_params"] == {
        "audio": {
            "content_type": 2,
            "sample_rate": 1,
            "channel": 1,
            "codec": 1,
            "data_opt": 2,
            "send_rate": 100,
        }
    }
    tell(core, ACCEPTED)
    opened = MediaOpened(AudioParams(send_rate=20))
    assert events(core) == [MediaAccepted(), opened], "the effective parameters rule"


def test_an_answer_without_parameters_means_those_wanted() -> None:
    core = connection()
    tell(core, '{"msg_type":4,"status_code":0}')
    assert events(core) == [MediaAccepted(), MediaOpened(WANTED)]


def test_an_answer_with_some_parameters_leaves_the_others_as_wanted() -> None:
    core = connection()
    tell(core, '{"msg_type":4,"status_code":0,"media_params":{"audio":{"sample_rate":2,"send_rate":40}}}')
    effective = msgspec.structs.replace(WANTED, sample_rate=2, send_rate=40)
    assert events(core) == [MediaAccepted(), MediaOpened(effective)]


@given(told=st.dictionaries(st.sampled_from(AudioParams.__struct_fields__), st.integers(0, 1_000)))
def test_what_zoom_tells_of_the_audio_rules(told: dict[str, int]) -> None:
    core = connection()
    tell(core, json.dumps({"msg_type": 4, "status_code": 0, "media_params": {"audio": told}}))
    assert events(core)[1] == MediaOpened(msgspec.structs.replace(WANTED, **told))


@pytest.mark.parametrize("msg_type", [2, 4])
def test_a_refusal_in_both_forms(msg_type: int) -> None:
    core = connection()
    with pytest.raises(HandshakeRefusedError, match="send_rate"):
        tell(core, f'{{"msg_type":{msg_type},"status_code":24,"reason":"send_rate"}}')
    assert core.is_done


@pytest.mark.parametrize(
    ("content", "track"),
    [({"channel_id": "ch-1"}, "ch-1"), ({"channel_id": 17}, "17"), ({"user_id": 1678, "user_name": "A"}, "1678"),
     ({"user_id": "u1"}, "u1"), ({"user_id": 0}, MIX), ({"user_id": "0"}, MIX), ({"user_id": -1}, MIX),
     ({"user_id": "-1"}, MIX), ({"user_id": ""}, MIX), ({}, MIX), ({"channel_id": "", "user_id": 5}, "5"),
     ({"channel_id": "", "user_id": 0}, MIX), ({"channel_id": 0}, "0"),
     ({"channel_id": "ch-1", "length": 4}, "ch-1")],
)  # fmt: skip
def test_audio_and_whose_it_is(content: dict[str, Any], track: str) -> None:
    core = open_connection()
    tell(core, audio(**content))
    assert events(core) == [AudioReceived(track, 1781000012340, b"\x01\x00\x02\x00")]


def test_the_old_form_with_the_payload_as_content() -> None:
    core = open_connection()
    tell(core, '{"msg_type":14,"content":"AQACAA==","user_id":5,"timestamp":1781000012340}')
    assert events(core) == [AudioReceived("5", 1781000012340, b"\x01\x00\x02\x00")]


@pytest.mark.parametrize("content", [{"length": 5}, {"timestamp": -1}])
def test_audio_that_contradicts_itself_is_rejected(content: dict[str, Any]) -> None:
    core = open_connection()
    with pytest.raises(RemoteProtocolError):
        tell(core, audio(**content))
    assert events(core) == []


def test_audio_before_the_handshake_is_rejected() -> None:
    with pytest.raises(RemoteProtocolError, match="HANDSHAKING"):
        tell(connection(), audio())


def text_connection() -> MediaConnection:
    identity = StreamIdentity.sign(Product.MEETING, "E", "S", "id", "secret")
    params = MediaParams(transcript=TranscriptParams(src_language=14, enable_lid=False), chat=ChatParams())
    return MediaConnection(
        identity, MediaType.TRANSCRIPT | MediaType.CHAT, params, silence_timeout_s=65, now=0
    )


def open_text_connection() -> MediaConnection:
    core = text_connection()
    tell(core, '{"msg_type":4,"status_code":0}')
    assert events(core) == [MediaAccepted()], "nothing was said of audio"
    return core


def test_texts_are_asked_for_with_their_language() -> None:
    (request,) = sent(text_connection())
    assert request["media_type"] == 24
    assert request["media_params"] == {
        "transcript": {"content_type": 5, "src_language": 14, "enable_lid": False},
        "chat": {"content_type": 5},
    }


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"timestamp": 1781000011000, "start_time": 1781000011000, "end_time": 1781000013200, "channel_id": "c",
          "language": 9}, TranscriptReceived("c", 1781000011000, 1781000013200, "Hello.", "en")),
        ({"timestamp": 1781000011000000, "end_time": 1781000013200000, "user_id": 7, "language": 12},
         TranscriptReceived("7", 1781000011000, 1781000013200, "Hello.", "fr-CA")),
        ({"timestamp": 1781000011000, "end_time": 1, "attribute": 2},
         TranscriptReceived(MIX, 1781000011000, None, "Hello.", None, Change.UPDATED)),
        ({"timestamp": 1781000011000, "language": 99, "attribute": 3},
         TranscriptReceived(MIX, 1781000011000, None, "Hello.", None, Change.DELETED)),
        ({"timestamp": 1781000011000, "attribute": 77}, TranscriptReceived(MIX, 1781000011000, None, "Hello.")),
        ({"start_time": 1781000011000, "user_id": -1}, TranscriptReceived(MIX, 1781000011000, None, "Hello.")),
    ],
)  # fmt: skip
def test_transcripts(content: dict[str, Any], expected: TranscriptReceived) -> None:
    core = open_text_connection()
    tell(core, json.dumps({"msg_type": 17, "content": {"data": "Hello.", **content}}))
    assert events(core) == [expected]


def test_a_transcript_outside_time_is_rejected_and_never_shown() -> None:
    core = open_text_connection()
    with pytest.raises(RemoteProtocolError) as caught:
        tell(core, '{"msg_type":17,"content":{"data":"my secret","timestamp":3}}')
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(TranscriptReceived("c", 1, 2, "my secret"))
    assert events(core) == []


def test_chat_arrives() -> None:
    core = open_text_connection()
    tell(
        core, '{"msg_type":18,"content":{"data":"Hi","timestamp":1781000011000,"user_id":5,"user_name":"A"}}'
    )
    assert events(core) == [ChatReceived(1781000011000, "Hi", "5", "A")]


def test_media_that_nobody_asked_for_is_told_once() -> None:
    core = open_connection()
    for _ in range(3):
        tell(core, '{"msg_type":15,"content":{"data":"AAAA","timestamp":1,"user_id":1}}')
        tell(core, '{"msg_type":16,"content":{"data":"AAAA"}}')
    assert events(core) == [MediaPassedOver("video"), MediaPassedOver("share")]


def test_keep_alive_and_silence() -> None:
    core = open_connection()
    tell(core, '{"msg_type":12,"timestamp":9,"sequence":3}', 120.0)
    assert sent(core) == [{"msg_type": 13, "timestamp": 9, "sequence": 3}]
    assert core.get_timer() == 185
    with pytest.raises(ConnectionFailedError, match="nothing arrived on media for 65 s"):
        core.handle_timer(185)
    assert core.is_done


@given(
    st.lists(
        st.sampled_from([ACCEPTED, audio(), audio(length=9), '{"msg_type":12}', '{"msg_type":4,"status_code":16}',
                         '{"msg_type":17,"content":{"data":"","timestamp":1}}', '{"msg_type":8,"state":4}',
                         '{"msg_type":15,"content":{}}']),
        max_size=20,
    )
)  # fmt: skip
def test_any_order_of_messages_ends_in_a_legal_state(script: list[str]) -> None:
    core = connection()
    for raw in script:
        with suppress(RemoteProtocolError):
            tell(core, raw)
        opened = [event for event in events(core) if isinstance(event, AudioReceived)]
        assert not opened or core.is_open
        assert core.state in State
