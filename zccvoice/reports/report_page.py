"""Report → one web page with its charts and tables, which needs nothing else and can be printed on A4."""

from __future__ import annotations

from markupsafe import Markup

from zccvoice.reports.charts import drawn
from zccvoice.reports.html import render
from zccvoice.reports.table import Column, Plain, Report, Standing, Table, mark, shown


def report_page(report: Report) -> str:
    """The page of a report. Everything that came from outside is escaped."""
    charts = [
        # Made here from numbers and from labels that the drawing escapes.
        (chart, Markup(drawn(chart, number)))  # noqa: S704
        for number, chart in enumerate(report.charts)
    ]
    return render(
        "report.html.j2",
        report.tz,
        report.since,
        report=report,
        charts=charts,
        columns_of=_columns,
        definitions=_definitions(report),
        shown=shown,
        mark=mark,
        Plain=Plain,
        Standing=Standing,
    )


def _columns(table: Table) -> list[tuple[int, Column]]:
    """The columns that people read, with their places; a page that nobody has is no column."""
    return [
        (place, column)
        for place, column in enumerate(table.columns)
        if column.name not in ("unit", "measure", "user_id", "queue_id")
        and (column.kind is not Plain.LINK or any(row[place] is not None for row in table.rows))
    ]


def _definitions(report: Report) -> list[tuple[str, str]]:
    """What the columns mean, each once, in order."""
    found = {
        column.title: column.definition
        for table in report.tables
        if table.rows
        for column in table.columns
        if column.definition and column.name not in ("user_id", "queue_id")
    }
    return list(found.items())
