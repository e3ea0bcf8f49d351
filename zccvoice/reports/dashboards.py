"""Dashboards for Grafana, as code: what each panel asks of the schema ``reporting``, and the files Grafana reads.

They are in the folder ``grafana`` beside this file, one TOML each: panels with their SQL, and the columns that the
SQL gives with what kind of value each is. Grafana's own format is made of them, so a query is read, changed and
tested in one place.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "grafana"
DATASOURCE = "zccvoice"
"""Uid of the data source, to which every panel refers."""
_COLUMNS = 24
_UNITS = {
    "count": "short",
    "number": "short",
    "duration": "ms",
    "ratio": "percentunit",
    "wpm": "suffix: wpm",
    "time": "dateTimeAsLocal",
    "flag": "bool_yes_no",
    "text": "string",
}
_TYPES = {
    "stat": "stat",
    "table": "table",
    "bars": "barchart",
    "lines": "timeseries",
    "lines by name": "timeseries",
    "bars over time": "timeseries",
    "bars over time by name": "timeseries",
}


@dataclass(frozen=True, slots=True)
class Panel:
    """One question and how its answer is drawn."""

    title: str
    about: str
    """What is to be known to read it; empty when the title says it."""
    kind: str
    """``stat``, ``table``, ``bars``, ``lines``, ``bars over time``; with ``by name``: one per second column."""
    width: int
    """Of 24."""
    height: int
    columns: Mapping[str, str]
    """What the query gives: names in order, with ``time``, ``text``, ``count``, ``number``, ``duration`` (ms),
    ``ratio`` (0–1), ``wpm`` or ``flag``."""
    sql: str
    """With Grafana's macros and variables."""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One page of panels."""

    name: str
    """Its file's name and uid."""
    title: str
    refresh: str
    since: str
    """Begin of what is shown at first, in Grafana's words: ``now-7d``."""
    variables: Mapping[str, str]
    """What can be chosen above the panels: name → query of the choices."""
    panels: tuple[Panel, ...]


def dashboards(folder: Path = FOLDER) -> list[Dashboard]:
    """Every dashboard, by name."""
    return [_dashboard(path) for path in sorted(folder.glob("*.toml"))]


def _dashboard(path: Path) -> Dashboard:
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    panels = tuple(Panel(**{"about": "", **panel, "sql": panel["sql"].strip()}) for panel in told["panels"])
    variables = {name: sql.strip() for name, sql in told.get("variables", {}).items()}
    return Dashboard(path.stem, told["title"], told["refresh"], told["since"], variables, panels)


def expanded(sql: str, since: datetime, until: datetime, chosen: Mapping[str, Sequence[str]]) -> str:
    """The SQL that Grafana sends: its macros and variables written out.

    Args:
        sql: of a panel or variable.
        since: begin of what is shown, aware.
        until: its end.
        chosen: for each variable what is chosen of it.
    """
    first, last = (f"'{moment.isoformat()}'" for moment in (since, until))
    for name, values in chosen.items():
        listed = ", ".join("'" + value.replace("'", "''") + "'" for value in values) or "NULL"
        sql = sql.replace(f"${{{name}:sqlstring}}", listed)
    sql = re.sub(r"\$__timeFilter\(([^)]+)\)", rf"\1 BETWEEN {first} AND {last}", sql)
    sql = re.sub(r"\$__timeGroup\(([^,]+), '(\w+)'\)", _grouped, sql)
    return sql.replace("$__timeFrom()", first).replace("$__timeTo()", last)


def _grouped(macro: re.Match[str]) -> str:
    seconds = int(macro[2][:-1]) * {"m": 60, "h": 3600, "d": 86_400}[macro[2][-1]]
    return f"floor(extract(epoch from {macro[1]})/{seconds})*{seconds}"


def write_provisioning(folder: Path) -> list[Path]:
    """Write what Grafana reads at start into ``datasources`` and ``dashboards`` of a folder; returns the files.

    The data source takes address and login from the environment of Grafana, so the files hold no secret.

    Raises:
        OSError: they cannot be written.
    """
    written = []
    for name, text in _files():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def _files() -> Iterator[tuple[str, str]]:
    yield "datasources/zccvoice.yaml", _DATASOURCE
    yield "dashboards/zccvoice.yaml", _PROVIDER
    for dashboard in dashboards():
        document = json.dumps(grafana_dashboard(dashboard), indent=2, ensure_ascii=False)
        yield f"dashboards/zccvoice/{dashboard.name}.json", document + "\n"


_DATASOURCE = f"""\
apiVersion: 1
datasources:
  - name: zccvoice
    uid: {DATASOURCE}
    type: postgres
    access: proxy
    url: $GRAFANA_ZCCVOICE_HOST
    user: $GRAFANA_ZCCVOICE_USER
    jsonData:
      database: $GRAFANA_ZCCVOICE_DATABASE
      sslmode: $GRAFANA_ZCCVOICE_SSLMODE
      postgresVersion: 1500
    secureJsonData:
      password: $GRAFANA_ZCCVOICE_PASSWORD
"""
_PROVIDER = """\
apiVersion: 1
providers:
  - name: zccvoice
    folder: zccvoice
    type: file
    options:
      path: /etc/grafana/provisioning/dashboards/zccvoice
"""


def grafana_dashboard(dashboard: Dashboard) -> dict[str, Any]:
    """The dashboard in Grafana's format, version 39 of its schema (Grafana 10 and later)."""
    return {
        "uid": f"zccvoice-{dashboard.name}",
        "title": dashboard.title,
        "tags": ["zccvoice"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": dashboard.refresh,
        "time": {"from": dashboard.since, "to": "now"},
        "templating": {"list": [_variable(name, sql) for name, sql in dashboard.variables.items()]},
        "links": [{"type": "dashboards", "tags": ["zccvoice"], "title": "zccvoice", "keepTime": True}],
        "panels": [_panel(number, *place) for number, place in enumerate(placed(dashboard.panels), 1)],
    }


def _variable(name: str, sql: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": name.capitalize(),
        "type": "query",
        "datasource": _source(),
        "query": sql,
        "refresh": 2,  # with the time range
        "multi": True,
        "includeAll": True,
        "current": {"text": ["All"], "value": ["$__all"], "selected": True},
    }


def placed(panels: Sequence[Panel]) -> Iterator[tuple[Panel, int, int]]:
    """Each panel with its left and top in the grid of 24 columns: from left to right, then below the highest."""
    left, top, below = 0, 0, 0
    for panel in panels:
        if left + panel.width > _COLUMNS:
            left, top = 0, below
        yield panel, left, top
        left, below = left + panel.width, max(below, top + panel.height)


def _panel(number: int, panel: Panel, left: int, top: int) -> dict[str, Any]:
    over_time = _TYPES[panel.kind] == "timeseries"
    numbers = [unit for unit in panel.columns.values() if unit not in ("time", "text", "flag")]
    custom = {"drawStyle": "bars", "fillOpacity": 60} if panel.kind.startswith("bars") else {}
    if panel.kind == "bars over time by name":
        custom["stacking"] = {"mode": "normal"}
    return {
        "id": number,
        "title": panel.title,
        "description": panel.about,
        "type": _TYPES[panel.kind],
        "datasource": _source(),
        "gridPos": {"x": left, "y": top, "w": panel.width, "h": panel.height},
        "fieldConfig": {
            "defaults": {
                **({"unit": _UNITS[numbers[0]]} if numbers else {}),
                "custom": custom if over_time else {},
            },
            "overrides": [] if over_time else [_override(*column) for column in panel.columns.items()],
        },
        "options": {"reduceOptions": {"calcs": ["lastNotNull"]}} if panel.kind == "stat" else {},
        "targets": [
            {
                "refId": "A",
                "datasource": _source(),
                "editorMode": "code",
                "rawQuery": True,
                "format": "time_series" if over_time else "table",
                "rawSql": panel.sql,
            }
        ],
    }


def _override(name: str, unit: str) -> dict[str, Any]:
    shown = re.sub(r"_(ms|count|ratio|wpm)$", "", name).replace("_", " ").capitalize()
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [
            {"id": "unit", "value": _UNITS[unit]},
            {"id": "displayName", "value": shown},
        ],
    }


def _source() -> dict[str, str]:
    return {"type": "postgres", "uid": DATASOURCE}
