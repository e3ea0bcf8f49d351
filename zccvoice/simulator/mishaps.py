"""What goes wrong in a call at a given moment, as data; `director` makes it happen.

The ``[[mishap]]`` entries of a scenario file: ``kind`` and ``at_ms``, and of the rest what the kind needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from zccvoice.rtms.enums import StatusCode, StopReason
from zccvoice.simulator.entries import Entry
from zccvoice.simulator.garbage import Garbage


class Kind(StrEnum):
    """What happens."""

    REFUSE = "refuse"
    """The next `Mishap.times` handshakes on the connection are refused; at 0 from the first one on."""
    SLOW = "slow"
    """For `Mishap.for_ms` handshakes are answered that much later than they should be."""
    CLOSE = "close"
    """A close frame with `Mishap.code`."""
    DROP = "drop"
    """The end of the TCP connection without a close frame."""
    ABORT = "abort"
    """A TCP reset: what was under way may be lost."""
    CUT = "cut"
    """The connection becomes half-open: nothing gets through, nobody is told, what is sent is lost."""
    SILENCE = "silence"
    """Nothing is sent for `Mishap.for_ms`, then all of it at once."""
    NO_KEEP_ALIVE = "no_keep_alive"
    """Keep-alive requests stop for `Mishap.for_ms`; all else goes on."""
    OUTAGE = "outage"
    """Both connections are reset, and for `Mishap.for_ms` every new one too."""
    FAILOVER = "failover"
    """The server dies: a second started webhook tells the same stream's new URL."""
    REPEAT_STARTED = "repeat_started"
    """The started webhook comes again, unchanged."""
    PAUSE = "pause"
    """The stream is paused for `Mishap.for_ms`: nothing is captured, and states say so."""
    STOP = "stop"
    """The stream ends here with `Mishap.reason`; with ``stream_revoked`` what was kept must be deleted."""
    GARBAGE = "garbage"
    """`Mishap.garbage` is sent."""
    CONCURRENCY_LIMITED = "concurrency_limited"
    """The account-level webhook that says a stream was refused."""
    CONCURRENCY_NEAR_LIMIT = "concurrency_near_limit"
    """The one that says it soon will be."""


class Where(StrEnum):
    """Which connections of the client it befalls."""

    SIGNALING = "signaling"
    MEDIA = "media"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Mishap:
    """One thing that goes wrong. Moments are on the scenario's axis."""

    kind: Kind
    at_ms: int
    where: Where = Where.BOTH
    for_ms: int = 0
    times: int = 1
    code: int = 1_000
    status: int = StatusCode.DUPLICATE_SIGNAL_REQUEST
    """With `text`, the answer of a refusal."""
    text: str = ""
    reason: StopReason = StopReason.STREAM_CANCELED
    garbage: Garbage = Garbage.CUT_OFF


_LASTING = (Kind.SLOW, Kind.SILENCE, Kind.NO_KEEP_ALIVE, Kind.OUTAGE, Kind.PAUSE)


def read_mishap(entry: Entry) -> Mishap:
    """One ``[[mishap]]`` of a scenario file."""
    kind = entry.choice("kind", Kind)
    mishap = Mishap(
        kind=kind,
        at_ms=entry.whole("at_ms"),
        where=entry.choice("where", Where, Where.MEDIA if kind is Kind.GARBAGE else Where.BOTH),
        for_ms=entry.whole("for_ms", None if kind in _LASTING else 0),
        times=entry.whole("times", 1, least=1),
        code=entry.whole("code", 1_000, least=1_000),
        status=entry.choice("status", StatusCode, StatusCode.DUPLICATE_SIGNAL_REQUEST),
        text=entry.text("text", "duplicate signal request"),
        reason=entry.choice("reason", StopReason, StopReason.STREAM_CANCELED),
        garbage=entry.choice("garbage", Garbage, Garbage.CUT_OFF),
    )
    entry.finish()
    return mishap
