"""Where the journals of recordings lie: on the shelf with all others, or nowhere for longer than it takes."""

from __future__ import annotations

import secrets
from collections.abc import Generator
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Protocol

from sqlalchemy import Engine

from zccvoice.analytics.pseudonym import PhonePseudonym
from zccvoice.analytics.thresholds import thresholds_with
from zccvoice.config import Config
from zccvoice.daemon.past import ENTRY_TYPES
from zccvoice.daemon.writer import NO_RULES, measure_in, write_to
from zccvoice.errors import RecordingError
from zccvoice.journal.shelf import Shelf, journal_name
from zccvoice.journal.vault import Vault
from zccvoice.recordings import transcription
from zccvoice.recordings.intake import OnProgress
from zccvoice.recordings.recorded_call import RecordedCall
from zccvoice.rtms.enums import Product
from zccvoice.speech.recognizer import Recognizer
from zccvoice.store.database import transaction
from zccvoice.store.facts import Fact, StreamOpened
from zccvoice.store.holds import require_none
from zccvoice.store.removals import living
from zccvoice.store.rules import RuleBook
from zccvoice.store.sound import has_ended

FACTS_AT_ONCE = 500
"""Facts in one transaction."""


class Keeper(Protocol):
    """What becomes of calls. Any thread, several calls at once."""

    def is_done(self, call: RecordedCall) -> bool:
        """Whether there is nothing to do for a call."""
        ...

    def facts(self, call: RecordedCall, *, again: bool, on_read: OnProgress) -> Generator[Fact]:
        """Take a call in, unless that was done, and tell its facts.

        Args:
            call: the call.
            again: from the beginning, whatever was done.
            on_read: told of the seconds of the files that were read; may raise to break off.

        Raises (while it is iterated):
            RecordingError: a file cannot be read, or it or its call was erased.
            JournalError: its journal cannot be read or written.
            StoreError: the database cannot be reached, or refuses.
        """
        ...


class PassingKeeper:
    """Keeps nothing: journals on a disk, because a call of hours has to be somewhere, under a key in memory."""

    def __init__(self, folder: Path, config: Config, phones: PhonePseudonym, recognizer: Recognizer) -> None:
        """`folder`: an empty one, to be deleted afterwards; what a killed program leaves there is noise."""
        self._shelf = Shelf(folder, Vault(folder / "keys", secrets.token_hex(32)), ENTRY_TYPES)
        self._config = config
        self._phones = phones
        self._recognizer = recognizer
        self._numbers = count()

    def is_done(self, call: RecordedCall) -> bool:
        """Never."""
        return False

    def facts(self, call: RecordedCall, *, again: bool, on_read: OnProgress) -> Generator[Fact]:
        """See `Keeper`."""
        name = f"recording-{next(self._numbers)}"
        try:
            transcription.begin(call, self._shelf, name, on_progress=on_read)
            yield from transcription.facts(self._shelf, name, self._config, self._phones, self._recognizer)
        finally:
            self._shelf.shred(name)


class StoringKeeper:
    """Keeps calls as the daemon does: sound in a journal, facts and measures in the database."""

    def __init__(
        self,
        shelf: Shelf,
        incoming: Shelf,
        engine: Engine,
        config: Config,
        phones: PhonePseudonym,
        recognizer: Recognizer,
        book: RuleBook = NO_RULES,
    ) -> None:
        """Begin; half-made journals that a killed run left in `incoming` are deleted.

        Calls are judged by the rules of the `book`; nobody is told of their hits, for they may be long past.
        """
        self._shelf = shelf
        self._incoming = incoming
        self._engine = engine
        self._config = config
        self._phones = phones
        self._recognizer = recognizer
        self._book = book
        self._taken: set[str] = set()
        self._taking = Lock()
        for name in incoming.open_names():
            if not incoming.is_being_written(name):
                incoming.shred(name)

    def is_done(self, call: RecordedCall) -> bool:
        """Whether the same recording is in the database, or another worker is about to put it there."""
        with self._taking:
            if call.stream_id in self._taken:
                return True
        if journal_name(call.stream_id) in self._shelf.open_names():
            return False
        with transaction(self._engine) as connection:
            return has_ended(connection, call.stream_id)

    def facts(self, call: RecordedCall, *, again: bool, on_read: OnProgress) -> Generator[Fact]:
        """See `Keeper`."""
        with self._taking:
            self._taken.add(call.stream_id)
        name = journal_name(call.stream_id)
        self._require_leave(call, again=again)
        if again:
            self._shelf.shred(name)
        if not self._shelf.exists(name):
            transcription.begin(call, self._incoming, name, into=self._shelf, on_progress=on_read)
        thresholds = thresholds_with(self._config.measures.thresholds)
        write = write_to(self._engine)
        measure = measure_in(self._engine, self._book, thresholds=thresholds, announces=False)
        batch: list[Fact] = []
        for fact in transcription.facts(self._shelf, name, self._config, self._phones, self._recognizer):
            batch.append(fact)
            if len(batch) == FACTS_AT_ONCE:
                write(batch)
                batch = []
            yield fact
        write(batch)
        measure(call.engagement_id)
        self._shelf.close(name)

    def _require_leave(self, call: RecordedCall, *, again: bool) -> None:
        """Check that the call may be stored and, if it is to be made again, that its sound may go first."""
        opened = StreamOpened(call.engagement_id, call.stream_id, Product.RECORDING.value, call.started_at)
        with transaction(self._engine) as connection:
            if not living(connection, [opened]):
                raise RecordingError(
                    f"{call.sounds[0].path}: this recording, or its call {call.engagement_id}, was erased; "
                    "it is not stored again"
                )
            if again:
                require_none(connection, [call.engagement_id])
