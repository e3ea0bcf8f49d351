"""What is erased is gone, provably, and stays away; measures that are kept lead nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select, text

from zccvoice.errors import LegalHoldError
from zccvoice.store import holds
from zccvoice.store.database import connect, transaction
from zccvoice.store.erasure import ANONYMOUS, erase, find_by_phone, residue, rows_of, streams_of, vacuum
from zccvoice.store.facts import Fact, ParticipantSeen
from zccvoice.store.keeping_tables import Tombstone
from zccvoice.store.measure_tables import scorecard_table, side_scorecard_table
from zccvoice.store.measures import put_measures
from zccvoice.store.reads import call_record, calls
from zccvoice.store.schema import table_of
from zccvoice.store.tables import Engagement
from zccvoice.store.writes import apply

from .calls import BEGAN, facts, small_call, stored

SAID = ("Hello,", "Thanks for watching")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url)
    yield engine
    engine.dispose()


def call_of(number_hash: str, engagement_id: str = "e1", stream_id: str = "s1") -> list[Fact]:
    customer = ParticipantSeen(
        engagement_id,
        stream_id,
        "c1",
        display_name="Grace Hopper",
        phone_hash=number_hash,
        phone_last4="no.7",
    )
    return [*small_call(engagement_id, stream_id), customer]


def put(connection: Connection, told: list[Fact]) -> None:
    apply(connection, told)
    for engagement_id in sorted({fact.engagement_id for fact in told}):
        put_measures(connection, call_record(connection, engagement_id))


def measures(connection: Connection) -> list[dict[str, object]]:
    """Scorecards and sides, without whose they are and when they were made."""
    return [
        {name: value for name, value in row.items() if name not in ("engagement_id", "computed_at")}
        for table in (scorecard_table, side_scorecard_table)
        for row in connection.execute(select(table).order_by(*table.primary_key.columns[1:])).mappings()
    ]


def test_nothing_is_left_of_a_call_and_all_of_another(connection: Connection) -> None:
    put(connection, [*call_of("hash of one"), *call_of("hash of two", "e2", "s2")])
    before, others = rows_of(connection, ["e1"]), stored(connection, "e2")
    assert residue(connection, engagement_ids=["e1"])["zccvoice.utterance"] == 3
    assert erase(connection, ["e1"], keeps_measures=False) == before
    assert before["engagement"] == before["participant"] - 1 == before["scorecard"] == 1
    found = residue(connection, engagement_ids=["e1"], phone_hash="hash of one")
    assert set(found.values()) == {0}
    assert {"zccvoice.utterance", "zccvoice.scorecard", "zccvoice.legal_hold"} <= set(found)
    assert stored(connection, "e2") == others


def test_no_word_and_no_name_is_left_anywhere(connection: Connection) -> None:
    put(connection, call_of("hash"))
    looked_for = (*SAID, "grace hopper", "no.7", "hash")
    found = residue(connection, texts=looked_for)
    assert (found["zccvoice.utterance"], found["zccvoice.participant"]) == (2, 1)
    erase(connection, ["e1"], keeps_measures=True)
    assert not any(residue(connection, texts=looked_for, engagement_ids=["e1"], phone_hash="hash").values())


def test_residue_looks_into_tables_that_nobody_declared(connection: Connection) -> None:
    connection.execute(text('CREATE TABLE zccvoice."copy by hand" (engagement_id text, notes jsonb)'))
    connection.execute(
        text('INSERT INTO zccvoice."copy by hand" VALUES (\'e1\', \'{"said": ["Hello, there"]}\')')
    )
    connection.execute(text('CREATE MATERIALIZED VIEW reporting.copy AS TABLE zccvoice."copy by hand"'))
    for found in (residue(connection, engagement_ids=["e1"]), residue(connection, texts=["hello,"])):
        assert found['zccvoice."copy by hand"'] == found["reporting.copy"] == 1


def test_what_was_erased_is_not_stored_again(connection: Connection) -> None:
    put(connection, call_of("hash"))
    erase(connection, ["e1"], keeps_measures=False)
    apply(connection, call_of("hash"))
    apply(connection, small_call("e1", "a further stream"))
    assert not any(residue(connection, engagement_ids=["e1"], phone_hash="hash").values())


def test_its_streams_are_not_stored_as_another_call_either(connection: Connection) -> None:
    put(connection, call_of("hash"))
    erase(connection, ["e1"], keeps_measures=False, unstored={"s3": "e1", "s4": "another"})
    for stream_id in ("s1", "s2", "s3", "s4"):
        apply(connection, small_call(f"again {stream_id}", stream_id))
    assert streams_of(connection, [f"again s{number}" for number in range(1, 5)]) == ["s2", "s4"]


def test_a_call_can_be_erased_before_it_is_stored(connection: Connection) -> None:
    assert erase(connection, ["e1"], keeps_measures=False) == {}
    apply(connection, call_of("hash"))
    assert rows_of(connection, ["e1"]) == {}


def test_tombstones_tell_how_much_and_not_what(connection: Connection) -> None:
    put(connection, call_of("hash"))
    removed = erase(connection, ["e1"], keeps_measures=False)
    assert erase(connection, ["e1"], keeps_measures=False) == {}  # needs no further one
    stone = table_of(Tombstone)
    rows = connection.execute(select(stone).order_by(stone.c.tombstone_id)).all()
    assert [(row.engagement_id, row.stream_id, row.reason, row.removed) for row in rows] == [
        ("e1", None, "erased", removed),
        ("e1", "s1", "erased", {}),
    ]


def test_measures_are_kept_and_lead_nowhere(connection: Connection) -> None:
    put(connection, call_of("hash"))
    before = measures(connection)
    removed = erase(connection, ["e1"], keeps_measures=True)
    assert "scorecard" not in removed
    assert measures(connection) == before
    (left,) = connection.execute(select(table_of(Engagement))).mappings()
    assert left["engagement_id"].startswith(ANONYMOUS)
    assert left["account_id"] is left["clock_zero_ms"] is None
    assert left["started_at"] == datetime.combine(BEGAN.date(), time(), UTC)
    assert rows_of(connection, [left["engagement_id"]]).keys() == {
        "engagement",
        "scorecard",
        "side_scorecard",
    }
    assert not any(residue(connection, engagement_ids=["e1"]).values())
    found = residue(connection, texts=["s1", "u7"])
    # The list of agents stays, and what keeps the stream away.
    assert {name for name, count in found.items() if count} == {"zccvoice.agent", "zccvoice.tombstone"}
    assert len(calls(connection)) == 1  # reports go on counting it


def test_a_call_without_measures_leaves_nothing(connection: Connection) -> None:
    apply(connection, call_of("hash"))
    erase(connection, ["e1"], keeps_measures=True)
    assert connection.execute(select(table_of(Engagement))).all() == []


def test_a_legal_hold_blocks_everything(connection: Connection) -> None:
    put(connection, [*call_of("hash"), *call_of("hash", "e2", "s2")])
    number = holds.place(connection, "e2", reason="case 7", by="Counsel")
    before = stored(connection, "e1", "e2")
    with pytest.raises(LegalHoldError, match=r"e2 must not be deleted.*Counsel.*case 7"):
        erase(connection, ["e1", "e2"], keeps_measures=False)
    assert stored(connection, "e1", "e2") == before
    holds.release(connection, number)
    assert erase(connection, ["e1", "e2"], keeps_measures=False)["legal_hold"] == 1
    assert holds.holds(connection, also_released=True) == []


def test_a_customer_is_found_by_number(connection: Connection) -> None:
    put(connection, [*call_of("hash"), *call_of("hash", "e2", "s2"), *call_of("another", "e3", "s3")])
    assert find_by_phone(connection, "hash") == ["e1", "e2"]
    assert find_by_phone(connection, "unknown") == []
    assert streams_of(connection, ["e1", "e2"]) == ["s1", "s2"]


@settings(max_examples=30)
@given(told=facts(), keeps_measures=st.booleans())
def test_whatever_was_told_of_it(shared_engine: Engine, told: list[Fact], keeps_measures: bool) -> None:
    with shared_engine.connect() as connection, connection.begin() as transaction:
        put(connection, told)
        others = stored(connection, "e2")
        erase(connection, ["e1"], keeps_measures=keeps_measures)
        assert not any(residue(connection, engagement_ids=["e1"]).values())
        assert stored(connection, "e2") == others
        transaction.rollback()


def test_vacuum_takes_deleted_rows_off_the_disk(engine: Engine) -> None:
    with transaction(engine) as connection:
        put(connection, call_of("hash"))
    with transaction(engine) as connection:
        size = connection.scalar(text("SELECT pg_relation_size('zccvoice.participant')"))
        removed = erase(connection, ["e1"], keeps_measures=False)
    assert size
    assert vacuum(engine, removed) == sorted(f"zccvoice.{name}" for name in removed)
    with transaction(engine) as connection:
        assert connection.scalar(text("SELECT pg_relation_size('zccvoice.participant')")) == 0


def test_vacuum_leaves_alone_what_belongs_to_others(engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(text("CREATE ROLE no_owner LOGIN"))
        connection.execute(text("GRANT USAGE ON SCHEMA zccvoice TO no_owner"))
    other = connect(engine.url.set(username="no_owner").render_as_string(hide_password=False))
    try:
        assert vacuum(other, ["gap"]) == []
    finally:
        other.dispose()
    assert vacuum(engine, ["gap", "no_such_table"]) == ["zccvoice.gap"]
