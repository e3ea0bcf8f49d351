"""The same agent in the same team, and the same reader of it, at any time only once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from zccvoice.errors import StoreError
from zccvoice.store.database import connect, transaction

from .waiting import in_thread, wait_for_a_lock

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TABLES = ("agent_team", "team_reader")


@pytest.fixture
def teams(connection: Connection) -> Connection:
    put_teams(connection)
    return connection


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url)
    with transaction(engine) as connection:
        put_teams(connection)
    yield engine
    engine.dispose()


def put_teams(connection: Connection) -> None:
    connection.execute(text("INSERT INTO zccvoice.team (team_id) VALUES ('a'), ('b')"))


def put(
    connection: Connection, table: str, since_h: int, until_h: int | None, team: str = "a", who: str = "ann"
) -> None:
    values = {
        "team": team,
        "who": who,
        "since": NOON + timedelta(hours=since_h),
        "until": None if until_h is None else NOON + timedelta(hours=until_h),
    }
    who_column = "user_id" if table == "agent_team" else "login"
    connection.execute(
        text(
            f"INSERT INTO zccvoice.{table} (team_id, {who_column}, valid_from, valid_to) "
            "VALUES (:team, :who, :since, :until)"
        ),
        values,
    )


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(("since_h", "until_h"), [(1, 2), (-1, 1), (-1, None), (3, None), (3, 9), (-9, 9)])
def test_an_overlap_is_refused(teams: Connection, table: str, since_h: int, until_h: int | None) -> None:
    put(teams, table, 0, 4)
    with pytest.raises(IntegrityError, match=r"that does not overlap, got \[.*\) beside \[") as caught:
        put(teams, table, since_h, until_h)
    assert "ann" not in str(caught.value.orig)


@pytest.mark.parametrize("table", TABLES)
def test_times_that_touch_and_other_teams_and_people_do_not_overlap(teams: Connection, table: str) -> None:
    put(teams, table, 0, 4)
    put(teams, table, 4, None)
    put(teams, table, -2, 0)
    put(teams, table, 0, None, team="b")
    put(teams, table, 0, None, who="bob")


@pytest.mark.parametrize("table", TABLES)
def test_several_rows_may_be_shifted_at_once(teams: Connection, table: str) -> None:
    put(teams, table, 0, 4)
    put(teams, table, 4, 8)
    teams.execute(
        text(
            f"UPDATE zccvoice.{table} SET valid_from = valid_from + interval '2 h', "
            "valid_to = valid_to + interval '2 h'"
        )
    )
    with pytest.raises(IntegrityError, match="does not overlap"):
        teams.execute(text(f"UPDATE zccvoice.{table} SET valid_to = valid_to + interval '1 h'"))


@pytest.mark.parametrize("table", TABLES)
def test_of_two_at_once_the_second_is_refused(engine: Engine, table: str) -> None:
    with transaction(engine) as connection:
        put(connection, table, 0, None)
        thread, problems = in_thread(engine, lambda other: put(other, table, 1, None))
        wait_for_a_lock(engine, thread)
    thread.join()
    assert [type(problem) for problem in problems] == [StoreError]
    assert "does not overlap" in str(problems[0])
