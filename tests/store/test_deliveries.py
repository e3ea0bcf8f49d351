"""An outbox: nothing is lost, whoever dies; nothing that was taken or given up is posted again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, select

from zccvoice.store import deliveries
from zccvoice.store.database import connect, transaction
from zccvoice.store.deliveries import Delivery
from zccvoice.store.rule_tables import RuleDelivery
from zccvoice.store.writes import apply

from .calls import small_call

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@pytest.fixture
def call(connection: Connection) -> Connection:
    apply(connection, small_call())
    return connection


def claim(connection: Connection, after_s: float = 0, *, at_most: int = 9) -> list[Delivery]:
    return deliveries.claim(connection, NOW + timedelta(seconds=after_s), claim_s=60, at_most=at_most)


def test_what_is_due_is_claimed_once(call: Connection) -> None:
    delivery_id = deliveries.put(call, "e1", '{"a": 1}', NOW)
    assert claim(call, -1) == []
    assert claim(call) == [Delivery(delivery_id, "e1", '{"a": 1}', NOW, 1)]
    assert claim(call) == []


def test_a_claim_ends(call: Connection) -> None:
    deliveries.put(call, "e1", "{}", NOW)
    claim(call)
    assert claim(call, 59) == []
    assert [one.attempts_count for one in claim(call, 60)] == [2]


def test_the_oldest_first(call: Connection) -> None:
    ids = [deliveries.put(call, "e1", "{}", NOW - timedelta(seconds=age)) for age in (1, 3, 2)]
    assert [one.delivery_id for one in claim(call, at_most=2)] == [ids[1], ids[2]]
    assert [one.delivery_id for one in claim(call)] == [ids[0]]


def test_what_was_postponed_comes_again(call: Connection) -> None:
    delivery_id = deliveries.put(call, "e1", "{}", NOW)
    claim(call)
    deliveries.postpone(call, delivery_id, NOW + timedelta(seconds=5), "HTTP 503")
    assert claim(call, 4) == []
    assert deliveries.waiting_count(call) == 1
    assert len(claim(call, 5)) == 1
    assert call.scalar(select(RuleDelivery.problem)) == "HTTP 503"


def test_what_was_taken_or_given_up_does_not(call: Connection) -> None:
    taken, given_up = (deliveries.put(call, "e1", "{}", NOW) for _ in range(2))
    claim(call)
    deliveries.note_delivered(call, taken, NOW)
    deliveries.give_up(call, given_up, NOW, "HTTP 410")
    assert deliveries.waiting_count(call) == 0
    assert claim(call, 100_000) == []


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url)
    yield engine
    engine.dispose()


def test_two_daemons_never_claim_the_same(engine: Engine) -> None:
    with transaction(engine) as connection:
        apply(connection, small_call())
        ids = {deliveries.put(connection, "e1", "{}", NOW) for _ in range(4)}
    with transaction(engine) as one, transaction(engine) as other:
        first, second = claim(one, at_most=2), claim(other, at_most=4)
    assert {each.delivery_id for each in first}.isdisjoint(each.delivery_id for each in second)
    assert {each.delivery_id for each in (*first, *second)} == ids
