"""Where a report goes, and in which form: arguments, and the writing. A file is whole or as it was before."""

from __future__ import annotations

import argparse
import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from sqlalchemy import Connection

from zccvoice.cli import settings
from zccvoice.errors import ConfigError, StoreError
from zccvoice.reports.forms import BINARY, FORMS, OF_ONE_TABLE, table_of, write_report
from zccvoice.reports.printed import print_report
from zccvoice.reports.private_file import behind_links, is_written_into
from zccvoice.reports.table import Report
from zccvoice.store.database import transaction
from zccvoice.store.readers import require_readable_schema


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--format``, ``--output`` and ``--table``, and the settings."""
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--format", choices=FORMS, help="default: that of --output's name, or text")
    form.add_argument("--json", dest="format", action="store_const", const="json", help="--format json")
    parser.add_argument("--output", type=Path, metavar="FILE", help="instead of standard output")
    parser.add_argument("--table", metavar="NAME", help="of csv and parquet: another table than the first")
    settings.add_arguments(parser)


def form_of(options: argparse.Namespace) -> str:
    """The form that the arguments ask for.

    Raises:
        ConfigError: it cannot go where they say.
    """
    output: Path | None = options.output
    form = options.format or form_by_name(output)
    if output is None and form in BINARY and sys.stdout.isatty():
        raise ConfigError(
            [f"--format {form}: expected --output FILE, or standard output that is no terminal"]
        )
    if options.table is not None and form not in OF_ONE_TABLE:
        raise ConfigError([f"--table: goes with {' and '.join(sorted(OF_ONE_TABLE))}, got {form}"])
    return form


def form_by_name(output: Path | None) -> str:
    """The form that a file's name tells; text without a file.

    Raises:
        ConfigError: it tells none.
    """
    suffix = output.suffix.lower().removeprefix(".") if output else ""
    form = {"": "text", "txt": "text", "htm": "html"}.get(suffix, suffix)
    if form not in FORMS:
        raise ConfigError(
            [f"--output {output}: expected --format, or a name that ends in {', '.join(FORMS[1:])}"]
        )
    return form


def run(options: argparse.Namespace, read: Callable[[Connection], Report]) -> int:
    """Read a report and write it as the arguments ask; 0, also when there is nothing in it.

    Raises:
        ConfigError: the arguments do not fit together.
        StoreError: the database is not to be had, or the file cannot be written.
    """
    form = form_of(options)
    with progress("reading"), settings.database(settings.load(options)) as engine:
        require_readable_schema(engine)
        with transaction(engine) as connection:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            report = read(connection)
    try:
        table_of(report, options.table)
    except KeyError:
        names = ", ".join(table.name for table in report.tables)
        raise ConfigError([f"--table {options.table}: expected one of {names}"]) from None
    with progress("writing"):
        _write(report, form, options)
    return 0


def _write(report: Report, form: str, options: argparse.Namespace) -> None:
    if options.output is not None:
        content = io.BytesIO()
        write_report(report, form, content, options.table)
        replace_file(options.output, content.getvalue())
    elif form == "text":
        print_report(report, sys.stdout)  # its colours and width are the terminal's
    elif form in BINARY:
        write_report(report, form, sys.stdout.buffer, options.table)
    else:
        content = io.BytesIO()
        write_report(report, form, content, options.table)
        sys.stdout.write(content.getvalue().decode())


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that whoever reads it meanwhile has the old one or the new one; what is no file gets it all.

    Raises:
        StoreError: it cannot be written.
    """
    try:
        if is_written_into(path):
            path.write_bytes(content)
            return
        target = behind_links(path)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
            file.write(content)
        umask = os.umask(0)
        os.umask(umask)
        Path(file.name).chmod(0o666 & ~umask)
        Path(file.name).replace(target)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}") from None


@contextmanager
def progress(what: str) -> Iterator[None]:
    """What is being done, on standard error when that is a terminal: nothing for cron to send."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(f"{what} …"):
        yield
