"""`engagement.team_ids` follows every change of participants, starts and teams, in any order and at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text

from zccvoice.analytics.record import Side
from zccvoice.store.database import connect, transaction
from zccvoice.store.facts import ParticipantSeen, StreamOpened
from zccvoice.store.writes import apply

from .calls import BEGAN
from .waiting import in_thread, wait_for_a_lock

HOUR = timedelta(hours=1)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url)
    with transaction(engine) as connection:
        put_teams(connection)
    yield engine
    engine.dispose()


@pytest.fixture
def teams(connection: Connection) -> Connection:
    put_teams(connection)
    return connection


def put_teams(connection: Connection) -> None:
    connection.execute(text("INSERT INTO zccvoice.team (team_id) VALUES ('a'), ('b'), ('B'), ('ä')"))


def put_member(
    connection: Connection, team: str, agent: str, since: datetime, until: datetime | None
) -> None:
    connection.execute(
        text("INSERT INTO zccvoice.agent_team VALUES (:team, :agent, :since, :until)"),
        {"team": team, "agent": agent, "since": since, "until": until},
    )


def put_call(connection: Connection, call: str, agent: str | None = "ann", at: datetime = BEGAN) -> None:
    """A call as the daemon stores it."""
    of = call, f"s-{call}"
    seen = ParticipantSeen(*of, "c1", side=None if agent is None else Side.AGENT, user_id=agent)
    apply(connection, [StreamOpened(*of, "zcc_voice", at), seen])


def teams_of(connection: Connection) -> dict[str, list[str]]:
    rows = connection.execute(text("SELECT engagement_id, team_ids FROM zccvoice.engagement"))
    return {row.engagement_id: row.team_ids for row in rows}


def test_teams_are_those_of_the_agents_at_the_start(teams: Connection) -> None:
    for team in ("ä", "b", "B"):
        put_member(teams, team, "ann", BEGAN, BEGAN + HOUR)
    put_member(teams, "a", "ann", BEGAN + HOUR, None)
    for name, at in {
        "before": BEGAN - timedelta(microseconds=1),
        "first": BEGAN,
        "after": BEGAN + HOUR,
    }.items():
        put_call(teams, name, at=at)
    assert teams_of(teams) == {"before": [], "first": ["B", "b", "ä"], "after": ["a"]}


def test_a_side_and_a_user_that_are_learned_late(teams: Connection) -> None:
    put_member(teams, "a", "ann", BEGAN, None)
    put_call(teams, "e1", agent=None)
    apply(teams, [ParticipantSeen("e1", "s-e1", "c1", user_id="ann")])
    assert teams_of(teams) == {"e1": []}
    apply(teams, [ParticipantSeen("e1", "s-e1", "c1", side=Side.AGENT)])
    assert teams_of(teams) == {"e1": ["a"]}


def test_an_earlier_start_that_is_learned_late(teams: Connection) -> None:
    put_member(teams, "a", "ann", BEGAN, BEGAN + HOUR)
    put_call(teams, "e1", at=BEGAN + HOUR)
    assert teams_of(teams) == {"e1": []}
    apply(teams, [StreamOpened("e1", "s2", "zcc_voice", BEGAN)])
    assert teams_of(teams) == {"e1": ["a"]}


@pytest.mark.parametrize("table", ["agent_team", "participant"])
def test_a_table_that_is_emptied(teams: Connection, table: str) -> None:
    put_member(teams, "a", "ann", BEGAN, None)
    put_call(teams, "e1")
    teams.execute(text(f"TRUNCATE zccvoice.{table}"))
    assert teams_of(teams) == {"e1": []}


def test_a_team_that_is_deleted(teams: Connection) -> None:
    put_member(teams, "a", "ann", BEGAN, None)
    put_call(teams, "e1")
    teams.execute(text("DELETE FROM zccvoice.team WHERE team_id = 'a'"))
    assert teams_of(teams) == {"e1": []}


def test_a_call_that_stays_as_it_is_is_not_written(teams: Connection) -> None:
    put_call(teams, "e1")
    where = text("SELECT ctid FROM zccvoice.engagement")
    before = teams.scalar(where)
    put_member(teams, "a", "ann", BEGAN + HOUR, None)
    put_member(teams, "b", "bob", BEGAN, None)
    assert teams.scalar(where) == before


AGENTS, CALLS, CHANNELS, TEAMS = ("ann", "bob"), ("e1", "e2"), ("c1", "c2"), ("a", "b")
hours = st.integers(0, 3).map(lambda number: BEGAN + number * HOUR)
some = {
    "agent": st.sampled_from((*AGENTS, None)),
    "call": st.sampled_from(CALLS),
    "channel": st.sampled_from(CHANNELS),
    "team": st.sampled_from(TEAMS),
    "side": st.sampled_from(("agent", "customer", None)),
    "at": hours,
    "until": st.none() | hours.map(lambda moment: moment + HOUR / 2),
}
# An agent of a team changes where it begins, ends, and whom it is about; so do calls and who is on them.
CHANGES = (
    "INSERT INTO zccvoice.engagement (engagement_id, started_at) VALUES (:call, :at) ON CONFLICT DO NOTHING",
    "UPDATE zccvoice.engagement SET started_at = :at WHERE engagement_id = :call",
    "UPDATE zccvoice.engagement SET started_at = NULL WHERE engagement_id = :call",
    "DELETE FROM zccvoice.engagement WHERE engagement_id = :call",
    "INSERT INTO zccvoice.participant (engagement_id, channel_id, side, user_id) "
    "SELECT :call, :channel, :side, :agent FROM zccvoice.engagement WHERE engagement_id = :call "
    "ON CONFLICT (engagement_id, channel_id) DO UPDATE SET side = excluded.side, user_id = excluded.user_id",
    "UPDATE zccvoice.participant p SET engagement_id = :call WHERE channel_id = :channel "
    "AND EXISTS (SELECT FROM zccvoice.engagement WHERE engagement_id = :call) "
    "AND (SELECT count(*) FROM zccvoice.participant o WHERE o.channel_id = :channel) = 1",
    "DELETE FROM zccvoice.participant WHERE engagement_id = :call AND channel_id = :channel",
    "INSERT INTO zccvoice.agent_team SELECT :team, :agent, :at, :until WHERE :agent IS NOT NULL "
    "AND (CAST(:until AS timestamptz) > :at) IS NOT FALSE AND NOT EXISTS (SELECT FROM zccvoice.agent_team "
    "WHERE team_id = :team AND user_id = :agent)",
    "UPDATE zccvoice.agent_team SET valid_from = :at, valid_to = :until WHERE team_id = :team "
    "AND user_id = :agent AND (CAST(:until AS timestamptz) > :at) IS NOT FALSE",
    "UPDATE zccvoice.agent_team SET user_id = :agent WHERE team_id = :team AND :agent IS NOT NULL "
    "AND (SELECT count(*) FROM zccvoice.agent_team WHERE team_id = :team) = 1",
    "DELETE FROM zccvoice.agent_team WHERE user_id = :agent",
)
TRUTH = text("""
    SELECT e.engagement_id, array_remove(array_agg(DISTINCT m.team_id ORDER BY m.team_id), NULL) AS team_ids
    FROM zccvoice.engagement e
    LEFT JOIN zccvoice.participant p ON p.engagement_id = e.engagement_id AND p.side = 'agent'
    LEFT JOIN zccvoice.agent_team m ON m.user_id = p.user_id
        AND tstzrange(m.valid_from, m.valid_to) @> e.started_at
    GROUP BY e.engagement_id
""")


@given(st.lists(st.tuples(st.sampled_from(CHANGES), st.fixed_dictionaries(some)), max_size=25))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_changes_the_teams_are_right(
    teams: Connection, changes: list[tuple[str, dict[str, object]]]
) -> None:
    typed = "CAST(:{} AS timestamptz)"
    with teams.begin_nested() as savepoint:
        for change, values in changes:
            statement = change.replace(":at", typed.format("at")).replace(":agent", "CAST(:agent AS text)")
            teams.execute(text(statement), values)
            truth = {row.engagement_id: row.team_ids for row in teams.execute(TRUTH)}
            assert teams_of(teams) == truth, change
        savepoint.rollback()


@pytest.mark.parametrize("writer_is_first", [True, False])
def test_an_agent_who_joins_while_a_call_is_stored(engine: Engine, writer_is_first: bool) -> None:
    def store(connection: Connection) -> None:
        put_call(connection, "e1")

    def join(connection: Connection) -> None:
        put_member(connection, "a", "ann", BEGAN, None)

    first, second = (store, join) if writer_is_first else (join, store)
    with transaction(engine) as connection:
        first(connection)
        thread, problems = in_thread(engine, second)
        wait_for_a_lock(engine, thread)
    thread.join()
    assert problems == []
    with transaction(engine) as connection:
        assert teams_of(connection) == {"e1": ["a"]}


def test_two_who_change_the_same_teams_take_turns(engine: Engine) -> None:
    """Without deadlock, although each has what the other wants next."""
    with transaction(engine) as connection:
        for agent in ("ann", "bob"):
            put_member(connection, "a", agent, BEGAN, None)
            put_call(connection, agent, agent)

    def leave(connection: Connection, *agents: str) -> None:
        for agent in agents:
            connection.execute(
                text("UPDATE zccvoice.agent_team SET valid_to = :until WHERE user_id = :agent"),
                {"agent": agent, "until": BEGAN + HOUR},
            )

    with transaction(engine) as connection:
        leave(connection, "ann")
        thread, problems = in_thread(engine, lambda other: leave(other, "bob", "ann"))
        wait_for_a_lock(engine, thread)
        leave(connection, "bob")
    thread.join()
    assert problems == []


def test_two_agents_of_one_call_from_two_who_do_not_know_the_lock(engine: Engine) -> None:
    """As somebody does who repairs rows by hand: who comes second sees what the first did."""
    with transaction(engine) as connection:
        put_member(connection, "a", "ann", BEGAN, None)
        put_member(connection, "b", "bob", BEGAN, None)
        put_call(connection, "e1", agent=None)

    def add(connection: Connection, agent: str) -> None:
        connection.execute(
            text(
                "INSERT INTO zccvoice.participant (engagement_id, channel_id, side, user_id) "
                "VALUES ('e1', :agent, 'agent', :agent)"
            ),
            {"agent": agent},
        )

    with transaction(engine) as connection:
        add(connection, "ann")
        thread, problems = in_thread(engine, lambda other: add(other, "bob"))
        wait_for_a_lock(engine, thread)
    thread.join()
    assert problems == []
    with transaction(engine) as connection:
        assert teams_of(connection) == {"e1": ["a", "b"]}


def test_days_and_hours_are_those_of_utc(connection: Connection) -> None:
    connection.execute(text("SET LOCAL timezone = 'Asia/Kolkata'"))
    put_call(connection, "e1", at=datetime(2026, 11, 20, 23, 59, 59, 999_999, tzinfo=UTC))
    row = connection.execute(text("SELECT started_day, started_hour FROM zccvoice.engagement")).one()
    assert row.started_day.isoformat() == "2026-11-20"
    assert row.started_hour == datetime(2026, 11, 20, 23, tzinfo=UTC)
