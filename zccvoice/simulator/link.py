"""One WebSocket connection of a client: reading JSON, sending messages, keep-alive.

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

from zccvoice.rtms.messages import KeepAliveRequest, TypedMessage
from zccvoice.rtms.wire import encode
from zccvoice.simulator.timing import Timing
from zccvoice.simulator.webhooks import Complain


class Link:
    """One connection, from its first message on. Sends may come from several tasks, reads from one."""

    def __init__(self, websocket: WebSocketConnection, name: str, timing: Timing, complain: Complain) -> None:
        self.name = name
        """``signaling`` or ``media``; complaints begin with it."""
        self.is_binary = False
        """Whether messages go out in binary frames."""
        self.fell_silent = False
        """Whether the client left too many keep-alive requests unanswered."""
        self._websocket = websocket
        self._timing = timing
        self._complain = complain
        self._unanswered: dict[int, int] = {}  # sequence → timestamp

    @property
    def is_open(self) -> bool:
        """False once either side has closed it."""
        return not self._websocket.closed

    def report_to(self, complain: Complain) -> None:
        """From now on complaints go there: it is known whose connection this is."""
        self._complain = complain

    def complain(self, what: str) -> None:
        """Write down something that the client did wrong here."""
        self._complain(f"{self.name}: {what}")

    async def send(self, message: TypedMessage) -> bool:
        """Send a message; False when the connection is gone."""
        return await self.send_text(encode(message))

    async def send_text(self, text: str) -> bool:
        """Send text that need not be a message; False when the connection is gone."""
        try:
            await self._websocket.send_message(text.encode() if self.is_binary else text)
        except ConnectionClosed:
            return False
        return True

    async def receive(self) -> dict[str, Any] | None:
        """The next JSON object with an integer ``msg_type``, or None when the connection is gone.

        Anything else is complained of and skipped.
        """
        while True:
            try:
                raw = await self._websocket.get_message()
            except ConnectionClosed:
                return None
            try:
                fields = json.loads(raw)
            except ValueError:
                self.complain("sent something that is no JSON")
                continue
            if isinstance(fields, dict) and type(fields.get("msg_type")) is int:
                return fields
            self.complain("sent JSON that is no object with an integer msg_type")

    async def keep_alive(self, now_ms: Callable[[], int]) -> None:
        """Send requests until cancelled; end the connection when too many were not answered.

        Args:
            now_ms: the time to put into a request, epoch milliseconds.
        """
        sequence = 0
        while True:
            await trio.sleep(self._timing.keep_alive_s)
            if len(self._unanswered) >= self._timing.keep_alive_misses:
                self.complain(f"left {len(self._unanswered)} keep-alive requests unanswered")
                self.fell_silent = True
                await self.abort()
                return
            sequence += 1
            self._unanswered[sequence] = timestamp = now_ms()
            await self.send(KeepAliveRequest(timestamp=timestamp, sequence=sequence))

    def keep_alive_answered(self, fields: dict[str, Any]) -> None:
        """Check message 13 against the requests that are open."""
        timestamp, sequence = fields.get("timestamp"), fields.get("sequence")
        for asked_sequence, asked_timestamp in self._unanswered.items():
            if timestamp == asked_timestamp and sequence in (None, asked_sequence):
                self._unanswered.clear()  # a late answer shows as much life as one for each
                return
        self.complain("answered a keep-alive request that was not asked, or with other values")

    async def close(self) -> None:
        """Close with code 1000, the only one Zoom is known to use; cut short if the client does not."""
        with trio.move_on_after(self._timing.close_s):
            await self._websocket.aclose(1000)

    async def abort(self) -> None:
        """End the connection without a closing handshake."""
        with trio.CancelScope() as at_once:
            at_once.cancel()
            await self._websocket.aclose()
