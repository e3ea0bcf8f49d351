"""Facts → Postgres, in a worker thread, in order.

Facts are written in batches, each in one transaction. The scorecard of a call follows in a transaction of its
own when the end of a stream is committed, so that a call that cannot be measured keeps its facts. While the
database is away the writer waits and tries again: nothing is dropped, the channel fills, and calls wait. A batch
that the database refuses for good is written fact by fact, so that one bad fact costs itself and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

import trio
from sqlalchemy import Engine

from zccvoice.analytics.scorecard import scorecard
from zccvoice.daemon.log import get_logger
from zccvoice.daemon.metrics import Metrics
from zccvoice.errors import StoreError
from zccvoice.store import reads, writes
from zccvoice.store.database import is_transient, transaction
from zccvoice.store.facts import Fact, StreamClosed

BATCH_FACTS = 50
"""Most facts in one transaction: keeps Trio's loop responsive while the driver holds the GIL."""
FIRST_RETRY_S = 0.2
LAST_RETRY_S = 30.0

Write: TypeAlias = Callable[[Sequence[Fact]], None]
"""Stores facts in one transaction; blocking. Raises `StoreError`."""
Measure: TypeAlias = Callable[[str], None]
"""Stores the scorecard of an engagement; blocking. Raises `StoreError`."""
T = TypeVar("T")
log = get_logger()


def write_to(engine: Engine) -> Write:
    """The real `Write`."""

    def write(facts: Sequence[Fact]) -> None:
        with transaction(engine) as connection:
            writes.apply(connection, facts)

    return write


def measure_in(engine: Engine) -> Measure:
    """The real `Measure`: from what is stored of the call.

    A call of which no audio came has no scorecard: its zeros would be made up.
    """

    def measure(engagement_id: str) -> None:
        with transaction(engine) as connection:
            record = reads.call_record(connection, engagement_id)
            if record.tracks or record.utterances:
                writes.put_scorecard(connection, engagement_id, scorecard(record))

    return measure


class Writer:
    """The one task that writes."""

    def __init__(self, write: Write, measure: Measure, metrics: Metrics) -> None:
        self._write = write
        self._measure = measure
        self._metrics = metrics
        self._limiter = trio.CapacityLimiter(1)

    async def run(self, facts_receive: trio.MemoryReceiveChannel[Fact]) -> None:
        """Write until the channel ends, then return; closes its end.

        Cancelling it loses the facts that were not yet committed; a transaction under way is left to itself.
        """
        async with facts_receive:
            async for fact in facts_receive:
                await self._store([fact, *_waiting(facts_receive)])

    async def _store(self, batch: Sequence[Fact]) -> None:
        try:
            await self._insist(self._write, batch)
        except (
            Exception
        ) as error:  # the edge of a batch: what is wrong with one fact is not wrong with others
            if len(batch) > 1:
                for fact in batch:
                    await self._store([fact])
                return
            self._give_up(batch[0], "fact refused", error)
            return
        for fact in batch:
            if isinstance(fact, StreamClosed):
                await self._finish(fact)

    async def _finish(self, closed: StreamClosed) -> None:
        try:
            await self._insist(self._measure, closed.engagement_id)
        except Exception as error:  # the edge of one call
            self._give_up(closed, "call not measured", error)
            return
        lag_s = self._metrics.note_scorecard(closed.stream_id, trio.current_time())
        log.info(
            "call stored",
            engagement_id=closed.engagement_id,
            stream_id=closed.stream_id,
            lag_s=None if lag_s is None else round(lag_s, 3),
        )

    def _give_up(self, fact: Fact, what: str, error: Exception) -> None:
        self._metrics.lost_facts.inc()
        ids = {"engagement_id": fact.engagement_id, "stream_id": fact.stream_id}
        if isinstance(error, StoreError):
            log.error(what, fact=type(fact).__name__, **ids, problem=str(error))
        else:
            log.exception(what, fact=type(fact).__name__, **ids)

    async def _insist(self, store: Callable[[T], None], what: T) -> None:
        """Store in a worker thread, however long the database is away.

        Raises:
            StoreError: it is refused, and would be again.
        """
        retry_s = FIRST_RETRY_S
        while True:
            try:
                cpu_s = await trio.to_thread.run_sync(
                    _timed, store, what, limiter=self._limiter, abandon_on_cancel=True
                )
            except StoreError as error:
                if not is_transient(error):
                    raise
                self._metrics.store_retries.inc()
                log.warning("database away", retry_s=retry_s, problem=str(error))
                await trio.sleep(retry_s)
                retry_s = min(retry_s * 2, LAST_RETRY_S)
                continue
            self._metrics.cpu_store.inc(cpu_s)
            return


def _timed(store: Callable[[T], None], what: T) -> float:
    """In a worker thread: store, and tell the thread's CPU time."""
    begin = time.thread_time()
    store(what)
    return time.thread_time() - begin


def _waiting(facts_receive: trio.MemoryReceiveChannel[Fact]) -> list[Fact]:
    """What waits in the channel already, up to a full batch."""
    waiting: list[Fact] = []
    while len(waiting) < BATCH_FACTS - 1:
        try:
            waiting.append(facts_receive.receive_nowait())
        except (trio.WouldBlock, trio.EndOfChannel):
            break
    return waiting
