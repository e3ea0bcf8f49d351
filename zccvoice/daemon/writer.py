"""Facts → Postgres, in a worker thread, in order.

Facts are written in batches, each in one transaction; the end of a stream and the scorecard of its call are
in the same one. While the database is away the writer waits and tries again: nothing is dropped, the channel
fills, and calls wait. A batch that the database refuses for good is written fact by fact, so that one bad
fact costs itself and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeAlias

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
log = get_logger()


def write_to(engine: Engine) -> Write:
    """The real `Write`: facts, and the scorecards of the calls whose streams they end."""

    def write(facts: Sequence[Fact]) -> None:
        with transaction(engine) as connection:
            writes.apply(connection, facts)
            for engagement_id in {fact.engagement_id for fact in facts if isinstance(fact, StreamClosed)}:
                record = reads.call_record(connection, engagement_id)
                writes.put_scorecard(connection, engagement_id, scorecard(record))

    return write


class Writer:
    """The one task that writes."""

    def __init__(self, write: Write, metrics: Metrics) -> None:
        self._write = write
        self._metrics = metrics
        self._limiter = trio.CapacityLimiter(1)

    async def run(self, facts_receive: trio.MemoryReceiveChannel[Fact]) -> None:
        """Write until the channel ends, then return; closes its end.

        Cancelling it loses the facts that were not yet committed; a transaction under way is waited for.
        """
        async with facts_receive:
            async for fact in facts_receive:
                await self._store([fact, *_waiting(facts_receive)])

    async def _store(self, batch: Sequence[Fact]) -> None:
        try:
            await self._store_or_wait(batch)
        except StoreError as error:
            if len(batch) > 1:
                for fact in batch:
                    await self._store([fact])
                return
            fact = batch[0]
            self._metrics.lost_facts.inc()
            log.error(
                "fact refused by the database",
                fact=type(fact).__name__,
                engagement_id=fact.engagement_id,
                stream_id=fact.stream_id,
                problem=str(error),
            )

    async def _store_or_wait(self, batch: Sequence[Fact]) -> None:
        """Store a batch, however long the database is away.

        Raises:
            StoreError: it is refused, and would be again.
        """
        retry_s = FIRST_RETRY_S
        while True:
            try:
                cpu_s = await trio.to_thread.run_sync(self._timed, batch, limiter=self._limiter)
            except StoreError as error:
                if not is_transient(error):
                    raise
                self._metrics.store_retries.inc()
                log.warning("database away", waiting_facts=len(batch), retry_s=retry_s, problem=str(error))
                await trio.sleep(retry_s)
                retry_s = min(retry_s * 2, LAST_RETRY_S)
                continue
            self._metrics.cpu_store.inc(cpu_s)
            for fact in batch:
                if isinstance(fact, StreamClosed):
                    lag_s = self._metrics.note_scorecard(fact.stream_id, trio.current_time())
                    log.info(
                        "call stored",
                        engagement_id=fact.engagement_id,
                        stream_id=fact.stream_id,
                        lag_s=None if lag_s is None else round(lag_s, 3),
                    )
            return

    def _timed(self, batch: Sequence[Fact]) -> float:
        """In a worker thread: store, and tell the thread's CPU time."""
        begin = time.thread_time()
        self._write(batch)
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
