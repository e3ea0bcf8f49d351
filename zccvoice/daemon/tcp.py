"""TCP for connections on which little comes at a time, and often: reading waits first.

Trio's own stream tries to read before it waits, which is best where much comes. A media connection has nothing
ten or fifty times a second, and then the attempt, which fails, costs more than the wait and the read together.
"""

from __future__ import annotations

import os

import trio

READ_BYTES = 2**16


async def open_tcp(host: str, port: int) -> WaitingStream:
    """A connection.

    Raises:
        OSError: not reached.
    """
    return WaitingStream(await trio.open_tcp_stream(host, port))


class WaitingStream(trio.abc.Stream):
    """A connected `trio.SocketStream` that reads when there is something to read."""

    def __init__(self, stream: trio.SocketStream) -> None:
        """Take the stream over."""
        self._stream = stream
        self._socket = stream.socket

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """See `trio.abc.ReceiveStream`; cancelling it loses nothing."""
        while True:
            await trio.lowlevel.wait_readable(self._descriptor())
            # Asked for again: it may have been closed since, and a stranger's file may have its number by now.
            descriptor = self._descriptor()
            try:
                return os.read(descriptor, max_bytes or READ_BYTES)
            except BlockingIOError:  # the kernel has thought better of it
                continue
            except OSError as error:
                raise trio.BrokenResourceError(f"socket connection broken: {error}") from error

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """See `trio.abc.SendStream`."""
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """See `trio.abc.SendStream`."""
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """Close it; whoever reads meanwhile gets `trio.ClosedResourceError`."""
        await self._stream.aclose()

    def _descriptor(self) -> int:
        descriptor = self._socket.fileno()
        if descriptor < 0:
            raise trio.ClosedResourceError
        return descriptor
