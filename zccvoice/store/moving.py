"""All content of a database into another one: from the private Postgres to a real server.

Rows go as they are, from one snapshot of the source, in one transaction of the target: all of it is there in the
end, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, cast

from psycopg import Connection as Driver
from psycopg import sql
from sqlalchemy import Connection, Engine, Table, delete, func, select, text

from zccvoice.errors import StoreError
from zccvoice.store.database import require_current_schema, transaction, upgrade
from zccvoice.store.keeping_tables import SchemaChange
from zccvoice.store.measure_tables import MetricDefinition, MetricThresholds
from zccvoice.store.people_tables import AgentTeam, TeamReader
from zccvoice.store.schema import PARTITIONED, SCHEMA, Base, table_of
from zccvoice.store.tables import Engagement, Participant

DAEMON = "zccvoice daemon"
"""How the daemon's connections show in ``pg_stat_activity``."""
OnProgress = Callable[[str, int, int], None]
"""Told after every piece: the table, its rows, and bytes of it that went so far."""

# An upgrade fills these by itself; the source knows since when each holds.
_OF_UPGRADE = tuple(table_of(kind) for kind in (SchemaChange, MetricDefinition, MetricThresholds))
# Their triggers keep the teams of calls, which are copied, and refuse rows that older versions took.
_WITH_TRIGGERS = tuple(table_of(kind) for kind in (Engagement, Participant, AgentTeam, TeamReader))


def move(source: Engine, target: Engine, *, on_progress: OnProgress | None = None) -> dict[str, int]:
    """Copy everything; the source stays as it is. Returns the rows of each table, counted in the target.

    Args:
        source: a database whose schema is current, and no daemon writes to it.
        target: a database without any calls; its schema is brought up to date first.
        on_progress: called from this thread.

    Raises:
        SchemaNotCurrentError: of the source.
        StoreError: a daemon is connected to the source, the target is not empty, or a database refused; then the
            target has no more than an empty schema.
    """
    require_current_schema(source)
    upgrade(target)
    with transaction(source) as old, transaction(target) as new:
        old.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        for connection in (old, new):
            connection.execute(text("SET LOCAL statement_timeout = 0"))
        _require_no_daemon(old)
        _require_empty(new)
        for table in _OF_UPGRADE:
            new.execute(delete(table))
        _make_partitions(old, new)
        counts = _counts(old)
        _switch_triggers(new, "DISABLE")
        for table in Base.metadata.sorted_tables:
            _copy(old, new, table, counts[table.name], on_progress)
            _set_sequences(new, table)
        _switch_triggers(new, "ENABLE")
        arrived = _counts(new)
        if arrived != counts:
            missing = [
                f"{name}: expected {count}, got {arrived[name]}"
                for name, count in counts.items()
                if count != arrived[name]
            ]
            raise StoreError(f"rows are missing in the target: {'; '.join(missing)}")
    return counts


def _require_no_daemon(connection: Connection) -> None:
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = :name"
    )
    if connection.scalar(query, {"name": DAEMON}):
        raise StoreError("the daemon is connected to the database that is to be moved: stop it first")


def _require_empty(connection: Connection) -> None:
    # Whoever else moves into it waits here, and finds it full.
    connection.execute(text("LOCK TABLE zccvoice.engagement IN SHARE ROW EXCLUSIVE MODE"))
    full = [
        f"{name} {count}"
        for name, count in _counts(connection).items()
        if count and name not in {table.name for table in _OF_UPGRADE}
    ]
    if full:
        raise StoreError(f"expected a target without content, got rows: {', '.join(full)}")


def _counts(connection: Connection) -> dict[str, int]:
    return {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in Base.metadata.sorted_tables
    }


def _make_partitions(old: Connection, new: Connection) -> None:
    """The months that the source has and the target has not; their bounds as the source tells them."""
    query = text("""
        SELECT p.relname AS parent, c.relname AS name, pg_get_expr(c.relpartbound, c.oid) AS bounds
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
        WHERE p.relnamespace = 'zccvoice'::regnamespace AND p.relname = ANY(:parents)
        """)
    parts = {row.name: row for row in old.execute(query, {"parents": list(PARTITIONED)})}
    known = {row.name for row in new.execute(query, {"parents": list(PARTITIONED)})}
    for name in sorted(parts.keys() - known):
        part = parts[name]
        new.execute(text(f"CREATE TABLE {SCHEMA}.{name} PARTITION OF {SCHEMA}.{part.parent} {part.bounds}"))


def _switch_triggers(connection: Connection, how: Literal["ENABLE", "DISABLE"]) -> None:
    for table in _WITH_TRIGGERS:
        connection.execute(text(f"ALTER TABLE {table.fullname} {how} TRIGGER USER"))


def _copy(
    old: Connection, new: Connection, table: Table, rows_count: int, on_progress: OnProgress | None
) -> None:
    columns = [column.name for column in table.columns if column.computed is None]
    names = {
        "table": sql.Identifier(SCHEMA, table.name),
        "columns": sql.SQL(", ").join(map(sql.Identifier, columns)),
    }
    out = sql.SQL("COPY (SELECT {columns} FROM {table}) TO STDOUT (FORMAT binary)").format(**names)
    in_ = sql.SQL("COPY {table} ({columns}) FROM STDIN (FORMAT binary)").format(**names)
    copied_bytes = 0
    with _driver(old).cursor().copy(out) as reading, _driver(new).cursor().copy(in_) as writing:
        for piece in reading:
            writing.write(piece)
            copied_bytes += len(piece)
            if on_progress is not None:
                on_progress(table.name, rows_count, copied_bytes)


def _set_sequences(connection: Connection, table: Table) -> None:
    """The next number is one that no row has."""
    for column in table.columns:
        if column.identity is not None:
            connection.execute(
                text(
                    f"SELECT setval(pg_get_serial_sequence('{table.fullname}', '{column.name}'), "  # noqa: S608
                    f"coalesce(max({column.name}), 0) + 1, false) FROM {table.fullname}"
                )
            )


def _driver(connection: Connection) -> Driver[Any]:
    """The driver's own connection, in the same transaction: SQLAlchemy has no COPY."""
    return cast("Driver[Any]", connection.connection.driver_connection)
