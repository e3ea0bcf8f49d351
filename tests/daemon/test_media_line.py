"""A media connection that Zoom says it has lost, or that is hung up on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from tests.daemon.conftest import SETTINGS
from zccvoice.daemon.audio_format import wanted_audio
from zccvoice.daemon.media_line import SUSPICIOUS_S, MediaLine
from zccvoice.daemon.websocket import Line, OnEvent
from zccvoice.rtms import wire
from zccvoice.rtms.enums import Product
from zccvoice.rtms.events import AudioReceived, StreamEvent
from zccvoice.rtms.identity import StreamIdentity
from zccvoice.rtms.media import MediaEvent
from zccvoice.rtms.media_plan import plan_media
from zccvoice.rtms.messages import (
    AudioContent,
    AudioData,
    KeepAliveRequest,
    MediaHandshakeResponse,
    MediaParams,
)

CCV = Product.CONTACT_CENTER


class Server:
    """Agrees to every handshake; the first connection says something at the given moments, and then nothing."""

    def __init__(self, *speaks_at_s: float) -> None:
        self._speaks_at_s = speaks_at_s
        self.connected_at_s: list[float] = []

    @asynccontextmanager
    async def connect(self, url: str, timeout_s: float) -> AsyncIterator[_Socket]:
        await trio.lowlevel.checkpoint()
        is_first = not self.connected_at_s
        self.connected_at_s.append(round(trio.current_time(), 3))
        yield _Socket(self._speaks_at_s if is_first else range(0, 1_000, 5))


class _Socket:
    def __init__(self, speaks_at_s: tuple[float, ...] | range) -> None:
        self._speaks_at_s = [*speaks_at_s]
        self._has_agreed = False

    async def send_message(self, text: str) -> None:
        await trio.lowlevel.checkpoint()

    async def get_messages(self) -> list[bytes]:
        if not self._has_agreed:
            await trio.lowlevel.checkpoint()
            self._has_agreed = True
            return [wire.encode(MediaHandshakeResponse(status_code=0)).encode()]
        while self._speaks_at_s:
            at = self._speaks_at_s[0]
            await trio.sleep_until(at)
            del self._speaks_at_s[0]
            if at >= trio.current_time():
                return [wire.encode(KeepAliveRequest(timestamp=1)).encode()]
        await trio.sleep_forever()
        raise AssertionError


def line_to(
    server: Server,
    events_send: trio.MemorySendChannel[StreamEvent],
    on_event: OnEvent = lambda event: None,
    on_lost: Callable[[float], None] = lambda since: None,
) -> MediaLine:
    (planned,) = plan_media(
        {"audio": "ws://127.0.0.1:1/a"}, CCV, MediaParams(audio=wanted_audio(SETTINGS, CCV))
    )
    return MediaLine(
        planned,
        StreamIdentity.sign(CCV, "E", "S", "id", "secret"),
        Line("media", SETTINGS, events_send, server.connect),
        SETTINGS,
        announce=trio.lowlevel.checkpoint,
        on_event=on_event,
        on_lost=on_lost,
    )


async def served(server: Server, doubted_at_s: float, on_event: OnEvent = lambda event: None) -> list[float]:
    """When connections were made up to 30 s, if Zoom tells of a loss at that moment."""
    events_send, events_receive = trio.open_memory_channel[StreamEvent](100)
    line = line_to(server, events_send, on_event)
    async with events_receive, trio.open_nursery() as nursery:
        nursery.start_soon(line.run)
        await trio.sleep(doubted_at_s)
        line.doubt()
        await trio.sleep_until(30)
        nursery.cancel_scope.cancel()
    return server.connected_at_s


@pytest.mark.parametrize("doubted_at_s", [2.5, 6, 12])
async def test_a_connection_that_zoom_has_lost_is_made_again_when_nothing_more_comes(
    doubted_at_s: float, autojump_clock: MockClock
) -> None:
    first, second = await served(Server(1, 2), doubted_at_s)
    assert first == 0
    assert max(doubted_at_s, 2 + SUSPICIOUS_S) < second < max(doubted_at_s, 2 + SUSPICIOUS_S) + 1


async def test_what_comes_dispels_the_doubt(autojump_clock: MockClock) -> None:
    assert await served(Server(1, 2, 9, 18, 27), 2.5) == [0]


async def test_a_doubt_costs_no_packet_that_waits_to_be_taken(autojump_clock: MockClock) -> None:
    heard: list[int] = []

    class Talking(_Socket):
        async def get_messages(self) -> list[bytes]:
            (message,) = await super().get_messages()
            if not self._speaks_at_s or b'"msg_type":12' not in message:
                return [message]
            begin_ms = 1_781_000_000_000 + int(trio.current_time() * 1000)
            contents = [AudioContent(data=b"12", timestamp=begin_ms + at, channel_id="ch") for at in range(3)]
            return [wire.encode(AudioData(content=one)).encode() for one in contents]

    class Talker(Server):
        @asynccontextmanager
        async def connect(self, url: str, timeout_s: float) -> AsyncIterator[_Socket]:
            await trio.lowlevel.checkpoint()
            self.connected_at_s.append(trio.current_time())
            yield Talking(range(1, 40))

    async def take(event: MediaEvent) -> None:
        if 12.5 < trio.current_time() < 13.5:  # there is no room when the doubt would come to its end
            await trio.sleep(2)
        if isinstance(event, AudioReceived):
            heard.append(event.timestamp_ms)

    assert await served(Talker(), 3.1, take) == [0]
    assert len(heard) >= 3 * 24
    assert len(heard) == len({*heard})
    begun = sorted({one // 1000 for one in heard})
    assert [sum(one // 1000 == at for one in heard) for at in begun[:-1]] == [3] * (len(begun) - 1)


DRAIN_S = 2.0


async def hung_up(server: Server, at_s: float) -> tuple[list[float], float]:
    """Since when nothing was heard, each time a connection was lost, and when the line is over."""
    lost: list[float] = []
    events_send, _events_receive = trio.open_memory_channel[StreamEvent](100)
    line = line_to(server, events_send, on_lost=lost.append)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(line.run)
        await trio.sleep(at_s)
        line.hang_up(DRAIN_S)
    return lost, trio.current_time()


@pytest.mark.parametrize(
    ("speaks_at_s", "deaf_since_s"),
    [((1, 2), 2), ((1, 2, 12), 22), ((1, 2, 12, 21), 22), ((1, 2, 21), 22)],
    ids=["gone", "quiet", "late words", "only late words"],
)
async def test_a_hang_up_tells_since_when_nothing_was_heard(
    speaks_at_s: tuple[float, ...], deaf_since_s: float, autojump_clock: MockClock
) -> None:
    lost, over_at_s = await hung_up(Server(*speaks_at_s), 20)
    assert lost == [pytest.approx(deaf_since_s)]
    assert over_at_s == pytest.approx(20 + DRAIN_S)


class _Mute(_Socket):
    async def get_messages(self) -> list[bytes]:
        await trio.sleep_forever()
        raise AssertionError


class Unreachable(Server):
    """Takes its time at one step on the way to a connection."""

    def __init__(self, step: str) -> None:
        super().__init__()
        self._step = step

    @asynccontextmanager
    async def connect(self, url: str, timeout_s: float) -> AsyncIterator[_Socket]:
        if self._step == "refused":
            raise OSError("refused")
        if self._step == "connecting":
            await trio.sleep(timeout_s)
        yield _Mute(())


@pytest.mark.parametrize("step", ["connecting", "handshake", "refused"])
async def test_a_hang_up_calls_off_the_attempt_to_connect(step: str, autojump_clock: MockClock) -> None:
    assert await hung_up(Unreachable(step), 3) == ([], 3)
