"""Running calls: their provisional measures, from what is stored and what the daemon hears; and who reads them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Connection, column, select, table

from zccvoice.analytics.live import Heard, LiveCall, live_call
from zccvoice.analytics.record import CallRecord, Side
from zccvoice.analytics.thresholds import DEFAULTS, Thresholds
from zccvoice.store.schema import REPORTING_SCHEMA
from zccvoice.store.tables import Engagement, Participant


@dataclass(frozen=True, slots=True)
class RunningCall:
    """A row of ``reporting.live_call``: what a reader may see of a call that runs."""

    engagement_id: str
    queue_name: str | None
    agent_name: str | None
    started_at: datetime | None
    elapsed_ms: int
    talk_share_agent: float | None
    talk_share_customer: float | None
    state: str | None
    state_ms: int | None
    speaking: str | None
    longest_silence_ms: int
    interruptions_agent_count: int | None
    interruptions_customer_count: int | None
    rule_hits_count: int
    rule_hits: list[str]
    last_side: str | None
    last_words: str | None
    coverage_ratio: float | None
    untranscribed_count: int | None
    transcript_lag_ms: int | None
    age_ms: int
    """How long ago all this was computed."""


_VIEW = table("live_call", *(column(one.name) for one in fields(RunningCall)), schema=REPORTING_SCHEMA)


def measure_running(
    connection: Connection, record: CallRecord, heard: Heard | None, thresholds: Thresholds = DEFAULTS
) -> LiveCall:
    """Measure a call that is running.

    Args:
        connection: to the database that the record is from.
        record: what is stored of the call.
        heard: what is heard of it now, on Zoom's clock; None when nobody listens to it.
        thresholds: of the measures.
    """
    of_call = Engagement.engagement_id == record.engagement_id
    zero_ms = connection.scalar(select(Engagement.clock_zero_ms).where(of_call))
    if heard is None or zero_ms is None:
        return live_call(record, thresholds=thresholds)
    of_call = Participant.engagement_id == record.engagement_id
    query = select(Participant.channel_id, Participant.side).where(of_call)
    sides = {
        row.channel_id: None if row.side is None else Side(row.side) for row in connection.execute(query)
    }
    return live_call(record, heard.since(zero_ms), sides, thresholds)


def running_calls(connection: Connection) -> list[RunningCall]:
    """The running calls that the login may read, the longest first; a reader's rights are enough."""
    query = select(_VIEW).order_by(_VIEW.c.elapsed_ms.desc(), _VIEW.c.engagement_id)
    return [RunningCall(**row._mapping) for row in connection.execute(query)]
