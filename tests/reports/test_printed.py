"""What people see of a table, beside what files hold."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

import pytest

from zccvoice.reports.printed import print_report
from zccvoice.reports.table import Column, Report, Table

AT = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        ((Column("queue_id", "Queue"), Column("title", "Title")), True),
        ((Column("queue_id", "Queue id"), Column("queue_name", "Queue")), False),
    ],
)
def test_the_id_of_a_queue_is_shown_unless_its_name_is(columns: tuple[Column, ...], shown: bool) -> None:
    table = Table("targets", "Targets", columns, (("q_4711", "Orders"),))
    file = StringIO()
    print_report(Report("targets", "Targets", "", AT, AT, UTC, (table,)), file)
    assert ("q_4711" in file.getvalue()) is shown
    assert "Orders" in file.getvalue()
