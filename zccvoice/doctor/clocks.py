"""Does our clock go with others'? Webhooks whose time differs too much are refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from zccvoice.doctor.finding import Finding, Verdict
from zccvoice.rtms.signature import FRESHNESS_S

LARGE_SKEW_S = 30


@dataclass(slots=True)
class Clocks:
    """Whose clocks have been seen, as seconds that they are ahead of ours."""

    ahead_s: dict[str, float] = field(default_factory=dict)

    def note(self, whose: str, told: datetime | None) -> None:
        """A clock of theirs, as it has just been."""
        if told is not None:
            self.ahead_s[whose] = (told.astimezone(UTC) - datetime.now(UTC)).total_seconds()


def check_clock(clocks: Clocks) -> list[Finding]:
    """The one that differs most from ours."""
    if not clocks.ahead_s:
        step = "Let this machine keep its time by NTP."
        return [Finding("clock", Verdict.NOT_CHECKED, "no other clock was to be seen", step)]
    whose, ahead_s = max(clocks.ahead_s.items(), key=lambda one: abs(one[1]))
    told = f"{abs(ahead_s):.0f} s {'behind' if ahead_s > 0 else 'ahead of'} {whose} clock"
    if abs(ahead_s) <= LARGE_SKEW_S:
        return [Finding("clock", Verdict.OK, told)]
    verdict = Verdict.FAILED if abs(ahead_s) > FRESHNESS_S else Verdict.WARNING
    step = f"Let this machine keep its time by NTP: beyond {FRESHNESS_S} s all webhooks are refused."
    return [Finding("clock", verdict, told, step)]
