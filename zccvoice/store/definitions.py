"""What the database says of its measures and of itself: definitions by version, and the schema's history.

Written after every upgrade, like the comments. Nothing is overwritten: a changed definition or threshold is a
further version, and a scorecard names the version of the thresholds that it was made with.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime

from sqlalchemy import Connection, func, insert, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from zccvoice.analytics.scorecard import definitions
from zccvoice.analytics.thresholds import DEFAULTS, Thresholds
from zccvoice.store.keeping_tables import SchemaChange
from zccvoice.store.measure_tables import MetricDefinition, MetricThresholds
from zccvoice.store.schema import table_of

_UNITS = {
    "_ms": "ms",
    "_ms_p50": "ms",
    "_ms_p90": "ms",
    "_count": "count",
    "_ratio": "ratio",
    "_wpm": "words/min",
    "_dbfs": "dBFS",
    "_db": "dB",
    "_per_min": "1/min",
}


def write_definitions(connection: Connection) -> None:
    """Note every definition and threshold that is not the last one noted."""
    now = datetime.now(UTC)
    for name, definition in definitions().items():
        known = connection.execute(
            select(MetricDefinition.version, MetricDefinition.definition)
            .where(MetricDefinition.name == name)
            .order_by(MetricDefinition.version.desc())
            .limit(1)
        ).one_or_none()
        if known is None or known.definition != definition:
            version = 1 if known is None else known.version + 1
            row = {"name": name, "version": version, "definition": definition, "unit": unit_of(name)}
            connection.execute(insert(MetricDefinition).values(**row, valid_from=now))
    thresholds_version(connection, DEFAULTS)


def thresholds_version(connection: Connection, thresholds: Thresholds) -> int:
    """The version of these thresholds; they are noted as a further one when they are not known yet."""
    table = table_of(MetricThresholds)
    values = literal(asdict(thresholds), JSONB)
    known = select(func.max(table.c.version)).where(table.c.thresholds == values)
    following = select(
        func.coalesce(func.max(table.c.version), 0) + 1, values, literal(datetime.now(UTC))
    ).select_from(table)
    note = upsert(table).from_select(["version", "thresholds", "valid_from"], following)
    while (version := connection.scalar(known)) is None:
        connection.execute(note.on_conflict_do_nothing())  # who lost a race looks again
    return int(version)


def write_history(connection: Connection, changes: Iterable[tuple[str, str]]) -> None:
    """Note migrations (name, what they brought) that are not noted yet."""
    for version, what in changes:
        row = {"version": version, "what": what, "applied_at": datetime.now(UTC)}
        connection.execute(upsert(SchemaChange).values(**row).on_conflict_do_nothing())


def unit_of(name: str) -> str | None:
    """The unit that a measure's name tells; None when it tells none."""
    matching = [ending for ending in _UNITS if name.endswith(ending)]
    return _UNITS[max(matching, key=len)] if matching else None
