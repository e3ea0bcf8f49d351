"""The database: connecting, transactions, which errors pass, and bringing the schema up to date.

Errors of the driver leave this folder as StoreError (use `transaction`); their text has no password, no
statement and no values. What is in the tables is in `tables`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from zccvoice.errors import SchemaMissingError, SchemaNotCurrentError, StoreError
from zccvoice.store.schema import SCHEMA

DAEMON_ROLE = "zccvoice_daemon"
"""The role whose rights the daemon works with; the migrations make it."""
CONNECT_TIMEOUT_S = 10
"""Longest wait for a new connection."""

_UPGRADE = "zccvoice db upgrade"
_alembic_lock = threading.Lock()  # what a migration runs on is global to Alembic's modules

# SQLSTATE prefixes of errors that pass without anybody changing the statement.
_TRANSIENT_STATES = (
    "08",  # connection exception
    "25006",  # read-only transaction: we reached a standby, a fail-over is under way
    "40001",  # serialization failure
    "40P01",  # deadlock
    "53",  # out of memory, disk or connections
    "55P03",  # lock not available in time
    "57014",  # statement took too long
    "57P",  # shut down by the administrator, crashed, starting up
    "58",  # input or output error of its system
)
# Of errors that tell of the database itself, and not of what was to be stored.
_UNFIT_STATES = (
    "28",  # who we are is not accepted any more
    "3D000",  # no such database
    "3F000",  # no such schema
    "42501",  # not enough rights
    "42703",  # no such column
    "42704",  # no such type, or whatever else has a name
    "42883",  # no such function
    "42P01",  # no such table
    "42P10",  # no unique key: a restore makes them after the rows
)


def connect(
    url: str,
    *,
    connections: int = 4,
    statement_timeout_s: float = 30,
    application_name: str = "zccvoice",
    role: str | None = None,
) -> Engine:
    """An engine on a Postgres database. Connects when first used.

    Args:
        url: ``postgresql://user:password@host/database``.
        connections: most connections at once; whoever wants one more waits.
        statement_timeout_s: the server ends a statement that takes longer.
        application_name: how the connections show in ``pg_stat_activity``.
        role: whose rights they have; the login's own, when None.

    Raises:
        StoreError: the URL is not one of a Postgres database.
    """
    parsed = _parse(url)
    options = [f"-c statement_timeout={int(statement_timeout_s * 1000)}", "-c timezone=UTC"]
    if role is not None:
        options.append(f"-c role={role}")
    in_url = parsed.query.get("options", ())
    return create_engine(
        parsed,
        pool_size=connections,
        max_overflow=0,
        pool_pre_ping=True,  # a database that was away is noticed before, not in, the transaction
        hide_parameters=True,  # what people said stays out of error texts and logs
        connect_args={
            "application_name": application_name,
            "connect_timeout": CONNECT_TIMEOUT_S,
            "client_encoding": "utf8",  # whatever the database's own or the environment's is
            "options": " ".join([in_url] if isinstance(in_url, str) else in_url) + " " + " ".join(options),
            # A host that vanishes without a word is noticed in half a minute instead of a quarter of an hour.
            "keepalives_idle": 15,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 30_000,
        },
    )


def as_daemon(engine: Engine, *, connections: int, application_name: str) -> Engine | None:
    """The same database with the daemon's rights: it reads and writes rows, and cannot make or drop a table.

    None when the login may not take that role on: it is one that has those rights itself, or too many.
    """
    with transaction(engine) as connection:
        may = connection.scalar(
            text("SELECT pg_has_role(oid, 'SET') FROM pg_roles WHERE rolname = :role")
            if connection.dialect.server_version_info >= (16,)  # type: ignore[operator]
            else text("SELECT pg_has_role(oid, 'MEMBER') FROM pg_roles WHERE rolname = :role"),
            {"role": DAEMON_ROLE},
        )
    if not may:
        return None
    url = engine.url.render_as_string(hide_password=False)
    return connect(url, connections=connections, application_name=application_name, role=DAEMON_ROLE)


def for_libpq(engine: Engine) -> tuple[str, str | None]:
    """What psql and other programs on libpq connect to, and the password, which is not in it.

    Arguments of a program can be read by everybody on its machine, its environment (``PGPASSWORD``) cannot.

    Raises:
        StoreError: the URL holds a parameter that libpq does not know.
    """
    _, parameters = engine.dialect.create_connect_args(engine.url)
    parameters.pop("context", None)  # psycopg's own
    password = parameters.pop("password", None)
    with _errors_explained():
        return psycopg.conninfo.make_conninfo(**parameters), password


def _parse(url: str) -> URL:
    expected = "expected a database URL like postgresql://user:password@host/database"
    if url.count("@") > 1:  # the rest of such a password would be taken for the host, which errors show
        raise StoreError(f"{expected}, got more than one @: write those of user and password as %40")
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # its text may hold the URL, and that the password
        raise StoreError(f"{expected}, got something that is not a URL") from None
    if parsed.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise StoreError(f"{expected}, got one of {parsed.drivername!r}")
    return parsed.set(drivername="postgresql+psycopg")


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction: committed at the end of the block, rolled back when it raises.

    Raises:
        StoreError: the database could not be reached or refused; `is_transient` tells whether to try again.
    """
    with _errors_explained(), engine.begin() as connection:
        yield connection


@contextmanager
def autocommit(engine: Engine) -> Iterator[Connection]:
    """A connection of its own on which every statement is a transaction, for VACUUM; closed with the block.

    Raises:
        StoreError: the database could not be reached or refused.
    """
    with _errors_explained(), engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()  # closed at the end instead of going back to the pool: what was SET goes with it
        yield connection


@contextmanager
def _errors_explained() -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, psycopg.Error) as error:
        # Without its cause: a driver's message may quote the values of the row it is about.
        raise StoreError(_text(error)) from None


def _text(error: SQLAlchemyError | psycopg.Error) -> str:
    if isinstance(error, PoolTimeoutError):
        return "the database is busy: no connection became free in time"
    original = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(original, psycopg.Error):
        return f"the database failed: {type(error).__name__}"
    if original.sqlstate is None:
        return f"the database cannot be reached: {' '.join(str(original).split())}"
    return f"the database refused: {original.diag.message_primary} (SQLSTATE {original.sqlstate})"


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed later, so that a writer should keep it and try again.

    True for lost connections, restarts, fail-overs, deadlocks, time-outs and full disks, False for what will
    fail again whatever happens (a missing table, a value that does not fit). Takes errors of `transaction` and
    SQLAlchemy's own. A refused password counts as a lost connection: the driver does not tell them apart.
    """
    cause = _cause_of(error)
    if isinstance(cause, PoolTimeoutError):
        return True
    if not isinstance(cause, DBAPIError):
        return False
    state = getattr(cause.orig, "sqlstate", None)
    if state is None:
        return cause.connection_invalidated or isinstance(cause.orig, psycopg.OperationalError)
    return str(state).startswith(_TRANSIENT_STATES)


def is_unfit(error: BaseException) -> bool:
    """Whether tables, columns or rights are missing that this program needs.

    It is not what was to be stored that is wrong: the database is being restored or belongs to another version,
    and somebody has to put it right. Takes the same errors as `is_transient`.
    """
    cause = _cause_of(error)
    state = getattr(cause.orig, "sqlstate", None) if isinstance(cause, DBAPIError) else None
    return state is not None and str(state).startswith(_UNFIT_STATES)


def _cause_of(error: BaseException) -> BaseException | None:
    cause: BaseException | None = error
    while isinstance(cause, StoreError):
        cause = cause.__context__
    return cause


def require_current_schema(engine: Engine) -> None:
    """Check that the schema is the one this version of the program was written for, in a database for any text.

    Raises:
        SchemaMissingError: there are no tables of ours yet.
        SchemaNotCurrentError: it is older, newer or not there; the text says what to do.
        StoreError: the database cannot be asked, or does not hold every text.
    """
    scripts = ScriptDirectory.from_config(_alembic_config())
    with transaction(engine) as connection:
        _require_unicode(connection)
        context = MigrationContext.configure(connection, opts={"version_table_schema": SCHEMA})
        found = set(context.get_current_heads())
    wanted = set(scripts.get_heads())
    if found == wanted:
        return
    if not found:
        raise SchemaMissingError(f"the database has no tables of ours yet; make them with: {_UPGRADE}")
    if found <= {script.revision for script in scripts.walk_revisions()}:
        raise SchemaNotCurrentError(
            f"the database's schema is at {', '.join(found)}, this program needs {', '.join(wanted)}: "
            f"upgrade it with: {_UPGRADE}"
        )
    raise SchemaNotCurrentError(
        f"the database's schema is at {', '.join(found)}, which this program does not know: a newer version "
        f"upgraded it. Install that version ({_UPGRADE} of this one cannot go back)"
    )


def _require_unicode(connection: Connection) -> None:
    """In a database of another encoding a call would fail for good with the first name that it cannot write."""
    encoding = connection.scalar(text("SHOW server_encoding"))
    if encoding != "UTF8":
        raise StoreError(
            f"the database's encoding is {encoding}, expected UTF8: make it with "
            "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        )


def known_migrations() -> frozenset[str]:
    """The names of all changes of the schema that this version of the program knows."""
    scripts = ScriptDirectory.from_config(_alembic_config())
    return frozenset(script.revision for script in scripts.walk_revisions())


def upgrade(engine: Engine) -> None:
    """Bring the schema up to date. Safe to repeat, and from several threads and processes at once.

    Raises:
        SchemaNotCurrentError: the schema belongs to a newer version of the program.
        StoreError: the database refused, or a lock was not to be had in time (then nothing is half done).
    """
    with transaction(engine) as connection:
        _require_unicode(connection)
    config = _alembic_config()
    config.attributes["engine"] = engine
    try:
        with _alembic_lock, _errors_explained():
            command.upgrade(config, "head")
    except CommandError:  # Alembic's word for a revision it cannot find
        require_current_schema(engine)
        raise


def _alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_migrations()).replace("%", "%%"))
    return config


def _migrations() -> Path:
    """The migrations: within the package in an installed wheel, beside it in a source checkout."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "migrations", package.parent / "migrations"):
        if (folder / "env.py").is_file():
            return folder
    raise StoreError(f"the migrations are missing: expected them in {package / 'migrations'}")
