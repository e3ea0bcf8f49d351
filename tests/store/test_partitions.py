"""Rows find their month, also when its partition comes later than they do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, text

from tests.store.calls import ZERO_MS, small_call, stored
from zccvoice.store.facts import UtteranceHeard
from zccvoice.store.partitions import make_partitions
from zccvoice.store.writes import apply


def partition_of(connection: Connection) -> set[str]:
    """Where the utterances lie."""
    return {
        str(name)
        for name in connection.scalars(
            text("SELECT DISTINCT tableoid::regclass::text FROM zccvoice.utterance")
        )
    }


def test_this_month_has_its_partition_and_so_have_the_next(connection: Connection) -> None:
    this_month = datetime.now(UTC).replace(day=1)
    names = {
        str(name)
        for name in connection.scalars(
            text(
                "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'zccvoice.utterance'::regclass"
            )
        )
    }
    for ahead in range(-1, 4):
        month = (this_month + timedelta(days=15 + 30.44 * ahead)).strftime("%Y_%m")
        assert f"zccvoice.utterance_{month}" in names
    assert "zccvoice.utterance_default" in names


def test_rows_of_another_age_lie_in_the_default_partition_until_theirs_is_made(
    connection: Connection,
) -> None:
    in_months = datetime.now(UTC) + timedelta(days=200)
    shift_ms = int(in_months.timestamp() * 1000) - ZERO_MS
    later = [
        UtteranceHeard(
            one.engagement_id,
            one.stream_id,
            one.channel_id,
            one.start_timestamp_ms + shift_ms,
            one.end_timestamp_ms + shift_ms,
            -20.0,
            0.0,
            one.text,
        )
        for one in small_call()
        if isinstance(one, UtteranceHeard)
    ]
    apply(connection, later)
    assert partition_of(connection) == {"zccvoice.utterance_default"}
    before = stored(connection, "e1")
    assert make_partitions(connection, months_ahead=12) > 0
    assert partition_of(connection) == {f"zccvoice.utterance_{in_months:%Y_%m}"}
    assert stored(connection, "e1") == before
    apply(connection, later)
    assert stored(connection, "e1") == before, "and the same facts still mean the same rows"
    assert make_partitions(connection, months_ahead=12) == 0
