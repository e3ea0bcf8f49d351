from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest
import trio
from sqlalchemy.exc import OperationalError
from trio.testing import MockClock

from tests.daemon.fakes import FakeStore
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.writer import BATCH_FACTS, Writer
from zccvoice.errors import StoreError
from zccvoice.store.database import is_transient
from zccvoice.store.facts import CallEventSeen, Fact, StreamClosed


def fact(number: int) -> CallEventSeen:
    return CallEventSeen("E", "S", "user_hold", number)


pytestmark = pytest.mark.usefixtures("no_threads")


def away() -> StoreError:
    """An error as `store.database.transaction` raises it when the server is gone."""
    try:
        try:
            raise OperationalError("select", {}, psycopg.OperationalError("server closed the connection"))
        except OperationalError:
            raise StoreError("the database cannot be reached") from None
    except StoreError as error:
        return error


async def write(store: FakeStore, facts: list[Fact], metrics: Metrics | None = None) -> None:
    send, receive = trio.open_memory_channel[Fact](1000)
    for one in facts:
        send.send_nowait(one)
    send.close()
    await Writer(store.write, store.measure, metrics or Metrics()).run(receive)


async def test_everything_in_order_in_few_transactions(autojump_clock: MockClock) -> None:
    store = FakeStore()
    facts: list[Fact] = [fact(number) for number in range(2 * BATCH_FACTS + 7)]
    await write(store, facts)
    assert store.facts == facts
    assert store.batches == [BATCH_FACTS, BATCH_FACTS, 7]


async def test_it_waits_for_the_database_and_loses_nothing(autojump_clock: MockClock) -> None:
    assert is_transient(away())
    store, metrics = FakeStore(), Metrics()
    store.failures = [away() for _ in range(12)]
    begin = trio.current_time()
    await write(store, [fact(1), fact(2)], metrics)
    assert store.facts == [fact(1), fact(2)]
    assert metrics.registry.get_sample_value("zccvoice_store_retries_total") == 12
    assert 100 < trio.current_time() - begin < 200, "backs off to half a minute"


async def test_a_refused_fact_costs_itself(autojump_clock: MockClock) -> None:
    store, metrics = FakeStore(), Metrics()
    store.refuses = lambda one: StoreError("value too long") if one == fact(3) else None
    await write(store, [fact(number) for number in range(6)], metrics)
    assert store.facts == [fact(0), fact(1), fact(2), fact(4), fact(5)]
    assert metrics.registry.get_sample_value("zccvoice_lost_facts_total") == 1


async def test_the_lag_of_a_scorecard_is_from_hang_up_to_commit(autojump_clock: MockClock) -> None:
    store, metrics = FakeStore(), Metrics()
    store.failures = [away()]
    metrics.note_hang_up("S", trio.current_time())
    await write(store, [StreamClosed("E", "S", datetime.now(UTC), "done")], metrics)
    assert metrics.registry.get_sample_value("zccvoice_scorecard_lag_seconds_sum") == pytest.approx(0.2)


async def test_a_call_that_cannot_be_measured_keeps_its_facts_and_costs_nobody_else(
    autojump_clock: MockClock,
) -> None:
    store, metrics = FakeStore(), Metrics()
    store.cannot_measure = ZeroDivisionError()
    end = StreamClosed("E", "S", datetime.now(UTC), "done")
    await write(store, [fact(1), end, fact(2)], metrics)
    assert store.facts == [fact(1), end, fact(2)]
    assert metrics.registry.get_sample_value("zccvoice_lost_facts_total") == 1


async def test_a_defect_in_the_store_costs_one_fact(autojump_clock: MockClock) -> None:
    store = FakeStore()
    store.refuses = lambda one: TypeError("a defect") if one == fact(3) else None
    await write(store, [fact(number) for number in range(5)])
    assert store.facts == [fact(0), fact(1), fact(2), fact(4)]
