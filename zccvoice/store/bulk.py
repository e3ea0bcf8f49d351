"""COPY: very many rows into one table, the fastest way in. For what is new, and for measurements.

Nothing is merged: a row that is there already ends it. What a running daemon writes goes through `writes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

import psycopg
from psycopg import sql
from sqlalchemy import Connection

from zccvoice.store.schema import SCHEMA


def copy_rows(
    connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    """Copy rows into a table of ours, in the caller's transaction; returns how many they were.

    Args:
        connection: within a transaction.
        table: its name without the schema.
        columns: their names.
        rows: values in the order of the columns; text of a Postgres array counts as the array.
    """
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(SCHEMA, table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    count = 0
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count
