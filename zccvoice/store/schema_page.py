"""The schema as a page for people: ``docs/schema.md``, rendered from a migrated database by its own comments.

`scripts/write_schema_page.py` writes the file; a test compares it with what the database says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Inspector, inspect, text

from zccvoice.store.schema import PARTITIONED, REPORTING_SCHEMA, SCHEMA, is_partition

_HEAD = """\
# The schema

Made from the comments in the database by `python scripts/write_schema_page.py`; version `{version}`. Do not edit.

- `{reporting}`: the views, for whoever asks questions. Their names and columns stay.
- `{tables}`: the tables below them, which may change with every version.

Times on the engagement's clock are milliseconds; 0 is the first packet of its first stream, by Zoom's timestamps.
"""

_ROLES = """\
## Roles

| role | sees | may |
|---|---|---|
| the owner | everything | migrate; owns all that is here |
| `zccvoice_daemon` | everything | write rows and have partitions made; create, drop or alter nothing |
| `zccvoice_reader` | the views, and in them the calls of the teams that the login may read | read |
| `zccvoice_reader_all` | the views, and every call in them | read |

They are groups, made by the migrations, or by an administrator where whoever migrates may create no roles. The
logins are yours:

    CREATE ROLE kim LOGIN PASSWORD '…' IN ROLE zccvoice_reader;
    INSERT INTO zccvoice.team_reader (login, team_id, valid_from) VALUES ('kim', 'support', now());

A reader sees a call when one of its agents was, when the call began, in a team that the reader may read now
(`team_reader`) or in a team below it (`team.parent_team_id`). The calls of an agent who has moved since stay with
the former team. Numbers per agent, queue, day and hour are of the calls that the reader may see.

Fill `team`, `agent_team` and `team_reader` as you like; the same agent or login can be in the same team only once
at a time. Every call keeps its teams (`engagement.team_ids`) and follows what you change, also in the past. While
you do nobody else stores anything: end such a transaction soon, and change the rows that differ instead of
replacing all.

A reader's question about some days is fast when it compares `started_at` or `hour` with moments
(`'2026-11-01'`, `now() - interval '7 days'`) and `day` with dates. `started_at >= current_date` reads all calls: a
moment compared with a date is nothing that Postgres does for a reader before it knows which calls are theirs.

What row-level security does not hide: Postgres tells every login the size of tables, and with `EXPLAIN ANALYZE`
how many rows were left out. Whoever must not learn even that needs a reporting tool in between instead of a login.

On Postgres 14 views cannot ask with the rights of the reader. There the views are for `zccvoice_reader_all` alone;
`zccvoice_reader` has `reporting.search`, which keeps to its teams.
"""


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    kind: str
    is_key: bool
    is_nullable: bool
    refers_to: str | None
    comment: str


@dataclass(frozen=True, slots=True)
class _Relation:
    """A table or a view."""

    name: str
    comment: str
    columns: tuple[_Column, ...]


def schema_page(connection: Connection) -> str:
    """The page, as Markdown with a diagram in Mermaid's notation."""
    inspector = inspect(connection)
    context = MigrationContext.configure(connection, opts={"version_table_schema": SCHEMA})
    tables = [
        _relation(connection, inspector, SCHEMA, name)
        for name in sorted(inspector.get_table_names(SCHEMA))
        if name != "alembic_version" and not is_partition(name)
    ]
    views = [
        _relation(connection, inspector, REPORTING_SCHEMA, name)
        for name in sorted(inspector.get_view_names(REPORTING_SCHEMA))
    ]
    version = ", ".join(context.get_current_heads())
    return "\n".join(
        [
            _HEAD.format(version=version, reporting=REPORTING_SCHEMA, tables=SCHEMA),
            _ROLES,
            f"## Views: `{REPORTING_SCHEMA}`\n",
            *(part for view in views for part in _view_section(view)),
            f"## Functions: `{REPORTING_SCHEMA}`\n",
            *_functions(connection),
            f"## Tables: `{SCHEMA}`\n",
            *_diagram(tables),
            *(part for table in tables for part in _table_section(table)),
        ]
    )


def _relation(connection: Connection, inspector: Inspector, schema: str, name: str) -> _Relation:
    keys = inspector.get_pk_constraint(name, schema)["constrained_columns"]
    references = {
        column: reference["referred_table"]
        for reference in inspector.get_foreign_keys(name, schema)
        for column in reference["constrained_columns"]
    }
    columns = tuple(
        _Column(
            name=column["name"],
            kind=column["type"].compile(connection.dialect).lower(),
            is_key=column["name"] in keys,
            is_nullable=column["nullable"],
            refers_to=references.get(column["name"]),
            comment=column["comment"] or "",
        )
        for column in inspector.get_columns(name, schema)
    )
    return _Relation(name, inspector.get_table_comment(name, schema)["text"] or "", columns)


def _diagram(tables: Sequence[_Relation]) -> Iterator[str]:
    """Which table belongs to which, with the key of each."""
    yield "```mermaid\nerDiagram"
    for table in tables:
        keys = [column for column in table.columns if column.is_key]
        for column in table.columns:
            if column.refers_to is not None:
                many = "o|" if keys == [column] else "o{"
                yield f'    {column.refers_to} ||--{many} {table.name} : "{column.name}"'
    for table in tables:
        yield f"    {table.name} {{"
        for column in table.columns:
            marks = ["PK"] * column.is_key + ["FK"] * (column.refers_to is not None)
            if marks:
                yield f"        {column.kind.replace(' ', '_')} {column.name} {', '.join(marks)}"
        yield "    }"
    yield "```\n"


def _view_section(view: _Relation) -> Iterator[str]:
    yield f"### `{REPORTING_SCHEMA}.{view.name}`\n\n{view.comment}\n"
    yield "| column | type | |\n|---|---|---|"
    for column in view.columns:
        yield f"| `{column.name}` | {column.kind} | {_cell(column.comment)} |"
    yield ""


def _functions(connection: Connection) -> Iterator[str]:
    functions = connection.execute(
        text("""
        SELECT proname, pg_get_function_arguments(oid) AS arguments, obj_description(oid, 'pg_proc') AS comment
        FROM pg_proc WHERE pronamespace = CAST(:schema AS regnamespace) ORDER BY proname, arguments
        """),
        {"schema": REPORTING_SCHEMA},
    )
    for function in functions:
        yield f"### `{REPORTING_SCHEMA}.{function.proname}({function.arguments})`\n\n{function.comment}\n"


def _table_section(table: _Relation) -> Iterator[str]:
    kept = " Kept in monthly partitions by `call_date`." if table.name in PARTITIONED else ""
    yield f"### `{SCHEMA}.{table.name}`\n\n{table.comment}{kept}\n"
    yield "| column | type | NULL | |\n|---|---|---|---|"
    for column in table.columns:
        name = f"**`{column.name}`**" if column.is_key else f"`{column.name}`"
        can_be_null = "yes" if column.is_nullable else ""
        yield f"| {name} | {column.kind} | {can_be_null} | {_cell(column.comment)} |"
    yield ""


def _cell(words: str) -> str:
    return words.replace("|", "\\|")
