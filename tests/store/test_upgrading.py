"""Upgrading keeps what a database of an earlier version holds, and going back does too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from alembic import command
from sqlalchemy import Engine, text

from zccvoice.store import database
from zccvoice.store.database import connect, transaction, upgrade

from .supervised_calls import OF_SUPPORT, store_calls

ZERO_MS = 1_795_341_601_234  # 2026-11-22, 10:00:01.234 UTC

FIRST_LIGHT_CALL = (
    "INSERT INTO zccvoice.engagement (engagement_id, clock_zero_ms, started_at) "
    f"VALUES ('e1', {ZERO_MS}, '2026-11-22 10:00:00Z'), ('old', 1000, NULL), ('no clock', NULL, NULL)",
    "INSERT INTO zccvoice.stream (stream_id, engagement_id) "
    "VALUES ('s1', 'e1'), ('s2', 'old'), ('s3', 'no clock')",
    "INSERT INTO zccvoice.participant (engagement_id, channel_id, side, display_name) "
    "VALUES ('e1', 'c1', 'agent', 'Ada')",
    "INSERT INTO zccvoice.utterance (engagement_id, stream_id, channel_id, start_ms, end_ms, text, word_texts, "
    "word_start_ms, word_end_ms, word_probability, language, confidence, loudness_dbfs, clipped_ratio, model, "
    "verdict, stored_at) VALUES "
    "('e1', 's1', 'c1', 100, 900, 'hello you', '{hello,you}', '{0,300}', '{200,700}', '{0.5,0.25}', 'en', 0.75, "
    "-20.5, 0.125, 'demo', 'kept', '2026-11-22 10:01:00Z'), "
    "('old', 's2', 'c1', 0, 10, NULL, '{}', '{}', '{}', '{}', NULL, NULL, NULL, NULL, NULL, 'empty', "
    "'2026-11-22Z'), "
    "('no clock', 's3', 'c1', 0, 10, NULL, '{}', '{}', '{}', '{}', NULL, NULL, NULL, NULL, NULL, 'empty', "
    "'2026-11-22Z')",
    "INSERT INTO zccvoice.gap (engagement_id, stream_id, channel_id, start_ms, end_ms, cause) "
    "VALUES ('e1', 's1', 'c1', 900, 950, 'lost_packets')",
    "INSERT INTO zccvoice.scorecard (engagement_id, duration_ms, conversation_ms, talk_time_total_ms, "
    "speech_time_ms, hold_time_ms, hold_count, longest_hold_ms, silence_time_ms, silence_count, "
    "longest_silence_ms, dead_air_count, non_talk_time_total_ms, gap_time_ms, gap_count, damaged, computed_at) "
    "VALUES ('e1', 5000, 900, 800, 800, 0, 0, 0, 0, 0, 0, 0, 0, 50, 1, false, '2026-11-22 10:02:00Z')",
)
KEPT = ("engagement", "stream", "participant", "utterance", "gap", "scorecard")


@pytest.fixture
def first_light(empty_database_url: str) -> Engine:
    """An engine on a database of the first version with a call in it."""
    engine = connect(empty_database_url)
    to(engine, "20261122_first_light")
    with transaction(engine) as connection:
        for statement in FIRST_LIGHT_CALL:
            connection.execute(text(statement))
    return engine


def to(engine: Engine, revision: str, *, down: bool = False) -> None:
    config = database._alembic_config()
    config.attributes["engine"] = engine
    (command.downgrade if down else command.upgrade)(config, revision)


def contents(engine: Engine) -> dict[str, list[dict[str, object]]]:
    with transaction(engine) as connection:
        return {
            table: [
                dict(row._mapping)
                for row in connection.execute(text(f"SELECT * FROM zccvoice.{table} ORDER BY engagement_id"))
            ]
            for table in KEPT
        }


def test_upgrading_keeps_every_row(first_light: Engine) -> None:
    before = contents(first_light)
    upgrade(first_light)
    after = contents(first_light)
    for table, rows in before.items():
        assert [
            {name: value for name, value in row.items() if name in rows[0]} for row in after[table]
        ] == rows
    dates = {row["engagement_id"]: str(row["call_date"]) for row in after["utterance"]}
    assert dates == {"e1": "2026-11-22", "old": "1970-01-01", "no clock": "1970-01-01"}
    first_light.dispose()


def test_rows_of_this_month_and_of_long_ago_lie_where_they_belong(first_light: Engine) -> None:
    with transaction(first_light) as connection:
        now_ms = int(datetime.now(UTC).timestamp() * 1000)
        connection.execute(
            text("UPDATE zccvoice.engagement SET clock_zero_ms = :now WHERE engagement_id = 'e1'"),
            {"now": now_ms},
        )
    upgrade(first_light)
    query = text("SELECT engagement_id, tableoid::regclass::text FROM zccvoice.utterance")
    with transaction(first_light) as connection:
        homes = {row.engagement_id: row.tableoid for row in connection.execute(query)}
    assert homes == {
        "e1": f"zccvoice.utterance_{datetime.now(UTC):%Y_%m}",
        "old": "zccvoice.utterance_default",
        "no clock": "zccvoice.utterance_default",
    }
    first_light.dispose()


def test_going_back_keeps_what_was_heard(first_light: Engine) -> None:
    before = contents(first_light)
    upgrade(first_light)
    to(first_light, "20261122_first_light", down=True)
    assert contents(first_light) == before
    to(first_light, "head")
    assert [row["text"] for row in contents(first_light)["utterance"]] == ["hello you", None, None]
    first_light.dispose()


@pytest.fixture
def supervised(empty_database_url: str) -> Iterator[Engine]:
    """An engine on a database of the version before calls knew their teams, with a supervisor of ``support``."""
    engine = connect(empty_database_url)
    to(engine, "20261128_keeping")
    with transaction(engine) as connection:
        store_calls(connection, has_texts=False)
        connection.execute(
            text("INSERT INTO zccvoice.team_reader VALUES ('head', 'support', '2026-01-01Z', NULL)")
        )
        connection.execute(text("CREATE ROLE head IN ROLE zccvoice_reader"))
    yield engine
    with transaction(engine) as connection:
        connection.execute(text("DROP ROLE head"))
    engine.dispose()


def readable(engine: Engine) -> set[str]:
    """Calls that the supervisor sees in a view about calls, in one of rows about calls, and by the search."""
    queries = ("reporting.call", "reporting.silence", "reporting.search('refund')")
    with transaction(engine) as connection:
        connection.execute(text("SET LOCAL ROLE head"))
        found = [set(connection.scalars(text(f"SELECT engagement_id FROM {query}"))) for query in queries]
    assert found[0] == found[1] == found[2]
    return found[0]


def test_a_supervisor_reads_the_same_before_and_after_and_after_going_back(supervised: Engine) -> None:
    assert readable(supervised) == OF_SUPPORT
    upgrade(supervised)
    assert readable(supervised) == OF_SUPPORT
    to(supervised, "20261128_keeping", down=True)
    assert readable(supervised) == OF_SUPPORT
    upgrade(supervised)
    assert readable(supervised) == OF_SUPPORT
