"""What is too old goes, what is under a legal hold stays."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, select, text

from zccvoice.errors import LegalHoldError, StoreError
from zccvoice.store import holds
from zccvoice.store.database import connect, transaction
from zccvoice.store.keeping_tables import Tombstone
from zccvoice.store.measures import put_measures
from zccvoice.store.partitions import make_partitions
from zccvoice.store.reads import call_record
from zccvoice.store.retention import prune_calls, prune_transcripts, tables_of_engagements
from zccvoice.store.schema import table_of
from zccvoice.store.writes import apply

from .calls import BEGAN, small_call, stored

TODAY = datetime.now(UTC).date()
GONE = {"utterance": 1, "speech_span": 1, "zoom_transcript": 1, "chat_message": 1}
"""What a call of `put_call` leaves behind when its transcripts go."""
LAST_MONTH = (TODAY.replace(day=1) - timedelta(days=1)).replace(day=1)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url)
    yield engine
    engine.dispose()


def put_call(connection: Connection, name: str, day: date, *, started_at: datetime | None = None) -> None:
    """A call with one utterance and one stretch of speech on a day."""
    values = {
        "name": name,
        "day": day,
        "at": started_at or datetime(day.year, day.month, day.day, tzinfo=UTC),
    }
    for statement in (
        "INSERT INTO zccvoice.engagement (engagement_id, started_at) VALUES (:name, :at)",
        "INSERT INTO zccvoice.stream (stream_id, engagement_id) VALUES (:name, :name)",
        "INSERT INTO zccvoice.utterance (engagement_id, stream_id, channel_id, start_ms, end_ms, word_texts, "
        "word_start_ms, word_end_ms, word_probability, verdict, call_date) "
        "VALUES (:name, :name, 'c', 0, 1, '{}', '{}', '{}', '{}', 'kept', :day)",
        "INSERT INTO zccvoice.zoom_transcript (engagement_id, stream_id, channel_id, start_ms, text) "
        "VALUES (:name, :name, 'c', 0, 'yes')",
        "INSERT INTO zccvoice.chat_message (engagement_id, stream_id, message_id, sent_at, text) "
        "VALUES (:name, :name, 'm', :at, 'hi')",
        "INSERT INTO zccvoice.speech_span (engagement_id, channel_id, start_ms, end_ms, call_date) "
        "VALUES (:name, 'c', 0, 1, :day)",
    ):
        connection.execute(text(statement), values)


def calls_in(connection: Connection, table: str) -> list[str]:
    return list(connection.scalars(text(f"SELECT engagement_id FROM zccvoice.{table} ORDER BY 1")))


def partitions(connection: Connection) -> set[str]:
    query = text("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'")
    return set(connection.scalars(query))


def tombstones(connection: Connection) -> list[tuple[str | None, str, dict[str, int]]]:
    stone = table_of(Tombstone)
    query = select(stone.c.engagement_id, stone.c.reason, stone.c.removed).order_by(stone.c.tombstone_id)
    return [tuple(row) for row in connection.execute(query)]


def part_of(table: str, day: date) -> str:
    return f"{table}_{day:%Y_%m}"


def test_a_whole_month_goes_as_a_partition(connection: Connection) -> None:
    put_call(connection, "old", LAST_MONTH)
    put_call(connection, "new", TODAY)
    assert prune_transcripts(connection, TODAY.replace(day=1)) == GONE
    for table in GONE:
        assert calls_in(connection, table) == ["new"]
    for table in ("utterance", "speech_span"):
        assert part_of(table, LAST_MONTH) not in partitions(connection)
        assert part_of(table, TODAY) in partitions(connection)
    assert calls_in(connection, "engagement") == ["new", "old"]  # its measures stay
    assert tombstones(connection) == [(None, "retention", GONE)]
    assert prune_transcripts(connection, TODAY.replace(day=1)) == {}
    assert len(tombstones(connection)) == 1


def test_a_month_that_has_not_ended_before_the_day_stays(connection: Connection) -> None:
    put_call(connection, "old", LAST_MONTH)
    assert prune_transcripts(connection, TODAY.replace(day=1) - timedelta(days=1)) == {}
    assert calls_in(connection, "utterance") == ["old"]
    assert tombstones(connection) == []


def test_of_a_month_with_a_held_call_the_others_go(connection: Connection) -> None:
    put_call(connection, "old", LAST_MONTH)
    put_call(connection, "held", LAST_MONTH)
    number = holds.place(connection, "held", reason="case 7", by="Counsel")
    assert prune_transcripts(connection, TODAY.replace(day=1)) == GONE
    assert calls_in(connection, "utterance") == calls_in(connection, "speech_span") == ["held"]
    assert holds.release(connection, number)
    assert prune_transcripts(connection, TODAY.replace(day=1)) == GONE
    assert part_of("utterance", LAST_MONTH) not in partitions(connection)


def test_a_broken_clock_makes_no_call_old(connection: Connection) -> None:
    """What a far end dates to 1999 lies in the default partition, and goes when the engagement is old."""
    put_call(connection, "new", date(1999, 5, 1), started_at=datetime.now(UTC))
    put_call(connection, "old", date(1999, 5, 1))
    put_call(connection, "held", date(1999, 5, 1))
    holds.place(connection, "held", reason="case 7", by="Counsel")
    assert prune_transcripts(connection, LAST_MONTH) == GONE
    assert calls_in(connection, "utterance") == calls_in(connection, "speech_span") == ["held", "new"]


def test_a_dropped_month_can_be_made_again(connection: Connection) -> None:
    prune_transcripts(connection, TODAY.replace(day=1))
    assert make_partitions(connection, months_ahead=0) == 2
    put_call(connection, "late", LAST_MONTH)
    assert calls_in(connection, part_of("utterance", LAST_MONTH)) == ["late"]


def test_calls_go_with_all_their_rows(connection: Connection) -> None:
    apply(connection, [*small_call("e1", "s1"), *small_call("e2", "s2")])
    for engagement_id in ("e1", "e2"):
        put_measures(connection, call_record(connection, engagement_id))
    before = stored(connection, "e1")
    holds.place(connection, "e2", reason="case 7", by="Counsel")
    others = stored(connection, "e2")
    removed = prune_calls(connection, BEGAN + timedelta(days=1))
    assert removed == {name.removeprefix("zccvoice."): len(rows) for name, rows in before.items() if rows}
    assert removed["engagement"] == removed["scorecard"] == 1
    assert removed["utterance"] == 3
    assert not any(stored(connection, "e1").values())
    assert stored(connection, "e2") == others
    assert tombstones(connection) == [(None, "retention", removed)]
    assert prune_calls(connection, BEGAN + timedelta(days=1)) == {}


def test_calls_of_the_day_itself_stay(connection: Connection) -> None:
    apply(connection, small_call())
    assert prune_calls(connection, BEGAN) == {}
    assert calls_in(connection, "engagement") == ["e1"]


def test_calls_go_oldest_first_and_not_all_at_once(connection: Connection) -> None:
    for number in (3, 1, 2):
        put_call(connection, f"e{number}", LAST_MONTH + timedelta(days=number))
    assert prune_calls(connection, datetime.now(UTC), at_most=2)["engagement"] == 2
    assert calls_in(connection, "engagement") == ["e3"]


def test_every_table_of_an_engagement_is_emptied(connection: Connection) -> None:
    """Also one that nobody thought of: the catalogue is asked."""
    query = text("""
        SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'zccvoice'::regnamespace AND a.attname = 'engagement_id'
          AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        """)
    names = {table.name for table in tables_of_engagements()}
    assert names == set(connection.scalars(query)) - {"tombstone", "legal_hold"}


def test_holds_are_listed_until_released(connection: Connection) -> None:
    apply(connection, [*small_call("e1", "s1"), *small_call("e2", "s2")])
    number = holds.place(connection, "e1", reason="case 7", by="Counsel")
    holds.place(connection, "not stored yet", reason="case 8", by="Counsel")
    assert [hold.engagement_id for hold in holds.holds(connection)] == ["e1", "not stored yet"]
    assert holds.held_streams(connection) == ["s1"]
    with pytest.raises(LegalHoldError, match=r"e1 must not be .* placed by Counsel on .*: case 7"):
        holds.require_none(connection, ["e2", "e1"])
    assert holds.release(connection, number)
    assert not holds.release(connection, number)
    holds.require_none(connection, ["e2", "e1"])
    assert holds.held_streams(connection) == []
    assert [hold.released_at is None for hold in holds.holds(connection, also_released=True)] == [False, True]


def test_no_hold_slips_in_while_calls_are_deleted(engine: Engine) -> None:
    """Whoever places one waits, and finds the call gone; here until the database ends the wait."""
    problems: list[str] = []

    def place() -> None:
        try:
            with transaction(engine) as connection:
                connection.execute(text("SET LOCAL lock_timeout = '50ms'"))
                holds.place(connection, "e1", reason="case 7", by="Counsel")
        except StoreError as error:
            problems.append(str(error))

    with transaction(engine) as connection:
        prune_calls(connection, datetime.now(UTC))
        thread = threading.Thread(target=place)
        thread.start()
        thread.join()
    assert "55P03" in problems[0]
    with transaction(engine) as connection:
        holds.place(connection, "e1", reason="case 7", by="Counsel")


def test_the_daemons_role_drops_months_and_no_other_table(connection: Connection) -> None:
    put_call(connection, "old", LAST_MONTH)
    connection.execute(text("SET LOCAL ROLE zccvoice_daemon"))
    assert prune_transcripts(connection, TODAY.replace(day=1)) == GONE
    with pytest.raises(Exception, match="must be owner"):
        connection.execute(text(f"DROP TABLE zccvoice.{part_of('utterance', TODAY)}"))
