"""`daemon.tcp` on real sockets of this machine."""

from __future__ import annotations

import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from zccvoice.daemon.tcp import BUSY_AFTER, GATHER_S, READ_BYTES, WaitingStream, open_tcp


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[WaitingStream, trio.SocketStream]]:
    """Both ends of a connection."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        near = await open_tcp("127.0.0.1", listener.socket.getsockname()[1])
        far = await listener.accept()
        async with near, far:
            yield near, far


async def test_what_is_sent_arrives_to_the_end() -> None:
    async with connected() as (near, far):
        await near.wait_send_all_might_not_block()
        await near.send_all(b"there")
        assert await far.receive_some() == b"there"
        await far.send_all(b"and back")
        assert await near.receive_some(3) == b"and"
        assert await near.receive_some() == b" back"
        await far.send_eof()
        assert await near.receive_some() == b""
        assert await near.receive_some() == b""


async def test_who_is_cancelled_loses_nothing() -> None:
    async with connected() as (near, far):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(near.receive_some)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        await far.send_all(b"late")
        assert await near.receive_some() == b"late"


async def test_a_reset_connection_is_broken() -> None:
    async with connected() as (near, far):
        far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await far.aclose()
        with pytest.raises(trio.BrokenResourceError):
            await near.receive_some()


async def test_closing_wakes_who_reads_and_nothing_is_read_afterwards() -> None:
    async with connected() as (near, _):
        closed: list[Exception] = []

        async def read() -> None:
            try:
                await near.receive_some()
            except trio.ClosedResourceError as error:
                closed.append(error)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            await trio.testing.wait_all_tasks_blocked()
            await near.aclose()
        assert closed
        for _ in range(2):
            with pytest.raises(trio.ClosedResourceError):
                await near.receive_some()


async def make_busy(near: WaitingStream, far: trio.SocketStream) -> None:
    """Have something come all the time."""
    for _ in range(BUSY_AFTER):
        await far.send_all(b"-")
        assert await near.receive_some() == b"-"


async def test_what_comes_all_the_time_is_read_together(autojump_clock: trio.testing.MockClock) -> None:
    async with connected() as (near, far):
        await make_busy(near, far)
        begin, read = trio.current_time(), list[bytes]()
        assert begin == 0

        async def read_once() -> None:
            read.append(await near.receive_some())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read_once)
            for number in range(10):
                await far.send_all(b"%d" % number)
                assert not read
        assert read == [b"0123456789"]
        assert 0.5 * GATHER_S < trio.current_time() <= 1.01 * GATHER_S


async def test_after_a_silence_the_first_is_read_at_once(autojump_clock: trio.testing.MockClock) -> None:
    async with connected() as (near, far):
        await make_busy(near, far)

        async def speak_late() -> None:
            await trio.sleep(10)
            await far.send_all(b"late")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(speak_late)
            assert await near.receive_some() == b"late"
        for _ in range(BUSY_AFTER):
            await far.send_all(b"again")
            assert await near.receive_some() == b"again"
        assert trio.current_time() == pytest.approx(10)


async def test_more_than_one_read_takes_is_read_without_a_wait(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with connected() as (near, far):
        await make_busy(near, far)
        burst = bytes(3 * READ_BYTES)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(far.send_all, burst)
            rest = len(burst)
            while rest > 0:
                rest -= len(await near.receive_some(READ_BYTES // 16))
        assert rest == 0
        assert trio.current_time() < 2.01 * GATHER_S


async def test_closing_ends_the_wait_of_who_gathers(autojump_clock: trio.testing.MockClock) -> None:
    async with connected() as (near, far):
        await make_busy(near, far)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(near.aclose)
            with pytest.raises(trio.ClosedResourceError):
                await near.receive_some()
