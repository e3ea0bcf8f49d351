"""The target ranges that hold, as a report."""

from __future__ import annotations

from datetime import datetime, tzinfo

from sqlalchemy import Connection

from zccvoice.reports.figures import Figure, zoned
from zccvoice.reports.quality import TEXT_MEASURES
from zccvoice.reports.summary_columns import MEASURES
from zccvoice.reports.table import Column, Plain, Quantity, Report, Table
from zccvoice.reports.worst import figure_of
from zccvoice.store.targets import targets
from zccvoice.store.worst import number_measures


def measures_with_targets() -> tuple[str, ...]:
    """Every number that a target can stand beside: of calls, of many calls, and of the data's quality."""
    of_many = [measure.field for measure in MEASURES]
    return tuple(dict.fromkeys([*number_measures(), *of_many, *(name for name, _, _ in TEXT_MEASURES)]))


def targets_report(connection: Connection, at: datetime, tz: tzinfo | None = None) -> Report:
    """Read the targets that hold at a moment."""
    columns = (
        Column("measure", "Measure"),
        Column("low", "From", Plain.MIXED),
        Column("high", "To", Plain.MIXED),
        Column("queue_id", "Queue", definition="Zoom's id of the queue; empty: every queue."),
        Column("team_id", "Team", definition="Id of the team; empty: every team."),
        Column("valid_from", "Since", Plain.MOMENT),
        Column("title", "Title"),
    )
    rows = []
    for one in targets(connection, at):
        title, figure = _figure(one.measure)
        low, high = (Quantity(bound, figure) for bound in (one.low, one.high))
        rows.append((one.measure, low, high, one.queue_id, one.team_id, one.valid_from, title))
    table = Table("targets", "Targets", columns, tuple(rows))
    return Report("targets", "Targets", f"as of {zoned(at, tz)}", at, at, tz, (table,))


def _figure(measure: str) -> tuple[str | None, Figure]:
    """How a measure is called, and what kind of number it is; a name that nobody knows is a bare number."""
    known = {one.field: (one.title, one.figure) for one in MEASURES}
    known |= {name: (title, figure) for name, title, figure in TEXT_MEASURES}
    if measure in known:
        return known[measure]
    return figure_of(measure) if measure in number_measures() else (None, Figure.FACTOR)
