"""The worst calls by any measure, with where to read more about each."""

from __future__ import annotations

from sqlalchemy import Connection

from zccvoice.analytics.scorecard import definitions
from zccvoice.reports.figures import Figure
from zccvoice.reports.html import page_name
from zccvoice.reports.measures import GROUPS
from zccvoice.reports.period import Period
from zccvoice.reports.scope import about, scope_of
from zccvoice.reports.summary_columns import target_for
from zccvoice.reports.table import Column, Plain, Quantity, Report, Table
from zccvoice.store.compliance import calls_count
from zccvoice.store.targets import targets_until
from zccvoice.store.worst import worst_calls

_SENTIMENT_PARTS = ("score", "q1", "q2", "q3", "q4", "shift")
LOW_IS_BAD = frozenset(
    {
        *(f"sentiment_{side}_{part}" for side in ("agent", "customer") for part in _SENTIMENT_PARTS),
        "conversation_ms",
        "coverage_ratio",
        "speech_time_ms",
        "snr_agent_db",
        "snr_customer_db",
        "loudness_agent_dbfs",
        "loudness_customer_dbfs",
        "transcript_confidence",
        "backchannels_agent_count",
        "questions_agent_count",
        "speaker_switches_per_min",
        "words_agent_count",
        "words_customer_count",
    }
)
"""Measures of which the lowest values are the worst, unless the reader says otherwise."""

_ALWAYS = ("duration_ms", "coverage_ratio")
"""Measures that are shown whatever is asked about."""


def worst_report(
    connection: Connection,
    period: Period,
    measure: str,
    *,
    lowest: bool | None = None,
    most: int = 20,
    pages: str | None = None,
    queue: str | None = None,
    team: str | None = None,
) -> Report:
    """Read the worst calls of a period.

    Args:
        connection: where.
        period: when.
        measure: one of `store.worst.number_measures`.
        lowest: whether the lowest values are the worst; None: what is usual for the measure.
        most: how many calls.
        pages: address of the folder with the calls' pages, to be linked.
        queue: only calls through this queue, by id or name.
        team: only calls of this team.
    """
    scope = scope_of(period, queue, team)
    lowest = measure in LOW_IS_BAD if lowest is None else lowest
    label, figure = figure_of(measure)
    held = targets_until(connection, period.until)
    columns = (
        Column("started_at", "Started", Plain.MOMENT, "When the call began."),
        Column(measure, label, figure, definitions()[measure], is_judged=True),
        Column("queue_name", "Queue"),
        Column("agent_name", "Agent", definition="Names of the agents on the call."),
        *(Column(name, *figure_of(name), definitions()[name]) for name in _ALWAYS if name != measure),
        Column("damaged", "Damaged", Plain.FLAG, definitions()["damaged"]),
        Column("engagement_id", "Call", definition="Zoom's id of the engagement."),
        Column("page", "Page", Plain.LINK, "Where the call's page is."),
    )
    team_ids = () if team is None else (team,)
    rows = tuple(
        (
            call.started_at,
            Quantity(call.value, figure, target_for(held, measure, (call.queue_id,), team_ids)),
            call.queue_name,
            call.agent_name,
            *(getattr(call, name) for name in _ALWAYS if name != measure),
            call.damaged,
            call.engagement_id,
            page_address(pages, call.engagement_id),
        )
        for call in worst_calls(connection, scope, measure, lowest=lowest, most=most)
    )
    order = "lowest" if lowest else "highest"
    return Report(
        "worst",
        f"Worst calls by {label.lower()}",
        about(period, calls_count(connection, scope), queue, team),
        period.since,
        period.until,
        period.tz,
        (Table("worst", f"The {order} first", columns, rows, definitions()[measure]),),
    )


def figure_of(measure: str) -> tuple[str, Figure]:
    """How a measure of a call is called, with its side, and what kind of number it is."""
    for one in (one for group in GROUPS for one in group.measures):
        for side in ("agent", "customer"):
            if one.field.format(side=side) == measure:
                return (f"{one.label} of the {side}" if "{side}" in one.field else one.label), one.figure
        if one.total == measure:
            return one.label, one.figure
    raise KeyError(measure)


def page_address(pages: str | None, engagement_id: str) -> str | None:
    """The address of a call's page in the folder of all pages; None without a folder."""
    return None if pages is None else f"{pages.rstrip('/')}/{page_name(engagement_id)}"
