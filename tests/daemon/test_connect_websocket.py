"""`daemon.websocket.connect_websocket` against a server with TLS."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import trio
import trio.testing
import trio_websocket
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection

from tests.tls import Authority
from zccvoice.config import ZoomConfig
from zccvoice.daemon import websocket as websocket_module
from zccvoice.daemon.websocket import Line, connect_websocket
from zccvoice.errors import ConnectionFailedError
from zccvoice.rtms.events import StreamEvent
from zccvoice.simulator.frames import Opcode, frame


async def test_a_server_of_ones_own_authority(tmp_path: Path) -> None:
    authority = Authority()
    settings = ZoomConfig(ca_file=authority.write(tmp_path / "ca.pem"))
    tls = authority.server_context(tmp_path, days=9)

    async def echo(request: trio_websocket.WebSocketRequest) -> None:
        websocket = await request.accept()
        await websocket.send_message(await websocket.get_message())

    async with trio.open_nursery() as nursery:
        with trio.fail_after(10):
            server = await nursery.start(trio_websocket.serve_websocket, echo, "127.0.0.1", 0, tls)
            url = f"wss://127.0.0.1:{server.port}/"
            async with connect_websocket(url, 5, settings.tls_context) as websocket:
                await websocket.send_message("to and fro")
                assert await websocket.get_messages() == [b"to and fro"]
            of_the_system = ZoomConfig().tls_context()
            stream = await trio.open_ssl_over_tcp_stream("127.0.0.1", server.port, ssl_context=of_the_system)
            async with stream:
                with pytest.raises(trio.BrokenResourceError):
                    await stream.do_handshake()
        nursery.cancel_scope.cancel()


async def test_messages_in_records_of_their_own_are_read_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, (near, far) = Authority(), trio.testing.memory_stream_pair()
    settings = ZoomConfig(ca_file=authority.write(tmp_path / "ca.pem"))
    secure = trio.SSLStream(far, authority.server_context(tmp_path, days=9), server_side=True)
    agreed, sent = trio.Event(), trio.Event()

    async def open_memory(host: str, port: int) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        return near

    async def serve() -> None:
        connection = WSConnection(ConnectionType.SERVER)
        connection.receive_data(bytes(await secure.receive_some()))
        await secure.send_all(connection.send(AcceptConnection()))
        await agreed.wait()
        for text in (b"one", b"two", b"three"):
            await secure.send_all(frame(Opcode.TEXT, text))
        sent.set()
        await secure.receive_some()
        await far.aclose()

    monkeypatch.setattr(websocket_module, "open_tcp", open_memory)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        async with connect_websocket("wss://127.0.0.1/", 5, settings.tls_context) as websocket:
            agreed.set()
            await sent.wait()
            assert await websocket.get_messages() == [b"one", b"two", b"three"]


async def test_an_attempt_is_called_off_at_once_and_leaves_no_connection() -> None:
    settings = ZoomConfig(allowed_hosts=("127.0.0.1",))
    events_send, _ = trio.open_memory_channel[StreamEvent](0)
    attempt = trio.CancelScope()

    async def swallow(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        attempt.cancel()
        async for _ in stream:  # to its end
            pass
        nursery.cancel_scope.cancel()

    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            (listener,) = await nursery.start(partial(trio.serve_tcp, host="127.0.0.1"), swallow, 0)
            url = f"wss://127.0.0.1:{listener.socket.getsockname()[1]}/"
            with pytest.raises(ConnectionFailedError, match="called off"):
                async with Line("media", settings, events_send).open(url, attempt):
                    raise AssertionError
            await trio.sleep_forever()
