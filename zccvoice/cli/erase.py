"""``zccvoice db erase``: everything of a call or a customer, the sound first, and the proof that it is gone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine

from zccvoice.analytics.pseudonym import PhonePseudonym
from zccvoice.cli import settings
from zccvoice.daemon.past import started_of
from zccvoice.daemon.webhook_journal import is_webhook_journal
from zccvoice.errors import ConfigError, JournalError
from zccvoice.journal.shelf import Shelf, journal_name
from zccvoice.rtms.webhook import StreamStarted
from zccvoice.store import erasure
from zccvoice.store.database import require_current_schema, transaction
from zccvoice.store.holds import require_none


@dataclass(frozen=True, slots=True)
class Request:
    """What is to go."""

    engagement_ids: list[str]
    unknown_ids: list[str]
    """Those of them of which there is nothing here."""
    journals: list[str]
    """Names of the journals that are there."""
    unstored: dict[str, str]
    """Streams that journals tell of, with their engagements: the database may not have them."""
    rows: dict[str, int]
    """By table."""
    phone_hash: str | None
    """Of the customer, if everything of a customer is to go."""


def add_to(actions: Any) -> None:
    """Add the action to the parser of ``zccvoice db``."""
    parser: argparse.ArgumentParser = actions.add_parser(
        "erase",
        help="delete everything of a call or of a customer, and prove it",
        description="Delete sound, text and identifiers of calls: the journals with their keys, then the rows; "
        "then look everywhere for what may be left. Nothing of these calls is stored again. The tables "
        "are vacuumed; where this role does not own them, deleted rows leave the disk when Postgres vacuums by "
        "itself. Backups are yours: what they hold of the sound is noise without the key.",
    )
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--engagement", nargs="+", metavar="ID", help="these calls")
    whose.add_argument("--customer", metavar="NUMBER", help="all calls of this phone number")
    parser.add_argument(
        "--keep-measures",
        action="store_true",
        help="keep the numbers of the scorecards, with queue and day, under ids that lead nowhere",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    settings.add_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """0 when all is gone and that is proved, 1 when something is left or there was nothing of a call."""
    config = settings.load(options)
    shelf = settings.shelf(config)
    phone_hash = None if options.customer is None else _hash(settings.phones(config), options.customer)
    with settings.database(config) as engine:
        require_current_schema(engine)
        journals = _Journals(shelf)
        with transaction(engine) as connection:
            request = _look(connection, journals, options.engagement or [], phone_hash)
        if not request.engagement_ids:
            print("zccvoice: no call of this number is known", file=sys.stderr)
            return 1
        _show(request)
        if not (options.yes or _agreed()):
            print("nothing was deleted", file=sys.stderr)
            return 1
        with transaction(engine) as connection:
            erasure.secure(connection, request.engagement_ids)
            # Once more: a stream may have come meanwhile. Sound goes first, because the rows lead to it.
            request = _look(connection, journals, request.engagement_ids, phone_hash)
            shredded_bytes = sum(shelf.shred(name) for name in request.journals)
            removed = erasure.erase(
                connection,
                request.engagement_ids,
                keeps_measures=options.keep_measures,
                unstored=request.unstored,
            )
        print(f"removed: {_counts(removed)}; {shredded_bytes} bytes of sound")
        vacuumed = erasure.vacuum(engine, removed)
        print(f"vacuumed: {len(vacuumed)} of {len(removed)} tables; Postgres does the others some time later")
        return _prove(engine, shelf, request)


class _Journals:
    """Whose the journals are, each read once: writers wait when it is asked for the second time."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self._started: dict[str, StreamStarted | None] = {}

    def streams_of(self, engagement_ids: Collection[str]) -> dict[str, str]:
        """Streams of these calls, with their engagements, by the journals alone.

        They may not have reached the database yet, or their rows may be gone, by age or with a backup that was
        restored.
        """
        names = [name for name in self.shelf.names() if not is_webhook_journal(name)]
        told = [self._started_of(name) for name in dict.fromkeys(names)]
        return {
            one.stream_id: one.engagement_id
            for one in told
            if one is not None and one.engagement_id in engagement_ids
        }

    def _started_of(self, name: str) -> StreamStarted | None:
        if name not in self._started:
            self._started[name] = self._read(name)
        return self._started[name]

    def _read(self, name: str) -> StreamStarted | None:
        try:
            with self.shelf.reader(name) as reader:
                return started_of(reader)
        except JournalError as error:
            print(f"zccvoice: a journal of an unknown call is left alone: {error}", file=sys.stderr)
            return None


def _look(
    connection: Connection, journals: _Journals, engagement_ids: Collection[str], phone_hash: str | None
) -> Request:
    """What is there.

    Raises:
        LegalHoldError: of something that must not be deleted.
        JournalError: of a call that is running.
    """
    of_customer = [] if phone_hash is None else erasure.find_by_phone(connection, phone_hash)
    wanted = sorted({*engagement_ids, *of_customer})
    require_none(connection, wanted)
    names = {journal_name(stream_id) for stream_id in erasure.streams_of(connection, wanted)}
    shelf, unstored = journals.shelf, journals.streams_of(wanted)
    names.update(journal_name(stream_id) for stream_id in unstored)
    unknown_ids = sorted(set(wanted) - erasure.known(connection, wanted) - set(unstored.values()))
    there = sorted(name for name in names if shelf.exists(name) or shelf.has_key(name))
    for name in there:
        if shelf.is_being_written(name):
            raise JournalError(f"journal {name}: the call is running; erase it when it has ended")
    rows = erasure.rows_of(connection, wanted)
    return Request(wanted, unknown_ids, there, unstored, rows, phone_hash)


def _show(request: Request) -> None:
    if request.unknown_ids:
        print(
            f"zccvoice: not known here: {', '.join(request.unknown_ids)}; should it ever come, it is not stored",
            file=sys.stderr,
        )
    calls_count = len(request.engagement_ids) - len(request.unknown_ids)
    print(
        f"to be deleted: {calls_count} calls, {len(request.journals)} journals with their keys, "
        f"{_counts(request.rows)}",
        file=sys.stderr,
    )


def _agreed() -> bool:
    try:
        return input("Delete all this for ever? [yes/no] ").strip().lower() == "yes"
    except EOFError:
        return False


def _prove(engine: Engine, shelf: Shelf, request: Request) -> int:
    with transaction(engine) as connection:
        searched = erasure.residue(
            connection, engagement_ids=request.engagement_ids, phone_hash=request.phone_hash
        )
    left = {name: count for name, count in searched.items() if count}
    journals = [name for name in request.journals if shelf.exists(name) or shelf.has_key(name)]
    if left or journals:
        print(f"zccvoice: left: {len(journals)} journals or keys, {_counts(left)}", file=sys.stderr)
        return 1
    print(f"nothing left: journal, keys, {len(searched)} tables searched")
    return 1 if request.unknown_ids else 0


def _hash(phones: PhonePseudonym, number: str) -> str:
    kept = phones.of(number).hash
    if kept is None:
        raise ConfigError(
            [
                "--customer: expected a phone number, and privacy.phone_numbers = 'hash': else no number is kept"
            ]
        )
    return kept


def _counts(rows: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(rows.items())) or "no rows"
