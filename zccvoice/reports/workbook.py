"""Report → XLSX: a sheet per table with true numbers, times and moments, and a sheet with what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from typing import IO, Any

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from zccvoice.reports.figures import Figure
from zccvoice.reports.flat import FlatColumn, PlainCell, flat
from zccvoice.reports.table import Column, Kind, Plain, Quantity, Report, Table

_MS_PER_DAY = 86_400_000
_LONGEST = 32_767
"""Letters that a cell may hold."""
_FORMATS: Mapping[Kind, str] = {
    Figure.DURATION: "[h]:mm:ss",
    Figure.SHORT: "0.0",
    Figure.COUNT: "#,##0",
    Figure.RATIO: "0.0%",
    Figure.FACTOR: "0.00",
    Figure.PER_MINUTE: "0.0",
    Figure.PER_CALL: "0.0",
    Figure.SPEED: "0",
    Figure.LEVEL: "0.0",
    Figure.DISTANCE: "0.0",
    Figure.SCORE: "+0.0;−0.0;0.0",
    Plain.MOMENT: "yyyy-mm-dd hh:mm:ss",
    Plain.DAY: "yyyy-mm-dd",
}
_UNITS: Mapping[Kind, str] = {Figure.DURATION: "h:mm:ss"}
_WIDTHS: Mapping[Kind, int] = {Plain.MOMENT: 19, Plain.DAY: 11, Plain.TEXT: 24, Plain.LINK: 12}


def write_workbook(report: Report, file: IO[bytes]) -> None:
    """Write a report; moments are in its time zone, because a spreadsheet knows none."""
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    workbook = Workbook(file, options)
    workbook.set_properties({"title": report.title, "subject": report.about, "created": report.until})
    writer = _Writer(workbook, report.tz)
    for table in report.tables:
        writer.add(table)
    writer.explain(report)
    workbook.close()


class _Writer:
    def __init__(self, workbook: Workbook, tz: tzinfo | None) -> None:
        self._workbook = workbook
        self._tz = tz
        self._formats = {kind: workbook.add_format({"num_format": text}) for kind, text in _FORMATS.items()}
        self._header = workbook.add_format(
            {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "bg_color": "#F0F2F6"}
        )
        self._wrapped = workbook.add_format({"text_wrap": True, "valign": "top"})

    def add(self, table: Table) -> None:
        """A sheet with the header frozen and filters over every column."""
        sheet = self._workbook.add_worksheet(table.name)
        whole = flat(table)
        kinds = _kinds(table)
        for at, column in enumerate(whole.columns):
            sheet.set_column(at, at, _width(column))
            sheet.write_string(0, at, _heading(column), self._header)
        for number, row in enumerate(whole.rows, 1):
            for at, cell in enumerate(row):
                self._write(sheet, number, at, cell, kinds[number - 1][at])
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, max(1, len(whole.rows)), len(whole.columns) - 1)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)

    def explain(self, report: Report) -> None:
        """A sheet that says what the report is about and what every column means."""
        sheet = self._workbook.add_worksheet("about")
        sheet.set_column(0, 2, 26)
        sheet.set_column(3, 3, 90, self._wrapped)
        sheet.write_string(0, 0, report.title, self._header)
        sheet.write_string(0, 1, report.about)
        at = 2
        for table in report.tables:
            for place, title in enumerate(("Sheet", "Column", "Unit", table.note or table.title)):
                sheet.write_string(at, place, title, self._header)
            for column in flat(table).columns:
                at += 1
                for place, text in enumerate((table.name, column.title, _unit(column), column.definition)):
                    sheet.write_string(at, place, text)
            at += 2

    def _write(self, sheet: Worksheet, row: int, at: int, cell: PlainCell, kind: Kind) -> None:
        format_ = self._formats.get(kind)
        match cell:
            case None:
                return
            case bool():
                sheet.write_boolean(row, at, cell)
            case datetime():
                sheet.write_datetime(row, at, cell.astimezone(self._tz).replace(tzinfo=None), format_)
            case date():
                sheet.write_datetime(row, at, cell, format_)
            case str() if kind is Plain.LINK and _is_address(cell):
                sheet.write_url(row, at, cell, string="open")
            case str():
                sheet.write_string(row, at, cell[:_LONGEST])
            case _:
                sheet.write_number(row, at, _number(cell, kind), format_)


def _number(value: float, kind: Kind) -> float:
    """As a spreadsheet counts: durations in days, short times in seconds."""
    if kind is Figure.DURATION:
        return value / _MS_PER_DAY
    return value / 1000 if kind is Figure.SHORT else value


def _kinds(table: Table) -> list[list[Kind]]:
    """The kind of every cell of the flat table: in a mixed column each has its own."""
    return [
        [kind for column, cell in zip(table.columns, row, strict=True) for kind in _of_cell(column, cell)]
        for row in table.rows
    ]


def _of_cell(column: Column, cell: Any) -> list[Kind]:
    own = cell.figure if isinstance(cell, Quantity) else column.kind
    return [own, own, own, Plain.TEXT] if column.is_judged else [own]


def _heading(column: FlatColumn) -> str:
    unit = _unit(column)
    return f"{column.title} ({unit})" if unit else column.title


def _unit(column: FlatColumn) -> str:
    return _UNITS.get(column.kind, column.unit)


def _width(column: FlatColumn) -> int:
    longest = max(map(len, _heading(column).split()))
    return max(_WIDTHS.get(column.kind, 10), min(longest + 2, 24))


def _is_address(text: str) -> bool:
    """Whether a spreadsheet can open it; it takes no more than 65,530 in a sheet, and no relative ones."""
    return text.startswith(("http://", "https://")) and len(text) < 2_000
