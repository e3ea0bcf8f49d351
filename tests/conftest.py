"""Shared by all tests: one private Postgres per run, one migrated template, and copies of it.

`connection` is for tests that need no commit: everything they do is rolled back. `database_url` is a database
of one's own, for tests with several connections.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import Connection, Engine, make_url, text

from zccvoice.store import postgres_server
from zccvoice.store.database import connect, upgrade
from zccvoice.store.private_postgres import PrivatePostgres

# The suite is the same every time it runs; HYPOTHESIS_PROFILE=explore looks for what it has not seen yet.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

# On another Postgres than the one that comes with the program: POSTGRES_PROGRAMS=/usr/lib/postgresql/15/bin
if programs := [Path(one) for one in os.environ.get("POSTGRES_PROGRAMS", "").split()]:
    postgres_server._installed = programs.copy


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    """The server of this run."""
    folder = Path(tempfile.mkdtemp(prefix="zccvoice-tests-"))
    folder.chmod(0o755)  # when we are root another account runs the server, and has to get there
    with PrivatePostgres(folder) as server:
        with _administrator(server.url) as connection:
            for name in ("fsync", "full_page_writes", "synchronous_commit"):  # nobody will miss these data
                connection.execute(text(f"ALTER SYSTEM SET {name} = off"))
            connection.execute(text("SELECT pg_reload_conf()"))
        yield server
    shutil.rmtree(server.home)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def new_database(postgres: PrivatePostgres) -> Callable[[str], str]:
    """Makes a database from a template (``template0`` is empty) and returns its URL; nobody need drop it."""
    numbers = count()

    def make(template: str) -> str:
        name = f"test_{next(numbers)}"
        with _administrator(postgres.url) as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"))
        return make_url(postgres.url).set(database=name).render_as_string(hide_password=False)

    return make


@pytest.fixture(scope="session")
def template_database(new_database: Callable[[str], str]) -> str:
    """Name of a database with the current schema and nothing in it. Do not connect to it, copy it."""
    url = new_database("template0")
    engine = connect(url)
    upgrade(engine)
    engine.dispose()
    name = make_url(url).database
    assert name is not None
    return name


@pytest.fixture
def empty_database_url(new_database: Callable[[str], str]) -> str:
    """A database of the test's own without any schema."""
    return new_database("template0")


@pytest.fixture
def database_url(new_database: Callable[[str], str], template_database: str) -> str:
    """A database of the test's own with the current schema."""
    return new_database(template_database)


@pytest.fixture(scope="session")
def shared_engine(new_database: Callable[[str], str], template_database: str) -> Iterator[Engine]:
    """An engine on a migrated database in which nothing is ever committed."""
    engine = connect(new_database(template_database))
    yield engine
    engine.dispose()


@pytest.fixture
def connection(shared_engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that is rolled back when the test ends."""
    with shared_engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@contextmanager
def _administrator(url: str) -> Iterator[Connection]:
    engine = connect(url, statement_timeout_s=120)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield connection
    finally:
        engine.dispose()


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have a terminal of some width; the tests have none."""
    monkeypatch.delenv("COLUMNS", raising=False)
