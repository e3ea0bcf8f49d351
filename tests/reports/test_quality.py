"""How good the data are, and that nothing known to be zero is shown as not known."""

from __future__ import annotations

from datetime import UTC, date

from sqlalchemy import Connection, text

from tests.store.supervised_calls import MOVED, store_calls
from tests.store.test_summaries import put
from zccvoice.reports import period
from zccvoice.reports.quality import quality_report
from zccvoice.reports.table import Quantity, Standing
from zccvoice.store.targets import Target, set_target

NOVEMBER = period.month(2026, 11, UTC)


def values(connection: Connection, at: int = 1) -> dict[object, float | None]:
    table = quality_report(connection, NOVEMBER).tables[0]
    found = {row[4]: row[at] for row in table.rows}
    assert all(isinstance(cell, Quantity) for cell in found.values())
    return {name: cell.value for name, cell in found.items() if isinstance(cell, Quantity)}


def test_in_short(connection: Connection) -> None:
    store_calls(connection)
    put(connection, "ann", coverage_ratio=0.5, damaged=True)
    connection.execute(
        text("UPDATE zccvoice.utterance SET verdict = 'refused: repetition' WHERE engagement_id = 'sam'")
    )
    now, before = values(connection), values(connection, 2)
    assert (now["calls_count"], now["damaged_calls_count"], now["mean_coverage_ratio"]) == (6, 1, 0.5)
    assert (now["utterances_count"], now["kept_count"], now["refused_count"]) == (12, 5, 7)
    assert (before["calls_count"], before["utterances_count"], before["lag_ms_p50"]) == (0, 0, None)


def test_tables(connection: Connection) -> None:
    store_calls(connection)
    put(connection, "ann", coverage_ratio=0.5, damaged=True)
    put(connection, "nia", coverage_ratio=0.99)
    set_target(connection, Target("mean_coverage_ratio", 0.98, None, valid_from=NOVEMBER.since), MOVED)
    report = quality_report(connection, NOVEMBER)
    tables = {table.name: table for table in report.tables}
    assert [row[0] for row in tables["days"].rows] == [date(2026, 11, 20)]
    assert tables["gaps"].rows == (("lost_packets", 6, 6, 60),)
    assert tables["rejections"].rows == (("refused: guessed", 6, 6, 6_000),)
    assert tables["ends"].rows == (("call_ended", False, 6),)
    assert [row[-2] for row in tables["damaged"].rows] == ["ann"], "0.99 is not damaged"
    audio = next(row[1] for row in tables["quality"].rows if row[0] == "Audio")
    assert isinstance(audio, Quantity)
    assert audio.standing is Standing.BELOW
    assert [chart.title for chart in report.charts] == [
        "Audio that arrived",
        "Recognition lag",
        "Text refused or failed",
    ]


def test_a_lag_that_is_not_known_says_why_and_is_not_drawn(connection: Connection) -> None:
    store_calls(connection)
    connection.execute(text("UPDATE zccvoice.utterance SET stored_at = '2026-11-01Z'"))
    report = quality_report(connection, NOVEMBER)
    assert values(connection)["lag_ms_p95"] is None
    assert "faster than real time" in report.tables[0].note
    assert "Recognition lag" not in [chart.title for chart in report.charts]
    connection.execute(text("UPDATE zccvoice.utterance SET stored_at = '2026-11-30Z'"))
    assert quality_report(connection, NOVEMBER).tables[0].note == ""


def test_no_calls(connection: Connection) -> None:
    assert values(connection)["calls_count"] == 0
    tables = quality_report(connection, NOVEMBER).tables
    assert all(table.rows == () for table in tables[1:])
