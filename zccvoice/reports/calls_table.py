"""The calls of a period with every measure, as a table: for spreadsheets and data frames."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, tzinfo

from zccvoice.analytics.scorecard import Scorecard, definitions
from zccvoice.reports.calls import CallsReport
from zccvoice.reports.figures import zoned
from zccvoice.reports.measures import flags
from zccvoice.reports.table import Cell, Column, Plain, Report, Table
from zccvoice.reports.worst import figure_of
from zccvoice.store.reads import CallRow
from zccvoice.store.worst import number_measures

_OWN = (
    Column("started_at", "Started", Plain.MOMENT, "When Zoom announced its first stream."),
    Column("queue_name", "Queue"),
    Column("agent_name", "Agent", definition="Names of the agents on the call."),
    Column("note", "Note", definition="What is to be known before any number is read."),
)
_IDS = (
    Column("engagement_id", "Call", definition="Zoom's id of the engagement."),
    Column("product", "Product"),
    Column("account_id", "Account"),
    Column("queue_id", "Queue id"),
    Column("ended_at", "Ended", Plain.MOMENT),
    Column("end_reason", "End"),
    Column("computed_at", "Measured", Plain.MOMENT),
)


def calls_tables(calls: CallsReport, tz: tzinfo | None = None) -> Report:
    """The calls as a report of one table; the column of a measure has its stored name."""
    measures = [_measure(field.name) for field in fields(Scorecard)]
    columns = (*_OWN, *measures, *_IDS)
    rows = tuple(tuple(_cell(call, column.name) for column in columns) for call in calls.calls)
    known = [call.started_at for call in calls.calls if call.started_at is not None]
    now = datetime.now(UTC)
    since, until = calls.since or min(known, default=now), calls.until or now
    about = f"{zoned(since, tz)} to {zoned(until, tz)} · {len(rows)} call{'' if len(rows) == 1 else 's'}"
    return Report("calls", "Calls", about, since, until, tz, (Table("calls", "Calls", columns, rows),))


def _measure(name: str) -> Column:
    definition = definitions()[name]
    if name in number_measures():
        return Column(name, *figure_of(name), definition)
    title = name.replace("_", " ").capitalize()
    return Column(name, title, Plain.FLAG if name == "damaged" else Plain.TEXT, definition)


def _cell(call: CallRow, name: str) -> Cell:
    if name == "note":
        return ", ".join(flags(call))
    own: Cell = getattr(call, name, None)
    return own if own is not None or call.scorecard is None else getattr(call.scorecard, name, None)
