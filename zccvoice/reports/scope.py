"""Which calls a report is about: for the store, and as the line below its title."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from zccvoice.reports.figures import zone
from zccvoice.reports.period import Period
from zccvoice.store.summaries import Scope


def scope_of(period: Period, queue: str | None = None, team: str | None = None) -> Scope:
    """The calls of a period; of one queue (id or name) and one team, if they are given."""
    return Scope(period.since, period.until, queue, team)


def about(period: Period, calls: int, queue: str | None = None, team: str | None = None) -> str:
    """``1–31 October 2026 (Europe/Madrid) · 1,234 calls · queue Orders``."""
    parts = [
        f"{period.title} ({_zone(period)})",
        f"{calls:,} call{'' if calls == 1 else 's'}",
    ]
    if queue is not None:
        parts.append(f"queue {queue}")
    if team is not None:
        parts.append(f"team {team}")
    return " · ".join(parts)


def _zone(period: Period) -> str:
    return period.tz.key if isinstance(period.tz, ZoneInfo) else zone(period.since, period.tz)
