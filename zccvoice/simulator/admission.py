"""What a client that wants in meets at the moment: faults of the handshakes, and which server is alive."""

from __future__ import annotations

from dataclasses import dataclass

from zccvoice.rtms.enums import StatusCode
from zccvoice.simulator.mishaps import Mishap, Where


@dataclass(slots=True)
class _Refusal:
    where: Where
    status: int
    reason: str
    left: int


class Admission:
    """Of one call. `director` changes it, `serving` asks."""

    def __init__(self, refused_signaling: int) -> None:
        self.server = 0
        """Number of the server that the call lives on; a failover counts it up."""
        self.is_out = False
        """Whether every new connection is reset."""
        self.delay_s = 0.0
        """How long a handshake waits for its answer."""
        self.has_ended = False
        """Whether the stream is over, and nobody may have it any more."""
        duplicate = StatusCode.DUPLICATE_SIGNAL_REQUEST
        self._refusals = [_Refusal(Where.SIGNALING, duplicate, "duplicate signal request", refused_signaling)]

    def refuse(self, mishap: Mishap) -> None:
        """From now on refuse the next handshakes as `mishap` says."""
        self._refusals.append(_Refusal(mishap.where, mishap.status, mishap.text, mishap.times))

    def refusal(self, which: Where) -> tuple[int, str] | None:
        """Status and reason, if this handshake is one to be refused; counted as refused then."""
        for one in self._refusals:
            if one.left and one.where in (which, Where.BOTH):
                one.left -= 1
                return one.status, one.reason
        return None
