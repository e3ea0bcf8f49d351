"""Draws what Grafana's panels would show: ``python scripts/draw_dashboards.py --config zccvoice.toml FOLDER``.

One PNG per dashboard, with the answer of the database to every panel's query, so that a person can look at them
without a Grafana. Every choice of the variables is taken for chosen.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.dates import ConciseDateFormatter
from matplotlib.figure import Figure as Canvas
from matplotlib.gridspec import GridSpec
from matplotlib.ticker import MaxNLocator
from sqlalchemy import Connection

from zccvoice.cli import settings
from zccvoice.errors import ZccvoiceError
from zccvoice.reports.dashboards import Dashboard, Panel, dashboards, expanded, placed
from zccvoice.reports.figures import Figure, length, written
from zccvoice.store.database import transaction

Rows = list[tuple[object, ...]]

MOST_ROWS = 10
MOST_LINES = 8
KINDS = {
    "duration": Figure.DURATION,
    "ratio": Figure.RATIO,
    "count": Figure.COUNT,
    "number": Figure.PER_CALL,
    "wpm": Figure.SPEED,
}


def main() -> None:
    """Read the arguments, and draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--days", type=int, default=30, help="how much of the past is shown (default: 30)")
    settings.add_arguments(parser)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    until = datetime.now(UTC)
    try:
        with settings.database(settings.load(options)) as engine, transaction(engine) as connection:
            for dashboard in dashboards():
                canvas = draw(connection, dashboard, until - timedelta(days=options.days), until)
                canvas.savefig(options.folder / f"{dashboard.name}.png", dpi=80)
                print(options.folder / f"{dashboard.name}.png")
    except ZccvoiceError as error:
        sys.exit(str(error))


def draw(connection: Connection, dashboard: Dashboard, since: datetime, until: datetime) -> Canvas:
    """All panels of a dashboard, where Grafana puts them."""
    chosen: dict[str, list[str]] = {}
    for name, sql in dashboard.variables.items():
        query = expanded(sql, since, until, {})
        chosen[name] = [value for (value,) in connection.exec_driver_sql(_literal(query))]
    places = list(placed(dashboard.panels))
    height = max(top + panel.height for panel, _, top in places)
    canvas = Canvas(figsize=(18, height * 0.45))
    grid = GridSpec(
        height, 24, left=0.06, right=0.98, top=1 - 1.6 / height, bottom=0.5 / height, wspace=2.4, hspace=0.5
    )
    canvas.suptitle(dashboard.title, x=0.06, y=1 - 0.3 / height, ha="left", weight="bold")
    for panel, left, top in places:
        axes = canvas.add_subplot(grid[top : top + panel.height - 1, left : left + panel.width])
        sql = _literal(expanded(panel.sql, since, until, chosen))
        draw_panel(axes, panel, [tuple(row) for row in connection.exec_driver_sql(sql)], (since, until))
    return canvas


def draw_panel(axes: Axes, panel: Panel, rows: Rows, shown_time: tuple[datetime, datetime]) -> None:
    """The answer to one panel's query, of the time that the dashboard shows."""
    axes.set_title(panel.title, loc="left", fontsize=10)
    names, units = list(panel.columns), list(panel.columns.values())
    if not rows:
        axes.text(0.5, 0.5, "no data", ha="center")
        axes.axis("off")
    elif panel.kind == "stat":
        axes.text(0.5, 0.5, shown(rows[0][0], units[0]), ha="center", va="center", fontsize=24)
        axes.axis("off")
    elif panel.kind == "table":
        cells = [[shown(cell, unit) for cell, unit in zip(row, units, strict=True)] for row in rows]
        table = axes.table(cells[:MOST_ROWS], colLabels=names, loc="upper center", cellLoc="left")
        table.auto_set_font_size(False)
        table.set_fontsize(7)
        axes.axis("off")
    elif panel.kind == "bars":
        kept = rows[:MOST_ROWS][::-1]
        axes.barh([str(row[0]) for row in kept], [number(row[1]) for row in kept])
        for place, row in enumerate(kept):
            axes.annotate(f" {shown(row[1], units[1])}", (number(row[1]), place), va="center", fontsize=8)
        axes.margins(x=0.1)
        axes.xaxis.set_visible(False)
        axes.tick_params(labelsize=8)
    else:
        _draw_over_time(axes, panel, rows)
        axes.set_xlim(*shown_time)  # type: ignore[arg-type]


def _draw_over_time(axes: Axes, panel: Panel, rows: Rows) -> None:
    lines: dict[str, list[tuple[datetime, float]]] = {}
    for at, *values in rows:
        moment = datetime.fromtimestamp(number(at), UTC)
        named = (
            [(str(values[0]), values[1])]
            if "by name" in panel.kind
            else zip(list(panel.columns)[1:], values, strict=True)
        )
        for name, value in named:
            if value is not None:
                lines.setdefault(name, []).append((moment, number(value)))
    below: Counter[datetime] = Counter()
    width = timedelta(hours=18 if "'1d'" in panel.sql else 0.8)
    for name, points in sorted(lines.items(), key=lambda line: -len(line[1]))[:MOST_LINES]:
        moments, values = [at for at, _ in points], [value for _, value in points]
        if panel.kind.startswith("bars"):
            axes.bar(moments, values, width, [below[at] for at in moments], label=name)  # type: ignore[arg-type]
            below.update(dict(points))
        else:
            axes.plot(moments, values, marker=".", label=name)  # type: ignore[arg-type]
    if lines:
        axes.legend(fontsize=7, loc="upper left")
    else:
        axes.text(0.5, 0.5, "no data", ha="center", transform=axes.transAxes)
    unit = list(panel.columns.values())[-1]
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=unit == "count"))
    axes.yaxis.set_major_formatter(lambda value, _: shown(value, unit))
    axes.xaxis.set_major_formatter(ConciseDateFormatter(axes.xaxis.get_major_locator()))  # type: ignore[no-untyped-call]
    axes.tick_params(labelsize=8)


def shown(cell: object, unit: str) -> str:
    """A value as its kind is written."""
    if isinstance(cell, datetime):
        return f"{cell:%d %b %H:%M}"
    if cell is None or unit not in KINDS:
        return "–" if cell is None else str(cell)[:28]
    if unit == "duration":
        return length(round(number(cell)))
    return written(number(cell), KINDS[unit]) + (" %" if unit == "ratio" else "")


def number(value: object) -> float:
    """A value of the database as a number."""
    return float(str(value))


def _literal(sql: str) -> str:
    """The driver takes a per cent sign for a parameter."""
    return sql.replace("%", "%%")


if __name__ == "__main__":
    main()
