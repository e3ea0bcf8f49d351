"""`daemon.tls` against a server of the standard library's TLS, on memory streams."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import trio
import trio.testing

from tests.tls import Authority
from zccvoice.daemon.tls import RECORD_BYTES, WholeReads

MANY = 2**16
Contexts: TypeAlias = tuple[ssl.SSLContext, ssl.SSLContext]
Secure: TypeAlias = "trio.SSLStream[Any]"


class Ends:
    """Both ends of a connection, and what lies below the server's TLS."""

    def __init__(self, client: Secure, server: Secure, far: trio.abc.Stream) -> None:
        self.client = client
        self.server = server
        self.far = far


@pytest.fixture
def contexts(tmp_path: Path) -> Contexts:
    authority = Authority()
    ours = ssl.create_default_context(cafile=authority.write(tmp_path / "ca.pem"))
    ours.sslobject_class = WholeReads
    return ours, authority.server_context(tmp_path, days=9)


@asynccontextmanager
async def connected(contexts: Contexts) -> AsyncIterator[Ends]:
    near, far = trio.testing.memory_stream_pair()
    client = trio.SSLStream(near, contexts[0], server_hostname="127.0.0.1", https_compatible=True)
    server = trio.SSLStream(far, contexts[1], server_side=True, https_compatible=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.do_handshake)
        nursery.start_soon(server.do_handshake)
    yield Ends(client, server, far)


async def test_all_records_that_are_there_come_at_once(
    contexts: Contexts,
) -> None:
    async with connected(contexts) as ends:
        for part in (b"one", b"two", b"three", b"x" * (RECORD_BYTES + 1)):
            await ends.server.send_all(part)
        assert await ends.client.receive_some(MANY) == b"onetwothree" + b"x" * (RECORD_BYTES + 1)
        await ends.client.send_all(b"heard")
        assert await ends.server.receive_some(MANY) == b"heard"


async def test_no_more_comes_than_is_asked_for(contexts: Contexts) -> None:
    async with connected(contexts) as ends:
        for part in (b"one", b"two"):
            await ends.server.send_all(part)
        for part in (b"onet", b"wo"):
            assert await ends.client.receive_some(4) == part


async def test_a_goodbye_comes_after_what_was_said_before_it(
    contexts: Contexts,
) -> None:
    async with connected(contexts) as ends:
        for part in (b"one", b"two"):
            await ends.server.send_all(part)
        await ends.server.aclose()
        assert await ends.client.receive_some(MANY) == b"onetwo"
        assert await ends.client.receive_some(MANY) == b""


async def test_what_is_wrong_is_told_after_what_was_right(
    contexts: Contexts,
) -> None:
    async with connected(contexts) as ends:
        for part in (b"one", b"two"):
            await ends.server.send_all(part)
        await ends.far.send_all(b"\x17\x03\x03\x00\x20" + bytes(32))
        assert await ends.client.receive_some(MANY) == b"onetwo"
        for _ in range(2):
            with pytest.raises(trio.BrokenResourceError):
                await ends.client.receive_some(MANY)
