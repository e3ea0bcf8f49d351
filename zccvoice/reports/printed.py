"""Report → tables on a terminal. As in `text`: colour only on a terminal, and nothing depends on it."""

from __future__ import annotations

from typing import IO

from rich import box
from rich.table import Table as RichTable
from rich.text import Text

from zccvoice.reports.table import Cell, Column, Plain, Quantity, Report, Standing, Table, mark, shown
from zccvoice.reports.text import console_for, plain

LONGEST_TEXT = 40
"""Letters of a name; what is longer is cut."""
_NOT_PRINTED = frozenset({"definition", "unit", "measure", "user_id"})
"""For files: people read the title, and the unit beside the number."""
_NAMED = {"queue_id": "queue_name"}
"""Ids that people need not read where the name stands beside them."""
_WHOLE = frozenset({"engagement_id", "page"})
"""Of use only when it can be copied."""
_COLOURS = {Standing.WITHIN: "green", Standing.BELOW: "yellow", Standing.ABOVE: "yellow"}


def print_report(report: Report, file: IO[str]) -> None:
    """Write every table of a report. Columns for which there is no room are named, and left out."""
    console = console_for(file)
    console.print(Text(report.title, style="bold"))
    console.print(Text(report.about, style="dim"))
    unlimited = console.options.update(max_width=10_000)
    for table in report.tables:
        console.print()
        if len(report.tables) > 1:
            console.print(Text(table.title, style="bold"))
        if not table.rows:
            console.print("None.")
            continue
        kept = [column for column in table.columns if _is_printed(table, column) and _has_any(table, column)]
        left_out: list[str] = []
        rich = _rich(report, table, kept)
        while len(kept) > 2 and console.measure(rich, options=unlimited).maximum > console.width:
            left_out.insert(0, kept.pop().title)
            rich = _rich(report, table, kept)
        console.print(rich)
        notes = [table.note, f"No room for: {', '.join(left_out)}." if left_out else ""]
        console.print(Text(" ".join(filter(None, notes)), style="dim"), end="" if not any(notes) else "\n")


def _is_printed(table: Table, column: Column) -> bool:
    name_of_it = _NAMED.get(column.name)
    is_named = any(other.name == name_of_it for other in table.columns)
    return column.name not in _NOT_PRINTED and not is_named


def _has_any(table: Table, column: Column) -> bool:
    """Whether there is a cell to be read in a column; a page that nobody has is no column."""
    at = table.columns.index(column)
    return column.kind is not Plain.LINK or any(row[at] is not None for row in table.rows)


def _rich(report: Report, table: Table, kept: list[Column]) -> RichTable:
    rich = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for column in kept:
        rich.add_column(
            _heading(column),
            justify="right" if column.is_number else "left",
            no_wrap=True,
            overflow="ellipsis",
            max_width=None if column.is_number or column.name in _WHOLE else LONGEST_TEXT,
        )
    places = [table.columns.index(column) for column in kept]
    for row in table.rows:
        rich.add_row(*(_cell(row[place], table.columns[place], report) for place in places))
    return rich


def _heading(column: Column) -> str:
    unit = column.unit
    return f"{column.title} {unit}" if unit and unit not in ("min:s", "/call") else column.title


def _cell(cell: Cell, column: Column, report: Report) -> Text:
    text = plain(shown(cell, column.kind, report.tz))
    if isinstance(cell, Quantity) and cell.standing is not None:
        text.append(f" {mark(cell)}", style=_COLOURS[cell.standing])
    return text
