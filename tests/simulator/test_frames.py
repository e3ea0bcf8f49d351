"""Our frames, read by the library that real clients use."""

from __future__ import annotations

from typing import Any

import pytest
import wsproto
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionState
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage

from zccvoice.simulator.frames import Opcode, frame, in_pieces
from zccvoice.simulator.garbage import Garbage, frames_of


def read(data: bytes) -> list[Any]:
    connection = Connection(wsproto.ConnectionType.CLIENT)
    assert connection.state is ConnectionState.OPEN
    connection.receive_data(data)
    return list(connection.events())


def whole(events: list[Any]) -> Any:
    parts: list[Any] = [one.data for one in events if isinstance(one, TextMessage | BytesMessage)]
    return parts[0][:0].join(parts)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 300_000])
def test_lengths_of_all_three_forms(size: int) -> None:
    payload = bytes(range(256)) * (size // 256 + 1)
    assert whole(read(frame(Opcode.BINARY, payload[:size]))) == payload[:size]


@given(text=st.text(min_size=3))
def test_pieces_are_one_message_with_a_ping_inside(text: str) -> None:
    events = read(in_pieces(Opcode.TEXT, text.encode()))
    assert whole(events) == text
    assert sum(isinstance(one, Ping) for one in events) == 1
    assert [one.message_finished for one in events if isinstance(one, TextMessage)][-1]


@pytest.mark.parametrize("garbage", Garbage)
def test_garbage_breaks_the_rules_that_it_says(garbage: Garbage) -> None:
    broken = garbage in (Garbage.BAD_UTF8, Garbage.RESERVED_OPCODE)
    try:
        events = read(frames_of(garbage))
    except wsproto.utilities.RemoteProtocolError:
        events = [CloseConnection(1002)]
    assert any(isinstance(one, CloseConnection) for one in events) == broken
