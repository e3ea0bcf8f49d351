"""`daemon.websocket.connect_websocket` against a server with TLS."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
import trio_websocket

from tests.tls import Authority
from zccvoice.config import ZoomConfig
from zccvoice.daemon.websocket import connect_websocket


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
