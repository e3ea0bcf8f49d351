"""``zccvoice db move``: the content of the configured database to another server."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from rich.console import Console
from rich.progress import DownloadColumn, Progress, TextColumn, TimeElapsedColumn, TransferSpeedColumn

from zccvoice.cli import settings
from zccvoice.store.database import connect
from zccvoice.store.moving import move


def add_to(actions: Any) -> None:
    """Add the action to the parser of ``zccvoice db``."""
    parser: argparse.ArgumentParser = actions.add_parser(
        "move",
        help="copy everything to another server",
        description="Copy everything that the configured database (the private Postgres, where there is no other) "
        "holds into an empty database of another server, all of it or nothing. Stop the daemon "
        "first: its journals stay where they are. The old database is left as it was.",
    )
    parser.add_argument("--to", required=True, metavar="URL", help="postgresql://user:password@host/database")
    settings.add_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """0 when every row has arrived."""
    config = settings.load(options)
    target = connect(options.to, connections=2)
    columns = (TextColumn("{task.description}"), DownloadColumn(), TransferSpeedColumn(), TimeElapsedColumn())
    try:
        with (
            settings.database(config) as source,
            Progress(*columns, console=Console(stderr=True)) as progress,
        ):
            tasks: dict[str, Any] = {}

            def show(table: str, rows_count: int, copied_bytes: int) -> None:
                if table not in tasks:
                    tasks[table] = progress.add_task(f"{table} ({rows_count} rows)", total=None)
                progress.update(tasks[table], completed=copied_bytes)

            counts = move(source, target, on_progress=show)
    finally:
        target.dispose()
    for name, count in sorted(counts.items()):
        print(f"{name:<20}{count:>12}")
    print(
        "everything has arrived. Now set database.url (better: ZCCVOICE_DATABASE__URL in the environment) to the "
        "new server and start the daemon",
        file=sys.stderr,
    )
    return 0
