"""Every query of every panel runs on a real database and gives the columns that the panel draws."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from tests.store.supervised_calls import CALLS, MOVED, store_calls
from tests.store.test_summaries import put
from zccvoice.config.sources import is_setting
from zccvoice.reports.dashboards import (
    Dashboard,
    Panel,
    dashboards,
    expanded,
    grafana_dashboard,
    placed,
    write_provisioning,
)
from zccvoice.store.targets import Target, set_target

ALL = dashboards()
PANELS = [(dashboard, panel) for dashboard in ALL for panel in dashboard.panels]
SINCE, UNTIL = MOVED - timedelta(days=1), MOVED + timedelta(days=1)
UNITS = {"text": str, "time": (datetime, float, int), "flag": bool}


@pytest.fixture
def calls(connection: Connection) -> Connection:
    """Calls of which something is to be seen in every panel."""
    store_calls(connection)
    for name in ("ann", "sam"):
        put(connection, name, talk_time_total_ms=2_000, interruptions_agent_count=2, coverage_ratio=0.5)
        put(
            connection, name, damaged=True, duration_ms=9_000, words_agent_count=30, first_response_agent_ms=9
        )
        put(connection, name, longest_silence_ms=4_000, talk_speed_agent_wpm=180)
        put(connection, name, verdict="sparse", talk_share_agent=0.75, transcript_confidence=0.9)
    connection.execute(
        text("""
        UPDATE zccvoice.live_call SET talk_share_agent = 0.5, interruptions_agent_count = 1,
            last_side = 'agent', last_words = 'Hello', coverage_ratio = 1
        """)
    )
    set_target(connection, Target("talk_share_agent", 0.1, 0.2, valid_from=SINCE), MOVED)
    return connection


def answer(
    connection: Connection, dashboard: Dashboard, sql: str
) -> tuple[list[str], list[tuple[object, ...]]]:
    chosen = {
        name: list(connection.exec_driver_sql(expanded(query, SINCE, UNTIL, {}).replace("%", "%%")).scalars())
        for name, query in dashboard.variables.items()
    }
    result = connection.exec_driver_sql(expanded(sql, SINCE, UNTIL, chosen).replace("%", "%%"))
    return list(result.keys()), [tuple(row) for row in result]


@pytest.mark.parametrize(
    ("dashboard", "panel"), PANELS, ids=[f"{one.name}: {panel.title}" for one, panel in PANELS]
)
def test_a_panel_gets_rows_with_the_columns_it_names(
    calls: Connection, dashboard: Dashboard, panel: Panel
) -> None:
    columns, rows = answer(calls, dashboard, panel.sql)
    assert columns == list(panel.columns)
    assert rows
    for name, unit, values in zip(columns, panel.columns.values(), zip(*rows, strict=True), strict=True):
        known = [value for value in values if value is not None]
        assert known, f"{name} is never known"
        if unit in UNITS:
            assert all(isinstance(value, UNITS[unit]) or unit == "time" for value in known), name  # type: ignore[arg-type]
        else:
            assert all(float(str(value)) >= 0 for value in known), name


@pytest.mark.parametrize(
    ("dashboard", "panel"), [one for one in PANELS if "talk_speed_agent_wpm" in one[1].columns]
)
def test_a_talk_speed_is_that_of_the_calls(calls: Connection, dashboard: Dashboard, panel: Panel) -> None:
    """Calls of too few words for one of their own have none together either."""
    columns, rows = answer(calls, dashboard, panel.sql)
    found = [row[columns.index("talk_speed_agent_wpm")] for row in rows]
    assert [value for value in found if value is not None] == pytest.approx(
        [180] * (len(rows) - found.count(None))
    )
    assert len(found) == 1 or None in found


@pytest.mark.parametrize("dashboard", ALL, ids=lambda dashboard: dashboard.name)
def test_a_panel_has_a_place_of_its_own(dashboard: Dashboard) -> None:
    taken: set[tuple[int, int]] = set()
    for panel, left, top in placed(dashboard.panels):
        cells = {(left + x, top + y) for x in range(panel.width) for y in range(panel.height)}
        assert not cells & taken, panel.title
        assert left + panel.width <= 24
        taken |= cells


@pytest.mark.parametrize("dashboard", ALL, ids=lambda dashboard: dashboard.name)
def test_what_a_panel_draws_is_there(dashboard: Dashboard) -> None:
    for panel in dashboard.panels:
        kinds = list(panel.columns.values())
        if "over time" in panel.kind or "lines" in panel.kind:
            assert kinds[0] == "time"
            assert ("by name" in panel.kind) == (kinds[1] == "text"), panel.title
    asked = {name for panel in dashboard.panels for name in re.findall(r"\$\{(\w+):sqlstring\}", panel.sql)}
    assert asked == set(dashboard.variables)


OF_AGENTS = [(one, panel) for one, panel in PANELS if "reporting.agent_call" in panel.sql]


@pytest.mark.parametrize(("dashboard", "panel"), OF_AGENTS, ids=[panel.title for _, panel in OF_AGENTS])
def test_an_agent_without_a_name_is_not_left_out(
    calls: Connection, dashboard: Dashboard, panel: Panel
) -> None:
    at = list(panel.columns).index("agent_name")
    _, named = answer(calls, dashboard, panel.sql)
    calls.execute(text("UPDATE zccvoice.agent SET display_name = NULL"))
    _, rows = answer(calls, dashboard, panel.sql)
    assert (
        {row[at] for row in rows} == {str(row[at]).lower() for row in named} <= {"ann", "mia", "nia", "sam"}
    )


OF_QUEUES = [(one, panel) for one, panel in PANELS if "'No queue') AS queue_name" in panel.sql]


@pytest.mark.parametrize(("dashboard", "panel"), OF_QUEUES, ids=[panel.title for _, panel in OF_QUEUES])
def test_a_queue_without_a_name_is_not_no_queue(
    calls: Connection, dashboard: Dashboard, panel: Panel
) -> None:
    calls.execute(text("UPDATE zccvoice.engagement SET queue_name = NULL"))
    at = list(panel.columns).index("queue_name")
    _, rows = answer(calls, dashboard, panel.sql)
    assert {row[at] for row in rows} == {f"q-{name}" for name in CALLS}


def test_queues_of_one_name_are_told_apart(calls: Connection) -> None:
    (found,) = ((one, panel) for one, panel in PANELS if (one.name, panel.title) == ("queues", "Queues"))
    _, rows = answer(calls, found[0], found[1].sql)
    assert [row[:2] for row in rows] == [("Queue", 1)] * len(CALLS), "as in the report"


def test_only_the_views_are_asked() -> None:
    for _, panel in PANELS:
        assert "zccvoice." not in panel.sql, panel.title
        assert "$__timeFilter" in panel.sql or "live_call" in panel.sql, panel.title


def test_names_are_quoted(calls: Connection) -> None:
    sql = expanded("SELECT ${agent:sqlstring}, $__timeTo()", SINCE, UNTIL, {"agent": ["O'Hara", "x"]})
    assert tuple(calls.execute(text(sql)).one()) == ("O'Hara", "x", UNTIL.isoformat())
    assert expanded("IN (${a:sqlstring})", SINCE, UNTIL, {"a": []}) == "IN (NULL)"


def test_macros_are_those_of_grafana(calls: Connection) -> None:
    at = datetime(2026, 11, 20, 12, 34, 56, tzinfo=UTC)
    sql = expanded("SELECT $__timeGroup(t, '15m') FROM (SELECT :at ::timestamptz AS t) x", SINCE, UNTIL, {})
    (found,) = calls.execute(text(sql.replace(":at", f"'{at.isoformat()}'"))).one()
    assert int(found) == int(at.timestamp()) // 900 * 900
    assert expanded("$__timeFilter(c.x)", SINCE, UNTIL, {}).startswith("c.x BETWEEN '2026-11-19")


def test_files_for_grafana(tmp_path: Path) -> None:
    written = write_provisioning(tmp_path)
    names = {str(path.relative_to(tmp_path)) for path in written}
    assert {"datasources/zccvoice.yaml", "dashboards/zccvoice.yaml"} < names
    assert len(names) == 2 + len(ALL)
    variables = re.findall(r"\$(\w+)", (tmp_path / "datasources" / "zccvoice.yaml").read_text())
    assert len(variables) == 5
    assert not any(map(is_setting, variables)), "our commands would take them for settings that are none"
    for dashboard in ALL:
        found = json.loads((tmp_path / "dashboards" / "zccvoice" / f"{dashboard.name}.json").read_text())
        assert found == grafana_dashboard(dashboard)
        assert [one["targets"][0]["rawSql"] for one in found["panels"]] == [
            one.sql for one in dashboard.panels
        ]
        assert len({one["id"] for one in found["panels"]}) == len(dashboard.panels)
        assert {one["name"] for one in found["templating"]["list"]} == set(dashboard.variables)
