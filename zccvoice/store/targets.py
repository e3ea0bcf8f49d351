"""Target ranges: what measures are to be, for everybody, a queue or a team, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import insert

from zccvoice.store.target_tables import MetricTarget


@dataclass(frozen=True, slots=True)
class Target:
    """A range, bounds included, in the measure's unit. None is no bound; without any there is no target."""

    measure: str
    low: float | None
    high: float | None
    queue_id: str | None = None
    """None: every queue."""
    team_id: str | None = None
    """None: every team."""
    valid_from: datetime | None = None
    """Aware; None is now, where it is set."""


def set_target(connection: Connection, target: Target, now: datetime) -> None:
    """Let a target hold from `valid_from` on, in place of an earlier one for the same queue and team.

    What held before stays in the table, for reports of past periods. A target without bounds ends it.

    Raises:
        StoreError: low is above high (from the transaction's block).
    """
    values = {
        "measure": target.measure,
        "queue_id": target.queue_id or "",
        "team_id": target.team_id or "",
        "valid_from": target.valid_from or now,
        "low": target.low,
        "high": target.high,
    }
    statement = insert(MetricTarget).values(**values)
    bounds = {"low": statement.excluded.low, "high": statement.excluded.high}
    keys = ("measure", "queue_id", "team_id", "valid_from")
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=bounds))


def targets(connection: Connection, at: datetime) -> list[Target]:
    """The targets that hold at a moment, in order of measure, queue and team."""
    return _held(connection, at, is_included=True)


def targets_until(connection: Connection, until: datetime) -> list[Target]:
    """The targets that hold when a period is about to end: one that begins with the end judges the next."""
    return _held(connection, until, is_included=False)


def _held(connection: Connection, at: datetime, *, is_included: bool) -> list[Target]:
    query = text("""
        SELECT DISTINCT ON (measure, queue_id, team_id) measure, low, high, queue_id, team_id, valid_from
        FROM reporting.metric_target WHERE valid_from < :at OR (:is_included AND valid_from = :at)
        ORDER BY measure, queue_id NULLS FIRST, team_id NULLS FIRST, valid_from DESC
    """)
    held = [Target(*row) for row in connection.execute(query, {"at": at, "is_included": is_included})]
    return [target for target in held if target.low is not None or target.high is not None]
