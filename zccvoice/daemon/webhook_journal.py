"""Webhooks on disk before they are answered, and read again at the next start.

One journal for every day of every daemon, for what is told to it as a whole. Requests that come together are
written and forced onto the disk together, so two hundred a second cost a few dozen syncs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import trio

from zccvoice.daemon.log import get_logger
from zccvoice.errors import JournalError
from zccvoice.journal.journal import JournalWriter, Record
from zccvoice.journal.record import Kind
from zccvoice.journal.shelf import Shelf
from zccvoice.rtms.webhook import WebhookEvent
from zccvoice.store.facts import StreamRevoked

KEPT_DAYS = 2
"""Days whose journals are kept; Zoom repeats a webhook for less than two hours."""
Keepsake: TypeAlias = WebhookEvent | StreamRevoked
_PREFIX = "webhooks-"
log = get_logger()


@dataclass(slots=True, eq=False)
class _Ticket:
    """Somebody waits for this to be on the disk."""

    keepsake: Keepsake
    is_settled: trio.Event = field(default_factory=trio.Event)
    problem: JournalError | None = None


class WebhookJournal:
    """The journal of the door."""

    def __init__(
        self,
        shelf: Shelf,
        *,
        sync: bool = True,
        is_settled: Callable[[], bool] = lambda: True,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """Begin none yet.

        Args:
            shelf: where they are.
            sync: whether to force them onto the disk.
            is_settled: whether all that was revoked is deleted by now: until then nothing of long ago goes either,
                for nothing else would tell the next daemon.
            wall_clock: Unix time in seconds.
        """
        self._shelf = shelf
        self._sync = sync
        self._is_settled = is_settled
        self._wall_clock = wall_clock
        self._tickets: list[_Ticket] = []
        self._news = trio.Event()
        self._writer: JournalWriter | None = None
        # A journal of its own, so that one that is started again and again opens none too often.
        self._daemon = f"{int(wall_clock() * 1000):012x}"

    async def keep(self, keepsake: Keepsake) -> None:
        """Return when it is on the disk. Cancelling it leaves open whether it is.

        Raises:
            JournalError: it is not, and should be told again.
        """
        ticket = _Ticket(keepsake)
        self._tickets.append(ticket)
        self._news.set()
        await ticket.is_settled.wait()
        if ticket.problem is not None:
            raise ticket.problem

    async def run(self) -> None:
        """Write until cancelled."""
        try:
            while True:
                await self._news.wait()
                self._news = trio.Event()
                tickets, self._tickets = self._tickets, []
                problem = await trio.to_thread.run_sync(self._write, [one.keepsake for one in tickets])
                for ticket in tickets:
                    ticket.problem = problem
                    ticket.is_settled.set()
        finally:
            if self._writer is not None:
                self._writer.close()

    def recent(self) -> list[tuple[int, Keepsake]]:
        """What was kept in the last days, with when it had arrived (epoch ms), in order; blocking.

        A journal that cannot be read is logged and passed over.
        """
        found: list[tuple[int, Keepsake]] = []
        for name in sorted(one for one in self._shelf.names() if is_webhook_journal(one)):
            try:
                with self._shelf.reader(name) as reader:
                    for record in reader.records():
                        if isinstance(record, Record):
                            found += [(record.arrived_ms, entry) for entry in record.entries]
            except JournalError as error:
                log.error("webhooks of the last days cannot be read", journal=name, problem=str(error))
        return found

    def close_old(self) -> None:
        """Journals of earlier daemons, and days: nobody writes to them any more. Blocking."""
        for name in self._shelf.open_names():
            if is_webhook_journal(name) and (self._writer is None or name != self._writer.name):
                self._shelf.close(name)

    def _forget_old(self) -> None:
        """They hold ids of calls and streams, so they are no longer there than they are of use."""
        if not self._is_settled():
            return
        for journal in self._shelf.closed():
            if is_webhook_journal(journal.name) and journal.name < self._oldest():
                self._shelf.shred(journal.name)

    def _oldest(self) -> str:
        """No journal of use has a name before this."""
        return _PREFIX + str(self._now().date() - timedelta(days=KEPT_DAYS - 1))

    def _write(self, keepsakes: list[Keepsake]) -> JournalError | None:
        """In a thread, one call at a time."""
        try:
            writer = self._writer_of_today()
            writer.retry()
            writer.write(Kind.RECEIVED, int(self._wall_clock() * 1000), keepsakes)
            if self._sync:
                writer.sync()
        except JournalError as error:
            return error
        return None

    def _writer_of_today(self) -> JournalWriter:
        name = f"{_PREFIX}{self._now().date()}-{self._daemon}"
        if self._writer is not None and self._writer.name != name:
            self._writer.close()
            self._writer = None
        if self._writer is None:
            self._writer = self._shelf.writer(name)
            try:
                self.close_old()
                self._forget_old()
            except JournalError as error:
                log.error("old webhooks not deleted", problem=str(error))
        return self._writer

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._wall_clock(), UTC)


def is_webhook_journal(name: str) -> bool:
    """Whether a journal of this name is one of these."""
    return name.startswith(_PREFIX)
