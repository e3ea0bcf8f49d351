"""The values of a report: everything it shows, read at one time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from zccvoice.analytics.record import CallRecord
from zccvoice.analytics.roles import monitoring_channels
from zccvoice.analytics.thresholds import DEFAULTS, Thresholds
from zccvoice.store import reads
from zccvoice.store.hits import RuleHit, rule_hits
from zccvoice.store.reads import CallRow, UtteranceRow


@dataclass(frozen=True, slots=True)
class CallsReport:
    """The calls of a period."""

    since: datetime | None
    """Aware; None is without a first day."""
    until: datetime | None
    """Aware; None is up to now."""
    calls: tuple[CallRow, ...]
    """The newest first."""


@dataclass(frozen=True, slots=True)
class CallReport:
    """One call with all that was said on it."""

    call: CallRow
    record: CallRecord
    utterances: tuple[UtteranceRow, ...]
    """In time order, whatever their verdict."""
    hits: tuple[RuleHit, ...] = ()
    """Rules that matched, in time order."""
    thresholds: Thresholds = DEFAULTS
    """Those of the scorecard, for whatever else is told of the call."""


def calls_report(
    connection: Connection, since: datetime | None = None, until: datetime | None = None
) -> CallsReport:
    """Read the calls that started in ``[since, until)``; None leaves that end open."""
    return CallsReport(since, until, tuple(reads.calls(connection, since, until)))


def call_report(connection: Connection, engagement_id: str) -> CallReport | None:
    """Read one call; None if nothing is known of it."""
    call = reads.call(connection, engagement_id)
    if call is None:
        return None
    record = reads.call_record(connection, engagement_id)
    return CallReport(
        call,
        record,
        _as_measured(record, reads.utterances(connection, engagement_id)),
        tuple(rule_hits(connection, engagement_id)),
        reads.thresholds(connection, engagement_id),
    )


def _as_measured(record: CallRecord, utterances: Sequence[UtteranceRow]) -> tuple[UtteranceRow, ...]:
    """What a supervisor said on the side that it is measured on: other until he took the call over."""
    monitoring = monitoring_channels(record)
    sides = {(one.channel_id, one.start_ms): one.side for one in record.utterances}
    return tuple(
        replace(one, side=sides.get((one.channel_id, one.start_ms), one.side))
        if one.channel_id in monitoring
        else one
        for one in utterances
    )
