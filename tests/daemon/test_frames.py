"""`daemon.frames` against RFC 6455, and against wsproto, which many have read WebSockets with."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage

from zccvoice.daemon.frames import End, FrameReader
from zccvoice.simulator.frames import Opcode, frame, in_pieces

MOST_BYTES = 100_000


def read(pieces: Sequence[bytes]) -> tuple[list[bytes], list[bytes], End | None]:
    """Messages, pings and end."""
    reader = FrameReader(MOST_BYTES)
    messages = [message for piece in pieces for message in reader.push(piece)]
    return messages, reader.take_pings(), reader.end


def read_with_wsproto(data: bytes) -> tuple[list[bytes], list[bytes], int | None]:
    """The same of wsproto: messages, pings and close code."""
    connection = Connection(ConnectionType.CLIENT)
    connection.receive_data(data)
    messages, pings, parts = [], [], []
    for event in connection.events():
        match event:
            case TextMessage() | BytesMessage():
                parts.append(event.data.encode() if isinstance(event.data, str) else bytes(event.data))
                if event.message_finished:
                    messages.append(b"".join(parts))
                    parts.clear()
            case Ping():
                pings.append(bytes(event.payload))
            case CloseConnection():
                assert connection.state is not ConnectionState.CLOSED
                return messages, pings, int(event.code)
    return messages, pings, None


payloads = st.one_of(
    st.binary(max_size=40),
    st.text(max_size=20).map(str.encode),
    st.sampled_from([125, 126, 127, 65_535, 65_536]).map(lambda size: b"x" * size),
    st.integers(990, 5_010).map(lambda code: code.to_bytes(2, "big")),
)
legal_messages = st.one_of(
    st.text(max_size=200).map(lambda text: frame(Opcode.TEXT, text.encode())),
    st.text(max_size=200).map(lambda text: in_pieces(Opcode.TEXT, text.encode())),
    st.binary(max_size=200).map(lambda data: frame(Opcode.BINARY, data)),
    st.binary(max_size=200).map(lambda data: in_pieces(Opcode.BINARY, data)),
    st.binary(max_size=125).map(lambda data: frame(Opcode.PING, data)),
    st.binary(max_size=125).map(lambda data: frame(Opcode.PONG, data)),
    st.sampled_from([126, 65_535, 65_536]).map(lambda size: frame(Opcode.TEXT, b"x" * size)),
)
any_frames = st.builds(frame, st.sampled_from(Opcode), payloads, is_final=st.booleans())
closes = st.builds(
    lambda code, reason: frame(Opcode.CLOSE, code.to_bytes(2, "big") + reason),
    st.integers(0, 6_000),
    st.binary(max_size=123),
)
broken_frames = st.builds(
    lambda first, second, rest: bytes((first, second)) + rest,
    st.integers(0, 255),
    st.integers(0, 255),
    st.binary(min_size=270, max_size=270),
)
streams = st.lists(st.one_of(legal_messages, any_frames, closes, broken_frames), max_size=8).map(b"".join)


@given(streams)
@example(frame(Opcode.CLOSE, b""))
@example(frame(Opcode.CLOSE, b"\x03"))
@example(frame(Opcode.CLOSE, b"\x03\xe8\xff"))
@example(frame(Opcode.TEXT, b"\xce", is_final=False) + frame(Opcode.CONTINUATION, b"\xba"))
@example(frame(Opcode.TEXT, b"\xf8", is_final=False) + frame(Opcode.TEXT, b""))
@example(frame(Opcode.TEXT, b"x", is_final=False) + frame(Opcode.TEXT, b"x" * 126))
@example(frame(Opcode.TEXT, b"x" * 126) + frame(Opcode.TEXT, b"x" * 126 + b"\xff"))
@example(frame(Opcode.TEXT, b"x" * 126) + frame(Opcode.TEXT, "é".encode() * 126) + frame(Opcode.PING, b""))
@example(b"\x81\x7e\x00\x05" + b"x" * 5)
@example(b"\x81\x7f" + bytes(7) + b"\x05" + b"x" * 5)
@example(b"\x81\x7f\xff" + bytes(7))
def test_messages_and_verdict_are_those_of_wsproto(data: bytes) -> None:
    messages, pings, end = read([data])
    theirs = read_with_wsproto(data)
    if end is None and theirs[2] == 1007:
        return  # it judges a text before all of its frame is there
    if end is not None and end.code == 1009:
        return  # it takes messages of any size
    assert (messages, pings, end and end.code) == theirs


@given(streams, st.data())
def test_where_the_bytes_are_cut_makes_no_difference(data: bytes, draw: st.DataObject) -> None:
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=10)))
    pieces = [data[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    assert read(pieces) == read([data])


@given(st.lists(legal_messages, max_size=4).map(b"".join))
def test_byte_by_byte_is_the_same_as_at_once(data: bytes) -> None:
    if len(data) < 2_000:
        assert read([data[at : at + 1] for at in range(len(data))]) == read([data])


def test_all_that_is_whole_comes_at_once() -> None:
    whole = frame(Opcode.TEXT, b"one") + frame(Opcode.PING, b"?") + in_pieces(Opcode.BINARY, b"two and three")
    half = frame(Opcode.TEXT, b"four")
    reader = FrameReader(MOST_BYTES)
    assert reader.push(whole + half[:3]) == [b"one", b"two and three"]
    assert reader.take_pings() == [b"?", b"between"]
    assert reader.take_pings() == []
    assert reader.push(half[3:]) == [b"four"]
    assert reader.end is None


@pytest.mark.parametrize(
    "data",
    [
        b"\x81\x7f" + (MOST_BYTES + 1).to_bytes(8, "big"),
        frame(Opcode.TEXT, b"x" * MOST_BYTES, is_final=False) + b"\x80\x01",
    ],
)
def test_what_is_too_long_is_refused_when_it_is_announced(data: bytes) -> None:
    messages, _, end = read([data])
    assert not messages
    assert end is not None
    assert end.code == 1009
    assert str(MOST_BYTES) in str(end.problem)


def test_what_is_short_in_two_bytes_may_be_too_long() -> None:
    reader = FrameReader(200)
    messages = reader.push(frame(Opcode.TEXT, b"x" * 200) + frame(Opcode.TEXT, b"x" * 201))
    assert messages == [b"x" * 200]
    assert reader.end is not None
    assert reader.end.code == 1009


def test_the_longest_message_is_read() -> None:
    longest = b"x" * MOST_BYTES
    in_two = frame(Opcode.TEXT, longest[:-1], is_final=False) + frame(Opcode.CONTINUATION, longest[-1:])
    assert read([frame(Opcode.TEXT, longest) + in_two]) == ([longest, longest], [], None)


def test_pieces_of_nothing_take_no_room() -> None:
    reader = FrameReader(MOST_BYTES)
    assert reader.push(frame(Opcode.TEXT, b"", is_final=False)) == []
    nothing = frame(Opcode.CONTINUATION, b"", is_final=False) * 50_000
    tracemalloc.start()
    assert reader.push(nothing) == []
    grown_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown_bytes < 50_000
    assert reader.push(frame(Opcode.CONTINUATION, b"all")) == [b"all"]


@pytest.mark.parametrize("last", [frame(Opcode.CLOSE, b"\x03\xe8"), frame(Opcode.TEXT, b"\xff"), b"\x83\x00"])
def test_nothing_is_read_after_the_end(last: bytes) -> None:
    reader = FrameReader(MOST_BYTES)
    assert reader.push(frame(Opcode.TEXT, b"before") + last + frame(Opcode.TEXT, b"after")) == [b"before"]
    end = reader.end
    assert end is not None
    assert (end.problem is None) == (end.code == 1000)
    assert reader.push(frame(Opcode.TEXT, b"after")) == []
    assert reader.end is end


@pytest.mark.parametrize(("code", "is_legal"), [(1000, True), (1004, False), (1005, False), (1015, False),
    (1016, False), (2999, False), (3000, True), (4999, True), (5000, False), (999, False)])  # fmt: skip
def test_codes_that_a_server_may_close_with(code: int, is_legal: bool) -> None:
    _, _, end = read([frame(Opcode.CLOSE, code.to_bytes(2, "big"))])
    assert end is not None
    assert end.code == (code if is_legal else 1002)
