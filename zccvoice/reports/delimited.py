"""Table → CSV (RFC 4180), UTF-8, for programs: durations are milliseconds, moments ISO 8601.

A text that a spreadsheet would take for a formula gets an apostrophe in front: names come from outside.
"""

from __future__ import annotations

import csv
from datetime import date, datetime, tzinfo
from typing import IO

from zccvoice.reports.flat import PlainCell, flat
from zccvoice.reports.table import Table

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def write_csv(table: Table, file: IO[str], tz: tzinfo | None = None) -> None:
    """Write one table with a header; what is not known is empty.

    Args:
        table: what to write.
        file: where to; opened with ``newline=""``.
        tz: the zone of the moments; None is this machine's.
    """
    whole = flat(table)
    writer = csv.writer(file)
    writer.writerow(column.name for column in whole.columns)
    for row in whole.rows:
        writer.writerow(_text(cell, tz) for cell in row)


def _text(cell: PlainCell, tz: tzinfo | None) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case datetime():
            return cell.astimezone(tz).isoformat()
        case date():
            return cell.isoformat()
        case str():
            return f"'{cell}" if cell.startswith(_FORMULAS) else cell
        case _:
            return repr(cell)
