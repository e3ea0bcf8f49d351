"""`daemon.websocket.Line.converse`: one conversation in virtual time, with a connection core that is real."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
import trio.testing
from trio.testing import MockClock
from wsproto import ConnectionType
from wsproto.connection import Connection
from wsproto.events import TextMessage

from tests.daemon.conftest import SETTINGS
from zccvoice.daemon.tcp import BUSY_AFTER, GATHER_S, WaitingStream
from zccvoice.daemon.websocket import UNREAD_S, Line
from zccvoice.daemon.websocket_client import WebSocketClient
from zccvoice.errors import ConnectionFailedError
from zccvoice.rtms import wire
from zccvoice.rtms.enums import Product
from zccvoice.rtms.events import AudioReceived, MediaOpened, MessageRejected, StreamEvent
from zccvoice.rtms.identity import StreamIdentity
from zccvoice.rtms.media import MediaAccepted, MediaConnection
from zccvoice.rtms.messages import (
    AudioContent,
    AudioData,
    AudioParams,
    KeepAliveRequest,
    KeepAliveResponse,
    MediaHandshakeResponse,
    MediaParams,
    TypedMessage,
)
from zccvoice.simulator.frames import Opcode, frame

IDENTITY = StreamIdentity(Product.MEETING, "E", "S", "a signature")
SILENCE_S = 15.0
START_MS = 1_781_000_000_000
ACCEPTED = MediaHandshakeResponse(status_code=0)


def sound(number: int) -> AudioData:
    content = AudioContent(data=b"\1\0", timestamp=START_MS + number * 100, channel_id="ch")
    return AudioData(content=content)


class Peer:
    """As much of a `WebSocketClient` as a conversation needs: says what the test has it say."""

    def __init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel[list[bytes]](100)
        self.heard: list[TypedMessage] = []

    def say(self, *messages: TypedMessage | str) -> None:
        """All at once."""
        texts = [one if isinstance(one, str) else wire.encode(one) for one in messages]
        self._send.send_nowait([text.encode() for text in texts])

    async def get_messages(self) -> list[bytes]:
        return await self._receive.receive()

    async def send_message(self, text: str) -> None:
        await trio.lowlevel.checkpoint()
        self.heard.append(wire.decode(text))  # type: ignore[arg-type]


class TcpPeer(Peer):
    """The same at the other end of a TCP connection."""

    def __init__(self, near: trio.SocketStream, far: trio.SocketStream) -> None:
        super().__init__()
        self.client = WebSocketClient(WaitingStream(near))
        self._far = far

    def say(self, *messages: TypedMessage | str) -> None:
        texts = [one if isinstance(one, str) else wire.encode(one) for one in messages]
        data = b"".join(frame(Opcode.TEXT, text.encode()) for text in texts)
        assert os.write(self._far.socket.fileno(), data) == len(data)

    async def listen(self) -> None:
        """Until the client is gone."""
        connection = Connection(ConnectionType.SERVER)
        async for data in self._far:
            connection.receive_data(bytes(data))
            for event in connection.events():
                assert isinstance(event, TextMessage)
                self.heard.append(wire.decode(event.data))  # type: ignore[arg-type]


class Conversation:
    """What is told of one, and by whom it is told slowly."""

    def __init__(self, peer: Peer | None = None) -> None:
        self.peer = peer or Peer()
        self.told: list[Any] = []
        self.slow_s: dict[int, float] = {}
        """By the number of a packet: how long whoever is told of it needs."""
        self.fails_at: int | None = None
        """Whoever is told of that packet has a defect."""
        events_send, self._rejected = trio.open_memory_channel[StreamEvent](100)
        self._line = Line("media", SETTINGS, events_send)
        self._core = MediaConnection(
            IDENTITY,
            1,
            MediaParams(audio=AudioParams()),
            silence_timeout_s=SILENCE_S,
            now=trio.current_time(),
        )
        self.ended_at: float | None = None

    @property
    def numbers(self) -> list[int]:
        """Those of the packets that were told."""
        return [(one.timestamp_ms - START_MS) // 100 for one in self.told if isinstance(one, AudioReceived)]

    async def run(self) -> None:
        try:
            websocket = self.peer.client if isinstance(self.peer, TcpPeer) else self.peer
            await self._line.converse(websocket, self._core, self._take)
        finally:
            self.ended_at = trio.current_time()

    def rejected(self) -> StreamEvent:
        return self._rejected.receive_nowait()

    def _take(self, event: object) -> Awaitable[None] | None:
        if isinstance(event, AudioReceived):
            if (event.timestamp_ms - START_MS) // 100 == self.fails_at:
                raise ZeroDivisionError
            seconds = self.slow_s.get((event.timestamp_ms - START_MS) // 100)
            if seconds is not None:
                return self._tell_slowly(event, seconds)
        self.told.append(event)
        return None

    async def _tell_slowly(self, event: object, seconds: float) -> None:
        await trio.sleep(seconds)
        self.told.append(event)


@asynccontextmanager
async def conversing(peer: Peer | None = None) -> AsyncIterator[Conversation]:
    conversation = Conversation(peer)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(conversation.run)
        conversation.peer.say(ACCEPTED)
        yield conversation
        nursery.cancel_scope.cancel()


async def test_what_comes_together_is_told_in_order_whoever_is_slow(autojump_clock: MockClock) -> None:
    async with conversing() as conversation:
        conversation.slow_s = {2: 1.0, 3: 2 * SILENCE_S, 6: UNREAD_S}
        conversation.peer.say(*map(sound, range(5)))
        conversation.peer.say(*map(sound, range(5, 8)))
        await trio.sleep(3 * SILENCE_S)
        assert conversation.numbers == list(range(8)), "who is told slowly is no silence of the server"
        assert isinstance(conversation.told[0], MediaAccepted)
        assert isinstance(conversation.told[1], MediaOpened)


async def test_what_cannot_be_understood_keeps_its_place_and_costs_nothing_else(
    autojump_clock: MockClock,
) -> None:
    async with conversing() as conversation:
        conversation.slow_s = {0: 1.0}
        conversation.peer.say(sound(0), "no JSON", sound(1), KeepAliveRequest(timestamp=5), sound(2))
        await trio.sleep(2)
        assert conversation.numbers == [0, 1, 2]
        assert isinstance(conversation.rejected(), MessageRejected)
        assert conversation.peer.heard[1:] == [KeepAliveResponse(timestamp=5)]


async def test_only_silence_is_silence(autojump_clock: MockClock) -> None:
    with pytest.RaisesGroup(ConnectionFailedError):
        async with conversing() as conversation:
            for number in range(20):
                await trio.sleep(SILENCE_S * 0.7)
                conversation.peer.say(sound(number))
            last = trio.current_time()
            await trio.sleep(10 * SILENCE_S)
    assert conversation.numbers == list(range(20))
    assert conversation.ended_at == pytest.approx(last + SILENCE_S)


@asynccontextmanager
async def busy() -> AsyncIterator[Conversation]:
    """A conversation over TCP in which something comes all the time: it is read together."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        near = await trio.open_tcp_stream(*listener.socket.getsockname()[:2])
        far = await listener.accept()
    peer = TcpPeer(near, far)
    async with near, far, trio.open_nursery() as nursery:
        nursery.start_soon(peer.listen)
        async with conversing(peer) as conversation:
            for number in range(BUSY_AFTER):
                await trio.sleep(GATHER_S / 10)
                peer.say(sound(number))
            await trio.sleep(GATHER_S)
            assert conversation.numbers == list(range(BUSY_AFTER))
            yield conversation
        nursery.cancel_scope.cancel()


async def test_what_is_read_together_is_told_as_what_comes_alone(autojump_clock: MockClock) -> None:
    async with busy() as conversation:
        say, first = conversation.peer.say, BUSY_AFTER
        conversation.slow_s = {first + 9: GATHER_S, first + 11: SILENCE_S / 2}
        for at in range(0, 12, 3):
            await trio.sleep(GATHER_S / 3)
            say(*map(sound, range(first + at, first + at + 3)))
        say("no JSON", KeepAliveRequest(timestamp=5), sound(first + 12))
        await trio.sleep(GATHER_S * 2.5)
        assert conversation.numbers == list(range(first + 11))
        await trio.sleep(SILENCE_S * 0.7)
        assert conversation.numbers == list(range(first + 13))
        assert isinstance(conversation.rejected(), MessageRejected)
        assert conversation.peer.heard[1:] == [KeepAliveResponse(timestamp=5)]


async def test_a_keep_alive_among_what_is_read_together_is_answered_with_it(
    autojump_clock: MockClock,
) -> None:
    async with busy() as conversation:
        for number in range(BUSY_AFTER, BUSY_AFTER + 50):
            conversation.peer.say(sound(number), KeepAliveRequest(timestamp=number))
            await trio.sleep(GATHER_S * 1.1)
            assert conversation.peer.heard[-1] == KeepAliveResponse(timestamp=number)
        assert conversation.numbers == list(range(BUSY_AFTER + 50))


async def test_silence_after_what_was_read_together_is_silence(autojump_clock: MockClock) -> None:
    with pytest.RaisesGroup(pytest.RaisesGroup(ConnectionFailedError)):
        async with busy() as conversation:
            for number in range(BUSY_AFTER, BUSY_AFTER + 200):
                conversation.peer.say(sound(number))
                await trio.sleep(GATHER_S)
            last = trio.current_time()
            await trio.sleep(10 * SILENCE_S)
    assert conversation.numbers == list(range(BUSY_AFTER + 200))
    assert conversation.ended_at == pytest.approx(last + SILENCE_S, abs=2 * GATHER_S)


async def test_what_fails_with_what_is_read_together_fails_the_conversation(
    autojump_clock: MockClock,
) -> None:
    with pytest.RaisesGroup(pytest.RaisesGroup(ZeroDivisionError)):
        async with busy() as conversation:
            conversation.fails_at = BUSY_AFTER
            conversation.peer.say(sound(BUSY_AFTER))
            await trio.sleep(1)
