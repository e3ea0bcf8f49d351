"""The JSON document, whose keys stay."""

from __future__ import annotations

import io
import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone

from zccvoice.analytics.scorecard import Scorecard
from zccvoice.reports.calls import CallsReport
from zccvoice.reports.document import call_document, calls_document, write_document

from .build import full, lively, unmeasured

CALL_KEYS = [
    *("engagement_id", "product", "account_id", "queue_id", "queue_name", "agent_name"),
    *("started_at", "ended_at", "end_reason", "language", "language_source", "scorecard", "computed_at"),
]


def test_calls() -> None:
    since = datetime(2026, 5, 4, 2, tzinfo=timezone(timedelta(hours=2)))
    document = calls_document(CallsReport(since, None, (full().call, unmeasured(full()).call)))
    assert list(document) == ["since", "until", "calls"]
    assert (document["since"], document["until"]) == ("2026-05-04T00:00:00Z", None)
    measured, not_measured = document["calls"]
    assert list(measured) == CALL_KEYS
    assert measured["started_at"] == "2026-05-04T08:02:31Z"
    assert list(measured["scorecard"]) == [field.name for field in fields(Scorecard)]
    assert measured["scorecard"]["hold_time_ms"] == 21_500
    assert not_measured["scorecard"] is None


def test_one_call_has_all_that_was_said_and_happened() -> None:
    document = call_document(full())
    assert list(document) == [*CALL_KEYS, "streams", "events", "gaps", "utterances", "rule_hits"]
    assert document["streams"] == [{"start_ms": 0, "end_ms": 87_000}]
    assert document["events"][0] == {"name": "user_answered", "at_ms": 300, "channel_id": "ch-a"}
    assert document["gaps"][1] == {
        "side": "customer",
        "channel_id": "ch-c",
        "start_ms": 64_000,
        "end_ms": 65_400,
    }
    refused = document["utterances"][9]
    assert (refused["side"], refused["text"], refused["verdict"]) == (
        "customer",
        "Thanks for watching!",
        "refused: known hallucination",
    )


def test_levels_scores_and_rules() -> None:
    document = call_document(lively())
    assert document["utterances"][1]["sentiment"] == -0.8
    assert document["utterances"][0]["loudness_by_second"] == (-30.0,) * 5
    assert document["rule_hits"] == [
        {
            "rule": "order number",
            "revision": 2,
            "start_ms": 12_300,
            "end_ms": 16_800,
            "side": "agent",
            "why": "“order number”",
        },
        {
            "rule": "long hold",
            "revision": 1,
            "start_ms": 34_500,
            "end_ms": 56_000,
            "side": None,
            "why": "21500 ms > 20000 ms",
        },
    ]


def test_a_written_document_is_json_as_it_was() -> None:
    file = io.StringIO()
    document = call_document(full())
    write_document({**document, "name": "Ángela 你好"}, file)
    assert "Ángela 你好" in file.getvalue()
    assert file.getvalue().endswith("}\n")
    read = json.loads(file.getvalue())
    assert list(read) == [*document, "name"]
    assert read["utterances"][0]["words"] == []
    assert read["started_at"] == datetime(2026, 5, 4, 8, 2, 31, tzinfo=UTC).isoformat().replace("+00:00", "Z")
