"""How far the numbers can be trusted: what arrived, what was transcribed, how late, and whose speech it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import cast

from sqlalchemy import Connection

from zccvoice.analytics.documented import documented
from zccvoice.reports.figures import Figure
from zccvoice.reports.measures import ends_by_us
from zccvoice.reports.period import Period, day_labels
from zccvoice.reports.scope import about, scope_of
from zccvoice.reports.summary_columns import SummaryMeasure, summary_measure, target_for
from zccvoice.reports.table import Cell, Chart, Column, Plain, Quantity, Range, Report, Series, Table
from zccvoice.reports.worst import worst_report
from zccvoice.store import quality, summaries
from zccvoice.store.quality import Reason, Recognition
from zccvoice.store.summaries import Summary
from zccvoice.store.targets import targets_until

_CALLS: tuple[SummaryMeasure, ...] = tuple(
    map(
        summary_measure,
        ("calls_count", "measured_calls_count", "damaged_calls_count", "mean_coverage_ratio",
         "mean_transcript_confidence"),
    )
)  # fmt: skip
_NO_LAG = "No lag is known: these calls were played faster than real time, by a clock that is ahead of ours."
TEXT_MEASURES = (
    ("utterances_count", "Utterances", Figure.COUNT),
    ("refused_count", "Refused", Figure.COUNT),
    ("failed_count", "Failed", Figure.COUNT),
    ("lag_ms_p50", "Lag, median", Figure.SHORT),
    ("lag_ms_p95", "Lag, 95 %", Figure.SHORT),
    ("unassigned_count", "Side not known", Figure.COUNT),
    ("waiting_count", "Waiting", Figure.COUNT),
    ("kept_count", "Transcribed", Figure.COUNT),
    ("empty_count", "Without words", Figure.COUNT),
)
"""Numbers about transcribing: field of `Recognition`, title, and kind."""


def quality_report(
    connection: Connection,
    period: Period,
    *,
    most: int = 20,
    pages: str | None = None,
    queue: str | None = None,
    team: str | None = None,
) -> Report:
    """Read how good the data of a period are. Arguments as for `compliance_report`."""
    scope, earlier = scope_of(period, queue, team), scope_of(period.previous, queue, team)
    days = period.days()
    edges = [moment for _, moment in days]
    held = targets_until(connection, period.until)
    queue_ids = summaries.queue_ids(connection, scope)
    whole = summaries.summary(connection, scope)
    texts, texts_by_day = quality.recognition(connection, scope, edges)
    texts_before, _ = quality.recognition(connection, earlier, [period.before])
    damaged = worst_report(
        connection, period, "coverage_ratio", most=most, pages=pages, queue=queue, team=team
    ).tables[0]
    calls_by_day = summaries.days(connection, scope, edges)
    names = [day for day, _ in days]
    return Report(
        "quality",
        "Data quality",
        about(period, whole.calls_count, queue, team),
        period.since,
        period.until,
        period.tz,
        (
            _whole_table(
                (whole, texts),
                (summaries.summary(connection, earlier), texts_before),
                {name: target_for(held, name, queue_ids) for name in _names()},
            ),
            _days_table(names, calls_by_day, texts_by_day),
            _reasons("gaps", "Missing audio", "Cause", quality.gap_causes(connection, scope)),
            _reasons("rejections", "Text that does not count", "Why", quality.rejections(connection, scope)),
            _ends_table(quality.ends(connection, scope)),
            _damaged(damaged),
        ),
        _charts(names, calls_by_day, texts_by_day) if len(days) > 1 else (),
    )


def _names() -> list[str]:
    return [measure.field for measure in _CALLS] + [name for name, _, _ in TEXT_MEASURES]


def _whole_table(
    now: tuple[Summary, Recognition | None],
    before: tuple[Summary, Recognition | None],
    held: dict[str, Range | None],
) -> Table:
    told = documented(Recognition)
    lines = [(m.field, m.title, m.figure, m.definition) for m in _CALLS]
    lines += [
        (name, title, figure, told[name].replace(", ms.", ".")) for name, title, figure in TEXT_MEASURES
    ]

    def value(of: tuple[Summary, Recognition | None], name: str, figure: Figure) -> float | None:
        found = getattr(of[0] if hasattr(of[0], name) else of[1], name, None)
        return 0 if found is None and figure is Figure.COUNT else found

    rows = tuple(
        (
            title,
            Quantity(value(now, name, figure), figure, held[name]),
            Quantity(value(before, name, figure), figure),
            figure.unit or None,
            name,
            definition,
        )
        for name, title, figure, definition in lines
    )
    columns = (
        Column("title", "Measure"),
        Column("value", "This period", Plain.MIXED, is_judged=True),
        Column("previous", "Before", Plain.MIXED, "In the period of the same length before."),
        Column("unit", "Unit"),
        Column("measure", "Name"),
        Column("definition", "Definition"),
    )
    return Table("quality", "In short", columns, rows, _NO_LAG if _lacks_lag(now[1]) else "")


def _lacks_lag(texts: Recognition | None) -> bool:
    return texts is not None and texts.lag_ms_p50 is None


def _days_table(
    days: Sequence[date], calls: Sequence[Summary | None], texts: Sequence[Recognition | None]
) -> Table:
    told = documented(Recognition)
    columns = (
        Column("day", "Day", Plain.DAY),
        *(Column(m.field, m.title, m.figure, m.definition) for m in _CALLS),
        *(
            Column(name, title, figure, told[name].replace(", ms.", "."))
            for name, title, figure in TEXT_MEASURES
        ),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            day,
            *(m.quantity(of_day).value for m in _CALLS),
            *(
                getattr(heard, name, 0 if figure is Figure.COUNT else None)
                for name, _, figure in TEXT_MEASURES
            ),
        )
        for day, of_day, heard in zip(days, calls, texts, strict=True)
        if of_day is not None
    ]
    return Table("days", "By day", columns, tuple(rows))


def _reasons(name: str, title: str, why: str, reasons: Sequence[Reason]) -> Table:
    columns = (
        Column("reason", why),
        Column("count", "How often", Figure.COUNT),
        Column("calls_count", "Calls", Figure.COUNT),
        Column("length_ms", "All together", Figure.DURATION),
    )
    rows = tuple(
        (
            ": ".join(filter(None, (one.what if name == "rejections" else "", one.reason))),
            one.count,
            one.calls_count,
            one.length_ms,
        )
        for one in reasons
    )
    return Table(name, title, columns, rows)


def _ends_table(ends: Sequence[Reason]) -> Table:
    columns = (
        Column("end_reason", "How it ended", definition="Empty: it has not ended."),
        Column("is_whole", "Received to its end", Plain.FLAG, "Whether all of it was received, by its ends."),
        Column("calls_count", "Calls", Figure.COUNT),
    )
    rows = tuple(
        (one.reason or None, bool(one.reason) and not ends_by_us(one.reason), one.calls_count) for one in ends
    )
    return Table("ends", "Ends of calls", columns, rows)


def _damaged(worst: Table) -> Table:
    """The calls with the least coverage that are damaged."""
    at = [column.name for column in worst.columns].index("damaged")
    kept = tuple(row for row in worst.rows if row[at])
    return Table("damaged", "Damaged calls, the worst first", worst.columns, kept, worst.note)


def _charts(
    days: Sequence[date], calls: Sequence[Summary | None], texts: Sequence[Recognition | None]
) -> tuple[Chart, ...]:
    labels = day_labels(days)

    def of_texts(name: str) -> list[float | None]:
        return [None if one is None else cast("float | None", getattr(one, name)) for one in texts]

    coverage = [summary_measure("mean_coverage_ratio").quantity(one).value for one in calls]
    rejected = [
        None if one is None else (one.refused_count + one.failed_count) / one.utterances_count
        for one in texts
    ]
    charts = (
        Chart("Audio that arrived", Figure.RATIO, labels, (Series("Coverage", coverage),), is_line=True),
        Chart(
            "Recognition lag",
            Figure.SHORT,
            labels,
            (Series("median", of_texts("lag_ms_p50")), Series("95 %", of_texts("lag_ms_p95"))),
            is_line=True,
        ),
        Chart("Text refused or failed", Figure.RATIO, labels, (Series("Share", rejected),), is_line=True),
    )
    return tuple(
        one for one in charts if any(value is not None for line in one.series for value in line.values)
    )
