"""The calls that run now → a table for a terminal, or JSON.

What is not known is a dash. A mark is a sign and a colour: ``!`` where somebody should look, ``‼`` where it has
been so for much longer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from zccvoice.reports.figures import UNKNOWN, duration, iso, share
from zccvoice.store.running import RunningCall

STALE_MS = 5_000
"""Age of a row from which it is marked: rows are made anew more often while all is well."""
MUCH_LONGER = 3
"""So many times as long as marked earns the second mark."""
_BAR = 8
_LEAST_WORDS = 16


@dataclass(frozen=True, slots=True)
class Alarms:
    """From when on something is marked, ms."""

    silence_ms: int = 10_000
    hold_ms: int = 60_000


@dataclass(frozen=True, slots=True)
class RunningReport:
    """The running calls at one moment."""

    at: datetime
    """Aware."""
    calls: Sequence[RunningCall]


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    width: int
    cell: Callable[[RunningCall, Alarms], Text]
    is_number: bool = False


SORTS: Mapping[str, Callable[[RunningCall], Any]] = {
    "elapsed": lambda call: call.elapsed_ms,
    "state": lambda call: (call.state in ("hold", "paused", "silence"), call.state_ms or 0),
    "silence": lambda call: call.longest_silence_ms,
    "interruptions": lambda call: (
        (call.interruptions_agent_count or 0) + (call.interruptions_customer_count or 0)
    ),
    "rules": lambda call: call.rule_hits_count,
    "talk": lambda call: call.talk_share_agent or 0,
    "age": lambda call: call.age_ms,
}
"""What the calls can be sorted by, the most first."""


def in_order(calls: Sequence[RunningCall], sort: str) -> list[RunningCall]:
    """The calls by one of `SORTS`, the most first; equal ones by their ids, so that rows stand still."""
    return sorted(sorted(calls, key=lambda call: call.engagement_id), key=SORTS[sort], reverse=True)


def running_document(report: RunningReport) -> dict[str, Any]:
    """The running calls as plain values; the keys are the names of the columns of ``reporting.live_call``."""
    return {
        "at": iso(report.at, "milliseconds"),
        "calls": [{**asdict(call), "started_at": iso(call.started_at)} for call in report.calls],
    }


def summary(report: RunningReport) -> str:
    """One line: how many calls, in which state, how old their rows are, and what waits for a transcript."""
    calls = report.calls
    states = [one.state for one in calls]
    counts = [
        f"{states.count(state)} {words}"
        for state, words in (
            ("talking", "talking"),
            ("silence", "silent"),
            ("hold", "on hold"),
            ("paused", "paused"),
        )
        if state in states
    ]
    parts = [
        f"{len(calls)} call{'' if len(calls) == 1 else 's'}" + (f": {', '.join(counts)}" if counts else "")
    ]
    if calls:
        waiting = sum(one.untranscribed_count or 0 for one in calls)
        lag_ms = max(one.transcript_lag_ms or 0 for one in calls)
        parts.append(f"rows up to {max(one.age_ms for one in calls) / 1000:.1f} s old")
        parts.append(
            f"{waiting} utterance{'' if waiting == 1 else 's'} waiting"
            + (f", the oldest {lag_ms / 1000:.1f} s" if waiting else "")
        )
    return " · ".join(parts)


def running_table(calls: Sequence[RunningCall], width: int, alarms: Alarms) -> Table:
    """The calls in the order given, a row each, in so many columns of a terminal.

    A narrow terminal goes without some columns; the last words take what room there is.
    """
    columns = _columns_for(width)
    words = width - sum(column.width + 1 for column in columns)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold", width=width)
    for column in columns:
        justify = "right" if column.is_number else "left"
        table.add_column(column.title, width=column.width, no_wrap=True, justify=justify)  # type: ignore[arg-type]
    table.add_column("Last words", width=words, no_wrap=True)
    for call in calls:
        table.add_row(*(column.cell(call, alarms) for column in columns), _last_words(call, words))
    return table


def _columns_for(width: int) -> list[_Column]:
    columns = list(_COLUMNS)
    for title in _DISPENSABLE:
        if sum(column.width + 1 for column in columns) + _LEAST_WORDS <= width:
            break
        columns = [column for column in columns if column.title != title]
    return columns


def _queue(call: RunningCall, alarms: Alarms) -> Text:
    return _plain(call.queue_name or UNKNOWN)


def _agent(call: RunningCall, alarms: Alarms) -> Text:
    return _plain(call.agent_name or UNKNOWN)


def _elapsed(call: RunningCall, alarms: Alarms) -> Text:
    return Text(duration(call.elapsed_ms))


def _now(call: RunningCall, alarms: Alarms) -> Text:
    """Who speaks, or what else is going on, and for how long."""
    if call.state is None:
        return Text(UNKNOWN)
    if call.state == "talking":
        who = "both" if call.speaking == "agent, customer" else call.speaking
        return Text(who or "between turns", style="" if who else "dim")
    lasts_ms = call.state_ms or 0
    text = f"{call.state} {duration(lasts_ms)}"
    return _marked(text, lasts_ms, alarms.hold_ms if call.state == "hold" else alarms.silence_ms)


def _talk(call: RunningCall, alarms: Alarms) -> Text:
    """The agent's part full, the customer's hollow; the number is the agent's."""
    if call.talk_share_agent is None:
        return Text(UNKNOWN)
    agent = round(_BAR * call.talk_share_agent)
    bar = Text("█" * agent, style="cyan") + Text("░" * (_BAR - agent), style="yellow")
    return bar + Text(f" {share(call.talk_share_agent):>4}%")


def _silence(call: RunningCall, alarms: Alarms) -> Text:
    return _marked(duration(call.longest_silence_ms), call.longest_silence_ms, alarms.silence_ms)


def _interruptions(call: RunningCall, alarms: Alarms) -> Text:
    counts = (call.interruptions_agent_count, call.interruptions_customer_count)
    return Text("/".join(UNKNOWN if count is None else str(count) for count in counts))


def _rules(call: RunningCall, alarms: Alarms) -> Text:
    if not call.rule_hits:
        return Text(UNKNOWN if call.rule_hits_count else "")
    text = _plain(", ".join(call.rule_hits), "bold magenta")
    return Text(f"{call.rule_hits_count} ", style="bold magenta") + text


def _age(call: RunningCall, alarms: Alarms) -> Text:
    age_s = call.age_ms / 1000
    return _marked(f"{age_s:.1f}s" if age_s < 100 else duration(call.age_ms), call.age_ms, STALE_MS)


def _last_words(call: RunningCall, width: int) -> Text:
    """Their end, where there is no room for all: it is the newest."""
    if not call.last_words:
        return Text(UNKNOWN, style="dim")
    words = _plain(f"{_SIGNS.get(call.last_side or '', '?')} {call.last_words}")
    if words.cell_len > width:
        words.plain = f"{words.plain[:2]}…{words.plain[-max(0, width - 3) :]}"
    return words


def _marked(text: str, value_ms: int, above_ms: int) -> Text:
    if value_ms > MUCH_LONGER * above_ms:
        return Text(f"‼ {text}", style="bold red")
    if value_ms > above_ms:
        return Text(f"! {text}", style="yellow")
    return Text(text)


def _plain(text: str, style: str = "") -> Text:
    """Text as it is: no markup, and nothing in it that a terminal obeys."""
    return Text("".join(letter if letter.isprintable() else " " for letter in text), style=style)


_SIGNS = {"agent": "A", "customer": "C", "other": "O"}
_COLUMNS = (
    _Column("Queue", 12, _queue),
    _Column("Agent", 14, _agent),
    _Column("Elapsed", 7, _elapsed, is_number=True),
    _Column("Now", 15, _now),
    _Column("Agent’s talk", 14, _talk),
    _Column("Silence", 8, _silence, is_number=True),
    _Column("Int. A/C", 8, _interruptions, is_number=True),
    _Column("Rules", 16, _rules),
    _Column("Age", 7, _age, is_number=True),
)
_DISPENSABLE = ("Queue", "Int. A/C", "Rules", "Agent’s talk", "Age", "Silence", "Agent", "Elapsed")
"""Columns that a narrow terminal goes without, the first first."""
