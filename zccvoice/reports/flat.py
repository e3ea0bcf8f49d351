"""Table → columns of plain values, for files that programs read: what a target adds becomes columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from zccvoice.reports.table import Cell, Column, Kind, Plain, Quantity, Table

PlainCell = str | int | float | bool | datetime | date | None


@dataclass(frozen=True, slots=True)
class FlatColumn:
    """A column of plain values."""

    name: str
    title: str
    kind: Kind
    """Numbers of a mixed column are in the unit that stands beside them."""
    unit: str
    definition: str


@dataclass(frozen=True, slots=True)
class FlatTable:
    """The same table without anything that only people understand."""

    name: str
    columns: tuple[FlatColumn, ...]
    rows: tuple[tuple[PlainCell, ...], ...]


def flat(table: Table) -> FlatTable:
    """The table with three columns more for each that has targets: both bounds, and where the number stands."""
    columns = tuple(one for column in table.columns for one in _columns(column))
    rows = tuple(
        tuple(
            value for column, cell in zip(table.columns, row, strict=True) for value in _values(column, cell)
        )
        for row in table.rows
    )
    return FlatTable(table.name, columns, rows)


def _columns(column: Column) -> list[FlatColumn]:
    own = FlatColumn(column.name, column.title, column.kind, column.unit, column.definition)
    if not column.is_judged:
        return [own]
    return [
        own,
        *(
            FlatColumn(
                f"{column.name}_target_{bound}",
                f"{column.title}, target from" if bound == "low" else f"{column.title}, target to",
                column.kind,
                column.unit,
                f"The {'lowest' if bound == 'low' else 'highest'} value that is in the target range.",
            )
            for bound in ("low", "high")
        ),
        FlatColumn(
            f"{column.name}_standing",
            f"{column.title}, standing",
            Plain.TEXT,
            "",
            "Where the number stands to its target range: within, below or above.",
        ),
    ]


def _values(column: Column, cell: Cell) -> list[PlainCell]:
    if not isinstance(cell, Quantity):
        return [cell] + [None] * (3 if column.is_judged else 0)
    if not column.is_judged:
        return [cell.value]
    low, high = (None, None) if cell.target is None else (cell.target.low, cell.target.high)
    return [cell.value, low, high, None if cell.standing is None else cell.standing.name.lower()]
