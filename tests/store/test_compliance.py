"""Hits are counted once per place and calls once per call, by rule, agent and day."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, text

from zccvoice.store import compliance
from zccvoice.store.compliance import AgentRuleCount, DayRuleCount, RuleCount
from zccvoice.store.summaries import Scope

from .supervised_calls import MOVED, store_calls
from .test_summaries import add_agent

DAY = Scope(MOVED - timedelta(hours=12), MOVED + timedelta(hours=12))


@pytest.fixture
def hits(connection: Connection) -> Connection:
    """Every call has a refund by the agent; Ann's has a second one and a threat by nobody in particular."""
    store_calls(connection)
    connection.execute(
        text("""
        INSERT INTO zccvoice.category_hit VALUES ('ann', 'refund', 2, 9000, 9500, 'customer', now()),
            ('ann', 'threat', 1, 100, 200, NULL, now())
        """)
    )
    return connection


def test_by_rule(hits: Connection) -> None:
    assert compliance.calls_count(hits, DAY) == 6
    assert compliance.rules(hits, DAY) == [
        RuleCount("refund", 7, 6, agent_hits_count=6, customer_hits_count=1, last_revision=2),
        RuleCount("threat", 1, 1, agent_hits_count=0, customer_hits_count=0, last_revision=1),
    ]
    assert compliance.rules(hits, Scope(DAY.since, DAY.until, team="sales"))[0].calls_count == 3


def test_by_agent(hits: Connection) -> None:
    add_agent(hits, "ann", "zoe")
    hits.execute(text("DELETE FROM zccvoice.category_hit WHERE engagement_id LIKE 'mia%'"))
    found = compliance.rules_by_agent(hits, DAY)
    assert found[:2] == [
        AgentRuleCount("ann", "Ann", "refund", 2, 1, 1),
        AgentRuleCount("ann", "Ann", "threat", 1, 1, 1),
    ]
    assert [one.user_id for one in found] == ["ann", "ann", "nia", "sam", "zoe", "zoe"]


def test_by_day(hits: Connection) -> None:
    found = compliance.rules_by_day(hits, DAY, [DAY.since, MOVED, MOVED + timedelta(minutes=1)])
    assert found == [
        DayRuleCount(0, "refund", 1, 1),
        DayRuleCount(1, "refund", 5, 4),
        DayRuleCount(1, "threat", 1, 1),
        DayRuleCount(2, "refund", 1, 1),
    ]


def test_the_latest(hits: Connection) -> None:
    latest = compliance.latest_hits(hits, DAY, 3)
    assert [(one.engagement_id, one.rule, one.start_ms) for one in latest] == [
        ("mia-after", "refund", 1000),
        ("ann", "threat", 100),
        ("ann", "refund", 1000),
    ]
    assert (latest[1].side, latest[1].agent_name, latest[1].queue_name) == (None, "Ann", "Queue")
