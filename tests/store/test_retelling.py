"""A recording that is told again leaves nothing of what it said before."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, text

from zccvoice.store.facts import StreamRestated
from zccvoice.store.reads import everything
from zccvoice.store.retelling import engagement_of, forget_stream
from zccvoice.store.writes import apply

from .calls import small_call


def test_nothing_is_left_that_a_stream_told_alone(connection: Connection) -> None:
    apply(connection, small_call("fresh", "fresh"))
    expected = {name: len(rows) for name, rows in everything(connection, "fresh").items()}
    apply(connection, small_call())
    call = text(
        "UPDATE zccvoice.engagement SET clock_zero_ms = 1, started_at = 'epoch', queue_name = 'x', "
        "language = 'de' WHERE engagement_id = 'e1'"
    )
    connection.execute(call)
    assert engagement_of(connection, "s1") == "e1"
    forget_stream(connection, "s1")
    assert engagement_of(connection, "s1") is None
    apply(connection, small_call())
    assert {name: len(rows) for name, rows in everything(connection, "e1").items()} == expected
    same = text(
        "SELECT count(DISTINCT (clock_zero_ms, started_at, queue_name, language)) FROM zccvoice.engagement"
    )
    assert connection.scalar(same) == 1


def test_what_another_stream_of_the_call_told_stays(connection: Connection) -> None:
    apply(connection, small_call())
    before = everything(connection, "e1")
    others = [replace(one, stream_id="s2") for one in small_call() if not isinstance(one, StreamRestated)]
    apply(connection, others)
    forget_stream(connection, "s2")
    assert everything(connection, "e1") == before


def test_of_what_is_not_stored_there_is_nothing_to_forget(connection: Connection) -> None:
    apply(connection, small_call())
    before = everything(connection, "e1")
    forget_stream(connection, "another")
    assert everything(connection, "e1") == before
