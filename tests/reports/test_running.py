"""The running calls in a terminal of any width."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console

from zccvoice.reports.running import (
    SORTS,
    Alarms,
    RunningReport,
    in_order,
    running_document,
    running_table,
    summary,
)
from zccvoice.store.running import RunningCall

AT = datetime(2026, 5, 4, 8, 2, 31, 250_000, tzinfo=UTC)
CALL = RunningCall(
    engagement_id="e1",
    queue_name="Orders",
    agent_name="Lee Agent",
    started_at=AT,
    elapsed_ms=187_000,
    talk_share_agent=0.62,
    talk_share_customer=0.38,
    state="talking",
    state_ms=4_000,
    speaking="customer",
    longest_silence_ms=4_200,
    interruptions_agent_count=2,
    interruptions_customer_count=None,
    rule_hits_count=3,
    rule_hits=["apology", "refund"],
    last_side="customer",
    last_words="it has still not arrived and nobody told me",
    coverage_ratio=1.0,
    untranscribed_count=1,
    transcript_lag_ms=800,
    age_ms=1_240,
)
SILENT = replace(CALL, engagement_id="e2", state="silence", state_ms=11_000, longest_silence_ms=31_000)
HELD = replace(CALL, engagement_id="e3", state="hold", state_ms=200_000, speaking=None, age_ms=9_000)
UNKNOWN = RunningCall(
    "e4",
    None,
    None,
    None,
    0,
    None,
    None,
    None,
    None,
    None,
    0,
    None,
    None,
    0,
    [],
    None,
    None,
    None,
    None,
    None,
    90,
)


def table(*calls: RunningCall, width: int = 150, color: bool = False) -> list[str]:
    file = io.StringIO()
    console = Console(
        file=file,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
    )
    console.print(running_table(calls, width, Alarms()))
    return file.getvalue().splitlines()


def test_a_row_says_what_goes_on() -> None:
    heading, row = table(CALL)
    assert " ".join(heading.split()) == (
        "Queue Agent Elapsed Now Agent’s talk Silence Int. A/C Rules Age Last words"
    )
    assert " ".join(row.split()) == (
        "Orders Lee Agent 3:07 customer █████░░░ 62% 0:04 2/– 3 apology, refu… 1.2s "
        "C … still not arrived and nobody told me"
    )


def test_what_lasts_too_long_is_marked_by_a_sign_and_a_colour() -> None:
    _, silent, held = table(SILENT, HELD)
    assert "! silence 0:11" in silent
    assert "‼ 0:31" in silent
    assert "‼ hold 3:20" in held
    assert "! 9.0s" in held
    _, coloured = table(HELD, color=True)
    assert "\x1b[1;31m‼ hold 3:20" in coloured
    assert "\x1b" not in held


@pytest.mark.parametrize(
    ("speaking", "shown"), [("agent", "agent"), ("agent, customer", "both"), (None, "between turns")]
)
def test_who_speaks(speaking: str | None, shown: str) -> None:
    assert f" {shown} " in table(replace(CALL, speaking=speaking))[1]


def test_what_is_not_known_is_a_dash() -> None:
    assert " ".join(table(UNKNOWN)[1].split()) == "– – 0:00 – – 0:00 –/– 0.1s –"


@pytest.mark.parametrize("width", [30, 40, 60, 80, 100, 120, 150, 250])
def test_rows_fit_any_terminal_and_keep_the_last_words(width: int) -> None:
    lines = table(
        CALL, HELD, UNKNOWN, replace(CALL, last_words="wörter " * 50, agent_name="Ň" * 90), width=width
    )
    assert len(lines) == 5
    assert all(len(line) <= width for line in lines)
    assert "told me" in lines[1]
    assert "hold 3:20" in lines[2], "what goes on is the last to go"


def test_nothing_in_a_row_is_obeyed_by_the_terminal() -> None:
    nasty = "\x1b[2J[red]x\r\n\a"
    text = "\n".join(
        table(replace(CALL, queue_name=nasty, agent_name=nasty, last_words=nasty, rule_hits=[nasty]))
    )
    assert not {"\x1b", "\r", "\a"} & set(text)
    assert "[red]x" in text


def test_the_summary() -> None:
    report = RunningReport(AT, [CALL, SILENT, HELD, UNKNOWN])
    assert summary(report) == (
        "4 calls: 1 talking, 1 silent, 1 on hold · rows up to 9.0 s old · 3 utterances waiting, the oldest 0.8 s"
    )
    assert summary(RunningReport(AT, [])) == "0 calls"
    assert summary(RunningReport(AT, [UNKNOWN])) == "1 call · rows up to 0.1 s old · 0 utterances waiting"


def test_sorting() -> None:
    calls = [CALL, SILENT, HELD, UNKNOWN]
    assert [one.engagement_id for one in in_order(calls, "state")] == ["e3", "e2", "e1", "e4"]
    assert [one.engagement_id for one in in_order(calls, "silence")] == ["e2", "e1", "e3", "e4"]
    assert [one.engagement_id for one in in_order(calls[::-1], "elapsed")] == ["e1", "e2", "e3", "e4"]
    for sort in SORTS:
        assert len(in_order(calls, sort)) == 4


def test_the_document() -> None:
    document = running_document(RunningReport(AT, [CALL]))
    assert document["at"] == "2026-05-04T08:02:31.250Z"
    (call,) = document["calls"]
    assert (call["engagement_id"], call["started_at"]) == ("e1", "2026-05-04T08:02:31.250000Z")
    assert call["rule_hits"] == ["apology", "refund"]
