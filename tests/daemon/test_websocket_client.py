"""`daemon.websocket_client` against a server that is wsproto, on memory streams."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from trio_websocket import ConnectionClosed, ConnectionRejected
from wsproto import ConnectionType
from wsproto.connection import Connection
from wsproto.events import CloseConnection, Event, Pong, TextMessage

from zccvoice.daemon.websocket_client import WebSocketClient, agree
from zccvoice.simulator.frames import Opcode, frame


class Server:
    """The other end of a client's stream."""

    def __init__(self, ahead: bytes = b"") -> None:
        near, self.stream = trio.testing.memory_stream_pair()
        self.client = WebSocketClient(near, ahead)
        self._connection = Connection(ConnectionType.SERVER)

    async def events(self) -> list[Event]:
        """What the client has sent."""
        self._connection.receive_data(bytes(await self.stream.receive_some()))
        return list(self._connection.events())


async def test_all_that_is_there_comes_at_once_and_pings_are_answered() -> None:
    server = Server(ahead=frame(Opcode.TEXT, b"ahead"))
    assert await server.client.get_messages() == [b"ahead"]
    ping = frame(Opcode.PING, b"?")
    await server.stream.send_all(frame(Opcode.TEXT, b"one") + ping + frame(Opcode.BINARY, b"two") + ping)
    assert await server.client.get_messages() == [b"one", b"two"]
    assert await server.events() == [Pong(payload=b"?"), Pong(payload=b"?")]
    await server.client.send_message("to you")
    assert await server.events() == [TextMessage(data="to you")]


@pytest.mark.parametrize("is_ahead", [True, False])
async def test_the_servers_goodbye_is_answered_once_and_comes_after_its_messages(is_ahead: bool) -> None:
    last = frame(Opcode.TEXT, b"last") + frame(Opcode.CLOSE, b"\x0f\xa1")
    server = Server(ahead=last if is_ahead else b"")
    if not is_ahead:
        await server.stream.send_all(last)
    assert await server.client.get_messages() == [b"last"]
    for _ in range(2):
        with pytest.raises(ConnectionClosed) as closed:
            await server.client.get_messages()
        assert closed.value.reason is not None
        assert closed.value.reason.code == 4001
    with pytest.raises(ConnectionClosed):
        await server.client.send_message("too late")
    assert await server.events() == [CloseConnection(code=4001, reason="")]
    await server.client.say_goodbye()
    await trio.testing.wait_all_tasks_blocked()
    with trio.move_on_after(0) as nothing_more:
        await server.stream.receive_some()
    assert nothing_more.cancelled_caught


async def test_a_violation_is_told_to_the_server() -> None:
    server = Server()
    await server.stream.send_all(frame(Opcode.TEXT, b"good") + frame(Opcode.TEXT, b"\xff"))
    assert await server.client.get_messages() == [b"good"]
    assert await server.events() == [CloseConnection(code=1007, reason="")]
    with pytest.raises(ConnectionClosed):
        await server.client.get_messages()


async def test_our_goodbye_waits_for_its_answer(autojump_clock: trio.testing.MockClock) -> None:
    server = Server()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.client.say_goodbye)
        assert await server.events() == [CloseConnection(code=1000, reason="")]
        await server.stream.send_all(frame(Opcode.TEXT, b"on its way"))
        await trio.testing.wait_all_tasks_blocked()
        assert nursery.child_tasks
        await server.stream.send_all(frame(Opcode.CLOSE, b"\x03\xe8"))


async def test_who_is_cancelled_loses_nothing(autojump_clock: trio.testing.MockClock) -> None:
    server = Server()
    whole = frame(Opcode.TEXT, b"in two pieces")
    await server.stream.send_all(whole[:5])
    with trio.move_on_after(1) as waiting:
        await server.client.get_messages()
    assert waiting.cancelled_caught
    await server.stream.send_all(whole[5:])
    assert await server.client.get_messages() == [b"in two pieces"]


async def test_a_lost_connection_has_no_goodbye() -> None:
    server = Server()
    await server.stream.aclose()
    with pytest.raises(ConnectionClosed) as closed:
        await server.client.get_messages()
    assert closed.value.reason is not None
    assert closed.value.reason.code == 1006
    with pytest.raises(ConnectionClosed):
        await server.client.send_message("anybody?")
    await server.client.say_goodbye()


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", ConnectionRejected), (b"", ConnectionClosed)],
)
async def test_a_server_that_does_not_agree(answer: bytes, refusal: type[Exception]) -> None:
    near, far = trio.testing.memory_stream_pair()
    await far.send_all(answer)
    await far.send_eof()
    with pytest.raises(refusal):
        await agree(near, "zoom.test", "/media")
