"""The calls at one end of a measure, in order, and none that has none."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection

from zccvoice.store.summaries import Scope
from zccvoice.store.worst import number_measures, worst_calls

from .supervised_calls import MOVED, store_calls
from .test_summaries import put

DAY = Scope(MOVED - timedelta(hours=12), MOVED + timedelta(hours=12))


def test_the_measures_are_the_numbers() -> None:
    names = number_measures()
    assert {"longest_silence_ms", "coverage_ratio", "interruptions_agent_count"} <= set(names)
    assert not {"language", "verdict", "damaged"} & set(names)


def test_both_ends(connection: Connection) -> None:
    store_calls(connection)
    for number, name in enumerate(("ann", "nia", "sam")):
        put(connection, name, snr_agent_db=float(number))
    highest = worst_calls(connection, DAY, "snr_agent_db", lowest=False, most=2)
    assert [(one.engagement_id, one.value) for one in highest] == [("sam", 2.0), ("nia", 1.0)]
    lowest = worst_calls(connection, DAY, "snr_agent_db", lowest=True, most=9)
    assert [one.engagement_id for one in lowest] == ["ann", "nia", "sam"], "the others have none"
    assert (lowest[0].agent_name, lowest[0].queue_name, lowest[0].started_at) == ("Ann", "Queue", MOVED)


def test_only_the_scope(connection: Connection) -> None:
    store_calls(connection)
    of_queue = Scope(DAY.since, DAY.until, queue="q-ann")
    assert len(worst_calls(connection, of_queue, "duration_ms", lowest=True, most=9)) == 1
    before = Scope(DAY.since - timedelta(days=1), DAY.since)
    assert worst_calls(connection, before, "duration_ms", lowest=True, most=9) == []
