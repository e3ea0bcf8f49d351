"""The page about the schema says what the database says."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import Connection, text

from zccvoice.store.schema import SCHEMA, Base
from zccvoice.store.schema_page import schema_page

PAGE = Path(__file__).parents[2] / "docs" / "schema.md"


def test_the_committed_page_is_up_to_date(connection: Connection) -> None:
    expected = schema_page(connection)
    assert PAGE.read_text(encoding="utf-8") == expected, "run: python scripts/write_schema_page.py"


def test_every_table_is_described_and_drawn(connection: Connection) -> None:
    page = schema_page(connection)
    tables = {table.name for table in Base.metadata.tables.values()}
    assert set(re.findall(rf"^### `{SCHEMA}\.(\w+)`$", page, re.MULTILINE)) == tables
    assert set(re.findall(r"^    (\w+) \{$", page, re.MULTILINE)) == tables


def test_a_changed_comment_changes_the_page(connection: Connection) -> None:
    before = schema_page(connection)
    connection.execute(text("COMMENT ON COLUMN zccvoice.gap.cause IS 'one | another'"))
    connection.execute(text("COMMENT ON VIEW reporting.gap IS 'other words'"))
    after = schema_page(connection)
    assert set(after.splitlines()) - set(before.splitlines()) == {
        "| `cause` | text |  | one \\| another |",
        "other words",
    }


def test_lines_of_the_diagram(connection: Connection) -> None:
    lines = schema_page(connection).splitlines()
    assert '    engagement ||--o| scorecard : "engagement_id"' in lines  # at most one of it
    assert '    stream ||--o{ utterance : "stream_id"' in lines  # many
    assert "        text stream_id PK, FK" in lines


def test_roles_and_functions_are_told(connection: Connection) -> None:
    page = schema_page(connection)
    roles = (
        connection.execute(text("SELECT rolname FROM pg_roles WHERE rolname ~ '^zccvoice_'")).scalars().all()
    )
    assert len(roles) == 3
    assert all(f"| `{role}` |" in page for role in roles)
    assert "### `reporting.search(query text, language text DEFAULT NULL::text, since date" in page
