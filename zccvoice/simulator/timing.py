"""Zoom's time limits, which tests and fast demos shorten, and the clock of a call."""

from __future__ import annotations

from dataclasses import dataclass, replace

import trio


@dataclass(frozen=True, slots=True)
class Timing:
    """How long Zoom waits, in seconds of real time. The defaults are Zoom's documented figures."""

    webhook_timeout_s: float = 3.0
    webhook_retry_delays_s: tuple[float, ...] = (300.0, 1_200.0, 3_600.0)
    """Each after the attempt before."""
    start_window_s: float = 60.0
    """For the first connections after the started webhook. Zoom does not tell its figure; ours."""
    handshake_s: float = 10.0
    """For the first message on a new connection. Ours."""
    keep_alive_s: float = 10.0
    """Between keep-alive requests, on each connection."""
    keep_alive_misses: int = 3
    """So many unanswered requests and the connection counts as lost."""
    signaling_window_s: float = 60.0
    """For coming back after the signaling connection was lost."""
    media_window_s: float = 65.0
    """The same for a media connection."""
    close_s: float = 2.0
    """For the closing handshake of a WebSocket. Ours."""

    def at_speed(self, speed: float) -> Timing:
        """The same for a call played `speed` times as fast, but never too short for a healthy client."""
        return replace(
            self,
            webhook_retry_delays_s=tuple(max(0.5, wait_s / speed) for wait_s in self.webhook_retry_delays_s),
            keep_alive_s=max(1.0, self.keep_alive_s / speed),
            signaling_window_s=max(5.0, self.signaling_window_s / speed),
            media_window_s=max(5.0, self.media_window_s / speed),
        )


class CallClock:
    """Where a call is, in milliseconds from its first packet.

    It runs in real time until `accelerate`: how long a client takes to connect is no part of the call that a
    faster playing should shorten.
    """

    def __init__(self, position_ms: float, speed: float) -> None:
        self._position_ms = position_ms
        self._since_s = trio.current_time()
        self._target_speed = speed
        self._speed = 1.0

    @property
    def position_ms(self) -> float:
        """Now."""
        return self._position_ms + (trio.current_time() - self._since_s) * 1_000 * self._speed

    def accelerate(self) -> None:
        """From now on run at the call's speed."""
        self._position_ms, self._since_s = self.position_ms, trio.current_time()
        self._speed = self._target_speed

    async def wait_until(self, position_ms: float) -> None:
        """Sleep until the call is there; always a checkpoint. Only exact after `accelerate`."""
        await trio.sleep(max(0.0, position_ms - self.position_ms) / 1_000 / self._speed)
