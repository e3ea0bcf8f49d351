"""What is computed of a call → rows: its scorecard, its sides, its silences and so on; the running call's row.

Everything here can be computed again from what the other tables hold, and doing so changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from sqlalchemy import Connection, Table, delete, insert, select, text

from zccvoice.analytics.live import LiveCall
from zccvoice.analytics.parts import agent_parts
from zccvoice.analytics.record import CallRecord, Side
from zccvoice.analytics.scorecard import Scorecard, scorecard
from zccvoice.analytics.spans import intersection, total_ms
from zccvoice.analytics.thresholds import DEFAULTS, Thresholds
from zccvoice.analytics.timing import call_speech, holds, open_time, silences
from zccvoice.analytics.turns import interruptions
from zccvoice.store.definitions import thresholds_version
from zccvoice.store.measure_tables import (
    AgentPart,
    Hold,
    Interruption,
    Silence,
    SpeechSpan,
    live_call_table,
    scorecard_table,
    side_measures,
    side_scorecard_table,
)
from zccvoice.store.schema import table_of
from zccvoice.store.tables import Engagement
from zccvoice.store.upsert import Row, call_date_of, keep_first, replace, storable, upsert, write_rows


def _of_engagement(table: Table) -> list[str]:
    return [column.name for column in table.columns if not column.primary_key]


_UPSERT_ENGAGEMENT = upsert(table_of(Engagement), {"product": keep_first})
_UPSERT_SCORECARD = upsert(scorecard_table, dict.fromkeys(_of_engagement(scorecard_table), replace))
_PUT_RECOGNITION = text("""
    INSERT INTO zccvoice.call_recognition AS r
    SELECT :id, c.* FROM zccvoice.count_recognition(:id) c
    ON CONFLICT (engagement_id) DO UPDATE SET (
        utterances_count, kept_count, empty_count, refused_count, failed_count, waiting_count, unassigned_count,
        lags_ms, rejections
    ) = (
        excluded.utterances_count, excluded.kept_count, excluded.empty_count, excluded.refused_count,
        excluded.failed_count, excluded.waiting_count, excluded.unassigned_count, excluded.lags_ms,
        excluded.rejections
    )
    WHERE r IS DISTINCT FROM excluded
""")
_UPSERT_LIVE = upsert(live_call_table, dict.fromkeys(_of_engagement(live_call_table), replace))


def put_measures(connection: Connection, record: CallRecord, thresholds: Thresholds = DEFAULTS) -> Scorecard:
    """Measure a call and store everything that comes of it in place of what was there; returns the scorecard.

    Its row among the running calls goes. Hold the engagement with `removals.lock_living` from before the record
    is read: else what was revoked meanwhile would be stored again.
    """
    measures = scorecard(record, thresholds)
    _put_all(connection, record, measures, thresholds)
    return measures


def remeasure(connection: Connection, record: CallRecord, thresholds: Thresholds = DEFAULTS) -> bool:
    """As `put_measures`; whether anything is other than it was."""
    return _put_all(connection, record, scorecard(record, thresholds), thresholds)


def _put_all(connection: Connection, record: CallRecord, measures: Scorecard, thresholds: Thresholds) -> bool:
    engagement_id = record.engagement_id
    is_changed = put_scorecard(connection, engagement_id, measures, thresholds)
    is_changed |= _put_instances(connection, record, thresholds)
    is_changed |= connection.execute(_PUT_RECOGNITION, {"id": storable(engagement_id)}).rowcount > 0
    forget_live(connection, engagement_id)
    return is_changed


def put_live(connection: Connection, engagement_id: str, live: LiveCall) -> None:
    """Store the provisional measures of a running call in place of those it had."""
    row = {**asdict(live), "engagement_id": engagement_id, "refreshed_at": datetime.now(UTC)}
    write_rows(connection, _UPSERT_LIVE, [row])


def forget_live(connection: Connection, engagement_id: str) -> None:
    """Take a call off the running ones."""
    of_call = live_call_table.c.engagement_id == storable(engagement_id)
    connection.execute(delete(live_call_table).where(of_call))


def put_scorecard(
    connection: Connection, engagement_id: str, measures: Scorecard, thresholds: Thresholds = DEFAULTS
) -> bool:
    """Store a scorecard, and those of the sides, in place of what was there; False when it was the same."""
    # Locks the engagement: two that measure the same call take turns.
    write_rows(connection, _UPSERT_ENGAGEMENT, [{"engagement_id": engagement_id}])
    is_changed = _replace(
        connection, side_scorecard_table, engagement_id, _side_rows(engagement_id, measures)
    )
    version = thresholds_version(connection, thresholds)
    row = {**asdict(measures), "engagement_id": engagement_id, "thresholds_version": version}
    names = [name for name in _of_engagement(scorecard_table) if name != "computed_at"]
    before = connection.execute(
        select(scorecard_table).where(scorecard_table.c.engagement_id == storable(engagement_id))
    ).one_or_none()
    if before is not None and all(before._mapping[name] == storable(row[name]) for name in names):
        return is_changed  # and `computed_at` stays what it was
    write_rows(connection, _UPSERT_SCORECARD, [{**row, "computed_at": datetime.now(UTC)}])
    return True


def _side_rows(engagement_id: str, measures: Scorecard) -> list[Row]:
    """One row for every side of which anything is known."""
    rows = []
    for side in Side:
        row: Row = {
            name: getattr(measures, fields[side]) if side in fields else None
            for name, fields in side_measures().items()
        }
        if any(value is not None for value in row.values()):
            rows.append({"engagement_id": engagement_id, "side": side.value, **row})
    return rows


def _put_instances(connection: Connection, record: CallRecord, thresholds: Thresholds) -> bool:
    engagement_id, open_ = record.engagement_id, open_time(record)
    zero_ms = connection.scalar(
        select(Engagement.clock_zero_ms).where(Engagement.engagement_id == storable(engagement_id))
    )
    speech: list[Row] = [
        {
            "engagement_id": engagement_id,
            "channel_id": one.channel_id,
            "start_ms": one.start_ms,
            "call_date": call_date_of(zero_ms or 0),
            "end_ms": one.end_ms,
            "side": one.side,
            "words_count": one.word_count,
        }
        for one in call_speech(record, thresholds)
    ]
    silent: list[Row] = [
        {"engagement_id": engagement_id, "start_ms": one.start_ms, "end_ms": one.end_ms}
        for one in silences(record, thresholds)
    ]
    held: list[Row] = [
        {
            "engagement_id": engagement_id,
            "start_ms": within[0].start_ms,
            "end_ms": within[-1].end_ms,
            "length_ms": total_ms(within),
        }
        for within in (intersection([hold], open_) for hold in holds(record))
    ]
    is_changed = _replace(connection, table_of(SpeechSpan), engagement_id, speech)
    is_changed |= _replace(connection, table_of(Silence), engagement_id, silent)
    is_changed |= _replace(connection, table_of(Hold), engagement_id, held)
    is_changed |= _replace(
        connection,
        table_of(AgentPart),
        engagement_id,
        [{"engagement_id": engagement_id, **asdict(one)} for one in agent_parts(record, thresholds)],
    )
    return is_changed | _replace(
        connection,
        table_of(Interruption),
        engagement_id,
        [
            {
                "engagement_id": engagement_id,
                "at_ms": one.at_ms,
                "side": one.side.value,
                "overlap_ms": one.overlap_ms,
            }
            for one in interruptions(record, thresholds)
        ],
    )


def _replace(connection: Connection, table: Table, engagement_id: str, rows: Sequence[Row]) -> bool:
    """All rows of an engagement, in place of those that are there; False, and nothing touched, when the same."""
    of_call = table.c.engagement_id == storable(engagement_id)
    names = [column.name for column in table.columns]
    new = [{name: storable(row[name]) for name in names} for row in rows]
    before = {tuple(row) for row in connection.execute(select(table).where(of_call))}
    if before == {tuple(row.values()) for row in new}:
        return False
    connection.execute(delete(table).where(of_call))
    if new:
        connection.execute(insert(table), new)
    return True
