"""`daemon.websocket.Line.converse`: one conversation in virtual time, with a connection core that is real."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from tests.daemon.conftest import SETTINGS
from zccvoice.daemon.websocket import UNREAD_S, Line
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


class Conversation:
    """What is told of one, and by whom it is told slowly."""

    def __init__(self) -> None:
        self.peer = Peer()
        self.told: list[Any] = []
        self.slow_s: dict[int, float] = {}
        """By the number of a packet: how long whoever is told of it needs."""
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
            await self._line.converse(self.peer, self._core, self._take)
        finally:
            self.ended_at = trio.current_time()

    def rejected(self) -> StreamEvent:
        return self._rejected.receive_nowait()

    def _take(self, event: object) -> Awaitable[None] | None:
        if isinstance(event, AudioReceived):
            seconds = self.slow_s.get((event.timestamp_ms - START_MS) // 100)
            if seconds is not None:
                return self._tell_slowly(event, seconds)
        self.told.append(event)
        return None

    async def _tell_slowly(self, event: object, seconds: float) -> None:
        await trio.sleep(seconds)
        self.told.append(event)


@asynccontextmanager
async def conversing() -> AsyncIterator[Conversation]:
    conversation = Conversation()
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
