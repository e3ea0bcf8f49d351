"""Report of tables → JSON. Names stay; moments are ISO 8601 in UTC, what is not known is null."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from zccvoice.reports.figures import iso
from zccvoice.reports.flat import PlainCell, flat
from zccvoice.reports.table import Report, Table


def report_document(report: Report) -> dict[str, Any]:
    """A report with every table: its columns by name, title and definition, and its rows by column."""
    return {
        "report": report.name,
        "title": report.title,
        "since": iso(report.since),
        "until": iso(report.until),
        "tables": {table.name: _table(table) for table in report.tables},
    }


def _table(table: Table) -> dict[str, Any]:
    whole = flat(table)
    columns = [
        {"name": column.name, "title": column.title, "definition": column.definition}
        for column in whole.columns
    ]
    rows = [
        {column.name: _plain(cell) for column, cell in zip(whole.columns, row, strict=True)}
        for row in whole.rows
    ]
    return {"title": table.title, "columns": columns, "rows": rows}


def _plain(cell: PlainCell) -> str | int | float | bool | None:
    if isinstance(cell, datetime):
        return iso(cell)
    return cell.isoformat() if isinstance(cell, date) else cell
