"""A report with a cell of every kind, made by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from zccvoice.reports.figures import Figure
from zccvoice.reports.table import Chart, Column, Plain, Quantity, Range, Report, Series, Table

MADRID = ZoneInfo("Europe/Madrid")
AT = datetime(2026, 10, 31, 22, 30, 5, tzinfo=UTC)
SHARE = Column("talk_share_agent", "Talk share", Figure.RATIO, "The agent's part.", is_judged=True)


def every_kind() -> Table:
    """Two rows: everything known, and nothing."""
    columns = (
        Column("agent_name", "Agent"),
        SHARE,
        Column("hold_time_ms", "Hold", Figure.DURATION, "Time on hold."),
        Column("gap_ms", "Gap", Figure.SHORT),
        Column("calls_count", "Calls", Figure.COUNT),
        Column("speed_wpm", "Speed", Figure.SPEED),
        Column("started_at", "Started", Plain.MOMENT),
        Column("day", "Day", Plain.DAY),
        Column("damaged", "Damaged", Plain.FLAG),
        Column("value", "Value", Plain.MIXED),
        Column("side", "Side", Figure.WORD),
        Column("page", "Page", Plain.LINK),
    )
    known = (
        "=1+1 <b>Ada</b>",
        Quantity(0.42, Figure.RATIO, Range(0.5, 0.6)),
        3_723_000,
        1_250,
        1_234,
        151.5,
        AT,
        date(2026, 10, 31),
        True,
        Quantity(90_500.0, Figure.DURATION),
        "no_side",
        "https://calls.example/call-1.html",
    )
    return Table("kinds", "Every kind", columns, (known, (None,) * len(columns)), "A note.")


def report(*tables: Table, charts: tuple[Chart, ...] = ()) -> Report:
    """A report of these tables; of `every_kind` without any."""
    return Report(
        "kinds",
        "Kinds & more",
        "31 October 2026 · 2 calls",
        AT,
        AT,
        MADRID,
        tables or (every_kind(),),
        charts,
    )


BARS = Chart("Talk <share>", Figure.RATIO, ["Ada $1 & Co $2", "Bob"], (Series("share", [0.4, None]),))
LINES = Chart(
    "Calls",
    Figure.COUNT,
    ["1 Oct", "2 Oct", "3 Oct"],
    (Series("Orders", [1, None, 3]), Series("Returns", [2, 2, 2])),
    is_line=True,
    target=Range(1, None),
)
