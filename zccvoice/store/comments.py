"""What the database says about itself: a comment on every table, view and column.

Written after every upgrade and not by migrations, because a comment may always be replaced: so a definition
has one place (beside the column in `tables`, for a measure in `analytics.scorecard`) and a better sentence
needs no migration.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, MetaData, Table, inspect, text
from sqlalchemy.schema import SetColumnComment, SetTableComment

from zccvoice.store.schema import REPORTING_SCHEMA, Base

_VIEWS = {
    "call": "One row per call: when, who, through which queue, and every measure (NULL until computed).",
    "utterance": "What was said, by whom and when.",
    "gap": "Audio that should have arrived and did not: see coverage_ratio of the call.",
    "event": "What Zoom told about a call: answered, hold, unhold, transfer and so on.",
}

# Columns that no table has, or that say something else in a view. The others are described as in their table.
_VIEW_COLUMNS = {
    ("call", "agent_name"): "Names of the agents on the call, in alphabetical order.",
    ("call", "end_reason"): (
        "How its streams ended: the reason of Zoom (customer_disconnected), or ours when we did not receive the "
        "whole of it (shutdown, connection_lost, handshake_refused). The measures are of what was received."
    ),
    ("utterance", "speaker_name"): "Name of the participant as Zoom shows it.",
    ("utterance", "started_at"): "When it began.",
    ("utterance", "text"): "Transcript, redacted; NULL unless the verdict is kept.",
    ("gap", "length_ms"): "Its length, ms.",
    ("event", "at_ms"): "When, ms on the engagement's clock; negative before the first packet.",
    ("event", "channel_id"): "The channel it is about; NULL when it is about the whole call.",
}
_VIEW_TABLES = {
    "call": ("engagement", "scorecard"),
    "utterance": ("utterance", "participant"),
    "gap": ("gap", "participant"),
    "event": ("call_event", "participant"),
}


def write_comments(connection: Connection) -> None:
    """Comment every table and view of ours as this version of the program describes them."""
    for table in Base.metadata.sorted_tables:
        connection.execute(SetTableComment(table))
        _comment_columns(connection, table)
    for view in _views(connection):
        # SQLAlchemy knows COMMENT ON TABLE alone; the sentences above hold nothing to quote.
        connection.execute(text(f"COMMENT ON VIEW {REPORTING_SCHEMA}.{view.name} IS '{_VIEWS[view.name]}'"))
        _comment_columns(connection, view)


def _comment_columns(connection: Connection, table: Table) -> None:
    for column in table.columns:
        connection.execute(SetColumnComment(column))


def _views(connection: Connection) -> Iterator[Table]:
    tables = {table.name: table for table in Base.metadata.tables.values()}
    metadata = MetaData(schema=REPORTING_SCHEMA)
    for name in inspect(connection).get_view_names(REPORTING_SCHEMA):
        view = Table(name, metadata, autoload_with=connection)
        for column in view.columns:
            described = (tables[table].columns.get(column.name) for table in _VIEW_TABLES[name])
            in_table = next((found.comment for found in described if found is not None), None)
            column.comment = _VIEW_COLUMNS.get((name, column.name), in_table)
        yield view
