"""Connecting, errors, and whether the schema is the one we need."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import DBAPIError

import zccvoice
from zccvoice.errors import SchemaNotCurrentError, StoreError
from zccvoice.store.database import (
    autocommit,
    connect,
    for_libpq,
    is_transient,
    is_unfit,
    require_current_schema,
    transaction,
    upgrade,
)
from zccvoice.store.private_postgres import PrivatePostgres

PASSWORD = "correct-horse"


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url, connections=2)
    yield engine
    engine.dispose()


@pytest.fixture
def empty_engine(empty_database_url: str) -> Iterator[Engine]:
    engine = connect(empty_database_url)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_usual_spellings_of_the_url(postgres: PrivatePostgres, scheme: str) -> None:
    url = make_url(postgres.url).set(drivername=scheme).render_as_string(hide_password=False)
    engine = connect(url, application_name="a test", statement_timeout_s=7)
    with transaction(engine) as connection:
        for setting, value in (
            ("application_name", "a test"),
            ("statement_timeout", "7s"),
            ("timezone", "UTC"),
        ):
            assert connection.scalar(text(f"SHOW {setting}")) == value
    engine.dispose()


def test_options_in_the_url_are_kept(postgres: PrivatePostgres) -> None:
    engine = connect(f"{postgres.url}&options=-c%20geqo%3Doff", statement_timeout_s=7)
    with transaction(engine) as connection:
        assert connection.scalar(text("SHOW geqo")) == "off"
        assert connection.scalar(text("SHOW statement_timeout")) == "7s"
    engine.dispose()


@pytest.mark.parametrize(
    "url",
    [f"mysql://me:{PASSWORD}@host/db", f"me:{PASSWORD}@host", f"postgresql://me:{PASSWORD}@host:port/db", ""],
)
def test_another_kind_of_url_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(StoreError, match="expected a database URL like postgresql://") as caught:
        connect(url)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("password", ["a@bcd", "a@b/cd", "a@b?cd", "@"])
def test_a_password_with_an_at_is_refused_and_no_part_of_it_shows(password: str) -> None:
    with pytest.raises(StoreError) as caught:
        connect(f"postgresql://me:{password}@host/db")
    expected = "expected a database URL like postgresql://user:password@host/database"
    assert str(caught.value) == f"{expected}, got more than one @: write those of user and password as %40"
    engine = connect(f"postgresql://me:{quote(password)}@host/db")
    assert (engine.url.password, engine.url.host) == (password, "host")


def test_what_other_programs_on_libpq_get_has_no_password() -> None:
    for url in (
        f"postgresql://m%40e:{PASSWORD}@host:5/db",
        f"postgresql://m%40e@host:5/db?password={PASSWORD}",
    ):
        assert for_libpq(connect(url)) == ("host=host dbname=db user=m@e port=5", PASSWORD)
    engine = connect("postgresql:///db?host=/run/x&options=-c%20geqo%3Doff")
    assert for_libpq(engine) == ("dbname=db host=/run/x options='-c geqo=off'", None)
    with pytest.raises(StoreError, match="no_such"):
        for_libpq(connect("postgresql://host/db?no_such=1"))


def test_a_database_that_is_not_there() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound, but nobody listens
        engine = connect(f"postgresql://me:{PASSWORD}@127.0.0.1:{reserved.getsockname()[1]}/db")
        with pytest.raises(StoreError, match="cannot be reached") as caught, transaction(engine):
            pass
    assert is_transient(caught.value)
    assert PASSWORD not in str(caught.value)


def test_a_transaction_is_committed_or_rolled_back_whole(engine: Engine) -> None:
    insert = text("INSERT INTO zccvoice.engagement (engagement_id) VALUES (:id)")
    with transaction(engine) as connection:
        connection.execute(insert, {"id": "kept"})
    with pytest.raises(StoreError), transaction(engine) as connection:
        connection.execute(insert, [{"id": "dropped"}, {"id": "kept"}])
    with transaction(engine) as connection:
        assert connection.scalars(text("SELECT engagement_id FROM zccvoice.engagement")).all() == ["kept"]


@pytest.mark.parametrize(
    ("statement", "transient"),
    [
        ("SELECT pg_terminate_backend(pg_backend_pid())", True),
        ("SET LOCAL statement_timeout = 1; SELECT pg_sleep(5)", True),
        ("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'deadlock_detected'; END $$", True),
        ("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'serialization_failure'; END $$", True),
        ("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$", True),
        ("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'cannot_connect_now'; END $$", True),
        ("SET TRANSACTION READ ONLY; DELETE FROM zccvoice.gap", True),
        ("SELECT * FROM no_such_table", False),
        ("SELECT 1/0", False),
        ("SELECT syntax error", False),
        ("SELECT repeat('x', 2000000000) || repeat('x', 2000000000)", False),
    ],
)
def test_what_is_worth_another_try(shared_engine: Engine, statement: str, transient: bool) -> None:
    with pytest.raises(StoreError) as caught, transaction(shared_engine) as connection:
        connection.execute(text(statement))
    assert is_transient(caught.value) is transient


@pytest.mark.parametrize(
    ("statement", "unfit"),
    [
        ("SELECT * FROM no_such_table", True),
        ("SELECT * FROM no_such_schema.gap", True),
        ("SELECT no_such_column FROM zccvoice.gap", True),
        ("SELECT no_such_function()", True),
        ("INSERT INTO zccvoice.gap (cause) VALUES ('x') ON CONFLICT (cause) DO NOTHING", True),
        ("SET LOCAL ROLE zccvoice_daemon; DROP TABLE zccvoice.gap", True),
        ("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'invalid_password'; END $$", True),
        ("SELECT 1/0", False),
        ("SELECT FROM WHERE", False),
        ("INSERT INTO zccvoice.gap (cause) VALUES ('x')", False),
        ("SELECT pg_terminate_backend(pg_backend_pid())", False),
    ],
)
def test_what_is_wrong_with_the_database_itself(shared_engine: Engine, statement: str, unfit: bool) -> None:
    with pytest.raises(StoreError) as caught, transaction(shared_engine) as connection:
        connection.execute(text(statement))
    assert is_unfit(caught.value) is unfit
    assert not is_unfit(ValueError("x"))


def test_the_next_transaction_after_a_lost_connection_works(shared_engine: Engine) -> None:
    with pytest.raises(StoreError), transaction(shared_engine) as connection:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    with transaction(shared_engine) as connection:
        assert connection.scalar(text("SELECT 1")) == 1


def test_a_busy_pool_is_worth_another_try(postgres: PrivatePostgres) -> None:
    engine = connect(postgres.url, connections=1)
    engine.pool._timeout = 0.01  # type: ignore[attr-defined]
    with transaction(engine), pytest.raises(StoreError, match="busy") as caught, transaction(engine):
        pass
    assert is_transient(caught.value)
    engine.dispose()


def test_errors_of_others_are_not_worth_another_try() -> None:
    assert not is_transient(ValueError("x"))
    assert not is_transient(StoreError("raised on its own"))


def test_what_people_said_is_in_no_error(shared_engine: Engine) -> None:
    said = "my card number is"
    with pytest.raises(StoreError) as caught, transaction(shared_engine) as connection:
        connection.execute(
            text(
                "INSERT INTO zccvoice.participant (engagement_id, channel_id, side) VALUES ('e', 'c', :said)"
            ),
            {"said": said},
        )
    assert "SQLSTATE 23514" in str(caught.value)
    assert said not in str(caught.value)
    assert caught.value.__suppress_context__
    with pytest.raises(DBAPIError) as raw, shared_engine.begin() as connection:
        connection.execute(text("SELECT CAST(:said AS text), 1 / 0"), {"said": said})
    assert said not in str(raw.value)


def test_schema_not_there(empty_engine: Engine) -> None:
    with pytest.raises(SchemaNotCurrentError, match="zccvoice db upgrade"):
        require_current_schema(empty_engine)
    upgrade(empty_engine)
    require_current_schema(empty_engine)


def test_schema_of_a_newer_version(engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(text("UPDATE zccvoice.alembic_version SET version_num = 'from_the_future'"))
    for check in (require_current_schema, upgrade):
        with pytest.raises(SchemaNotCurrentError, match=r"from_the_future.*newer version"):
            check(engine)


def test_upgrading_in_threads(empty_database_url: str) -> None:
    problems: list[BaseException] = []

    def work() -> None:
        engine = connect(empty_database_url)
        try:
            upgrade(engine)
            require_current_schema(engine)
        except BaseException as error:
            problems.append(error)
        engine.dispose()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_upgrading_in_processes(empty_database_url: str) -> None:
    code = "import sys; from zccvoice.store.database import *; upgrade(connect(sys.argv[1]))"
    command = [sys.executable, "-c", code, empty_database_url]
    upgrades = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in upgrades:
        _, errors = process.communicate()
        assert process.returncode == 0, errors


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_hold_every_text(empty_database_url: str, encoding: str) -> None:
    administrator = connect(empty_database_url)
    name = f"encoded_{encoding.lower()}"
    with autocommit(administrator) as connection:
        connection.execute(
            text(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
        )
    engine = connect(make_url(empty_database_url).set(database=name).render_as_string(hide_password=False))
    for look in (upgrade, require_current_schema):
        with pytest.raises(StoreError, match=f"encoding is {encoding}, expected UTF8: make it with CREATE"):
            look(engine)
    with transaction(engine) as connection:
        assert connection.scalar(text("SELECT to_regnamespace('zccvoice')")) is None
    engine.dispose()
    administrator.dispose()


def test_the_environment_does_not_say_how_text_is_sent(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    engine = connect(empty_database_url)
    with transaction(engine) as connection:
        assert connection.scalar(text("SELECT :name"), {"name": "田中 さくら"}) == "田中 さくら"
    engine.dispose()


def test_migrations_of_an_installed_package_are_found(tmp_path: Path) -> None:
    package = Path(zccvoice.__file__).parent
    shutil.copytree(package, tmp_path / "zccvoice", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(package.parent / "migrations", tmp_path / "zccvoice" / "migrations")
    command = [sys.executable, "-c", "from zccvoice.store.database import _migrations; print(_migrations())"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == str((tmp_path / "zccvoice" / "migrations").resolve())
