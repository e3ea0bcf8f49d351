"""What the database does not have yet: for each journal, from where on its facts are still to be written.

The facts themselves wait in the journals, on disk. Here is one small entry per journal that has some, however
many they are: a database that is away for a day costs no memory.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import trio

from zccvoice.journal.journal import START
from zccvoice.store.facts import Fact


@dataclass(frozen=True, slots=True)
class Parcel:
    """A stretch of a journal whose facts are to be written."""

    journal: str
    start: int
    end: int


class Outbox:
    """Parcels of all journals, the one that has waited longest first."""

    def __init__(self) -> None:
        self._parcels: OrderedDict[str, Parcel] = OrderedDict()
        self._done: dict[str, int] = {}
        self._finished: set[str] = set()
        self._measured: set[str] = set()
        self._urgent: list[Fact] = []
        self._is_urgent_taken = False
        self.owes_deletion = False
        """The disk has refused to delete what was to be: that is left to the next daemon."""
        self._news = trio.Event()
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._parcels)

    def note(self, journal: str, end: int, start: int = START) -> None:
        """A journal is on the disk up to `end`; what of it was written before counts from `start` on."""
        begun = self._done.setdefault(journal, start)
        if end > begun:
            self._parcels[journal] = Parcel(journal, begun, end)
            self._wake()

    def rewind(self) -> None:
        """The database may not have any more what it had: everything in these journals is to be written again."""
        for journal, done in self._done.items():
            waiting = self._parcels.get(journal)
            self._parcels[journal] = Parcel(journal, START, done if waiting is None else waiting.end)
        self._done = dict.fromkeys(self._done, START)
        self._wake()

    def begin(self, journal: str) -> None:
        """A journal is written again: whatever was said of its end does not hold any more."""
        self._finished.discard(journal)
        self._measured.discard(journal)

    def finish(self, journal: str) -> None:
        """Nothing more will be written to a journal: once the database has it, it may be closed."""
        self._finished.add(journal)
        self._wake()

    def measured(self, journal: str) -> None:
        """The end of a journal is in the database, and its call is measured."""
        self._measured.add(journal)

    def take_closable(self) -> list[str]:
        """Journals that are wholly in the database, once each; they are forgotten here."""
        closable = sorted((self._finished & self._measured) - self._parcels.keys())
        for journal in closable:
            self.forget(journal)
        return closable

    def put(self, fact: Fact) -> None:
        """A fact that has no journal: it is written before all others."""
        self._urgent.append(fact)
        self._wake()

    def advance(self, parcel: Parcel, until: int) -> None:
        """Everything in the parcel before `until` is in the database."""
        waiting = self._parcels.get(parcel.journal, parcel)
        if waiting.start < parcel.start:
            return  # rewound meanwhile
        self._done[parcel.journal] = until
        if until >= waiting.end:
            self._parcels.pop(parcel.journal, None)
        else:
            self._parcels[parcel.journal] = Parcel(parcel.journal, until, waiting.end)
            self._parcels.move_to_end(parcel.journal)

    def forget(self, journal: str) -> None:
        """Nothing more will come from this journal, and nothing of it is to be written any more."""
        self._parcels.pop(journal, None)
        self._done.pop(journal, None)
        self.begin(journal)

    def close(self) -> None:
        """No more will be noted: `wait` ends when all is taken care of."""
        self._is_closed = True
        self._wake()

    async def wait(self) -> bool:
        """Return when something is to be done; False when nothing is and nothing more will be."""
        while not (self._parcels or self._urgent or self._finished & self._measured):
            if self._is_closed:
                return False
            await self._news.wait()
        return True

    def parcels(self) -> list[Parcel]:
        """What waits, the longest first."""
        return list(self._parcels.values())

    def take_urgent(self) -> list[Fact]:
        """The facts without a journal; the caller sees to it that they are written, and tells `urgent_written`."""
        urgent, self._urgent = self._urgent, []
        self._is_urgent_taken = bool(urgent)
        return urgent

    def urgent_written(self) -> None:
        """Those that were taken are in the database."""
        self._is_urgent_taken = False

    @property
    def is_urgent(self) -> bool:
        """Whether facts without a journal are not in the database yet."""
        return bool(self._urgent) or self._is_urgent_taken

    def _wake(self) -> None:
        self._news.set()
        self._news = trio.Event()
