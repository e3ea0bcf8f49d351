"""THE SEAM to Zoom: what a transport is to the rest of the daemon."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self, TypeAlias

from zccvoice.rtms.events import StreamEvent
from zccvoice.rtms.messages import AudioParams
from zccvoice.rtms.recovery import SIGNALING_WINDOW_S
from zccvoice.rtms.webhook import StreamStarted

SHUTDOWN = "shutdown"
"""Cause of an end that is ours alone: the stream goes on, and the next daemon may take it up."""


class EventsSend(Protocol):
    """Where a receiver sends what happens: the end of a channel of Trio's, or what does as much."""

    def send_nowait(self, event: StreamEvent, /) -> None:
        """Send, or raise `trio.WouldBlock`."""
        ...

    async def send(self, event: StreamEvent, /) -> None:
        """Send, when there is room; a checkpoint. Who is cancelled has not sent."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class StreamReceiver(Protocol):
    """Receives one stream, once."""

    async def run(self, kept_for_s: float = SIGNALING_WINDOW_S) -> None:
        """Connect, and send what happens until the stream is over; the last event is a `StreamEnded`.

        What is lost is made again for as long as Zoom keeps the stream; the first event after a loss of audio is
        a `ReceptionBroken`. Closes what it sends into in every case. Cancelling it drops the connections
        without a goodbye; `stop` is the polite way.

        Args:
            kept_for_s: how long Zoom keeps the stream, from now on, without a connection.

        Raises:
            ForbiddenHostError: a URL that Zoom gave is not allowed.
            HandshakeRefusedError: Zoom never let us in.
            ConnectionFailedError: a server could never be reached, or did not answer in time.
            RemoteProtocolError: the server does not speak RTMS.
        """
        ...

    def stop(self, cause: str) -> None:
        """Hang up politely, soon; `run` ends with ``StreamEnded(cause, …)``.

        Zoom is told that we want no more of the stream, except at a `SHUTDOWN`.
        """
        ...

    def retire(self, cause: str) -> None:
        """Connect no more: `run` ends with ``StreamEnded(cause, …)`` when the connections are gone, or at once."""
        ...

    def reconnect(self, server_url: str | None = None, *, lost_s_ago: float = 0.0) -> None:
        """Zoom calls for another connection; one that was made since then will do.

        Args:
            server_url: where the stream is announced again. Another URL than before is Zoom's failover: the
                connections are made there, now. At the same one, they are only if there is none. None: Zoom
                told that signaling was interrupted, and a connection that was not brand-new then is dead.
            lost_s_ago: since when Zoom does: it repeats an interruption for more than an hour.
        """
        ...


Transport: TypeAlias = Callable[[StreamStarted, EventsSend, AudioParams | None], StreamReceiver]
"""Makes the receiver of a stream, and is told where that sends and which audio to ask for; None: as configured."""
