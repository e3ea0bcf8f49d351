"""TCP for connections on which little comes at a time, and often.

Reading waits first. Trio's own stream tries to read before it waits, which is best where much comes. A media
connection has nothing ten or fifty times a second, and then the attempt, which fails, costs more than the wait and
the read together.

On a connection that has something all the time, reading gathers: what came is left in the kernel's buffer for
`GATHER_S`, then read at once. To be told of each packet by itself costs several times what the packet does.
"""

from __future__ import annotations

import os

import trio

from zccvoice.daemon.beat import Beat

READ_BYTES = 2**16
GATHER_S = 0.2
"""Less than the journal gathers before it writes. What a full read leaves behind is read without another wait."""
GATHER_PARTS = 10
BUSY_AFTER = 16
"""Reads in a row, each soon after the one before, that no exchange of questions and answers has."""

_beat: trio.lowlevel.RunVar[Beat] = trio.lowlevel.RunVar("beat")


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
        self._soon_in_a_row = 0
        self._may_have_more = False

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """See `trio.abc.ReceiveStream`; cancelling it loses nothing."""
        most = max_bytes or READ_BYTES
        data: bytes | None = None
        if self._soon_in_a_row >= BUSY_AFTER and not self._may_have_more:
            await _shared_beat().wait()
            data = self._read(most)
        if data is None:
            begin = trio.current_time()
            while data is None:
                await trio.lowlevel.wait_readable(self._descriptor())
                data = self._read(most)
            is_soon = trio.current_time() - begin < GATHER_S
            self._soon_in_a_row = self._soon_in_a_row + 1 if is_soon else 0
        self._may_have_more = len(data) == most
        return data

    def _read(self, most: int) -> bytes | None:
        """What is there; None when nothing is, whatever the kernel said before."""
        # The descriptor is asked for each time: closed meanwhile, its number may be that of a stranger's file.
        descriptor = self._descriptor()
        try:
            return os.read(descriptor, most)
        except BlockingIOError:
            return None
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


def _shared_beat() -> Beat:
    """That of all connections of this run."""
    try:
        return _beat.get()
    except LookupError:
        beat = Beat(GATHER_S, GATHER_PARTS)
        _beat.set(beat)
        return beat
