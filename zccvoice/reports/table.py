"""What a report is before it has a form: tables of typed columns, and charts. Every writer takes these values.

A cell is a plain value, so that a file can be computed with; `shown` is how people read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from enum import Enum

from zccvoice.reports.figures import UNKNOWN, Figure, clock, written


class Plain(Enum):
    """What kind of value a column holds, when it is not one `Figure` throughout."""

    TEXT = "text"
    MOMENT = "moment"
    """An aware datetime; shown in the reader's time zone."""
    DAY = "day"
    FLAG = "flag"
    LINK = "link"
    """The address of a page."""
    MIXED = "mixed"
    """Every cell is a `Quantity` with a figure of its own."""


Kind = Figure | Plain


class Standing(Enum):
    """Where a number stands to its target. The value is the mark beside it: it needs no colour."""

    WITHIN = "✓"
    BELOW = "▼"
    ABOVE = "▲"


@dataclass(frozen=True, slots=True)
class Range:
    """A target, bounds included; None is no bound."""

    low: float | None
    high: float | None

    def standing(self, value: float) -> Standing:
        """Where the value stands."""
        if self.low is not None and value < self.low:
            return Standing.BELOW
        return Standing.ABOVE if self.high is not None and value > self.high else Standing.WITHIN

    def text(self, figure: Figure) -> str:
        """``50–60``, ``≥ 50``, ``≤ 60``, as numbers of that kind are written."""
        low, high = (None if bound is None else written(bound, figure) for bound in (self.low, self.high))
        if low is None or high is None:
            return f"≥ {low}" if low is not None else f"≤ {high}" if high is not None else ""
        return f"{low}–{high}"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with what kind it is, and with the target that holds for it."""

    value: float | None
    figure: Figure
    target: Range | None = None
    is_change: bool = False
    """A difference, which has a sign."""

    @property
    def standing(self) -> Standing | None:
        """None where either is not known."""
        return None if self.value is None or self.target is None else self.target.standing(self.value)


Cell = str | int | float | bool | datetime | date | Quantity | None


@dataclass(frozen=True, slots=True)
class Column:
    """One column; its cells are of one kind, or None where a value is not known."""

    name: str
    """Its name in files: stays, and carries the unit."""
    title: str
    """What people read above it."""
    kind: Kind = Plain.TEXT
    definition: str = ""
    is_judged: bool = False
    """Whether cells are a `Quantity` with a target beside the number."""

    @property
    def unit(self) -> str:
        """The unit that is to be read with a number; empty when there is none or it has none."""
        return self.kind.unit if isinstance(self.kind, Figure) else ""

    @property
    def is_number(self) -> bool:
        """Whether it is to be aligned to the right."""
        return (isinstance(self.kind, Figure) and self.kind is not Figure.WORD) or self.kind is Plain.MIXED


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells. Columns stand in the order of how much they matter: narrow forms leave out the last."""

    name: str
    """Its name in files, and of its sheet."""
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    """What is to be known to read it."""


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or the bars of one colour."""

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of numbers: bars of named things, or lines over days or hours."""

    title: str
    figure: Figure
    labels: Sequence[str]
    """Of the places along the axis: as many as each series has values."""
    series: tuple[Series, ...]
    is_line: bool = False
    target: Range | None = None
    """Shown as a band."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything of one report."""

    name: str
    """Its name in files and commands."""
    title: str
    about: str
    """Which calls it is about: one line below the title."""
    since: datetime
    until: datetime
    """Aware; the calls are those that started in ``[since, until)``."""
    tz: tzinfo | None
    """The reader's time zone; None is this machine's."""
    tables: tuple[Table, ...]
    """The chief one first."""
    charts: tuple[Chart, ...] = ()


def shown(cell: Cell, kind: Kind, tz: tzinfo | None = None) -> str:
    """A cell as people read it, without unit unless its kind is its own; ``–`` where it is not known."""
    match cell:
        case None:
            return UNKNOWN
        case Quantity():
            unit = cell.figure.unit if kind is Plain.MIXED and cell.value is not None else ""
            text = _change(cell) if cell.is_change else written(cell.value, cell.figure)
            return _with_unit(text, unit)
        case bool():
            return "yes" if cell else "no"
        case datetime():
            return clock(cell, tz)
        case date():
            return f"{cell:%Y-%m-%d}"
        case str() if kind is not Figure.WORD:
            return cell
        case _:
            assert isinstance(kind, Figure)
            return written(cell, kind)


def mark(cell: Cell) -> str:
    """The mark of a number that has a target, with the target: ``▼ 50–60``; empty without."""
    if not isinstance(cell, Quantity) or cell.standing is None or cell.target is None:
        return ""
    return f"{cell.standing.value} {cell.target.text(cell.figure)}"


def _change(cell: Quantity) -> str:
    """``+0:12``, ``−3``; without a sign where nothing is left to be seen of it."""
    if cell.value is None:
        return UNKNOWN
    size = written(abs(cell.value), cell.figure).removeprefix("+")
    is_seen = any(digit in size for digit in "123456789")
    return f"{'+' if cell.value > 0 else '−'}{size}" if is_seen else size


def _with_unit(text: str, unit: str) -> str:
    # "+0.5 ±5" would be taken for a number and its error; which scores there are, the definition says.
    return text if unit in ("", Figure.DURATION.unit, Figure.SCORE.unit) else f"{text} {unit}"
