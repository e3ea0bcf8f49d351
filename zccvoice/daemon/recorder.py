"""A stream's journal, written off the loop: the thin shell around `journal.JournalWriter`.

    receive(event) ─┐                                   ┌─► next(offset): received records, for the projection
                    ├─► every 250 ms, in a thread ─► file
    derive(fact) ───┘                                   └─► synced once a second ─► outbox, for the database

When that is, and with which other journals, is up to `group_commit`. What is handed out has been written: nothing
that follows knows more than the journal does. Whoever reads too slowly reads from the file. While the disk is
full, audio is dropped and the journal says so as soon as it can.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import trio

from zccvoice.config import JournalConfig
from zccvoice.daemon.group_commit import FLUSH_S, GroupCommit, Job
from zccvoice.daemon.log import get_logger
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.outbox import Outbox
from zccvoice.errors import JournalError, JournalUnavailableError
from zccvoice.journal.entry import Entry, whole_characters
from zccvoice.journal.journal import Damage, JournalReader, JournalWriter, Record
from zccvoice.journal.record import Kind
from zccvoice.rtms.events import AudioReceived, ReceptionBroken
from zccvoice.store.facts import Fact

MOST_UNWRITTEN_BYTES = 8 * 2**20
"""Half a minute of the loudest stream. When the disk is slower than that, the socket waits."""
RECENT_RECORDS = 16
"""Records handed over in memory, four seconds; who lags further reads the file."""
READ_AT_ONCE = 64
"""Records read back from the file in one go."""
READ_AGAIN_S = 1.0
_DISK_FULL = ReceptionBroken("disk_full")
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
        commits: GroupCommit,
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
            commits: has it written, and those of the other streams.
            limiter: threads for the disk.
            wall_clock: Unix time in seconds.
        """
        self._writer = writer
        self._open_reader = open_reader
        self._outbox = outbox
        self._settings = settings
        self._metrics = metrics
        self._commits = commits
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
        self._is_owing = False  # the writer has accepted a record for which there was no room yet
        self.is_catching_up = False
        """What `next` gave last had to be read from the file."""
        self._writing: _Written | None = None
        self._syncing: _Synced | None = None
        self._is_sync_urgent = False
        self._is_receiving = True
        self._is_closing = self._has_left = self._is_wanting = False
        self._defect: Exception | None = None
        self._settling: list[trio.Event] = []
        self._unsynced: list[trio.Event] = []  # those whose entries are written
        self._written = trio.Event()  # something was, or nothing more will be received
        self._rested = trio.Event()  # a thread has done with the file, and that is of interest

    @property
    def name(self) -> str:
        """Name of the journal."""
        return self._writer.name

    @property
    def has_room(self) -> bool:
        """Whether there is room in memory for more: always, unless the disk is far too slow."""
        return self._received_bytes <= MOST_UNWRITTEN_BYTES

    async def room(self) -> None:
        """Return when there is room in memory."""
        while not self.has_room:
            await self._written.wait()

    def receive(self, entry: Entry) -> None:
        """Take in what arrived."""
        self._received.append(entry)
        self._received_bytes += _size(entry)
        if not self._is_wanting:
            self._want()

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
        self._hurry()

    def derive(self, facts: Sequence[Fact]) -> None:
        """Take in what was derived; it reaches the outbox when it is on the disk."""
        self._derived += facts
        self._want()

    async def settle(self) -> None:
        """Return when everything taken in so far is on the disk; written at once."""
        settled = trio.Event()
        self._settling.append(settled)
        self._hurry()
        await settled.wait()

    def close(self) -> None:
        """`run` ends when everything is on the disk."""
        self._is_closing = True
        self._hurry()

    async def next(self, offset: int) -> list[Record | Damage]:
        """The received records from `offset` on: some, in order; none when there will be no more.

        Several come only to who lags behind what is received, `is_catching_up` tells. While the system does not
        let the file be read, that is tried again. Others have their turn before it returns.
        """
        if offset < self._received_end:
            await trio.lowlevel.checkpoint()
        while offset >= self._received_end:
            if not (self._is_receiving or self._received or self._writing or self._is_owing):
                return []
            await self._written.wait()
        while self._recent and self._recent[0][0] < offset:
            self._recent.popleft()
        self.is_catching_up = not (self._recent and self._recent[0][0] == offset)
        if not self.is_catching_up:
            return [self._recent.popleft()[1]]
        read = partial(self._read, offset, self._received_end)
        while True:
            try:
                return await trio.to_thread.run_sync(read, limiter=self._limiter)
            except JournalUnavailableError as error:
                log.warning("journal not read, tried again", problem=str(error))
                await trio.sleep(READ_AGAIN_S)

    async def run(self) -> None:
        """Return when closed and all is written. Cancelling it loses a quarter of a second at most.

        Closes the file in every case.
        """
        try:
            while self._defect is None and not self._is_done:
                await self._rested.wait()
            if self._defect is not None:
                raise self._defect
        finally:
            self._is_closing = self._has_left = True
            self._commits.leave(self)
            with trio.CancelScope(shield=True):  # as long as a thread has the file, it stays open
                while self._is_busy:
                    await self._rested.wait()
            self._writer.close()

    @property
    def _is_done(self) -> bool:
        return self._is_closing and not (self._is_behind or self._unsynced or self._is_busy)

    @property
    def _is_behind(self) -> bool:
        """Something has to be written."""
        return bool(self._received or self._derived or self._settling or self._is_owing)

    @property
    def _is_busy(self) -> bool:
        return self._writing is not None or self._syncing is not None

    def _hurry(self) -> None:
        """Have everything on the disk, now."""
        self._is_sync_urgent = True
        self._want(0)

    def _want(self, within_s: float = FLUSH_S) -> None:
        self._is_wanting = True
        if not self._has_left:
            self._commits.want(self, within_s)

    def _want_sync(self) -> None:
        """Have what is written on the disk in time, also if nothing more comes that would have it written."""
        if not self._has_left:
            self._commits.want(self, max(FLUSH_S, self._sync_due - trio.current_time()))

    # A member of the group that is written together, see `group_commit.Member`

    def begin(self) -> Job:
        """Hand over what there is."""
        written = self._writing = _Written(
            received=self._received, derived=self._derived, settling=self._settling
        )
        self._received, self._derived, self._settling = [], [], []
        self._is_wanting = False
        if self._is_dropping:
            written.received.insert(0, _DISK_FULL)
        return partial(written.make, partial(self._write, written))

    def end(self) -> None:
        """Hand out what was written; what was refused is kept for the next attempt, but for sound."""
        written, self._writing = self._writing, None
        assert written is not None
        self._received_bytes = sum(map(_size, self._received))
        self._note_written(written)
        if written.problem is None:
            self._is_owing = False
            self._unsynced += written.settling
        else:
            self._is_owing = self._is_owing or bool(written.taken)
            self._settling = written.settling + self._settling
            self._keep_refused(written)
        if not self._settings.sync or self._synced_end == self._end:
            self._note_synced(_Synced(end=self._end, settling=self._unsynced))
            self._unsynced = []
        self._written.set()
        self._written = trio.Event()
        self._note_end_of(written)

    def begin_sync(self) -> Job | None:
        """Once a second, and when somebody waits for it."""
        # Rather a little early than late: the next turn may be no sooner than that.
        is_near = trio.current_time() + FLUSH_S >= self._sync_due
        if self._syncing is not None or self._synced_end == self._end:
            return None
        if not (self._is_sync_urgent or self._unsynced or is_near):
            self._want_sync()
            return None
        synced = self._syncing = _Synced(end=self._end, settling=self._unsynced)
        self._unsynced = []
        self._is_sync_urgent = False
        return partial(synced.make, self._writer.sync)

    def end_sync(self) -> None:
        """Tell what is on the disk."""
        synced, self._syncing = self._syncing, None
        assert synced is not None
        if synced.problem is None:
            self._note_synced(synced)
        else:
            self._settling = synced.settling + self._settling
            log.warning("journal not synced, tried again", problem=str(synced.problem))
        self._note_end_of(synced)
        if self._unsynced:  # written too late for this one
            self._hurry()
        elif self._synced_end < self._end:
            self._want_sync()

    def _note_end_of(self, attempt: _Attempt) -> None:
        self._defect = self._defect or attempt.defect
        if self._is_behind:
            self._want()
        if self._is_closing or self._defect is not None:
            self._rested.set()
            self._rested = trio.Event()

    def _write(self, written: _Written) -> None:
        """In a thread: write as much as there is room for."""
        arrived_ms = int(self._wall_clock() * 1000)
        if (late := self._writer.retry()) is not None:
            written.records.append(late)
        for kind, entries in ((Kind.RECEIVED, written.received), (Kind.DERIVED, written.derived)):
            if entries:
                written.taken.add(kind)  # from here on the writer sees to it
                written.records.append(self._write_one(kind, arrived_ms, entries))

    def _write_one(self, kind: Kind, arrived_ms: int, entries: Sequence[Entry]) -> Record:
        try:
            return self._writer.write(kind, arrived_ms, entries)
        except UnicodeEncodeError:  # one text must not end a call
            return self._writer.write(kind, arrived_ms, [whole_characters(one) for one in entries])

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
        if written.problem is None and self._is_dropping:
            self._is_dropping = False
            self._metrics.journals_full.dec()
            log.info("journal written again")

    def _note_synced(self, synced: _Synced) -> None:
        self._synced_end = synced.end
        self._sync_due = trio.current_time() + self._settings.sync_every_s
        self._outbox.note(self.name, self._synced_end)
        for one in synced.settling:
            one.set()

    def _keep_refused(self, written: _Written) -> None:
        """Keep what is small, drop the sound: there is no room for it, and memory is no substitute."""
        if Kind.DERIVED not in written.taken:
            self._derived = [*written.derived, *self._derived]
        refused = [] if Kind.RECEIVED in written.taken else written.received
        self._received = [
            *(one for one in refused if not isinstance(one, AudioReceived) and one is not _DISK_FULL),
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
class _Attempt:
    """What a thread is to do, and what came of it."""

    problem: JournalError | None = None
    defect: Exception | None = None
    """Anything else that was raised: this journal is at its end."""
    settling: list[trio.Event] = field(default_factory=list, kw_only=True)
    """Who waits for it to be on the disk."""

    def make(self, do: Job) -> None:
        """In a thread. Whatever is raised belongs to this call alone, and is told in its own task."""
        try:
            do()
        except JournalError as error:
            self.problem = error
        except Exception as error:  # the edge of one call
            self.defect = error


@dataclass(slots=True)
class _Written(_Attempt):
    received: list[Entry] = field(default_factory=list)
    derived: list[Fact] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    taken: set[Kind] = field(default_factory=set)
    """Kinds that the writer has accepted: written, or to be written by its next `retry`."""


@dataclass(slots=True)
class _Synced(_Attempt):
    end: int = 0
    """Of what was written when it began."""


def _size(entry: Entry) -> int:
    return len(entry.payload) if isinstance(entry, AudioReceived) else 0
