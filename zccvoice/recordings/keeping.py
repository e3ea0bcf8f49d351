"""Where the journals of recordings lie: on the shelf with all others, or nowhere for longer than it takes."""

from __future__ import annotations

import secrets
from collections.abc import Generator
from dataclasses import replace
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Protocol

from sqlalchemy import Engine

from zccvoice.analytics.pseudonym import PhonePseudonym
from zccvoice.analytics.thresholds import thresholds_with
from zccvoice.config import Config
from zccvoice.daemon.past import ENTRY_TYPES
from zccvoice.daemon.writer import NO_RULES, measure_in
from zccvoice.errors import RecordingError
from zccvoice.journal.shelf import Shelf, journal_name
from zccvoice.journal.vault import Vault
from zccvoice.recordings import intake, transcription
from zccvoice.recordings.intake import OnProgress
from zccvoice.recordings.recorded_call import RecordedCall
from zccvoice.rtms.enums import Product
from zccvoice.speech.recognizer import Recognizer
from zccvoice.store import writes
from zccvoice.store.database import transaction
from zccvoice.store.facts import Fact, StreamOpened, UtteranceHeard
from zccvoice.store.holds import require_none
from zccvoice.store.removals import living
from zccvoice.store.retelling import engagement_of, forget_stream
from zccvoice.store.rules import RuleBook
from zccvoice.store.sound import has_ended


class Keeper(Protocol):
    """What becomes of calls. Any thread, several calls at once."""

    def stored_as(self, call: RecordedCall) -> str | None:
        """The id under which a call is stored already; None when there is something to do for it.

        Waits for another worker who is at the same recording.
        """
        ...

    def facts(self, call: RecordedCall, *, again: bool, on_read: OnProgress) -> Generator[Fact]:
        """Take a call in, unless that was done, and tell its facts.

        Args:
            call: the call.
            again: from the beginning, whatever was done.
            on_read: told of the seconds of the files that were read; may raise to break off.

        Raises (while it is iterated):
            RecordingError: a file cannot be read, it or its call was erased, or it is stored under another id.
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

    def stored_as(self, call: RecordedCall) -> str | None:
        """None."""
        return None

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
        self._turns: dict[str, Lock] = {}
        self._asking = Lock()
        for name in incoming.open_names():
            if not incoming.is_being_written(name):
                transcription.discard(incoming, name, shelf)

    def stored_as(self, call: RecordedCall) -> str | None:
        """See `Keeper`. A recording of which something could not be transcribed is not done."""
        with self._turn(call):
            if journal_name(call.stream_id) in self._shelf.open_names():
                return None
            with transaction(self._engine) as connection:
                is_stored = has_ended(connection, call.stream_id)
                return engagement_of(connection, call.stream_id) if is_stored else None

    def facts(self, call: RecordedCall, *, again: bool, on_read: OnProgress) -> Generator[Fact]:
        """See `Keeper`. The database has all of a recording or, until all of it was heard, what it had before."""
        with self._turn(call):
            call = self._under_its_id(call)
            name = journal_name(call.stream_id)
            is_begun = not again and self._is_begun(call, name)
            self._require_leave(call, replaces=again or (self._shelf.exists(name) and not is_begun))
            if not is_begun:
                transcription.begin(call, self._incoming, name, into=self._shelf, on_progress=on_read)
            heard: list[Fact] = []
            for fact in transcription.facts(self._shelf, name, self._config, self._phones, self._recognizer):
                heard.append(fact)
                yield fact
            self._store(call, heard)
            if not any(isinstance(one, UtteranceHeard) and one.verdict.startswith("failed") for one in heard):
                self._shelf.close(name)

    def _turn(self, call: RecordedCall) -> Lock:
        """Held by who works on a recording: the same one may be asked for under two names."""
        with self._asking:
            return self._turns.setdefault(call.stream_id, Lock())

    def _is_begun(self, call: RecordedCall, name: str) -> bool:
        """Whether there is a journal of the call, made of what is told of it now."""
        if not self._shelf.exists(name) or not self._shelf.has_key(name):
            return False
        with self._shelf.reader(name) as reader:
            return intake.is_of(call, reader)

    def _store(self, call: RecordedCall, facts: list[Fact]) -> None:
        with transaction(self._engine) as connection:
            forget_stream(connection, call.stream_id)
            writes.apply(connection, facts)
        thresholds = thresholds_with(self._config.measures.thresholds)
        measure_in(self._engine, self._book, thresholds=thresholds, announces=False)(call.engagement_id)

    def _under_its_id(self, call: RecordedCall) -> RecordedCall:
        """The call under the id that it is stored under, unless another one was asked for."""
        with transaction(self._engine) as connection:
            known = engagement_of(connection, call.stream_id)
        if known is None or known == call.engagement_id:
            return call
        if call.engagement_id == call.stream_id:  # nobody asked for one
            return replace(call, engagement_id=known)
        raise RecordingError(
            f"{call.sounds[0].path}: is stored as {known} and keeps this id, got {call.engagement_id}"
        )

    def _require_leave(self, call: RecordedCall, *, replaces: bool) -> None:
        """Check that the call may be stored and, if one is there, that its sound may be replaced."""
        opened = StreamOpened(call.engagement_id, call.stream_id, Product.RECORDING.value, call.started_at)
        with transaction(self._engine) as connection:
            if not living(connection, [opened]):
                raise RecordingError(
                    f"{call.sounds[0].path}: this recording, or its call {call.engagement_id}, was erased; "
                    "it is not stored again"
                )
            if replaces:
                require_none(connection, [call.engagement_id])
