"""THE SEAM to Zoom: what a transport is to the rest of the daemon."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

import trio

from zccvoice.rtms.events import StreamEvent
from zccvoice.rtms.webhook import StreamStarted


class StreamReceiver(Protocol):
    """Receives one stream, once."""

    async def run(self) -> None:
        """Connect, and send what happens until the stream is over; the last event is a `StreamEnded`.

        Closes its end of the channel in every case. Cancelling it drops the connections without a goodbye;
        `stop` is the polite way.

        Raises:
            ForbiddenHostError: a URL that Zoom gave is not allowed.
            HandshakeRefusedError: Zoom did not let us in.
            ConnectionFailedError: a server could not be reached, or did not answer in time.
            RemoteProtocolError: the server does not speak RTMS.
        """
        ...

    def stop(self, cause: str) -> None:
        """Close the connections politely, soon; `run` ends with ``StreamEnded(cause, …)``."""
        ...


Transport: TypeAlias = Callable[[StreamStarted, trio.MemorySendChannel[StreamEvent]], StreamReceiver]
"""Makes the receiver of a stream, which sends into the given channel."""
