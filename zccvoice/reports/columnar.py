"""Table → Apache Parquet: typed columns, moments with their time zone, units and definitions beside the names."""

from __future__ import annotations

from datetime import tzinfo
from typing import IO, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from pyarrow import parquet

from zccvoice.reports.figures import Figure
from zccvoice.reports.flat import FlatColumn, PlainCell, flat
from zccvoice.reports.table import Kind, Plain, Table

_WHOLE = frozenset({Figure.DURATION, Figure.SHORT, Figure.COUNT})
"""Milliseconds and counts, which are integers; but a bound of a target may be anything."""


def write_parquet(table: Table, file: IO[bytes], tz: tzinfo | None = None) -> None:
    """Write one table; the types of its columns do not depend on what is in it.

    Args:
        table: what to write.
        file: where to.
        tz: the zone that moments are told to be in; UTC where it has no name that other programs know.
    """
    whole = flat(table)
    fields = [_field(column, tz) for column in whole.columns]
    columns = [
        pa.array([_value(row[at], field.type) for row in whole.rows], field.type)
        for at, field in enumerate(fields)
    ]
    told = {b"title": table.title.encode(), b"note": table.note.encode()}
    parquet.write_table(pa.Table.from_arrays(columns, schema=pa.schema(fields, told)), file)


def _field(column: FlatColumn, tz: tzinfo | None) -> Any:
    told = {"title": column.title, "unit": _unit(column), "definition": column.definition}
    kind = pa.float64() if "_target_" in column.name else _type(column.kind, tz)
    return pa.field(column.name, kind, metadata=told)


def _unit(column: FlatColumn) -> str:
    """In files times are milliseconds and shares 0–1, whatever people read."""
    if column.kind in (Figure.DURATION, Figure.SHORT):
        return "ms"
    return "ratio" if column.kind is Figure.RATIO else column.unit


def _type(kind: Kind, tz: tzinfo | None) -> Any:
    match kind:
        case Plain.TEXT | Plain.LINK | Figure.WORD:
            return pa.string()
        case Plain.MOMENT:
            return pa.timestamp("us", tz=tz.key if isinstance(tz, ZoneInfo) else "UTC")
        case Plain.DAY:
            return pa.date32()
        case Plain.FLAG:
            return pa.bool_()
        case _:
            return pa.int64() if kind in _WHOLE else pa.float64()


def _value(cell: PlainCell, kind: Any) -> PlainCell:
    return float(cell) if isinstance(cell, int) and pa.types.is_floating(kind) else cell
