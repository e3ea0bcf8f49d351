"""A stream's journal, written off the loop: the thin shell around `journal.JournalWriter`.

    receive(event) ─┐                                   ┌─► next(offset): received records, for the projection
                    ├─► every 250 ms, in a thread ─► file
    derive(fact) ───┘                                   └─► synced once a second ─► outbox, for the database

What is handed out has been written: nothing that follows knows more than the journal does. Whoever reads too
slowly reads from the file. While the disk is full, audio is dropped and the journal says so as soon as it can.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import trio

from zccvoice.config import JournalConfig
from zccvoice.daemon.log import get_logger
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.outbox import Outbox
from zccvoice.errors import JournalError
from zccvoice.journal.entry import Entry
from zccvoice.journal.journal import Damage, JournalReader, JournalWriter, Record
from zccvoice.journal.record import Kind
from zccvoice.rtms.events import AudioReceived, ReceptionBroken
from zccvoice.store.facts import Fact

FLUSH_S = 0.25
"""How often what has arrived is written: a crash of the program costs no more than this."""
MOST_UNWRITTEN_BYTES = 8 * 2**20
"""Half a minute of the loudest stream. When the disk is slower than that, the socket waits."""
RECENT_RECORDS = 16
"""Records handed over in memory, four seconds; who lags further reads the file."""
READ_AT_ONCE = 64
"""Records read back from the file in one go."""
log = get_logger()


class Recorder:
    """One stream's journal."""

    def __init__(
        self,
        writer: JournalWriter,
        open_reader: Callable[[], JournalReader],
        outbox: Outbox,
        *,
        received_end: int,
        settings: JournalConfig,
        metrics: Metrics,
        limiter: trio.CapacityLimiter,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """Take over an open journal.

        Args:
            writer: the journal; `run` closes it.
            open_reader: opens the same file for reading; blocking.
            outbox: told of everything derived that is on the disk.
            received_end: where the last record of what was received ends by now.
            settings: when to force it onto the disk.
            metrics: counters.
            limiter: threads for the disk.
            wall_clock: Unix time in seconds.
        """
        self._writer = writer
        self._open_reader = open_reader
        self._outbox = outbox
        self._settings = settings
        self._metrics = metrics
        self._limiter = limiter
        self._wall_clock = wall_clock
        self._received: list[Entry] = []
        self._received_bytes = 0
        self._derived: list[Fact] = []
        self._recent: deque[tuple[int, Record]] = deque(
            maxlen=RECENT_RECORDS
        )  # with the end of the one before
        self._end = self._synced_end = writer.end
        self._received_end = received_end
        self._sync_due = 0.0
        self._is_dropping = False
        self.is_catching_up = False
        """What `next` gave last had to be read from the file."""
        self._is_writing = False
        self._is_receiving = True
        self._is_closing = False
        self._settling: list[trio.Event] = []
        self._wanted = trio.Event()  # something is to be written
        self._hurry = trio.Event()  # and now
        self._written = trio.Event()  # something was, or nothing more will be received

    @property
    def name(self) -> str:
        """Name of the journal."""
        return self._writer.name

    async def room(self) -> None:
        """Return when there is room in memory: at once, unless the disk is far too slow."""
        while self._received_bytes > MOST_UNWRITTEN_BYTES:
            await self._written.wait()

    def receive(self, entry: Entry) -> None:
        """Take in what arrived."""
        self._received.append(entry)
        self._received_bytes += _size(entry)
        self._wanted.set()

    def withdraw_sound(self, since_ms: int) -> None:
        """Forget sound from this moment of Zoom's clock on, as far as it is not written yet."""
        self._received = [
            one
            for one in self._received
            if not (isinstance(one, AudioReceived) and one.timestamp_ms >= since_ms)
        ]
        self._received_bytes = sum(map(_size, self._received))

    def end_of_reception(self) -> None:
        """Nothing more will be received: `next` comes to an end."""
        self._is_receiving = False
        self._hurry.set()
        self._wanted.set()

    def derive(self, facts: Sequence[Fact]) -> None:
        """Take in what was derived; it reaches the outbox when it is on the disk."""
        self._derived += facts
        self._wanted.set()

    async def settle(self) -> None:
        """Return when everything taken in so far is on the disk; written at once."""
        settled = trio.Event()
        self._settling.append(settled)
        self._hurry.set()
        self._wanted.set()
        await settled.wait()

    def close(self) -> None:
        """`run` ends when everything is on the disk."""
        self._is_closing = True
        self._hurry.set()
        self._wanted.set()

    async def next(self, offset: int) -> list[Record | Damage]:
        """The received records from `offset` on: some, in order; none when there will be no more.

        Several come only to who lags behind what is received, `is_catching_up` tells.
        """
        while offset >= self._received_end:
            if not (self._is_receiving or self._received or self._is_writing):
                return []
            await self._written.wait()
        while self._recent and self._recent[0][0] < offset:
            self._recent.popleft()
        self.is_catching_up = not (self._recent and self._recent[0][0] == offset)
        if not self.is_catching_up:
            return [self._recent.popleft()[1]]
        read = partial(self._read, offset, self._received_end)
        return await trio.to_thread.run_sync(read, limiter=self._limiter)

    async def run(self) -> None:
        """Write until closed. Cancelling it loses what the last quarter of a second brought; closes the file."""
        try:
            while not self._is_done:
                await self._wanted.wait()
                self._wanted = trio.Event()
                with trio.move_on_after(FLUSH_S):
                    await self._hurry.wait()
                await self._flush()
        finally:
            self._writer.close()

    @property
    def _is_done(self) -> bool:
        return self._is_closing and not (self._received or self._derived or self._settling)

    async def _flush(self) -> None:
        is_due = bool(self._settling) or self._hurry.is_set() or trio.current_time() >= self._sync_due
        self._hurry = trio.Event()
        is_unsynced = bool(self._received or self._derived) or self._synced_end < self._end
        wants_sync = self._settings.sync and is_due and is_unsynced
        settling, self._settling = self._settling, []
        received, self._received = self._received, []
        derived, self._derived = self._derived, []
        if self._is_dropping:
            received = [ReceptionBroken("disk_full"), *received]
        if received or derived or wants_sync or settling:
            self._is_writing = True
            written = await trio.to_thread.run_sync(
                self._write, received, derived, wants_sync, limiter=self._limiter
            )
            self._is_writing = False
            self._received_bytes = sum(map(_size, self._received))
            self._note_written(written)
            if written.problem is None:
                for one in settling:
                    one.set()
            else:
                self._settling = settling + self._settling
                self._keep_refused(written, received, derived)
        if self._synced_end < self._end or self._settling or self._received or self._derived:
            self._wanted.set()
        self._written.set()
        self._written = trio.Event()

    def _write(self, received: Sequence[Entry], derived: Sequence[Fact], wants_sync: bool) -> _Written:
        """In a thread: write as much as there is room for."""
        written = _Written()
        arrived_ms = int(self._wall_clock() * 1000)
        try:
            if (late := self._writer.retry()) is not None:
                written.records.append(late)
            for kind, entries in ((Kind.RECEIVED, received), (Kind.DERIVED, derived)):
                if entries:
                    written.taken.add(kind)  # from here on the writer sees to it
                    written.records.append(self._writer.write(kind, arrived_ms, entries))
            if wants_sync:
                self._writer.sync()
                written.is_synced = True
        except JournalError as error:
            written.problem = error
        return written

    def _read(self, offset: int, end: int) -> list[Record | Damage]:
        found: list[Record | Damage] = []
        with self._open_reader() as reader:
            for record in reader.records(offset, Kind.RECEIVED, end):
                found.append(record)
                if len(found) == READ_AT_ONCE:
                    return found
        return found or [Damage(offset, end)]

    def _note_written(self, written: _Written) -> None:
        for record in written.records:
            self._metrics.journal_bytes.inc(record.end - record.offset)
            self._end = record.end
            if record.kind is Kind.RECEIVED:
                self._recent.append((self._received_end, record))
                self._received_end = record.end
        if written.is_synced or not self._settings.sync:
            self._synced_end = self._end
            self._sync_due = trio.current_time() + self._settings.sync_every_s
            self._outbox.note(self.name, self._synced_end)
        if written.problem is None and self._is_dropping:
            self._is_dropping = False
            self._metrics.journals_full.dec()
            log.info("journal written again")

    def _keep_refused(self, written: _Written, received: Sequence[Entry], derived: Sequence[Fact]) -> None:
        """Keep what is small, drop the sound: there is no room for it, and memory is no substitute."""
        if Kind.DERIVED not in written.taken:
            self._derived = [*derived, *self._derived]
        refused = [] if Kind.RECEIVED in written.taken else received
        self._received = [
            *(one for one in refused if not isinstance(one, AudioReceived | ReceptionBroken)),
            *self._received,
        ]
        lost = sum(isinstance(one, AudioReceived) for one in refused)
        self._metrics.dropped_packets.inc(lost)
        if lost and not self._is_dropping:
            self._is_dropping = True
            self._metrics.journals_full.inc()
            log.error("audio is lost until the journal can be written", problem=str(written.problem))
        elif not self._is_dropping:
            log.warning("journal refused, tried again", problem=str(written.problem))


@dataclass(slots=True)
class _Written:
    """What came of one attempt to write."""

    records: list[Record] = field(default_factory=list)
    taken: set[Kind] = field(default_factory=set)
    """Kinds that the writer has accepted: written, or to be written by its next `retry`."""
    is_synced: bool = False
    problem: JournalError | None = None


def _size(entry: Entry) -> int:
    return len(entry.payload) if isinstance(entry, AudioReceived) else 0
