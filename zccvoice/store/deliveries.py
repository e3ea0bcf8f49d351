"""What is to be posted to a receiver, kept until it was taken: an outbox.

A delivery is put with the rows that it tells of, in one transaction. Whoever posts it claims it for a while; a
poster that dies meanwhile loses nothing, for the claim ends and another one posts it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import Connection, func, insert, select, update

from zccvoice.store.rule_tables import RuleDelivery
from zccvoice.store.schema import table_of
from zccvoice.store.upsert import storable

_table = table_of(RuleDelivery)
_WAITS = _table.c.delivered_at.is_(None) & _table.c.given_up_at.is_(None)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is to be posted."""

    delivery_id: str
    """The same however often it is posted."""
    engagement_id: str
    body: str
    """JSON."""
    created_at: datetime
    attempts_count: int
    """This attempt counted."""


def put(connection: Connection, engagement_id: str, body: str, now: datetime) -> str:
    """Keep a body to be posted; returns its id."""
    delivery_id = str(uuid4())
    row = {"delivery_id": delivery_id, "engagement_id": storable(engagement_id), "body": storable(body)}
    connection.execute(insert(_table).values(**row, created_at=now, due_at=now))
    return delivery_id


def claim(connection: Connection, now: datetime, *, claim_s: float, at_most: int) -> list[Delivery]:
    """Deliveries that are due, the one that has waited longest first; nobody else gets them for `claim_s`."""
    due = (
        select(_table.c.delivery_id)
        .where(_WAITS, _table.c.due_at <= now)
        .order_by(_table.c.due_at)
        .limit(at_most)
        .with_for_update(skip_locked=True)
    )
    claimed = (
        update(_table)
        .where(_table.c.delivery_id.in_(due))
        .values(due_at=now + timedelta(seconds=claim_s), attempts_count=_table.c.attempts_count + 1)
        .returning(
            _table.c.delivery_id,
            _table.c.engagement_id,
            _table.c.body,
            _table.c.created_at,
            _table.c.attempts_count,
        )
    )
    return sorted((Delivery(*row) for row in connection.execute(claimed)), key=lambda one: one.created_at)


def note_delivered(connection: Connection, delivery_id: str, now: datetime) -> None:
    """The receiver took it."""
    _set(connection, delivery_id, delivered_at=now, problem=None)


def postpone(connection: Connection, delivery_id: str, due_at: datetime, problem: str) -> None:
    """The receiver did not take it: it is posted again later."""
    _set(connection, delivery_id, due_at=due_at, problem=problem)


def give_up(connection: Connection, delivery_id: str, now: datetime, problem: str) -> None:
    """The receiver did not take it, and it is not posted any more."""
    _set(connection, delivery_id, given_up_at=now, problem=problem)


def waiting_count(connection: Connection) -> int:
    """How many are still to be taken."""
    return connection.execute(select(func.count()).select_from(_table).where(_WAITS)).scalar_one()


def _set(connection: Connection, delivery_id: str, **values: object) -> None:
    connection.execute(update(_table).where(_table.c.delivery_id == delivery_id).values(**values))
