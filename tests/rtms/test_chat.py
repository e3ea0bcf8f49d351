from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.errors import RemoteProtocolError
from zccvoice.rtms.chat import chat_received
from zccvoice.rtms.events import Change, ChatReceived
from zccvoice.rtms.messages import ChatContent

AT = 1_781_000_011_000
NEW_FORM = {
    "chat_session": {"session_type": 1},
    "operation_type": 1,
    "message_id": "m-1",
    "sender": {"user_id": 5, "user_name": "Ana"},
    "data": "Hello",
}


def content(data: Any, **more: Any) -> ChatContent:
    return ChatContent(data=data, timestamp=AT, **more)


def test_the_old_form_is_the_text_itself() -> None:
    assert chat_received(content("Hi {all}", user_id=7, user_name="Bo")) == ChatReceived(
        AT, "Hi {all}", "7", "Bo"
    )


@pytest.mark.parametrize("data", [NEW_FORM, json.dumps(NEW_FORM)])
def test_the_new_form_as_object_and_as_text(data: Any) -> None:
    assert chat_received(content(data)) == ChatReceived(AT, "Hello", "5", "Ana", "m-1")


@pytest.mark.parametrize("text", ["{", "{}", '{"data": "no chat of ours"}', "[1]", ""])
def test_braces_that_people_write_stay_text(text: str) -> None:
    assert chat_received(content(text)) == ChatReceived(AT, text)


@pytest.mark.parametrize(("operation", "change"), [(2, Change.DELETED), ("3", Change.UPDATED)])
def test_changes(operation: Any, change: Change) -> None:
    chat = chat_received(content(NEW_FORM | {"operation_type": operation}))
    assert chat is not None
    assert (chat.change, chat.message_id) == (change, "m-1")


@pytest.mark.parametrize("operation", [4, 5, "4"])
def test_reactions_are_no_messages(operation: Any) -> None:
    assert chat_received(content(NEW_FORM | {"operation_type": operation})) is None


@pytest.mark.parametrize("operation", ["1", None, "NEW", [1], True, 99])
def test_a_text_is_kept_whatever_was_done(operation: Any) -> None:
    told = content(NEW_FORM | {"operation_type": operation})
    assert chat_received(told) == ChatReceived(AT, "Hello", "5", "Ana", "m-1")


def test_an_unknown_operation_blanks_no_message() -> None:
    assert chat_received(content(NEW_FORM | {"operation_type": 99, "data": None})) is None


@pytest.mark.parametrize("data", [None, ""])
def test_a_message_that_lost_a_file_keeps_its_text(data: str | None) -> None:
    assert chat_received(content(NEW_FORM | {"operation_type": 3, "data": data})) is None


def test_an_object_is_read_as_one_whatever_it_lacks() -> None:
    bare = {"chat_session": 1, "data": "Hello", "sender": {"user_id": 5, "user_name": "Ana"}}
    assert chat_received(content(bare)) == ChatReceived(AT, "Hello", "5", "Ana")
    assert chat_received(content({"chat_session": 1}, user_id=7)) is None


def test_no_time_no_message() -> None:
    with pytest.raises(RemoteProtocolError, match="impossible timestamp"):
        chat_received(ChatContent(data="Hi", timestamp=1))


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*NEW_FORM, "x"]), _json), st.booleans())
def test_any_object_is_a_message_or_none(data: dict[str, Any], as_text: bool) -> None:
    chat = chat_received(content(json.dumps(data) if as_text else data))
    assert chat is None or isinstance(chat.text, str)
