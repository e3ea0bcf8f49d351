"""Statements that leave the same row however often they are run: the one way in which this program writes.

Every row has a natural key and every statement is an upsert, run for many rows at once (the driver pipelines
them), in the order of their keys: so two writers wait for one another instead of deadlocking.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Insert, Table, bindparam, func, or_
from sqlalchemy.dialects.postgresql import insert

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = 253_402_300_799_999  # the last millisecond of year 9999: what a datetime can hold
Row = dict[str, Any]
Merge = Callable[[Any, Any], Any]

# How an upsert takes the old and the new value of a column together. NULL wins only in `replace`.
earliest_of: Merge = func.least
latest_of: Merge = func.greatest
keep_first: Merge = func.coalesce


def keep_last(old: Any, new: Any) -> Any:
    """The new value, unless it is NULL."""
    return func.coalesce(new, old)


def replace(old: Any, new: Any) -> Any:
    """The new value, also when it is NULL."""
    return new


@dataclass(frozen=True, slots=True)
class Upsert:
    """INSERT … ON CONFLICT for one table."""

    statement: Insert
    keys: tuple[str, ...]
    columns: tuple[str, ...]


def upsert(table: Table, merges: Mapping[str, Merge]) -> Upsert:
    """INSERT of the keys and the columns named, merged with the row that is there already."""
    keys = tuple(column.name for column in table.primary_key)
    parent = [name for name in ("engagement_id",) if name in table.columns]
    columns = tuple(dict.fromkeys((*keys, *parent, *merges)))
    statement = insert(table).values({name: bindparam(name) for name in columns})
    if not merges:
        return Upsert(statement.on_conflict_do_nothing(index_elements=keys), keys, columns)
    merged = {name: merge(table.c[name], statement.excluded[name]) for name, merge in merges.items()}
    # A row that would not change is not written anew (it is locked, though, which the clock relies on).
    changes = or_(*(table.c[name].is_distinct_from(value) for name, value in merged.items()))
    statement = statement.on_conflict_do_update(index_elements=keys, set_=merged, where=changes)
    return Upsert(statement, keys, columns)


def write_rows(connection: Connection, upsert: Upsert, rows: Sequence[Row]) -> None:
    """Run the upsert for all rows, sorted by key; rows of one key stay in their order."""
    if rows:
        complete = [{name: storable(row.get(name)) for name in upsert.columns} for row in rows]
        complete.sort(key=lambda row: [row[key] for key in upsert.keys])
        connection.execute(upsert.statement, complete)


def storable(value: Any) -> Any:
    """The value as Postgres can hold it: no NUL and no half surrogates in text; NULL for what is no number."""
    if isinstance(value, str):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list):
        return [storable(item) for item in value]
    return value


def call_date_of(zero_ms: int) -> date:
    """The UTC day of a clock's zero: what partitions go by."""
    return (_EPOCH + timedelta(milliseconds=zero_ms)).date()


def sane_ms(timestamp_ms: int) -> int:
    """Bounded to what the columns hold: a far end with a broken clock must not make a call unstorable."""
    return min(max(timestamp_ms, 0), _LAST_MS)
