"""One WebSocket connection of a client: reading JSON, sending messages, keep-alive, and how it ended.

RTMS documentation, "Keep-alive": Zoom sends message 12 about every 10 seconds on either connection, the
client returns its values at once on the same one; after three requests without an answer the connection
counts as lost. Zoom's SDK stays mute unless a request carries ``sequence`` beside ``timestamp``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection

from zccvoice.rtms.messages import TypedMessage
from zccvoice.rtms.wire import encode
from zccvoice.simulator.frames import Opcode, frame, in_pieces
from zccvoice.simulator.timing import Timing
from zccvoice.simulator.transport import Transport
from zccvoice.simulator.webhooks import Complain

ABNORMAL = 1006
"""What a WebSocket that ended without a close frame reports as its code (RFC 6455, section 7.4.1)."""


class Link:
    """One connection, from its first message on. Sends may come from several tasks, reads from one."""

    def __init__(
        self,
        websocket: WebSocketConnection,
        transport: Transport,
        name: str,
        timing: Timing,
        complain: Complain,
    ) -> None:
        self.name = name
        """``signaling`` or ``media``; complaints begin with it."""
        self.is_binary = False
        """Whether messages go out in binary frames."""
        self.is_fragmented = False
        """Whether every message goes out in several frames."""
        self.asks_keep_alive = True
        """False is the fault of a server that stops asking."""
        self.was_provoked = False
        """Whether we broke it on purpose: what the client does about that is no mistake of its."""
        self.fell_silent = False
        """Whether the client left too many keep-alive requests unanswered."""
        self.ended = ""
        """How, once it has: by whom, and by a close frame (its code), a reset or nothing at all."""
        self._websocket = websocket
        self._transport = transport
        self._timing = timing
        self._complain = complain
        self._unanswered: dict[int, int] = {}  # sequence → timestamp
        self._silences = 0
        self._may_speak = trio.Event()
        self._may_speak.set()

    @property
    def is_open(self) -> bool:
        """False once either side has closed it."""
        return not self._websocket.closed

    @property
    def is_half_open(self) -> bool:
        """Whether what is sent disappears, see `Transport.cut`."""
        return self._transport.is_half_open

    def report_to(self, complain: Complain) -> None:
        """From now on complaints go there: it is known whose connection this is."""
        self._complain = complain

    def complain(self, what: str) -> None:
        """Write down something that the client did wrong here."""
        self._complain(f"{self.name}: {what}")

    async def send(self, message: TypedMessage | dict[str, Any]) -> bool:
        """Send a message; False when the connection is gone."""
        text = json.dumps(message, ensure_ascii=False) if isinstance(message, dict) else encode(message)
        return await self.send_text(text)

    async def send_text(self, *texts: str) -> bool:
        """Send texts that need not be messages, in one go; False when the connection is gone."""
        write = in_pieces if self.is_fragmented else frame
        opcode = Opcode.BINARY if self.is_binary else Opcode.TEXT
        return await self.send_bytes(b"".join([write(opcode, text.encode()) for text in texts]))

    async def send_bytes(self, frames: bytes) -> bool:
        """Send frames as they are, right or wrong; False when the connection is gone."""
        if not self._may_speak.is_set():
            await self._may_speak.wait()
        if self._websocket.closed:
            await trio.lowlevel.checkpoint()
            return False
        try:
            await self._transport.send_all(frames)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return False
        return True

    async def receive(self) -> dict[str, Any] | None:
        """The next JSON object with an integer ``msg_type``, or None when the connection is gone.

        Anything else is complained of and skipped.
        """
        while True:
            try:
                raw = await self._websocket.get_message()
            except ConnectionClosed as closed:
                self._note_end(closed)
                return None
            try:
                fields = json.loads(raw)
            except ValueError:
                self.complain("sent something that is no JSON")
                continue
            if isinstance(fields, dict) and type(fields.get("msg_type")) is int:
                return fields
            self.complain("sent JSON that is no object with an integer msg_type")

    def _note_end(self, closed: ConnectionClosed) -> None:
        self._may_speak.set()
        if self.ended:
            return
        code = closed.reason.code if closed.reason else ABNORMAL
        self.ended = "client vanished" if code == ABNORMAL else f"client closed with {code}"
        if code == ABNORMAL and not self.was_provoked:
            self.complain("ended the connection without a closing handshake")

    async def keep_alive(self, now_ms: Callable[[], int]) -> None:
        """Send requests until cancelled; end the connection when too many were not answered.

        Args:
            now_ms: the time to put into a request, epoch milliseconds.
        """
        sequence = 0
        while True:
            await trio.sleep(self._timing.keep_alive_s)
            if len(self._unanswered) >= self._timing.keep_alive_misses:
                if not self.was_provoked:
                    self.complain(f"left {len(self._unanswered)} keep-alive requests unanswered")
                self.fell_silent = True
                await self.abort()
                return
            if not self.asks_keep_alive:
                continue
            sequence += 1
            timestamp = now_ms()
            # Noted before it is sent: the answer may be there before `send` returns.
            self._unanswered[sequence] = timestamp
            await self.send({"msg_type": 12, "timestamp": timestamp, "sequence": sequence})

    def keep_alive_answered(self, fields: dict[str, Any]) -> None:
        """Check message 13 against the requests that are open."""
        timestamp, sequence = fields.get("timestamp"), fields.get("sequence")
        for asked_sequence, asked_timestamp in self._unanswered.items():
            if timestamp == asked_timestamp and sequence in (None, asked_sequence):
                self._unanswered.clear()  # a late answer shows as much life as one for each
                return
        self.complain("answered a keep-alive request that was not asked, or with other values")

    # What Zoom or the network does to it

    def silence(self) -> None:
        """Send nothing until `speak`, as often as this; whoever wants to send waits. Reading goes on."""
        if not self._silences:
            self._may_speak = trio.Event()
        self._silences += 1

    def speak(self) -> None:
        """End of `silence`."""
        self._silences -= 1
        if not self._silences:
            self._may_speak.set()

    def cut(self) -> None:
        """Become half-open: nothing gets through any more, and nobody is told."""
        self.was_provoked = True
        self._transport.cut()

    async def close(self, code: int = 1000) -> None:
        """Close with 1000, the only code Zoom is known to use, or another; cut short if the client is slow."""
        self._ends_here(f"closed with {code}")
        with trio.move_on_after(self._timing.close_s):
            await self._websocket.aclose(code)

    async def drop(self) -> None:
        """End the connection in order, but without a close frame."""
        self._ends_here("dropped")
        with trio.move_on_after(self._timing.close_s):
            await self._transport.aclose()

    async def abort(self) -> None:
        """End the connection by a TCP reset."""
        self._ends_here("reset")
        await self._transport.abort()

    def _ends_here(self, how: str) -> None:
        self.ended = self.ended or how
        self._may_speak.set()
