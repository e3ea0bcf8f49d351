"""Zoom's timestamps → epoch milliseconds, whatever unit they came in."""

from __future__ import annotations

from zccvoice.errors import RemoteProtocolError

EARLIEST_MS, LATEST_MS = 946_684_800_000, 4_102_444_800_000
"""The years 2000 to 2100: a timestamp outside is no time of a call."""


def epoch_ms(timestamp: int | float) -> int:
    """A Zoom timestamp in milliseconds since 1970.

    Documents say milliseconds; microseconds were seen in transcripts and seconds in stream states. The unit
    follows from the magnitude: ≥ 1e17 ns, ≥ 1e14 µs, ≥ 1e11 ms, else s. Whole seconds are good for the time of an
    event; what they tell of packets, of which many fall into each, `audio.seconds` knows.
    """
    if timestamp >= 1e17:
        return int(timestamp // 1_000_000)
    if timestamp >= 1e14:
        return int(timestamp // 1_000)
    if timestamp >= 1e11:
        return int(timestamp)
    return int(timestamp * 1_000)


def plausible_ms(timestamp: int | float | None) -> int | None:
    """A Zoom timestamp as `epoch_ms`, None when there is none or it cannot be the time of a call."""
    if type(timestamp) is int and EARLIEST_MS <= timestamp < LATEST_MS:
        return timestamp  # what nearly all are: once per packet, the rest would be felt
    if timestamp is None or not 0 < timestamp < 1e20:  # nor what no arithmetic survives
        return None
    when_ms = epoch_ms(timestamp)
    return when_ms if EARLIEST_MS <= when_ms < LATEST_MS else None


def required_ms(timestamp: int | float | None, what: str) -> int:
    """The same of a message that is of no use without its time.

    Raises:
        RemoteProtocolError: it has none; `what` names the message.
    """
    when_ms = plausible_ms(timestamp)
    if when_ms is None:
        raise RemoteProtocolError(f"{what} with an impossible timestamp, {str(timestamp)[:24]}")
    return when_ms
