"""Why a stream ended: what Zoom tells elsewhere, a moment before or after."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from tests.daemon.conftest import SETTINGS
from tests.daemon.test_receiver import AUDIO, LANGUAGES, MEDIA_OK, SIGNALING_OK, Scripted
from zccvoice.daemon.media_line import TERMINATION_WAIT_S
from zccvoice.daemon.receiver import WebSocketReceiver
from zccvoice.rtms.enums import MessageType, Product
from zccvoice.rtms.events import EventsMissed, MediaOpened, ReceptionBroken, StreamEnded, StreamEvent
from zccvoice.rtms.webhook import StreamStarted

Order = Callable[[WebSocketReceiver], None]
NO_MEDIA = '{"msg_type":4,"status_code":4,"reason":"invalid payload"}'
OVER = '{"msg_type":2,"status_code":2,"reason":"the stream was not found"}'


class Ending(Scripted):
    """Zoom ends the stream at that second, without a reason."""

    def __init__(self, at_s: float) -> None:
        super().__init__(SIGNALING_OK)
        self._at_s = at_s

    async def get_messages(self) -> list[bytes]:
        if not self.messages:
            await trio.sleep_until(self._at_s)
            self.messages.append('{"msg_type":8,"state":4,"timestamp":1781000600000}')
        return await super().get_messages()


class Closing(Scripted):
    """Closed at that second."""

    def __init__(self, at_s: float, *messages: str) -> None:
        super().__init__(*(messages or (SIGNALING_OK,)), closes=True)
        self._at_s = at_s

    async def get_messages(self) -> list[bytes]:
        if not self.messages:
            await trio.sleep_until(self._at_s)
        return await super().get_messages()


async def received(
    signaling: list[Scripted], orders: list[tuple[float, Order]], media: Sequence[Scripted] = ()
) -> list[StreamEvent]:
    """What a receiver tells whose connections are these, and who is given orders at those seconds.

    Media connections that are not given stay open.
    """
    scripts = [*media]

    @asynccontextmanager
    async def connect(url: str, timeout_s: float) -> AsyncIterator[Any]:
        if not url.endswith("/m"):
            yield signaling.pop(0)
        else:
            yield scripts.pop(0) if scripts else Scripted(MEDIA_OK, AUDIO)

    started = StreamStarted(Product.CONTACT_CENTER, "E", "S", "ws://127.0.0.1/s", 1_781_000_000_000)
    events_send, events_receive = trio.open_memory_channel[StreamEvent](100)
    receiver = WebSocketReceiver(SETTINGS, LANGUAGES, started, events_send, connect)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(receiver.run)
        for at_s, order in orders:
            await trio.sleep_until(at_s)
            order(receiver)
    return [event async for event in events_receive]


def retire(cause: str) -> Order:
    return lambda receiver: receiver.retire(cause)


@pytest.mark.parametrize(
    ("orders", "cause", "ends_s"),
    [
        pytest.param([], "unspecified", 20 + TERMINATION_WAIT_S, id="never"),
        pytest.param([(19, retire("customer_disconnected"))], "customer_disconnected", 20, id="before"),
        pytest.param([(23, retire("customer_disconnected"))], "customer_disconnected", 23, id="after"),
        pytest.param(
            [(19, retire("superseded")), (23, retire("agent_disconnected"))],
            "agent_disconnected",
            23,
            id="by Zoom, and not by us",
        ),
        pytest.param([(23, lambda receiver: receiver.stop("shutdown"))], "unspecified", 23, id="no time"),
    ],
)
async def test_a_reason_that_signaling_does_not_give_is_that_of_the_webhook(
    orders: list[tuple[float, Order]], cause: str, ends_s: float, autojump_clock: trio.testing.MockClock
) -> None:
    events = await received([Ending(20)], orders)
    assert events[-1] == StreamEnded(cause, "Zoom ended the stream")
    assert not any(isinstance(one, ReceptionBroken) for one in events), "to wait is not to be deaf"
    assert ends_s <= trio.current_time() < ends_s + 2.5


@pytest.mark.parametrize(
    ("orders", "ended"),
    [
        ([], "connection_lost"),
        ([(23, retire("customer_disconnected"))], "customer_disconnected"),
        ([(23, lambda receiver: receiver.stop("shutdown"))], "shutdown"),
    ],
)
async def test_a_stream_that_is_not_let_in_again_may_be_over_for_a_reason(
    orders: list[tuple[float, Order]], ended: str, autojump_clock: trio.testing.MockClock
) -> None:
    *_, last = await received([Closing(20), Scripted(OVER)], orders)
    assert isinstance(last, StreamEnded)
    assert last.cause == ended


async def test_a_stream_that_is_not_let_in_again_may_be_announced_elsewhere(
    autojump_clock: trio.testing.MockClock,
) -> None:
    moved: list[tuple[float, Order]] = [(23, lambda receiver: receiver.reconnect("ws://127.0.0.1:2/s"))]
    stop: list[tuple[float, Order]] = [(40, lambda receiver: receiver.stop("shutdown"))]
    events = await received([Closing(20), Scripted(OVER), Scripted(SIGNALING_OK)], moved + stop)
    assert [type(one) for one in events if isinstance(one, MediaOpened | EventsMissed)] == [
        MediaOpened, EventsMissed, MediaOpened,
    ]  # fmt: skip
    assert events[-1] == StreamEnded("shutdown", "stopped by us")


async def test_what_was_refused_before_a_failover_is_no_reason_after_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Media were given up, and the stream is announced elsewhere before it is over; then signaling breaks."""
    media = [Closing(20, MEDIA_OK, AUDIO), Scripted(NO_MEDIA)]
    moved: list[tuple[float, Order]] = [(27, lambda receiver: receiver.reconnect("ws://127.0.0.1:2/s"))]
    stop: list[tuple[float, Order]] = [(90, lambda receiver: receiver.stop("shutdown"))]
    signaling = [Scripted(SIGNALING_OK), Closing(60), Scripted(SIGNALING_OK)]
    events = await received(signaling, moved + stop, media)
    assert [type(one) for one in events if isinstance(one, MediaOpened)] == [MediaOpened] * 3
    assert events[-1] == StreamEnded("shutdown", "stopped by us")


async def test_what_zoom_revokes_while_we_say_goodbye_is_revoked(
    autojump_clock: trio.testing.MockClock,
) -> None:
    class Revoking(Scripted):
        async def get_messages(self) -> list[bytes]:
            while not self.messages:
                await trio.sleep(0.1)
            return await super().get_messages()

        async def send_message(self, message: str) -> None:
            await super().send_message(message)
            if self.said[-1]["msg_type"] == MessageType.STREAM_CLOSE_REQ:
                self.messages.append('{"msg_type":8,"state":4,"reason":8,"timestamp":1781000600000}')

    events = await received(
        [Revoking(SIGNALING_OK)], [(20, lambda receiver: receiver.stop("remote_protocol"))]
    )
    assert events[-1] == StreamEnded("stream_revoked", "Zoom ended the stream")
