"""Report → JSON. The keys are the names of the stored columns, and stay.

Times on the engagement's clock are integer milliseconds, moments are ISO 8601 in UTC; what is not known is null.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import IO, Any

from zccvoice.reports.calls import CallReport, CallsReport
from zccvoice.reports.flat import PlainCell, flat
from zccvoice.reports.table import Report, Table
from zccvoice.store.reads import CallRow


def calls_document(report: CallsReport) -> dict[str, Any]:
    """The calls of a period with all their measures, as plain values."""
    return {
        "since": _moment(report.since),
        "until": _moment(report.until),
        "calls": [_call(call) for call in report.calls],
    }


def call_document(report: CallReport) -> dict[str, Any]:
    """One call with its measures, events, gaps and transcript, as plain values."""
    record = report.record
    return {
        **_call(report.call),
        "streams": [asdict(span) for span in record.streams],
        "events": [asdict(event) for event in record.events],
        "gaps": [asdict(gap) for gap in record.gaps],
        "utterances": [asdict(utterance) for utterance in report.utterances],
    }


def report_document(report: Report) -> dict[str, Any]:
    """A report with every table: its columns by name, title and definition, and its rows by column."""
    return {
        "report": report.name,
        "title": report.title,
        "since": _moment(report.since),
        "until": _moment(report.until),
        "tables": {table.name: _table(table) for table in report.tables},
    }


def write_document(document: dict[str, Any], file: IO[str]) -> None:
    """Write one JSON document and a line break."""
    json.dump(document, file, ensure_ascii=False, allow_nan=False, indent=2)
    file.write("\n")


def _call(call: CallRow) -> dict[str, Any]:
    return {
        "engagement_id": call.engagement_id,
        "product": call.product,
        "account_id": call.account_id,
        "queue_id": call.queue_id,
        "queue_name": call.queue_name,
        "agent_name": call.agent_name,
        "started_at": _moment(call.started_at),
        "ended_at": _moment(call.ended_at),
        "end_reason": call.end_reason,
        "language": call.language,
        "language_source": call.language_source,
        "scorecard": None if call.scorecard is None else asdict(call.scorecard),
        "computed_at": _moment(call.computed_at),
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
        return _moment(cell)
    return cell.isoformat() if isinstance(cell, date) else cell


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
