"""The journal of a recorded call → its facts, each kept in the journal before it is given.

What was transcribed once is not transcribed again: whoever was interrupted goes on where that was.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from functools import partial

from zccvoice.analytics.pseudonym import PhonePseudonym
from zccvoice.config import Config
from zccvoice.daemon.past import read_past
from zccvoice.daemon.replay import replay
from zccvoice.errors import JournalError
from zccvoice.journal.journal import JournalWriter
from zccvoice.journal.record import Kind
from zccvoice.journal.shelf import Shelf
from zccvoice.recordings.intake import OnProgress, take_in
from zccvoice.recordings.recorded_call import RecordedCall
from zccvoice.speech.recognizer import Recognizer
from zccvoice.store.facts import Fact


def begin(
    call: RecordedCall,
    shelf: Shelf,
    name: str,
    *,
    into: Shelf | None = None,
    on_progress: OnProgress = lambda done_s: None,
) -> None:
    """Make the journal of a call: whole, or not at all. One that `into` has is replaced when the new one is whole.

    Args:
        call: what is read.
        shelf: where it is made.
        name: of the journal.
        into: the shelf that has it when it is whole; None is the one where it is made.
        on_progress: told of the seconds that are done; may raise to break off.

    Raises:
        RecordingError: a file cannot be read.
        JournalError: the journal cannot be written, or another process makes it.
    """
    if shelf.is_being_written(name):
        raise JournalError(f"journal {name}: another process is making it")
    if into is not None and into.is_being_written(name):
        raise JournalError(f"journal {name}: another process transcribes it")
    discard(shelf, name, into)  # what a killed run may have left
    try:
        with shelf.writer(name) as writer:
            take_in(call, writer, on_progress)
            if into is not None:
                into.adopt(name, shelf)  # while it is locked: nobody takes it for something left behind
    except BaseException:
        discard(shelf, name, into)
        raise


def discard(shelf: Shelf, name: str, into: Shelf | None) -> None:
    """Delete a half-made journal; its key too, unless the shelf that was to have it has an older one of that name.

    Raises:
        JournalError: the file system refuses.
    """
    if into is not None and into.exists(name):
        shelf.drop(name)
    else:
        shelf.shred(name)


def facts(
    shelf: Shelf, name: str, config: Config, phones: PhonePseudonym, recognizer: Recognizer
) -> Generator[Fact]:
    """All facts of a journal, in order. Close the iterator to break off: what was heard by then is kept.

    Raises:
        JournalError: it cannot be read or written.
    """
    open_reader = partial(shelf.reader, name)
    with open_reader() as reader:
        past = read_past(reader)
    with shelf.writer(name) as writer:
        with closing(replay(open_reader, config, phones, recognizer)) as found:
            for fact in found:
                for news in past.told.news([fact]):
                    _keep(writer, news, past.last_arrived_ms or 0)
                yield fact
        writer.sync()


def _keep(writer: JournalWriter, fact: Fact, arrived_ms: int) -> None:
    writer.write(Kind.DERIVED, arrived_ms, [fact])
