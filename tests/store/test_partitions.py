"""Months get their partition ahead of time, also late, also while others write."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Connection, Engine, text

from zccvoice.errors import StoreError
from zccvoice.store.database import connect, transaction
from zccvoice.store.partitions import make_partitions
from zccvoice.store.schema import PARTITIONED, is_partition

from .waiting import in_thread, wait_for_a_lock


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url)
    yield engine
    engine.dispose()


def partitions(connection: Connection, table: str) -> set[str]:
    query = text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(:name)")
    names = connection.scalars(query, {"name": f"zccvoice.{table}"})
    return {name.removeprefix("zccvoice.") for name in names}


def month(ahead: int) -> date:
    today = datetime.now(UTC)
    months = today.year * 12 + today.month - 1 + ahead
    return date(months // 12, months % 12 + 1, 1)


def put_engagement(connection: Connection) -> None:
    connection.execute(text("INSERT INTO zccvoice.engagement (engagement_id) VALUES ('e1')"))
    connection.execute(text("INSERT INTO zccvoice.stream (stream_id, engagement_id) VALUES ('s1', 'e1')"))


def put_utterance(connection: Connection, call_date: date) -> None:
    connection.execute(
        text("""
        INSERT INTO zccvoice.utterance (engagement_id, stream_id, channel_id, start_ms, end_ms, word_texts,
            word_start_ms, word_end_ms, word_probability, verdict, call_date)
        VALUES ('e1', 's1', 'c1', 0, 1, '{}', '{}', '{}', '{}', 'kept', :call_date)
        """),
        {"call_date": call_date},
    )


def homes(connection: Connection) -> list[str]:
    return list(
        connection.scalars(text("SELECT tableoid::regclass::text FROM zccvoice.utterance ORDER BY 1"))
    )


@pytest.mark.parametrize("table", PARTITIONED)
def test_a_new_database_has_last_month_this_one_and_some_ahead(connection: Connection, table: str) -> None:
    made = {f"{table}_{month(ahead):%Y_%m}" for ahead in range(-1, 4)}
    assert partitions(connection, table) == {f"{table}_default", *made}
    assert all(map(is_partition, made))


def test_only_what_is_missing_is_made(connection: Connection) -> None:
    assert make_partitions(connection, months_ahead=3) == 0
    assert make_partitions(connection, months_ahead=5) == 2 * len(PARTITIONED)
    assert make_partitions(connection, months_ahead=5) == 0


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("utterance_2026_11", True), ("speech_span_default", True), ("utterance", False), ("silence", False)],
)
def test_names_of_partitions(name: str, is_one: bool) -> None:
    assert is_partition(name) == is_one


def test_rows_that_came_before_their_partition_move_into_it(connection: Connection) -> None:
    put_engagement(connection)
    for call_date in (month(0), month(5), date(1970, 1, 1)):
        put_utterance(connection, call_date)
    late = f"zccvoice.utterance_{month(5):%Y_%m}"
    here = f"zccvoice.utterance_{month(0):%Y_%m}"
    assert homes(connection) == sorted([here, *["zccvoice.utterance_default"] * 2])
    make_partitions(connection, months_ahead=5)
    assert homes(connection) == sorted([here, late, "zccvoice.utterance_default"])


def test_a_partition_made_late_has_the_keys_of_its_table(engine: Engine) -> None:
    with transaction(engine) as connection:
        make_partitions(connection, months_ahead=5)
        put_engagement(connection)
        put_utterance(connection, month(5))
    with pytest.raises(StoreError, match="duplicate key"), transaction(engine) as connection:
        put_utterance(connection, month(5))
    with transaction(engine) as connection:
        connection.execute(text("DELETE FROM zccvoice.stream"))
        assert homes(connection) == []


def test_a_writer_in_the_middle_of_a_call_and_a_new_month_wait_for_one_another(engine: Engine) -> None:
    made: list[int] = []

    def make(connection: Connection) -> None:
        made.append(make_partitions(connection, months_ahead=5))

    with transaction(engine) as writing:
        put_engagement(writing)
        maker, problems = in_thread(engine, make)
        wait_for_a_lock(engine, maker)
        put_utterance(writing, month(5))  # into the default partition, which is being emptied
    maker.join()
    assert problems == []
    assert made == [2 * len(PARTITIONED)]
    with transaction(engine) as connection:
        assert homes(connection) == [f"zccvoice.utterance_{month(5):%Y_%m}"]


def test_who_may_not_create_tables_gets_partitions_all_the_same(connection: Connection) -> None:
    connection.execute(text("CREATE ROLE maker"))
    connection.execute(text("GRANT USAGE ON SCHEMA zccvoice TO maker"))
    allowed = text("SELECT has_function_privilege('maker', 'zccvoice.make_partitions(integer)', 'EXECUTE')")
    assert connection.scalar(allowed) is False
    connection.execute(text("GRANT EXECUTE ON FUNCTION zccvoice.make_partitions(integer) TO maker"))
    connection.execute(text("SET LOCAL ROLE maker"))
    assert connection.scalar(text("SELECT has_schema_privilege('zccvoice', 'CREATE')")) is False
    assert make_partitions(connection, months_ahead=4) == len(PARTITIONED)
