"""``zccvoice db``: the database: bring its schema up to date, look inside; what stays and what goes."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from zccvoice.cli import erase, keeping, move, settings
from zccvoice.config import Config
from zccvoice.errors import StoreError
from zccvoice.store.database import for_libpq, upgrade
from zccvoice.store.private_postgres import PrivatePostgres


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "db",
        description="Bring the schema up to date, look into the database, keep, move or erase what is in it.",
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    one = actions.add_parser("upgrade", help="bring the schema up to date")
    settings.add_arguments(one)
    one.set_defaults(run=run_upgrade)
    one = actions.add_parser(
        "open",
        help="open psql on the database",
        description="Open psql on the database; the private Postgres is started for it where it is not "
        "running. Arguments after -- go to psql, for example: zccvoice db open -- -c 'table reporting.call'.",
    )
    settings.add_arguments(one)
    one.add_argument("psql", nargs="*", help="arguments of psql, after --")
    one.set_defaults(run=run_open)
    for more in (erase, keeping, move):
        more.add_to(actions)


def run_upgrade(options: argparse.Namespace) -> int:
    """0 when the schema is current."""
    with settings.database(settings.load(options)) as engine:
        upgrade(engine)
    print("the schema is current", file=sys.stderr)
    return 0


def run_open(options: argparse.Namespace) -> int:
    """The exit status of psql."""
    with _psql(settings.load(options)) as (program, address, password):
        if sys.stdin.isatty():
            print(f"any SQL tool while this is open: {address}", file=sys.stderr)
        # Ctrl-C belongs to psql, which cancels its query with it.
        previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
        environment = os.environ if password is None else {**os.environ, "PGPASSWORD": password}
        try:
            command = [program, address, *options.psql]
            return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603
        finally:
            signal.signal(signal.SIGINT, previous)


@contextmanager
def _psql(config: Config) -> Iterator[tuple[str, str, str | None]]:
    """The program, what it connects to, and the password, which is no argument: ``ps`` shows those."""
    if config.database.url is None:
        with PrivatePostgres(config.data.folder) as private:
            program, dsn = private.psql_args
            yield program, dsn, None
        return
    found = shutil.which("psql", path=os.environ.get("PATH"))
    if found is None:
        raise StoreError("psql is not installed on this machine; any SQL tool can open database.url")
    with settings.database(config) as engine:
        yield found, *for_libpq(engine)
