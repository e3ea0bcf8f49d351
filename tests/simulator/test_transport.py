"""Streams that break on purpose, over real sockets."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from zccvoice.simulator.transport import Transport


@pytest.fixture
async def ends() -> Any:
    """A transport on one end of a TCP connection, and the other end."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    far = await trio.open_tcp_stream("127.0.0.1", listener.socket.getsockname()[1])
    near = Transport(await listener.accept())
    yield near, far
    await trio.aclose_forcefully(near)
    await far.aclose()
    await listener.aclose()


async def test_an_abort_is_a_reset(ends: Any) -> None:
    near, far = ends
    await near.abort()
    with pytest.raises(trio.BrokenResourceError):
        await far.receive_some()
    await near.abort()  # again is no harm


async def test_closing_is_no_reset(ends: Any) -> None:
    near, far = ends
    await near.send_all(b"last words")
    await near.aclose()
    assert await far.receive_some() == b"last words"
    assert await far.receive_some() == b""


async def test_nothing_gets_through_what_is_half_open(ends: Any) -> None:
    near, far = ends
    near.cut()
    await near.send_all(b"lost")
    await far.send_all(b"lost, too")
    async with trio.open_nursery() as nursery:

        async def receive() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await near.receive_some()

        nursery.start_soon(receive)
        await trio.testing.wait_all_tasks_blocked(0.05)
        await near.abort()
    with pytest.raises(trio.BrokenResourceError):
        await far.receive_some()
