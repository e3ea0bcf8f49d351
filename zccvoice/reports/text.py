"""Report → tables on a terminal.

Colour is used on a terminal unless NO_COLOR is set, and nothing depends on it. The tables take the terminal's
width; into a file or a pipe they are wide enough to be read whole (COLUMNS says otherwise).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence, Set
from datetime import tzinfo
from typing import IO
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from zccvoice.analytics.record import Side
from zccvoice.reports.calls import CallReport, CallsReport
from zccvoice.reports.figures import UNKNOWN, Figure, clock, duration, written, zone, zoned
from zccvoice.reports.measures import GROUPS, flags
from zccvoice.reports.transcript import SIDES, remark, speaker
from zccvoice.store.reads import CallRow, UtteranceRow

FILE_WIDTH = 160
"""Columns of a report that goes into a file or a pipe."""

_COLUMNS = {
    **dict.fromkeys(("Started", "Queue", "Agent"), False),
    **dict.fromkeys(("Length", "Talk", "Silence", "Hold", "Interr.", "Monologue", "wpm", "Audio"), True),
    "Note": False,
}
"""Titles of the columns, and whether they hold numbers."""
_DISPENSABLE = ("Queue", "Monologue", "wpm", "Agent", "Hold", "Interr.", "Silence")
"""Columns that a narrow terminal goes without, the first first."""
_COLOURS = {Side.AGENT: "cyan", Side.CUSTOMER: "yellow", Side.OTHER: "magenta", None: "default"}


def print_calls(report: CallsReport, file: IO[str], tz: tzinfo | None = None) -> None:
    """Write the calls as one table with the chief measures, the newest first.

    Args:
        report: what to write.
        file: where to; colours and width are its own.
        tz: the reader's time zone; None is this machine's.
    """
    console = console_for(file)
    if not report.calls:
        console.print("No calls.")
        return
    left_out: set[str] = set()
    table = _calls_table(report, left_out, tz)
    unlimited = console.options.update(max_width=10_000)
    for title in _DISPENSABLE:
        if console.measure(table, options=unlimited).maximum <= console.width:
            break
        left_out.add(title)  # a number that is cut off is worse than none
        table = _calls_table(report, left_out, tz)
    console.print(table)
    console.print(
        "Talk: the agent's share. Interr., monologue, wpm: agent / customer. Audio: the share that arrived. "
        f"Started: {_zone(report.calls, tz)}.",
        style="dim",
    )


def print_call(report: CallReport, file: IO[str], tz: tzinfo | None = None) -> None:
    """Write one call: who and when, every measure, the transcript. Arguments as for `print_calls`."""
    console_for(file).print(Group(_heading(report.call, tz), *_measures(report.call), _transcript(report)))


def print_transcript(report: CallReport, file: IO[str]) -> None:
    """Write what was said on one call, and nothing else."""
    console_for(file).print(_transcript(report))


def console_for(file: IO[str]) -> Console:
    """A console as wide as the terminal, or wide enough to be read whole where there is none."""
    width = None if file.isatty() or os.environ.get("COLUMNS", "").isdigit() else FILE_WIDTH
    return Console(file=file, width=width, markup=False, emoji=False, highlight=False)


def _zone(calls: Sequence[CallRow], tz: tzinfo | None) -> str:
    """That of the newest call: a zone may change its name within a period."""
    if isinstance(tz, ZoneInfo):
        return tz.key
    return next((zone(call.started_at, tz) for call in calls if call.started_at is not None), "local time")


def _calls_table(report: CallsReport, left_out: Set[str], tz: tzinfo | None) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    kept = [column for column in _COLUMNS if column not in left_out]
    for title in kept:
        is_number = _COLUMNS[title]
        table.add_column(
            title,
            justify="right" if is_number else "left",
            no_wrap=True,
            overflow="ellipsis",
            max_width=None if is_number else 24,
        )
    for call in report.calls:
        cells = dict(zip(_COLUMNS, _cells(call, tz), strict=True))
        table.add_row(*(cells[title] for title in kept))
    return table


def _cells(call: CallRow, tz: tzinfo | None) -> Iterator[Text]:
    yield Text(clock(call.started_at, tz))
    yield plain(call.queue_name or UNKNOWN)
    yield plain(call.agent_name or UNKNOWN)
    scorecard = call.scorecard
    if scorecard is None:
        yield from [Text(UNKNOWN)] * 8
    else:
        yield Text(duration(scorecard.duration_ms))
        yield _figures(Figure.RATIO, scorecard.talk_share_agent)
        yield Text(duration(scorecard.silence_time_ms))
        yield Text(duration(scorecard.hold_time_ms))
        yield _figures(
            Figure.COUNT, scorecard.interruptions_agent_count, scorecard.interruptions_customer_count
        )
        yield _figures(
            Figure.DURATION, scorecard.longest_monologue_agent_ms, scorecard.longest_monologue_customer_ms
        )
        yield _figures(Figure.SPEED, scorecard.talk_speed_agent_wpm, scorecard.talk_speed_customer_wpm)
        yield _figures(Figure.RATIO, scorecard.coverage_ratio)
    yield Text(", ".join(flags(call)), style="yellow")


def _figures(figure: Figure, *values: float | None) -> Text:
    texts = [
        written(value, figure) + ("%" if figure is Figure.RATIO and value is not None else "")
        for value in values
    ]
    return Text(" / ".join(texts))


def _heading(call: CallRow, tz: tzinfo | None) -> Table:
    table = Table.grid(padding=(0, 2))
    rows = {
        "Call": call.engagement_id,
        "Started": zoned(call.started_at, tz),
        "Queue": call.queue_name or UNKNOWN,
        "Agent": call.agent_name or UNKNOWN,
        "Note": ", ".join(flags(call)),
    }
    for name, value in rows.items():
        if value:
            table.add_row(Text(name, style="bold"), plain(value))
    return table


def _measures(call: CallRow) -> Iterator[Table]:
    for group in GROUPS:
        if call.scorecard is None or not group.is_shown(call.scorecard):
            continue
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
        table.add_column(group.title, min_width=22)
        table.add_column("Agent", justify="right", min_width=8)
        table.add_column("Customer", justify="right", min_width=8)
        table.add_column("Call", justify="right", min_width=8)
        table.add_column("")
        for measure in group.measures:
            table.add_row(
                measure.label, *measure.values(call.scorecard), Text(measure.figure.unit, style="dim")
            )
        yield table


def _transcript(report: CallReport) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("Time", justify="right")
    table.add_column("Who")
    table.add_column("Words", overflow="fold")
    for utterance in report.utterances:
        who = plain(speaker(utterance) or SIDES[None], _COLOURS[utterance.side])
        table.add_row(duration(utterance.start_ms), who, _words(utterance))
    return table


def _words(utterance: UtteranceRow) -> Text:
    if why := remark(utterance):
        return plain(why, "dim italic")
    return plain(utterance.text or "")


def plain(text: str, style: str = "") -> Text:
    """Text as it is: no markup, and nothing in it that a terminal obeys."""
    return Text("".join(letter if letter.isprintable() else " " for letter in text), style=style)
