"""The client's end of a WebSocket: wsproto shakes hands and writes, `daemon.frames` reads.

There is no task of its own: whoever asks for messages reads the socket, answers pings and the server's goodbye.
"""

from __future__ import annotations

from contextlib import suppress

import trio
from trio_websocket import CloseReason, ConnectionClosed, ConnectionRejected
from wsproto import ConnectionType
from wsproto.events import AcceptConnection, RejectConnection, Request
from wsproto.frame_protocol import FrameProtocol
from wsproto.handshake import H11Handshake

from zccvoice.daemon.frames import NO_CODE, FrameReader
from zccvoice.daemon.log import get_logger

LONGEST_MESSAGE_BYTES = 2**20
"""Four times the largest audio message there is (one second of stereo at 48 kHz)."""
RECEIVE_BUFFER_BYTES = 2**16
"""Many messages per system call when they come in bursts."""
LONGEST_ANSWER_BYTES = 2**16
"""To our request for a WebSocket."""
NORMAL, LOST = 1000, 1006
"""Close codes: a goodbye, and none."""
_END_OF_HEAD = b"\r\n\r\n"
log = get_logger()


async def agree(stream: trio.abc.Stream, host: str, resource: str) -> bytes:
    """The opening handshake; returns what the server has sent after it.

    Raises:
        ConnectionRejected: by an answer of HTTP.
        ConnectionClosed: hung up.
        trio.BrokenResourceError: the connection is lost.
        wsproto.utilities.RemoteProtocolError: the answer is none.
    """
    handshake = H11Handshake(ConnectionType.CLIENT)
    await stream.send_all(handshake.send(Request(host=host, target=resource)))
    answer = b""
    while _END_OF_HEAD not in answer and len(answer) < LONGEST_ANSWER_BYTES:
        data = await stream.receive_some(RECEIVE_BUFFER_BYTES)
        if not data:
            raise ConnectionClosed(CloseReason(LOST, None))
        answer += data
    head, end_of_head, ahead = answer.partition(_END_OF_HEAD)
    handshake.receive_data(head + end_of_head)
    for event in handshake.events():
        match event:
            case AcceptConnection():
                return ahead
            case RejectConnection():
                raise ConnectionRejected(event.status_code, tuple(event.headers), body=None)
    raise ConnectionClosed(CloseReason(LOST, None))


class WebSocketClient:
    """An open WebSocket. The stream below it is closed by whoever opened it."""

    def __init__(self, stream: trio.abc.Stream, ahead: bytes = b"") -> None:
        """Take over after the handshake.

        Args:
            stream: that the server has agreed on.
            ahead: what it has sent since.
        """
        self._stream = stream
        self._reader = FrameReader(LONGEST_MESSAGE_BYTES)
        self._frames = FrameProtocol(client=True, extensions=[])
        self._sending = trio.StrictFIFOLock()  # answers to pings, and messages of several tasks
        self._closed: CloseReason | None = None
        self._ahead = ahead
        self._messages: list[bytes] = []

    async def send_message(self, text: str) -> None:
        """Send one message.

        Raises:
            ConnectionClosed: by either side, or lost.
        """
        if self._closed is not None:
            raise ConnectionClosed(self._closed)
        await self._send(bytes(self._frames.send_data(text)))

    async def get_messages(self) -> list[bytes]:
        """All messages that are there, oldest first, or the next; text and binary alike.

        Cancelling it loses no message.

        Raises:
            ConnectionClosed: by either side, or lost; what came before has been handed out.
        """
        while not self._messages:
            if self._closed is not None:
                raise ConnectionClosed(self._closed)
            await self._read()
        messages, self._messages = self._messages, []
        return messages

    async def say_goodbye(self) -> None:
        """Close the WebSocket and wait for the server's answer; what else still comes is dropped."""
        if self._closed is None:
            try:
                await self._send(bytes(self._frames.close(NORMAL)))
                while self._closed is None and self._reader.end is None:
                    self._reader.push(await self._receive())
            except ConnectionClosed:
                return
            self._closed = self._closed or CloseReason(NORMAL, None)

    async def _read(self) -> None:
        """Take in what the socket has, and answer what asks for an answer."""
        self._messages = self._reader.push(await self._receive())
        if self._reader.asks_nothing:
            return
        answer = b"".join(self._frames.pong(ping) for ping in self._reader.take_pings())
        if (end := self._reader.end) is not None and self._closed is None:
            self._closed = CloseReason(end.code, end.problem)
            if end.problem is not None:
                log.warning("frames that RFC 6455 forbids", problem=end.problem, code=end.code)
            answer += bytes(self._frames.close(None if end.code == NO_CODE else end.code))
        if answer:
            with suppress(ConnectionClosed):  # told when the messages before it have been taken
                await self._send(answer)

    async def _receive(self) -> bytes:
        """What the socket has; nothing, and `_closed`, at its end."""
        if self._ahead:
            data, self._ahead = self._ahead, b""
            return data
        try:
            data = bytes(await self._stream.receive_some(RECEIVE_BUFFER_BYTES))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            data = b""
        if not data:
            self._closed = self._closed or CloseReason(LOST, None)
        return data

    async def _send(self, frames: bytes) -> None:
        async with self._sending:
            try:
                await self._stream.send_all(frames)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                self._closed = self._closed or CloseReason(LOST, None)
                raise ConnectionClosed(self._closed) from None
