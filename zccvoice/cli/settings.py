"""Arguments that several commands share: the settings, and the database that they point at."""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from zccvoice import config
from zccvoice.analytics.pseudonym import PhonePseudonym
from zccvoice.config.sources import Tree, merge
from zccvoice.errors import ConfigError, StoreError
from zccvoice.journal.shelf import Shelf
from zccvoice.journal.vault import Vault, own_master_key
from zccvoice.store.database import connect
from zccvoice.store.private_postgres import PrivatePostgres

DEFAULT_FILE = Path("zccvoice.toml")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--config`` and ``--set``."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help=f"settings (default: {DEFAULT_FILE}, if it is there)"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SECTION.FIELD=VALUE",
        help="one setting, over file and environment; may be given again",
    )


def load(options: argparse.Namespace) -> config.Config:
    """The settings that the arguments ask for.

    Raises:
        ConfigError: with all problems.
    """
    path: Path | None = options.config
    if path is None and DEFAULT_FILE.is_file():
        path = DEFAULT_FILE
    arguments: Tree = {}
    problems = []
    for assignment in options.set:
        name, is_assignment, value = assignment.partition("=")
        section, *fields = name.split(".")
        if not is_assignment or not fields:
            problems.append(f"--set {name}: expected SECTION.FIELD=VALUE")
            continue
        given = _value(value)
        for field in reversed(fields):
            given = {field: given}
        arguments = merge(arguments, {section: given})
    if problems:
        raise ConfigError(problems)
    return config.load(path, **arguments)


def positive(text: str) -> float:
    """An argument that is a number above 0 and at most 1000."""
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value <= 1000:
        raise argparse.ArgumentTypeError(f"expected more than 0 and at most 1000, got {text}")
    return value


def _value(text: str) -> Any:
    """The text as a TOML value (``8080``, ``["127.0.0.1"]``), or itself."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def master_key(settings: config.Config) -> str:
    """The configured master key, or the installation's own, made when it is first needed.

    Raises:
        JournalError: it cannot be read or made.
    """
    if settings.journal.master_key is not None:
        return settings.journal.master_key.get_secret_value()
    return own_master_key(settings.data.folder / "master.key")


def shelf(settings: config.Config) -> Shelf:
    """The journals.

    Raises:
        JournalError: they cannot be used.
        KeyMissingError: they were written under another master key.
    """
    return _shelf(settings, "journal")


def incoming(settings: config.Config) -> Shelf:
    """Journals of recordings that are just being made: half of one is no stream that was interrupted.

    Raises:
        JournalError, KeyMissingError: as for `shelf`.
    """
    return _shelf(settings, "incoming")


def _shelf(settings: config.Config, name: str) -> Shelf:
    # What stands in journals is the daemon's; who asks the database alone does not wait for it.
    from zccvoice.daemon.past import ENTRY_TYPES

    folder = settings.data.folder
    return Shelf(folder / name, Vault(folder / "keys", master_key(settings)), ENTRY_TYPES)


def phones(settings: config.Config) -> PhonePseudonym:
    """What is kept of phone numbers."""
    keeps = settings.privacy.phone_numbers == "hash"
    return PhonePseudonym(master_key(settings) if keeps else None)


def no_phones() -> PhonePseudonym:
    """Nothing is kept of phone numbers."""
    return PhonePseudonym(None)


@contextmanager
def database(settings: config.Config, *, application_name: str = "zccvoice") -> Iterator[Engine]:
    """The configured database, or the private Postgres, for as long as the block lasts.

    The private one is started when no other process of ours runs it.

    Raises:
        ConfigError: ``database.url`` is not a URL of a Postgres database.
        StoreError: it is not to be had.
    """
    if settings.database.url is not None:
        url = settings.database.url.get_secret_value()
        yield from _engine(url, settings, application_name)
        return
    with PrivatePostgres(settings.data.folder) as private:
        yield from _engine(private.url, settings, application_name)


def _engine(url: str, settings: config.Config, application_name: str) -> Iterator[Engine]:
    try:
        engine = connect(url, connections=settings.database.connections, application_name=application_name)
    except StoreError as error:  # it has not connected yet: only the URL can be wrong, and ours is not
        raise ConfigError([f"database.url: {error}"]) from None
    try:
        yield engine
    finally:
        engine.dispose()
