"""Everything of one database into another: all rows as they were, or none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, insert, select, text

from zccvoice.errors import SchemaMissingError, StoreError
from zccvoice.store import erasure, holds
from zccvoice.store.database import connect, transaction
from zccvoice.store.measures import put_measures
from zccvoice.store.moving import DAEMON, move
from zccvoice.store.people_tables import Team
from zccvoice.store.reads import call_record
from zccvoice.store.schema import Base
from zccvoice.store.writes import apply

from .calls import small_call


@pytest.fixture
def source(database_url: str) -> Iterator[Engine]:
    """A database with something in nearly every table, and a month that no new database has."""
    engine = connect(database_url)
    with transaction(engine) as connection:
        for number in (1, 2):
            apply(connection, small_call(f"e{number}", f"s{number}"))
            put_measures(connection, call_record(connection, f"e{number}"))
        apply(connection, small_call("erased", "of erased"))
        holds.place(connection, "e1", reason="case 7", by="Counsel")
        erasure.erase(connection, ["erased"], keeps_measures=False)
        teams = [{"team_id": "a", "parent_team_id": "b"}, {"team_id": "b"}]  # the part before the whole
        connection.execute(insert(Team), {"team_id": "b", "parent_team_id": None})
        connection.execute(insert(Team), teams[0])
        connection.execute(text("INSERT INTO zccvoice.agent_team VALUES ('a', 'u7', '2020-01-01Z', NULL)"))
        connection.execute(
            text(
                "CREATE TABLE zccvoice.utterance_2019_02 PARTITION OF zccvoice.utterance "
                "FOR VALUES FROM ('2019-02-01') TO ('2019-03-01')"
            )
        )
        connection.execute(
            text("UPDATE zccvoice.utterance SET call_date = '2019-02-07' WHERE stream_id = 's2'")
        )
        connection.execute(text("UPDATE zccvoice.metric_definition SET valid_from = '2020-01-01'"))
    yield engine
    engine.dispose()


@pytest.fixture
def target(empty_database_url: str) -> Iterator[Engine]:
    engine = connect(empty_database_url)
    yield engine
    engine.dispose()


def content(engine: Engine) -> dict[str, list[str]]:
    with transaction(engine) as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table))))
            for table in Base.metadata.sorted_tables
        }


def test_every_row_arrives(source: Engine, target: Engine) -> None:
    before = content(source)
    told: list[tuple[str, int, int]] = []
    counts = move(source, target, on_progress=lambda *news: told.append(news))
    assert counts == {name: len(rows) for name, rows in before.items()}
    assert counts["utterance"] == 6
    assert (counts["legal_hold"], counts["tombstone"]) == (1, 2), "of an erased call and of its stream"
    assert content(target) == content(source) == before
    assert ("utterance", 6) in {news[:2] for news in told}
    with transaction(target) as connection:
        assert connection.scalar(text("SELECT count(*) FROM zccvoice.utterance_2019_02")) == 3


def test_calls_keep_their_teams_and_go_on_following_them(source: Engine, target: Engine) -> None:
    teams = text("SELECT engagement_id, team_ids FROM zccvoice.engagement ORDER BY 1")
    move(source, target)
    with transaction(target) as connection:
        assert [tuple(row) for row in connection.execute(teams)] == [("e1", ["a"]), ("e2", ["a"])]
        apply(connection, small_call("e3", "s3"))
        assert [row.team_ids for row in connection.execute(teams)] == [["a"], ["a"], ["a"]]
        connection.execute(text("DELETE FROM zccvoice.participant WHERE engagement_id = 'e1'"))
        connection.execute(text("UPDATE zccvoice.agent_team SET team_id = 'b'"))
        assert [row.team_ids for row in connection.execute(teams)] == [[], ["b"], ["b"]]


def test_rows_of_before_a_rule_arrive_all_the_same(source: Engine, target: Engine) -> None:
    with transaction(source) as connection:
        connection.execute(text("ALTER TABLE zccvoice.agent_team DISABLE TRIGGER no_overlap"))
        connection.execute(text("INSERT INTO zccvoice.agent_team VALUES ('a', 'u7', '2021-01-01Z', NULL)"))
    assert move(source, target)["agent_team"] == 2


def test_the_new_database_goes_on_counting(source: Engine, target: Engine) -> None:
    move(source, target)
    with transaction(target) as connection:
        first = holds.holds(connection)[0].legal_hold_id
        assert holds.place(connection, "e2", reason="case 8", by="Counsel") == first + 1
        apply(connection, small_call("erased", "of erased"))
        assert erasure.rows_of(connection, ["erased"]) == {}
        apply(connection, small_call("e3", "s3"))


def test_nothing_is_mixed_into_a_database_with_content(source: Engine, target: Engine) -> None:
    move(source, target)
    before = content(target)
    with pytest.raises(StoreError, match=r"expected a target without content, got rows: .*utterance 6"):
        move(source, target)
    assert content(target) == before


def test_all_or_nothing(source: Engine, target: Engine) -> None:
    def stop(table: str, rows_count: int, copied_bytes: int) -> None:
        if table == "utterance":
            raise StoreError("as when the line breaks")

    with pytest.raises(StoreError, match="line breaks"):
        move(source, target, on_progress=stop)
    assert content(target)["engagement"] == content(target)["team"] == []
    assert move(source, target)["engagement"] == 2


def test_a_running_daemon_is_not_moved(source: Engine, target: Engine) -> None:
    daemon = connect(source.url.render_as_string(hide_password=False), application_name=DAEMON)
    try:
        with daemon.connect(), pytest.raises(StoreError, match="stop it first"):
            move(source, target)
    finally:
        daemon.dispose()


def test_a_source_without_our_tables(source: Engine, target: Engine) -> None:
    with pytest.raises(SchemaMissingError):
        move(target, source)


def test_rows_that_do_not_arrive_are_noticed(source: Engine, target: Engine) -> None:
    """Here a rule of the target's owner swallows them."""
    with transaction(source) as connection:
        connection.execute(text("DELETE FROM zccvoice.metric_definition WHERE name <> 'talk_share_agent'"))
    move(source, target)
    with transaction(target) as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())
        connection.execute(
            text(
                "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; "
                "CREATE TRIGGER swallow BEFORE INSERT ON zccvoice.gap FOR EACH ROW EXECUTE FUNCTION swallow()"
            )
        )
    with pytest.raises(StoreError, match=r"rows are missing in the target: gap: expected 2, got 0$"):
        move(source, target)


def test_a_refusal_tells_no_values(source: Engine, target: Engine) -> None:
    move(source, target)
    with transaction(target) as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())
        connection.execute(text("ALTER TABLE zccvoice.participant ADD CHECK (display_name <> 'Ada')"))
    with pytest.raises(StoreError, match=r"the database refused: .*SQLSTATE 23514") as caught:
        move(source, target)
    assert "Ada" not in str(caught.value)
