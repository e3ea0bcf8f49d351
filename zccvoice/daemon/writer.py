"""Journals → Postgres, in a worker thread: what the outbox says is missing there.

Facts are read from the journals and written in batches, each in one transaction; those of one stream in order.
The scorecard of a call follows in a transaction of its own when the end of a stream is committed, so that a call
that cannot be measured keeps its facts; then its journal is closed. While the database is away the writer waits
and tries again: nothing is dropped and nothing piles up in memory, because what is to be written lies in the
journals. A database that lacks tables, columns or rights is away, too. A batch that the database refuses for good
is written fact by fact, so that one bad fact costs itself and nothing else.

While a call runs, its provisional row is made anew every few seconds, and hits of rules appear.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TypeAlias, TypeVar

import trio
from sqlalchemy import Engine

from zccvoice.analytics.live import Heard
from zccvoice.analytics.thresholds import DEFAULTS, Thresholds
from zccvoice.daemon.live_speech import LiveSpeech
from zccvoice.daemon.log import get_logger
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.outbox import Outbox, Parcel
from zccvoice.errors import JournalError, JournalUnavailableError, StoreError
from zccvoice.journal.journal import Record
from zccvoice.journal.record import Kind
from zccvoice.journal.shelf import Shelf, journal_name
from zccvoice.store import measures, reads, removals, rules, running, writes
from zccvoice.store.database import is_transient, is_unfit, transaction
from zccvoice.store.facts import Fact, StreamClosed, StreamOpened, StreamRevoked

BATCH_FACTS = 50
"""Most facts in one transaction, or those of one record: keeps Trio's loop responsive while the driver holds
the GIL."""
FIRST_RETRY_S = 0.2
LAST_RETRY_S = 30.0
LIVE_S = 3.0
"""From one refreshment of a running call's row to the next."""
LIVE_LOOK_S = 0.25
"""How often is looked whose turn it is."""
NO_RULES = rules.RuleBook()
"""What calls are judged by where nobody configured rules."""

Write: TypeAlias = Callable[[Sequence[Fact]], None]
"""Stores facts in one transaction; blocking. Raises `StoreError`."""
Measure: TypeAlias = Callable[[str], None]
"""Stores the measures of an engagement; blocking. Raises `StoreError`."""
MeasureLive: TypeAlias = Callable[[str, Heard | None], int | None]
"""Stores the provisional measures of one, with what is heard of it now; tells up to when, in Zoom's epoch ms, its
rules want nothing audible kept. Blocking. Raises `StoreError`."""
PauseSound: TypeAlias = Callable[[str, int], None]
"""Has nothing audible of an engagement kept up to a moment of Zoom's clock."""
_T = TypeVar("_T")
log = get_logger()


def write_to(engine: Engine) -> Write:
    """The real `Write`."""

    def write(facts: Sequence[Fact]) -> None:
        with transaction(engine) as connection:
            writes.apply(connection, facts)

    return write


def measure_in(
    engine: Engine,
    book: rules.RuleBook = NO_RULES,
    *,
    thresholds: Thresholds = DEFAULTS,
    announces: bool = True,
) -> Measure:
    """The real `Measure` of a call that has ended: from what is stored of it, judged by the rules.

    A call of which no audio came has no scorecard, for its zeros would be made up, and no hits. One of which
    retention took what was said keeps what it has of both. With `announces` others are told of hits as they
    happen.
    """

    def measure(engagement_id: str) -> None:
        with transaction(engine) as connection:
            if not removals.lock_living(connection, engagement_id):
                return
            record = reads.call_record(connection, engagement_id)
            is_heard = bool(record.tracks or record.utterances) and not removals.is_pruned(connection, record)
            if is_heard:
                measures.put_measures(connection, record, thresholds)
            elif not reads.is_running(connection, engagement_id):
                measures.forget_live(connection, engagement_id)
            judges = book if is_heard else replace(book, rules=(), revisions={})
            now = datetime.now(UTC)
            rules.judge(connection, record, judges, now, thresholds=thresholds, announces=announces)

    return measure


def measure_live_in(
    engine: Engine, book: rules.RuleBook = NO_RULES, *, thresholds: Thresholds = DEFAULTS
) -> MeasureLive:
    """The real `MeasureLive`."""

    def measure(engagement_id: str, heard: Heard | None) -> int | None:
        with transaction(engine) as connection:
            # One that ended while we waited for our turn has its scorecard already.
            if not removals.lock_living(connection, engagement_id) or not reads.is_running(
                connection, engagement_id
            ):
                return None
            record = reads.call_record(connection, engagement_id)
            live = running.measure_running(connection, record, heard, thresholds)
            measures.put_live(connection, engagement_id, live)
            rules.judge(connection, record, book, datetime.now(UTC), thresholds=thresholds)
            return rules.sound_pause_end_ms(connection, engagement_id, book)

    return measure


class Writer:
    """The one task that writes."""

    def __init__(
        self,
        outbox: Outbox,
        shelf: Shelf,
        metrics: Metrics,
        *,
        write: Write,
        measure: Measure,
        measure_live: MeasureLive,
        live: LiveSpeech,
        pause_sound: PauseSound = lambda engagement_id, end_ms: None,
    ) -> None:
        self._outbox = outbox
        self._shelf = shelf
        self._metrics = metrics
        self._write = write
        self._measure = measure
        self._measure_live = measure_live
        self._live = live
        self._pause_sound = pause_sound
        self._limiter = trio.CapacityLimiter(1)
        self._running: dict[str, set[str]] = {}  # streams by engagement

    async def run(self) -> None:
        """Write until the outbox is closed and empty.

        Cancelling it leaves the rest in the journals, for the next start; a transaction under way is left to
        itself.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._keep_live)
            while await self._outbox.wait():
                urgent = self._outbox.take_urgent()
                if urgent:
                    await self._store(urgent)
                    self._outbox.urgent_written()
                    await self._measure_others(urgent)
                    continue
                await self._close_journals()
                self._metrics.outbox.set(len(self._outbox))
                read = partial(self._read, self._outbox.parcels())
                batch = await trio.to_thread.run_sync(read, limiter=self._limiter)
                await self._store([fact for _, _, facts in batch for fact in facts])
                for parcel, until, facts in batch:
                    self._outbox.advance(parcel, until)
                    await self._follow_up(parcel, facts)
                if any(until == parcel.start for parcel, until, _ in batch):
                    await trio.sleep(FIRST_RETRY_S)
            nursery.cancel_scope.cancel()
        self._metrics.outbox.set(0)

    def _read(self, parcels: Sequence[Parcel]) -> list[tuple[Parcel, int, Sequence[Fact]]]:
        """In a thread: a batch of facts from the journals that have waited longest."""
        batch: list[tuple[Parcel, int, Sequence[Fact]]] = []
        count = 0
        for parcel in parcels:
            facts: list[Fact] = []
            until = parcel.end
            try:
                with self._shelf.reader(parcel.journal) as reader:
                    for record in reader.records(parcel.start, Kind.DERIVED, parcel.end):
                        if isinstance(record, Record):
                            facts += record.entries
                        if count + len(facts) >= BATCH_FACTS:
                            until = record.end
                            break
            except JournalUnavailableError as error:
                log.warning("journal not read, tried again", journal=parcel.journal, problem=str(error))
                facts, until = [], parcel.start
            except JournalError as error:
                log.error("journal cannot be read", journal=parcel.journal, problem=str(error))
                facts, until = [], parcel.end
            batch.append((parcel, until, facts))
            count += len(facts)
            if count >= BATCH_FACTS:
                break
        return batch

    async def _store(self, facts: Sequence[Fact]) -> None:
        if not facts:
            return
        try:
            await self._insist(partial(self._write, facts))
        except (
            Exception
        ) as error:  # the edge of a batch: what is wrong with one fact is not wrong with others
            if len(facts) > 1:
                for fact in facts:
                    await self._store([fact])
                return
            self._give_up(facts[0], "fact refused", error)

    async def _follow_up(self, parcel: Parcel, facts: Sequence[Fact]) -> None:
        """What the facts, now stored, mean for their call."""
        for fact in facts:
            match fact:
                case StreamOpened():
                    self._running.setdefault(fact.engagement_id, set()).add(fact.stream_id)
                case StreamClosed():
                    self._forget_running(fact.engagement_id, fact.stream_id)
        last = facts[-1] if facts else None
        if isinstance(last, StreamClosed):
            await self._finish(last)

    async def _finish(self, closed: StreamClosed) -> None:
        try:
            await self._insist(partial(self._measure, closed.engagement_id))
        except (
            Exception
        ) as error:  # the edge of one call; its journal stays open, to be tried at the next start
            self._give_up(closed, "call not measured", error)
            self._metrics.forget_hang_up(closed.stream_id)
            return
        self._outbox.measured(journal_name(closed.stream_id))
        lag_s = self._metrics.note_scorecard(closed.stream_id, trio.current_time())
        log.info(
            "call stored",
            engagement_id=closed.engagement_id,
            stream_id=closed.stream_id,
            lag_s=None if lag_s is None else round(lag_s, 3),
        )

    async def _measure_others(self, facts: Sequence[Fact]) -> None:
        """A call that lost one of its streams is measured without it."""
        for fact in facts:
            if isinstance(fact, StreamRevoked):
                self._metrics.forget_hang_up(fact.stream_id)
                self._forget_running(fact.engagement_id, fact.stream_id)
                try:
                    await self._insist(partial(self._measure, fact.engagement_id))
                except Exception as error:  # the edge of one call
                    self._give_up(fact, "call not measured", error)

    def _forget_running(self, engagement_id: str, stream_id: str) -> None:
        streams = self._running.get(engagement_id, set())
        streams.discard(stream_id)
        if not streams:
            self._running.pop(engagement_id, None)

    async def _close_journals(self) -> None:
        for name in self._outbox.take_closable():
            try:
                await trio.to_thread.run_sync(self._shelf.close, name, limiter=self._limiter)
            except JournalError as error:
                log.error("journal cannot be closed", journal=name, problem=str(error))

    async def _keep_live(self) -> None:
        """The running calls' rows, the oldest first. One that fails is tried again: it is provisional anyway."""
        tried_at: dict[str, float] = {}
        while True:
            tried_at = {one: tried_at.get(one, -LIVE_S) for one in self._running}
            for engagement_id in sorted(tried_at, key=lambda one: tried_at[one]):
                if (
                    tried_at[engagement_id] + LIVE_S > trio.current_time()
                    or engagement_id not in self._running
                ):
                    continue
                heard = self._live.heard(engagement_id)
                tried_at[engagement_id] = trio.current_time()
                try:
                    end_ms = await self._in_thread(partial(self._measure_live, engagement_id, heard))
                    if end_ms is not None:
                        self._pause_sound(engagement_id, end_ms)
                except StoreError as error:
                    log.warning("running calls not refreshed", problem=str(error))
                    await trio.sleep(LIVE_S)
                    break
                except Exception:  # the edge of one call
                    log.exception("running call not refreshed", engagement_id=engagement_id)
            await trio.sleep(LIVE_LOOK_S)

    def _give_up(self, fact: Fact, what: str, error: Exception) -> None:
        self._metrics.lost_facts.inc()
        ids = {"engagement_id": fact.engagement_id, "stream_id": fact.stream_id}
        if isinstance(error, StoreError):
            log.error(what, fact=type(fact).__name__, **ids, problem=str(error))
        else:
            log.exception(what, fact=type(fact).__name__, **ids)

    async def _insist(self, store: Callable[[], None]) -> None:
        """Store in a worker thread, however long the database is away.

        One that lacked tables or rights has been restored, perhaps to what it was before: what the open journals
        hold is written again.

        Raises:
            StoreError: it is refused, and would be again.
        """
        retry_s, is_restored = FIRST_RETRY_S, False
        while True:
            try:
                await self._in_thread(store)
            except StoreError as error:
                if is_unfit(error):
                    is_restored = True
                elif not is_transient(error):
                    raise
                self._metrics.store_retries.inc()
                log.warning("database away", retry_s=retry_s, problem=str(error))
                await trio.sleep(retry_s)
                retry_s = min(retry_s * 2, LAST_RETRY_S)
                continue
            if is_restored:
                self._outbox.rewind()
            return

    async def _in_thread(self, store: Callable[[], _T]) -> _T:
        result, cpu_s = await trio.to_thread.run_sync(
            _timed, store, limiter=self._limiter, abandon_on_cancel=True
        )
        self._metrics.cpu_store.inc(cpu_s)
        return result


def _timed(store: Callable[[], _T]) -> tuple[_T, float]:
    """In a worker thread: store, and tell the thread's CPU time."""
    begin = time.thread_time()
    result = store()
    return result, time.thread_time() - begin
