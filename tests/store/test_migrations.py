"""The migrated schema is the one the code describes, and it describes itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, inspect, text

from zccvoice.analytics.scorecard import Scorecard, definitions
from zccvoice.store import database
from zccvoice.store.database import connect, upgrade
from zccvoice.store.measure_tables import scorecard_table
from zccvoice.store.schema import REPORTING_SCHEMA, SCHEMA, Base


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url)
    yield engine
    engine.dispose()


def test_models_and_migrated_schema_agree(engine: Engine) -> None:
    config = database._alembic_config()
    config.attributes["engine"] = engine
    command.check(config)  # raises when a migration is missing


def test_a_missing_column_is_noticed(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE zccvoice.gap DROP COLUMN cause CASCADE"))
    config = database._alembic_config()
    config.attributes["engine"] = engine
    with pytest.raises(Exception, match="cause"):
        command.check(config)


def test_every_table_view_and_column_has_a_comment(connection: Connection) -> None:
    undescribed = connection.execute(
        text("""
        SELECT c.relname, a.attname
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND (a.attnum > 0 AND NOT a.attisdropped)
        WHERE n.nspname IN ('zccvoice', 'reporting') AND c.relkind IN ('r', 'v', 'p')
          AND c.relname <> 'alembic_version' AND NOT c.relispartition
          AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid, 'pg_class') IS NULL)
        """)
    ).all()
    assert undescribed == []
    described = connection.scalar(text("SELECT count(*) FROM pg_description WHERE objsubid > 0"))
    assert described is not None
    assert described > len(fields(Scorecard)) * 2


def test_measures_carry_their_published_definition(connection: Connection) -> None:
    for schema, name in ((SCHEMA, "scorecard"), (REPORTING_SCHEMA, "call")):
        comments = {
            column["name"]: column["comment"] for column in inspect(connection).get_columns(name, schema)
        }
        for measure, definition in definitions().items():
            if (schema, measure) not in (
                (REPORTING_SCHEMA, "language"),
                (REPORTING_SCHEMA, "language_source"),
            ):
                assert comments[measure] == definition


def test_every_measure_has_a_column() -> None:
    measures = [field.name for field in fields(Scorecard)]
    assert [column.name for column in scorecard_table.columns] == [
        "engagement_id",
        *measures,
        "computed_at",
        "thresholds_version",
    ]


def test_upgrading_replaces_comments(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("COMMENT ON COLUMN zccvoice.gap.cause IS 'old words'"))
    upgrade(engine)
    (cause,) = (column for column in inspect(engine).get_columns("gap", SCHEMA) if column["name"] == "cause")
    assert cause["comment"] == Base.metadata.tables[f"{SCHEMA}.gap"].c.cause.comment


def test_down_and_up_again(engine: Engine) -> None:
    config = database._alembic_config()
    config.attributes["engine"] = engine
    command.downgrade(config, "base")
    assert inspect(engine).get_table_names(SCHEMA) == ["alembic_version"]
    assert REPORTING_SCHEMA not in inspect(engine).get_schema_names()
    upgrade(engine)
    command.check(config)
