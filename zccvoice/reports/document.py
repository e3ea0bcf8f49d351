"""Report → JSON. The keys are the names of the stored columns, and stay.

Times on the engagement's clock are integer milliseconds, moments are ISO 8601 in UTC; what is not known is null.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import IO, Any

from zccvoice.reports.calls import CallReport, CallsReport
from zccvoice.reports.figures import iso
from zccvoice.reports.transcript import sentiment_of
from zccvoice.store.reads import CallRow


def calls_document(report: CallsReport) -> dict[str, Any]:
    """The calls of a period with all their measures, as plain values."""
    return {
        "since": iso(report.since),
        "until": iso(report.until),
        "calls": [_call(call) for call in report.calls],
    }


def call_document(report: CallReport) -> dict[str, Any]:
    """One call with its measures, events, gaps, transcript and the rules that matched, as plain values."""
    record = report.record
    return {
        **_call(report.call),
        "streams": [span._asdict() for span in record.streams],
        "events": [asdict(event) for event in record.events],
        "gaps": [asdict(gap) for gap in record.gaps],
        "utterances": [
            {**asdict(utterance), "sentiment": sentiment}
            for utterance, sentiment in zip(report.utterances, sentiment_of(report), strict=True)
        ],
        "rule_hits": [asdict(hit) for hit in report.hits],
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
        "started_at": iso(call.started_at),
        "ended_at": iso(call.ended_at),
        "end_reason": call.end_reason,
        "language": call.language,
        "language_source": call.language_source,
        "scorecard": None if call.scorecard is None else asdict(call.scorecard),
        "computed_at": iso(call.computed_at),
    }
