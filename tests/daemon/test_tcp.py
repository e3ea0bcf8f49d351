"""`daemon.tcp` on real sockets of this machine."""

from __future__ import annotations

import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from zccvoice.daemon.tcp import WaitingStream, open_tcp


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
