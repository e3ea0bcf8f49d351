"""Statements that leave the same row however often they are run: the one way in which this program writes.

Every row has a natural key and every statement is an upsert, run for many rows at once in the order of their keys:
so two writers wait for one another instead of deadlocking.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Connection, Select, Table, Text, bindparam, column, func, or_, select
from sqlalchemy.dialects.postgresql import Insert, insert

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = 253_402_300_799_999  # the last millisecond of year 9999: what a datetime can hold
_LEAST = 1e-37
"""Nothing smaller is a number to a column of type real."""
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
    takes_all_at_once: bool
    """All rows go in one JSON parameter; of rows with one key only the last is written."""


def upsert(table: Table, merges: Mapping[str, Merge]) -> Upsert:
    """INSERT of the keys and the columns named, merged with the row that is there already."""
    keys = tuple(column.name for column in table.primary_key)
    parent = [name for name in ("engagement_id",) if name in table.columns]
    columns = tuple(dict.fromkeys((*keys, *parent, *merges)))
    # Where the new value always wins, the rows before it need not be written. One JSON parameter costs the client
    # a sixth of what a row at a time does.
    takes_all_at_once = all(merge is replace for merge in merges.values())
    statement = (
        insert(table).from_select(columns, _from_json(table, columns))
        if takes_all_at_once
        else insert(table).values({name: bindparam(name) for name in columns})
    )
    if not merges:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    else:
        merged = {name: merge(table.c[name], statement.excluded[name]) for name, merge in merges.items()}
        # A row that would not change is not written anew (it is locked, though, which the clock relies on).
        changes = or_(*(table.c[name].is_distinct_from(value) for name, value in merged.items()))
        statement = statement.on_conflict_do_update(index_elements=keys, set_=merged, where=changes)
    return Upsert(statement, keys, columns, takes_all_at_once)


def _from_json(table: Table, columns: Sequence[str]) -> Select[Any]:
    rows = (
        func.json_to_recordset(bindparam("rows", type_=Text).cast(JSON))
        .table_valued(*(column(name, table.c[name].type) for name in columns), name="told")
        .render_derived(with_types=True)
    )
    # In the order of the keys: two writers wait for one another instead of deadlocking.
    return select(*(rows.c[name] for name in columns)).order_by(
        *(rows.c[key.name] for key in table.primary_key)
    )


def write_rows(connection: Connection, upsert: Upsert, rows: Sequence[Row]) -> None:
    """Run the upsert for all rows, sorted by key; of rows of one key the last counts."""
    if not rows:
        return
    complete = [{name: storable(row.get(name)) for name in upsert.columns} for row in rows]
    if upsert.takes_all_at_once:
        last = {tuple(row[key] for key in upsert.keys): row for row in complete}
        document = json.dumps(list(last.values()), default=str, ensure_ascii=False)
        connection.execute(upsert.statement, {"rows": document})
    else:
        complete.sort(key=lambda row: [row[key] for key in upsert.keys])
        connection.execute(upsert.statement, complete)


def storable(value: Any) -> Any:
    """The value as Postgres can hold it: no NUL and no half surrogates in text; NULL for what is no number.

    And 0 for what is as good as that: a column of type real refuses the row otherwise.
    """
    if isinstance(value, str):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, float):
        return None if not math.isfinite(value) else value if abs(value) > _LEAST else 0.0
    if isinstance(value, list):
        return [storable(item) for item in value]
    return value


def call_date_of(zero_ms: int) -> date:
    """The UTC day of a clock's zero: what partitions go by."""
    return moment_of(zero_ms).date()


def moment_of(timestamp_ms: int) -> datetime:
    """Milliseconds since 1970 as a moment."""
    return _EPOCH + timedelta(milliseconds=timestamp_ms)


def epoch_ms(moment: datetime) -> int:
    """A moment as milliseconds since 1970: exactly, as floats could not."""
    since = moment - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def sane_ms(timestamp_ms: int) -> int:
    """Bounded to what the columns hold: a far end with a broken clock must not make a call unstorable."""
    return min(max(timestamp_ms, 0), _LAST_MS)
