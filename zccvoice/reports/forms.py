"""Report → any of its forms, by name.

What a form needs is loaded when it is asked for: plotting alone takes a second.
"""

from __future__ import annotations

import io
from typing import IO

from zccvoice.reports.delimited import write_csv
from zccvoice.reports.document import write_document
from zccvoice.reports.printed import print_report
from zccvoice.reports.report_document import report_document
from zccvoice.reports.table import Report, Table

FORMS = ("text", "json", "csv", "xlsx", "parquet", "html")
OF_ONE_TABLE = frozenset({"csv", "parquet"})
"""Forms that hold one table of the report."""
BINARY = frozenset({"xlsx", "parquet"})
"""Forms that no terminal can show."""


def write_report(report: Report, form: str, file: IO[bytes], table: str | None = None) -> None:
    """Write a report in a form; text as UTF-8.

    Args:
        report: what to write.
        form: one of `FORMS`.
        file: where to.
        table: name of the table, of a form `OF_ONE_TABLE`; None is the chief one.

    Raises:
        KeyError: the report has no such table.
    """
    match form:
        case "xlsx":
            from zccvoice.reports.workbook import write_workbook

            write_workbook(report, file)
        case "parquet":
            from zccvoice.reports.columnar import write_parquet

            write_parquet(table_of(report, table), file, report.tz)
        case "html":
            from zccvoice.reports.report_page import report_page

            file.write(report_page(report).encode())
        case _:
            text = io.StringIO(newline="")
            if form == "csv":
                write_csv(table_of(report, table), text, report.tz)
            elif form == "json":
                write_document(report_document(report), text)
            else:
                print_report(report, text)
            file.write(text.getvalue().encode("utf-8", "backslashreplace"))


def table_of(report: Report, name: str | None) -> Table:
    """The table of that name, or the chief one.

    Raises:
        KeyError: there is none.
    """
    if name is None:
        return report.tables[0]
    return {table.name: table for table in report.tables}[name]
