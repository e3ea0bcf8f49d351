"""``zccvoice models``: which weights there are, and getting them onto this machine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from zccvoice.cli import settings
from zccvoice.errors import RecognizerError
from zccvoice.speech import manifest, weights
from zccvoice.speech.hub import OnProgress
from zccvoice.speech.whisper import DEMO_MODEL


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "models", description="List, get, install and verify the weights of the recognizer."
    )
    kinds = parser.add_subparsers(required=True, metavar="WHAT")
    one = kinds.add_parser("list", help="names, sizes, and where those are that are on this machine")
    settings.add_arguments(one)
    one.set_defaults(run=_list)
    one = kinds.add_parser(
        "fetch",
        help="get weights from their hub, a folder or an archive",
        description="Get weights into the folder models of data.folder, and write checksums beside them.",
    )
    settings.add_arguments(one)
    one.add_argument("name", metavar="NAME", help="one that the list has; with --from any")
    one.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FOLDER_OR_ARCHIVE",
        help="from here, and not over the network",
    )
    one.set_defaults(run=_fetch)
    one = kinds.add_parser("verify", help="compare files with their checksums")
    settings.add_arguments(one)
    one.add_argument("name", metavar="NAME", nargs="?", help="a name or a folder (default: speech.model)")
    one.set_defaults(run=_verify)
    one = kinds.add_parser("card", help="what the makers of weights say of them")
    settings.add_arguments(one)
    one.add_argument("name", metavar="NAME", nargs="?", help="a name or a folder (default: speech.model)")
    one.set_defaults(run=_card)


def _list(options: argparse.Namespace) -> int:
    models = _models(options)
    table = Table("name", "about", "on this machine", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_row(DEMO_MODEL, "5 MB", str(weights.folder_of(DEMO_MODEL, models)))
    known = weights.known_weights(models)
    for one in known:
        table.add_row(one.name, f"{one.size_mb:,} MB", "" if one.folder is None else str(one.folder))
    for folder in sorted(models.glob("[!.]*")) if models.is_dir() else ():
        if folder.name not in {one.name for one in known}:
            table.add_row(folder.name, "", str(folder))
    Console().print(table)
    return 0


def _fetch(options: argparse.Namespace) -> int:
    models = _models(options)
    if options.source is None:
        with _bars() as show:
            folder = weights.fetch(options.name, models, on_progress=show)
    else:
        folder = weights.install(options.name, options.source, models)
    print(f"speech.model = {str(folder)!r}")
    return 0


@contextmanager
def _bars() -> Iterator[OnProgress]:
    """A bar for each file, on standard error."""
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(TextColumn("{task.description}"), *columns, console=Console(stderr=True)) as progress:
        tasks: dict[str, TaskID] = {}

        def show(file: str, here: int, size: int | None) -> None:
            if file not in tasks:
                tasks[file] = progress.add_task(file)
            progress.update(tasks[file], completed=here, total=size)

        yield show


def _verify(options: argparse.Namespace) -> int:
    folder = _folder(options)
    problems = manifest.verify(folder)
    for one in problems:
        print(one, file=sys.stderr)
    if not problems:
        print(f"{folder}: as its checksums say")
    return 1 if problems else 0


def _card(options: argparse.Namespace) -> int:
    folder = _folder(options)
    try:
        print((folder / "README.md").read_text("utf-8"), end="")
    except (OSError, UnicodeDecodeError) as error:
        raise RecognizerError(f"{folder}: expected a card, README.md, got {type(error).__name__}") from error
    return 0


def _models(options: argparse.Namespace) -> Path:
    return settings.load(options).data.folder / "models"


def _folder(options: argparse.Namespace) -> Path:
    config = settings.load(options)
    return weights.folder_of(options.name or config.speech.model, config.data.folder / "models")
