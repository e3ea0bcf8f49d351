"""``zccvoice serve``: the daemon."""

from __future__ import annotations

import argparse
import os
import resource
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import trio
from sqlalchemy import Engine

from zccvoice.analytics.rules import Rule
from zccvoice.cli import settings
from zccvoice.config import Config
from zccvoice.daemon import log
from zccvoice.daemon.garbage import seldom_collected
from zccvoice.daemon.remote import open_recognizer
from zccvoice.daemon.serve import serve
from zccvoice.daemon.settings_in_use import all_problems, rules_in
from zccvoice.daemon.sole import sole_daemon
from zccvoice.errors import ConfigError, SchemaMissingError
from zccvoice.speech.language import LanguagePolicy
from zccvoice.store.database import as_daemon, require_current_schema, transaction, upgrade
from zccvoice.store.rules import rule_book

APPLICATION_NAME = "zccvoice daemon"


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "serve", description="Receive Zoom's calls until SIGTERM; twice: stop at once."
    )
    settings.add_arguments(parser)
    parser.add_argument("--model", help="short for --set speech.model=…: demo, a Whisper name, or a folder")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """0 when everything that was received is stored, 1 when it was stopped before."""
    if options.model:
        options.set.append(f"speech.model={options.model}")
    config = settings.load(options)
    if problems := all_problems(config):
        raise ConfigError(problems)
    rules = rules_in(config)
    with sole_daemon(config.data.folder):
        return _serve(config, rules)


def _serve(config: Config, rules: Sequence[Rule]) -> int:
    log.configure(config.log)
    _allow_many_files()
    shelf, phones = settings.shelf(config), settings.phones(config)
    with (
        open_recognizer(config.speech) as recognizer,
        settings.database(config, application_name=APPLICATION_NAME) as engine,
    ):
        recognizer.require_languages(LanguagePolicy(config.language).languages)
        _require_schema(config, engine)
        with _daemon_rights(config, engine) as daemon_engine:
            with transaction(daemon_engine) as connection:
                book = rule_book(connection, rules, posts=bool(config.rules.webhook.url))
            with seldom_collected():
                is_complete = trio.run(
                    partial(serve, config, daemon_engine, shelf, recognizer, phones, book=book)
                )
    if not is_complete:
        # A thread may still be inside the recognizer; the interpreter's orderly end would pull its library from
        # under it. Everything that has to be closed is.
        sys.stderr.flush()
        os._exit(1)
    return 0


@contextmanager
def _daemon_rights(config: Config, engine: Engine) -> Iterator[Engine]:
    """The database with no more rights than the daemon needs, where the login may take that role on."""
    restricted = as_daemon(engine, connections=config.database.connections, application_name=APPLICATION_NAME)
    if restricted is None:
        yield engine
        return
    try:
        yield restricted
    finally:
        restricted.dispose()


def _allow_many_files() -> None:
    """A stream takes two sockets and a journal; the usual soft limit of 1,024 is three hundred of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _require_schema(config: Config, engine: Engine) -> None:
    """A private database that was only just made gets its tables; any other must be current already."""
    try:
        require_current_schema(engine)
    except SchemaMissingError:
        if config.database.url is not None:
            raise
        upgrade(engine)
