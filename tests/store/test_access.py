"""Readers see the calls of their teams and cannot tell that there are others; the daemon changes no table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, inspect, make_url, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from zccvoice.errors import StoreError
from zccvoice.store.database import connect, upgrade
from zccvoice.store.schema import REPORTING_SCHEMA, SCHEMA, Base

from .supervised_calls import CALLS, MOVED, OF_SALES, OF_SUPPORT, store_call, store_calls

ABOUT_ENGAGEMENTS = sorted(t.name for t in Base.metadata.tables.values() if "engagement_id" in t.columns)
UNSEEN = {"tombstone", "legal_hold", "team", "agent_team", "team_reader", "rule_delivery"}
ADDED_UP = {"agent_day", "queue_hour"}
SAME_FOR_ALL = {"metric_definition", "schema_change", "metric_target", "rule_revision"}
ROLES = {
    "support": "zccvoice_reader",
    "sales": "zccvoice_reader",
    "nobody": "zccvoice_reader",
    "everything": "zccvoice_reader_all",
    "daemon": "zccvoice_daemon",
}


@pytest.fixture
def owner(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url)
    with engine.begin() as connection:
        store_calls(connection)
        for name, role in ROLES.items():
            connection.execute(text(f"DROP ROLE IF EXISTS {name}"))
            connection.execute(text(f"CREATE ROLE {name} LOGIN IN ROLE {role}"))
        for login in ("support", "sales"):
            grant(connection, login, login, "now() - interval '1 h'", "NULL")
    yield engine
    engine.dispose()


@pytest.fixture
def as_login(owner: Engine) -> Iterator[Callable[[str], Connection]]:
    """Opens a connection of a login of its own: no role was ever more than that."""
    engines = []

    def opened(login: str) -> Connection:
        engines.append(connect(owner.url.set(username=login).render_as_string(hide_password=False)))
        return engines[-1].connect().execution_options(isolation_level="AUTOCOMMIT")

    yield opened
    for engine in engines:
        engine.dispose()


def grant(connection: Connection, login: str, team: str, valid_from: str, valid_to: str) -> None:
    connection.execute(
        text(f"INSERT INTO zccvoice.team_reader VALUES ('{login}', '{team}', {valid_from}, {valid_to})")
    )


def seen(connection: Connection, view: str = "call") -> set[str]:
    return set(connection.scalars(text(f"SELECT engagement_id FROM reporting.{view}")))


def views(engine: Engine) -> set[str]:
    return set(inspect(engine).get_view_names(REPORTING_SCHEMA))


def refused(connection: Connection, statement: str) -> None:
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
        connection.execute(text(statement))


@pytest.mark.parametrize(
    ("login", "calls"),
    [
        ("support", OF_SUPPORT),
        ("sales", OF_SALES),
        ("nobody", set()),
        ("everything", set(CALLS)),
        ("daemon", set(CALLS)),
    ],
)
def test_a_login_sees_the_calls_of_its_teams_in_every_view(
    owner: Engine, as_login: Callable[[str], Connection], login: str, calls: set[str]
) -> None:
    with as_login(login) as connection:
        for view in views(owner) - ADDED_UP - SAME_FOR_ALL:
            assert seen(connection, view) == calls, view
            rows = connection.scalar(text(f"SELECT count(*) FROM reporting.{view}"))
            with owner.connect() as all_seeing:
                assert rows == all_seeing.scalar(
                    text(f"SELECT count(*) FROM reporting.{view} WHERE engagement_id = ANY (:calls)"),
                    {"calls": sorted(calls)},
                ), view
        for view in ADDED_UP:
            added_up = connection.scalar(text(f"SELECT sum(calls_count) FROM reporting.{view}"))
            assert (added_up or 0) == len(calls), view
        found = connection.execute(text("SELECT * FROM reporting.search('refund')")).all()
        assert {row.engagement_id for row in found} == calls


def test_agents_of_other_teams_have_no_days(as_login: Callable[[str], Connection]) -> None:
    with as_login("support") as connection:
        agents = connection.execute(text("SELECT agent_name FROM reporting.agent_day")).scalars()
        assert sorted(agents) == ["Ann", "Mia", "Nia"]


def test_a_part_of_the_hierarchy_sees_nothing_above_it(
    owner: Engine, as_login: Callable[[str], Connection]
) -> None:
    with owner.begin() as connection:
        grant(connection, "nobody", "night", "now()", "NULL")
    with as_login("nobody") as connection:
        assert seen(connection) == {"nia"}


def test_a_circle_of_teams_ends(owner: Engine, as_login: Callable[[str], Connection]) -> None:
    with owner.begin() as connection:
        connection.execute(
            text("UPDATE zccvoice.team SET parent_team_id = 'night' WHERE team_id = 'support'")
        )
    with as_login("support") as connection:
        assert seen(connection) == OF_SUPPORT


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "is_valid"),
    [
        ("now() - interval '1 h'", "now() + interval '1 h'", True),
        ("now()", "NULL", True),
        ("now() + interval '1 h'", "NULL", False),
        ("now() - interval '1 h'", "now()", False),
    ],
)
def test_a_right_holds_in_its_time(
    owner: Engine,
    as_login: Callable[[str], Connection],
    valid_from: str,
    valid_to: str,
    is_valid: bool,
) -> None:
    with owner.begin() as connection:
        grant(connection, "nobody", "sales", valid_from, valid_to)
    with as_login("nobody") as connection:
        assert seen(connection) == (OF_SALES if is_valid else set())


def test_the_end_of_a_team_is_not_in_it(owner: Engine, as_login: Callable[[str], Connection]) -> None:
    with owner.begin() as connection:
        connection.execute(
            text("UPDATE zccvoice.agent_team SET valid_from = :at, valid_to = :to WHERE user_id = 'sam'"),
            {"at": MOVED, "to": MOVED + timedelta(hours=1)},
        )
        for name, moment in (("sam-early", -1), ("sam-last", 3_599_999_999), ("sam-late", 3_600_000_000)):
            store_call(connection, name, "sam", MOVED + timedelta(microseconds=moment))
    with as_login("sales") as connection:
        assert {name for name in seen(connection) if name.startswith("sam")} == {"sam", "sam-last"}


def test_a_customer_with_an_agents_user_id_opens_no_call(
    owner: Engine, as_login: Callable[[str], Connection]
) -> None:
    with owner.begin() as connection:
        connection.execute(
            text(
                "UPDATE zccvoice.participant SET user_id = 'sam' WHERE engagement_id = 'ann' AND side = 'customer'"
            )
        )
    with as_login("sales") as connection:
        assert "ann" not in seen(connection)


def test_a_call_with_agents_of_two_teams_is_seen_by_both(
    owner: Engine, as_login: Callable[[str], Connection]
) -> None:
    with owner.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO zccvoice.participant (engagement_id, channel_id, side, user_id) "
                "VALUES ('ann', 'c3', 'agent', 'sam')"
            )
        )
    query = "SELECT user_id, agent_team_ids FROM reporting.agent_call WHERE engagement_id = 'ann'"
    for login, agent in (("support", "ann"), ("sales", "sam")):
        with as_login(login) as connection:
            assert "ann" in seen(connection)
            assert [tuple(row) for row in connection.execute(text(query))] == [(agent, [login])]


def told(connection: Connection, view: str, column: str) -> set[str]:
    """What a function in a condition gets to see: one so cheap that the planner would rather run it first."""
    connection.execute(
        text("""
        CREATE OR REPLACE FUNCTION pg_temp.tell(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS
        'BEGIN RAISE NOTICE ''%'', $1; RETURN true; END'
        """)
    )
    notices: list[str] = []
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
    connection.execute(text(f"SELECT count(*) FROM reporting.{view} WHERE pg_temp.tell({column})"))
    return set(notices)


def test_a_function_in_a_condition_learns_nothing(
    owner: Engine, as_login: Callable[[str], Connection]
) -> None:
    with as_login("support") as connection:
        for view in views(owner) - ADDED_UP - SAME_FOR_ALL:
            assert told(connection, view, "engagement_id") == OF_SUPPORT, view
        assert told(connection, "agent_day", "user_id") == {"ann", "nia", "mia"}
        assert told(connection, "queue_hour", "queue_id") == {f"q-{name}" for name in OF_SUPPORT}


def test_an_error_in_a_condition_tells_nothing(as_login: Callable[[str], Connection]) -> None:
    query = (
        "SELECT count(*) FROM reporting.call WHERE 1 / (CASE WHEN engagement_id = '{}' THEN 0 ELSE 1 END) = 1"
    )
    with as_login("support") as connection:
        assert connection.scalar(text(query.format("sam"))) == len(OF_SUPPORT)
        with pytest.raises(DBAPIError, match="division by zero"):
            connection.scalar(text(query.format("ann")))


@pytest.mark.parametrize(
    ("view", "condition", "indexed"),
    [
        ("call", "started_at >= '2026-11-20'", "started_at >= "),
        ("agent_day", "day = '2026-11-20'", "started_day = "),
        ("agent_day", "user_id = 'ann'", "user_id = "),
        ("queue_hour", "hour >= '2026-11-20'", "started_hour >= "),
    ],
)
def test_an_index_serves_readers_of_some_teams(
    as_login: Callable[[str], Connection], view: str, condition: str, indexed: str
) -> None:
    """Postgres trusts these conditions not to tell: so it need not ask of every call first who may read it."""
    with as_login("support") as connection:
        for setting in ("enable_seqscan", "enable_indexonlyscan", "enable_bitmapscan"):
            connection.execute(text(f"SET {setting} = off"))
        rows = connection.execute(text(f"EXPLAIN SELECT * FROM reporting.{view} WHERE {condition}"))
        plan = "\n".join(rows.scalars())
    assert re.search(rf"Index Cond: \(+{indexed}", plan), plan


@pytest.mark.parametrize("view", ["utterance", "transcript_search"])
def test_text_that_was_refused_is_told_to_no_function(
    owner: Engine, as_login: Callable[[str], Connection], view: str
) -> None:
    with owner.begin() as connection:
        connection.execute(text("UPDATE zccvoice.utterance SET verdict = 'refused: x', text = 'made up'"))
    with as_login("everything") as connection:
        assert "made up" not in told(connection, view, "text")


def test_a_reader_sees_the_views_and_nothing_else(
    owner: Engine, as_login: Callable[[str], Connection]
) -> None:
    for login in ("support", "everything"):
        with as_login(login) as connection:
            for table in inspect(owner).get_table_names(SCHEMA):
                refused(connection, f"SELECT count(*) FROM zccvoice.{table}")
            for call in (
                "readable_teams('sales')",
                "readable_agents('sales')",
                "refresh_team_ids(ARRAY['sam'])",
                "teams_of_agent('sam', now())",
                "search_for('sales', 'refund', NULL, NULL, NULL, 9)",
                "make_partitions(1)",
            ):
                refused(connection, f"SELECT * FROM zccvoice.{call}")
            for statement in (
                "UPDATE reporting.silence SET end_ms = 0",
                "DELETE FROM reporting.silence",
                "INSERT INTO reporting.silence (engagement_id, start_ms, end_ms) VALUES ('ann', 1, 2)",
                "CREATE TABLE reporting.mine ()",
                "CREATE VIEW zccvoice.mine AS SELECT 1",
                "DROP VIEW reporting.call",
                "SET ROLE zccvoice_daemon",
            ):
                refused(connection, statement)


def test_partitions_cannot_be_read_around_the_policies(owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(text("SELECT zccvoice.make_partitions(6)"))
        open_ones = connection.execute(
            text("""
            SELECT c.oid::regclass FROM pg_class c
            WHERE c.relnamespace = 'zccvoice'::regnamespace AND c.relkind IN ('r', 'p')
              AND has_table_privilege('zccvoice_reader', c.oid, 'SELECT') AND NOT c.relrowsecurity
            """)
        ).scalars()
        assert set(open_ones) == {f"zccvoice.{name}" for name in SAME_FOR_ALL}


def test_statistics_of_the_planner_are_hidden(owner: Engine, as_login: Callable[[str], Connection]) -> None:
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
        assert connection.scalar(text("SELECT count(*) FROM pg_stats WHERE tablename = 'engagement'"))
    with as_login("support") as connection:
        guarded = [*ABOUT_ENGAGEMENTS, "agent"]
        query = text(
            "SELECT count(*) FROM pg_stats WHERE schemaname = 'zccvoice' AND tablename = ANY (:guarded)"
        )
        assert connection.scalar(query, {"guarded": guarded}) == 0


def test_every_table_about_engagements_is_guarded(owner: Engine) -> None:
    with owner.connect() as connection:
        guarded = connection.execute(
            text(
                "SELECT relname FROM pg_class WHERE relnamespace = 'zccvoice'::regnamespace AND relrowsecurity"
            )
        ).scalars()
        assert set(guarded) == {*ABOUT_ENGAGEMENTS, "agent"}
        unseen = connection.execute(
            text(
                "SELECT name FROM unnest(:names ::text[]) name "
                "WHERE NOT has_table_privilege('zccvoice_reader', 'zccvoice.' || name, 'SELECT')"
            ),
            {"names": sorted(UNSEEN)},
        ).scalars()
        assert set(unseen) == UNSEEN


def test_every_view_asks_with_the_readers_rights(owner: Engine) -> None:
    with owner.connect() as connection:
        asking = connection.execute(
            text(
                "SELECT relname FROM pg_class WHERE relkind = 'v' AND 'security_invoker=true' = ANY (reloptions)"
            )
        ).scalars()
        assert set(asking) == views(owner)


def test_the_daemon_writes_rows_and_changes_no_table(as_login: Callable[[str], Connection]) -> None:
    with as_login("daemon") as connection:
        store_call(connection, "new", "ann", MOVED)
        connection.execute(text("UPDATE zccvoice.utterance SET text = 'yes' WHERE engagement_id = 'new'"))
        assert connection.scalar(text("SELECT zccvoice.make_partitions(9)")) > 0
        connection.execute(text("DELETE FROM zccvoice.engagement WHERE engagement_id = 'new'"))
        assert connection.scalar(text("SELECT count(*) FROM reporting.call")) == len(CALLS)
        for statement in (
            "DROP TABLE zccvoice.gap",
            "DROP TABLE zccvoice.utterance_default",
            "TRUNCATE zccvoice.gap",
            "ALTER TABLE zccvoice.gap ADD COLUMN x int",
            "ALTER TABLE zccvoice.gap DISABLE ROW LEVEL SECURITY",
            "CREATE TABLE zccvoice.mine ()",
            "CREATE TABLE reporting.mine ()",
            "CREATE INDEX mine ON zccvoice.gap (cause)",
            "CREATE SCHEMA mine",
            "CREATE ROLE mine",
            "DROP VIEW reporting.call",
            "UPDATE zccvoice.alembic_version SET version_num = 'x'",
        ):
            refused(connection, statement)


@pytest.fixture
def plain_owner(empty_database_url: str) -> Iterator[Engine]:
    """An empty database as its owner sees it, who is no superuser and may create no roles."""
    database = make_url(empty_database_url).database
    administrator = connect(empty_database_url)
    with administrator.begin() as connection:
        connection.execute(text(f"CREATE ROLE {database}_owner LOGIN"))
        connection.execute(text(f"ALTER DATABASE {database} OWNER TO {database}_owner"))
    engine = connect(administrator.url.set(username=f"{database}_owner").render_as_string())
    yield engine
    engine.dispose()
    administrator.dispose()


def test_an_owner_without_special_rights_can_upgrade(plain_owner: Engine) -> None:
    upgrade(plain_owner)
    with plain_owner.begin() as connection:
        store_calls(connection)
        assert seen(connection) == set(CALLS)
        assert len(connection.execute(text("SELECT * FROM reporting.search('refund')")).all()) == len(CALLS)


def test_who_may_not_create_the_missing_roles_is_told_what_helps(owner: Engine, plain_owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(text("ALTER ROLE zccvoice_reader_all RENAME TO set_aside"))
    try:
        with pytest.raises(StoreError, match="an administrator may: CREATE ROLE zccvoice_daemon"):
            upgrade(plain_owner)
    finally:
        with owner.begin() as connection:
            connection.execute(text("ALTER ROLE set_aside RENAME TO zccvoice_reader_all"))
