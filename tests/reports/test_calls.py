"""Reports from a real database, and the script that writes them."""

from __future__ import annotations

import json
import runpy
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from zccvoice.analytics.record import Side
from zccvoice.analytics.scorecard import scorecard
from zccvoice.reports import transcript
from zccvoice.reports.calls import call_report, calls_report
from zccvoice.reports.html import page_name
from zccvoice.store import measures, reads, writes
from zccvoice.store.database import connect, transaction
from zccvoice.store.facts import (
    CallEventSeen,
    ClockStarted,
    Fact,
    ParticipantSeen,
    StreamClosed,
    StreamOpened,
    UtteranceHeard,
)

ZERO_MS = 1_777_881_751_000
SCRIPT = Path(__file__).parents[2] / "scripts" / "report_calls.py"


def facts(engagement_id: str, day: int) -> list[Fact]:
    stream_id = f"{engagement_id}-s"
    started_at = datetime(2026, 5, day, 12, tzinfo=UTC)
    zero_ms = int(started_at.timestamp() * 1000)
    return [
        StreamOpened(engagement_id, stream_id, "zcc_voice", started_at),
        ClockStarted(engagement_id, stream_id, zero_ms),
        ParticipantSeen(engagement_id, stream_id, "a", Side.AGENT, display_name="Ada", queue_name="Orders"),
        UtteranceHeard(
            engagement_id, stream_id, "a", zero_ms + 1_000, zero_ms + 3_000, -20.0, 0.0, "Hello, this is Ada."
        ),
        StreamClosed(engagement_id, stream_id, datetime(2026, 5, day, 12, 1, tzinfo=UTC), "call_ended"),
    ]


def store(connection: Connection, engagement_id: str, day: int) -> None:
    writes.apply(connection, facts(engagement_id, day))
    record = reads.call_record(connection, engagement_id)
    measures.put_scorecard(connection, engagement_id, scorecard(record))


def test_calls_of_a_period(connection: Connection) -> None:
    for day in (3, 4, 5):
        store(connection, f"e{day}", day)
    since, until = datetime(2026, 5, 4, tzinfo=UTC), datetime(2026, 5, 5, tzinfo=UTC)
    assert [call.engagement_id for call in calls_report(connection, since, until).calls] == ["e4"]
    assert [call.engagement_id for call in calls_report(connection).calls] == ["e5", "e4", "e3"]


def test_one_call_is_whole(connection: Connection) -> None:
    store(connection, "e4", 4)
    report = call_report(connection, "e4")
    assert report is not None
    assert report.call.scorecard == scorecard(report.record)
    assert report.call.scorecard.talk_time_agent_ms == 2_000
    assert [one.text for one in report.utterances] == ["Hello, this is Ada."]
    assert call_report(connection, "nobody") is None


def test_what_a_supervisor_said_is_on_the_side_that_it_is_measured_on(connection: Connection) -> None:
    zero_ms = int(datetime(2026, 5, 4, 12, tzinfo=UTC).timestamp() * 1000)
    of: dict[str, Any] = {"engagement_id": "e4", "stream_id": "e4-s"}

    def said(start_ms: int, text: str) -> Fact:
        from_ms, to_ms = zero_ms + start_ms, zero_ms + start_ms + 1_000
        return UtteranceHeard("e4", "e4-s", "s", from_ms, to_ms, -20.0, 0.0, text)

    def told(name: str, at_ms: int) -> Fact:
        return CallEventSeen(**of, name=name, timestamp_ms=zero_ms + at_ms, channel_id="s")

    supervisor = ParticipantSeen(**of, channel_id="s", side=Side.AGENT, display_name="Sue")
    heard = [
        told("monitor_started", 0),
        said(1_800, "Say that we pay it back."),
        told("takeover_started", 9_000),
    ]
    writes.apply(connection, [*facts("e4", 4), supervisor, *heard, said(10_000, "This is Sue.")])
    report = call_report(connection, "e4")
    assert report is not None
    assert [one.side for one in report.utterances] == [Side.AGENT, Side.OTHER, Side.AGENT]
    assert [one.side for one in report.utterances] == [one.side for one in report.record.utterances]
    assert [one.is_interruption for one in transcript.said(report)] == [False, True, False]
    of_agent = [one.text for one in report.utterances if one.side is Side.AGENT and one.text]
    assert scorecard(report.record).words_agent_count == len(" ".join(of_agent).split())


@pytest.fixture
def two_calls(database_url: str) -> str:
    engine = connect(database_url)
    with transaction(engine) as connection:
        store(connection, "e3", 3)
        store(connection, "e4", 4)
    engine.dispose()
    return database_url


def run_script(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *arguments])
    runpy.run_path(str(SCRIPT), run_name="__main__")


def test_the_script_reports_text_and_json(
    two_calls: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_script(monkeypatch, "--database", two_calls)
    written = capsys.readouterr()
    assert written.out.count("Orders") == 2
    assert written.err == "2 calls\n"
    run_script(monkeypatch, "--database", two_calls, "--format", "json", "--since", "2026-05-04")
    written = capsys.readouterr()
    assert [call["engagement_id"] for call in json.loads(written.out)["calls"]] == ["e4"]


def test_the_script_writes_pages(
    two_calls: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_script(monkeypatch, "--database", two_calls, "--format", "html", "--output", str(tmp_path / "out"))
    assert capsys.readouterr().out == f"{tmp_path / 'out' / 'index.html'}\n"
    assert "Hello, this is Ada." in (tmp_path / "out" / page_name("e3")).read_text(encoding="utf-8")


def test_the_script_says_what_is_wrong_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="expected a database URL"):
        run_script(monkeypatch, "--database", "nonsense")
