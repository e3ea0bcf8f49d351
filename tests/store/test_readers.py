"""A login that may only read gets reports of what it may read, and is told when the schema is another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from zccvoice.errors import SchemaMissingError, SchemaNotCurrentError
from zccvoice.store import compliance, quality, summaries
from zccvoice.store.database import connect, transaction
from zccvoice.store.readers import require_readable_schema
from zccvoice.store.summaries import Scope
from zccvoice.store.targets import Target, set_target, targets
from zccvoice.store.worst import worst_calls

from .supervised_calls import MOVED, store_calls

DAY = Scope(MOVED - timedelta(hours=12), MOVED + timedelta(hours=12))


@pytest.fixture
def owner(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url)
    with engine.begin() as connection:
        store_calls(connection)
        set_target(connection, Target("hold_count", 0, 1, valid_from=DAY.since), MOVED)
        connection.execute(text("DROP ROLE IF EXISTS report_reader"))
        connection.execute(text("CREATE ROLE report_reader LOGIN IN ROLE zccvoice_reader"))
        connection.execute(
            text(
                "INSERT INTO zccvoice.team_reader VALUES ('report_reader', 'sales', now() - interval '1 h', NULL)"
            )
        )
    yield engine
    engine.dispose()


@pytest.fixture
def reader(owner: Engine) -> Iterator[Engine]:
    engine = connect(owner.url.set(username="report_reader").render_as_string(hide_password=False))
    yield engine
    engine.dispose()


def test_a_reader_gets_the_calls_of_its_teams(reader: Engine) -> None:
    require_readable_schema(reader)
    with transaction(reader) as connection:
        assert summaries.summary(connection, DAY).calls_count == 3
        assert {one.user_id for one in summaries.agents(connection, DAY)} == {"sam", "mia"}
        assert len(worst_calls(connection, DAY, "duration_ms", lowest=False, most=9)) == 3
        assert compliance.rules(connection, DAY)[0].calls_count == 3
        heard, _ = quality.recognition(connection, DAY, [DAY.since])
        assert heard is not None
        assert (heard.utterances_count, heard.kept_count) == (6, 3)
        assert [one.measure for one in targets(connection, MOVED)] == ["hold_count"]


def test_a_reader_is_told_of_another_schema(owner: Engine, reader: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(text("DELETE FROM zccvoice.schema_change WHERE version = '20261201_reports'"))
    with pytest.raises(SchemaNotCurrentError, match="whoever owns it"):
        require_readable_schema(reader)
    require_readable_schema(owner)


def test_no_schema_at_all(empty_database_url: str) -> None:
    engine = connect(empty_database_url)
    with pytest.raises(SchemaMissingError):
        require_readable_schema(engine)
    engine.dispose()
