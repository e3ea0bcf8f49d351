"""The byte stream under one WebSocket, and what a network can do to it."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress

import trio

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Transport(trio.abc.Stream):
    """A TCP, TLS or memory stream that several tasks may send on, and that can be broken on purpose."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._sending = trio.StrictFIFOLock()
        self._closed = trio.Event()
        self._is_half_open = False

    @property
    def is_half_open(self) -> bool:
        """Whether nothing gets through in either direction any more, and neither side is told."""
        return self._is_half_open

    def cut(self) -> None:
        """Become half-open, as when a router on the way dies: only closing ends it."""
        self._is_half_open = True

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send, in the order of the calls; what a half-open stream is given is lost."""
        async with self._sending:
            if self._is_half_open:
                return
            await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """As `trio.abc.SendStream` has it."""
        async with self._sending:
            await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """What has come; from a half-open stream nothing does until it is closed here."""
        data = await self._stream.receive_some(max_bytes)
        if self._is_half_open:
            await self._closed.wait()
            raise trio.ClosedResourceError
        return data

    async def aclose(self) -> None:
        """Close in order: with TLS's farewell where there is TLS. A half-open stream just goes."""
        self._closed.set()
        if self._is_half_open:
            await trio.aclose_forcefully(self._stream)
        else:
            await self._stream.aclose()

    async def abort(self) -> None:
        """End the connection by a TCP reset: what is on its way may never arrive."""
        self._closed.set()
        beneath = self._stream
        while isinstance(beneath, trio.SSLStream):
            beneath = beneath.transport_stream
        if isinstance(beneath, trio.SocketStream):
            with suppress(OSError):  # it may be closed already
                beneath.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        await trio.aclose_forcefully(beneath)
