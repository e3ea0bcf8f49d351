"""Hits of rules: stored once, provisional until the call ends, told to whoever listens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine, select, text

from zccvoice.analytics.rules import Condition, Limit, Origin, Phrases, Quantity, Rule, Window
from zccvoice.store import deliveries
from zccvoice.store.database import connect, transaction
from zccvoice.store.facts import Fact, StreamClosed, StreamOpened, StreamRevoked, UtteranceHeard
from zccvoice.store.reads import call_record
from zccvoice.store.rule_tables import RuleDelivery, RuleRevision
from zccvoice.store.rules import (
    CHANNEL,
    RuleBook,
    ended_calls,
    judge,
    origin_of,
    register,
    sound_pause_end_ms,
)
from zccvoice.store.writes import apply

from .calls import BEGAN, ZERO_MS, small_call

HELLO = Rule("greeted", (Condition(Phrases(("hello",))),))
SHORT = Rule("short hold", (Condition(Limit(Quantity.HOLD_MS, 5_000), negate=True),))
FIRST = Rule("greeted at once", (Condition(Phrases(("hello there",)), window=Window(0, 2_000)),))
NOW = BEGAN + timedelta(seconds=30)


def running() -> list[Fact]:
    """The small call before its end."""
    return [fact for fact in small_call() if not isinstance(fact, StreamClosed)]


def book(connection: Connection, *of: Rule, posts: bool = False) -> RuleBook:
    return RuleBook(of, register(connection, of), posts)


def judged(connection: Connection, of: RuleBook, now: datetime = NOW, *, announces: bool = True) -> int:
    return judge(connection, call_record(connection, "e1"), of, now, announces=announces)


def hits(connection: Connection) -> list[tuple[Any, ...]]:
    columns = "rule, revision, start_ms, end_ms, side, why, provisional"
    query = f"SELECT {columns} FROM reporting.category ORDER BY 1, 2, 3"
    return [tuple(row) for row in connection.execute(text(query))]


def posted(connection: Connection) -> list[dict[str, Any]]:
    bodies = connection.scalars(select(RuleDelivery.body).order_by(RuleDelivery.created_at))
    return [json.loads(body) for body in bodies]


GREETED = ("greeted", 1, 1_100, 1_400, "agent", '"hello"')


def test_a_rule_that_changes_is_a_new_revision(connection: Connection) -> None:
    assert register(connection, [HELLO, SHORT]) == {"greeted": 1, "short hold": 1}
    assert register(connection, [HELLO, SHORT]) == {"greeted": 1, "short hold": 1}
    changed = replace(HELLO, languages=("en",))
    assert register(connection, [changed]) == {"greeted": 2}
    assert register(connection, [HELLO]) == {"greeted": 3}, "what it says now is what it says from now on"
    contents = connection.execute(select(RuleRevision).where(RuleRevision.rule == "greeted")).all()
    assert len(contents) == 3
    stored = connection.execute(
        text("SELECT content FROM reporting.rule_revision WHERE revision = 2")
    ).scalar_one()
    assert stored == changed.text


def test_the_hits_of_a_call_that_is_over(connection: Connection) -> None:
    apply(connection, small_call())
    assert judged(connection, book(connection, HELLO, SHORT, FIRST)) == 3
    assert hits(connection) == [
        (*GREETED, False),
        ("greeted at once", 1, 1_100, 1_900, "agent", '"hello there"', False),
        ("short hold", 1, 0, 12_766, None, "not: hold above 5000 ms in the call", False),
    ]


def test_judging_again_changes_nothing(connection: Connection) -> None:
    apply(connection, small_call())
    of = book(connection, HELLO, SHORT, posts=True)
    judged(connection, of)
    before = connection.execute(text("TABLE zccvoice.category_hit")).all()
    judged(connection, of, NOW + timedelta(days=1))
    assert connection.execute(text("TABLE zccvoice.category_hit")).all() == before, "nor when it matched"
    assert len(posted(connection)) == 2


def test_hits_of_a_running_call_are_provisional(connection: Connection) -> None:
    apply(connection, running())
    of = book(connection, HELLO, SHORT, posts=True)
    assert judged(connection, of) == 1
    assert hits(connection) == [(*GREETED, True)]
    apply(connection, small_call())
    judged(connection, of, NOW + timedelta(seconds=9))
    assert [(hit[0], hit[-1]) for hit in hits(connection)] == [("greeted", False), ("short hold", False)]
    matched_at = connection.scalar(text("SELECT matched_at FROM reporting.category WHERE rule = 'greeted'"))
    assert matched_at == NOW
    assert [(one["rule"], one["state"]) for one in posted(connection)] == [
        ("greeted", "matched"),
        ("short hold", "matched"),
    ]


def test_what_the_end_does_not_confirm_is_withdrawn(connection: Connection) -> None:
    apply(connection, running())
    judged(connection, book(connection, HELLO, posts=True))
    apply(connection, small_call())
    judged(connection, book(connection, replace(HELLO, queues=("Orders",)), posts=True))
    assert hits(connection) == []
    assert [(one["state"], one["revision"], one["why"]) for one in posted(connection)] == [
        ("matched", 1, '"hello"'),
        ("withdrawn", 1, None),
    ]


def test_hits_of_other_rules_stay(connection: Connection) -> None:
    apply(connection, small_call())
    judged(connection, book(connection, HELLO, SHORT))
    judged(connection, book(connection, replace(SHORT, description="changed"), FIRST))
    assert [hit[:2] for hit in hits(connection)] == [
        ("greeted", 1),
        ("greeted at once", 1),
        ("short hold", 2),
    ]


def test_history_is_judged_in_silence(connection: Connection) -> None:
    apply(connection, small_call())
    assert judged(connection, book(connection, HELLO, posts=True), announces=False) == 1
    assert posted(connection) == []
    assert len(hits(connection)) == 1


def test_without_rules_nothing_is_touched(connection: Connection) -> None:
    apply(connection, small_call())
    judged(connection, book(connection, HELLO))
    assert judged(connection, RuleBook()) == 0
    assert len(hits(connection)) == 1


ELSEWHERE = StreamOpened("e1", "s2", "zcc_voice", BEGAN + timedelta(seconds=20))
REVOKED = StreamRevoked("e1", "s1", NOW)


def test_a_revoked_stream_makes_no_hit_of_the_others_new(connection: Connection) -> None:
    apply(connection, [*small_call(), ELSEWHERE])
    apply(
        connection, [replace(one, stream_id="s2") for one in small_call() if isinstance(one, UtteranceHeard)]
    )
    of = book(connection, HELLO, posts=True)
    judged(connection, of)
    apply(connection, [REVOKED])
    assert {(hit[0], hit[4], hit[5]) for hit in hits(connection)} == {("greeted", None, "")}, (
        "nothing of what was said"
    )
    judged(connection, of)
    assert hits(connection) == [(*GREETED, True)]
    assert [one["state"] for one in posted(connection)] == ["matched"]


@pytest.mark.parametrize("has_rules", [True, False])
def test_hits_of_a_revoked_stream_are_withdrawn_while_another_runs(
    connection: Connection, has_rules: bool
) -> None:
    apply(connection, [*running(), ELSEWHERE])
    of = book(connection, HELLO, posts=True)
    judged(connection, of)
    apply(connection, [REVOKED])
    judged(connection, of if has_rules else replace(of, rules=(), revisions={}))
    assert hits(connection) == []
    assert [one["state"] for one in posted(connection)] == ["matched", "withdrawn"]


def test_up_to_when_rules_pause_the_sound(connection: Connection) -> None:
    apply(connection, running())
    pausing = replace(HELLO, pause_sound_s=30)
    of = book(connection, pausing, FIRST)
    assert sound_pause_end_ms(connection, "e1", of) is None
    judged(connection, of)
    assert sound_pause_end_ms(connection, "e1", of) == ZERO_MS + 1_400 + 30_000, (
        "from the end of what matched"
    )
    assert sound_pause_end_ms(connection, "e1", book(connection, HELLO)) is None
    assert sound_pause_end_ms(connection, "other", of) is None


def test_what_is_posted(connection: Connection) -> None:
    apply(connection, small_call())
    judged(connection, book(connection, HELLO, posts=True))
    at = datetime.fromtimestamp((ZERO_MS + 1_100) / 1000, UTC).isoformat(timespec="milliseconds")
    assert posted(connection) == [
        {
            "engagement_id": "e1",
            "rule": "greeted",
            "revision": 1,
            "state": "matched",
            "side": "agent",
            "start_ms": 1_100,
            "at": at,
            "end_ms": 1_400,
            "why": '"hello"',
        }
    ]


def test_where_a_call_comes_from(connection: Connection) -> None:
    apply(connection, small_call())
    assert origin_of(connection, "e1") == Origin("zcc_voice", "q", "Sales", "en")
    assert origin_of(connection, "unknown") == Origin()


def test_calls_that_are_over(connection: Connection) -> None:
    apply(connection, small_call())
    apply(connection, [StreamOpened("running", "s9", "zcc_voice", BEGAN)])
    (only,) = ended_calls(connection)
    assert (only.engagement_id, only.started_at, only.origin.queue_name) == ("e1", BEGAN, "Sales")
    assert ended_calls(connection, since=BEGAN) == [only]
    assert ended_calls(connection, since=BEGAN + timedelta(seconds=1)) == []
    assert ended_calls(connection, until=BEGAN) == []


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url)
    yield engine
    engine.dispose()


def test_whoever_listens_is_told_once_and_when_it_is_committed(engine: Engine, database_url: str) -> None:
    plain = database_url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(plain, autocommit=True) as listener:
        listener.execute(f"LISTEN {CHANNEL}")
        with transaction(engine) as connection:
            apply(connection, running())
            of = book(connection, HELLO)
            judged(connection, of)
            assert list(listener.notifies(timeout=0)) == []
        for _ in range(2):
            with transaction(engine) as connection:
                judged(connection, of)
        with transaction(engine) as connection:
            connection.execute(text("SELECT pg_notify('zccvoice_hit', 'last')"))
        told = list(listener.notifies(timeout=5, stop_after=2))
    assert [one.channel for one in told] == [CHANNEL, CHANNEL]
    assert told[1].payload == "last"
    hit = json.loads(told[0].payload)
    assert (hit["engagement_id"], hit["rule"], hit["revision"], hit["side"]) == ("e1", "greeted", 1, "agent")
    assert "why" not in hit


def test_deliveries_go_with_their_call(connection: Connection) -> None:
    apply(connection, small_call())
    judged(connection, book(connection, HELLO, posts=True))
    assert deliveries.waiting_count(connection) == 1
    connection.execute(text("DELETE FROM zccvoice.engagement WHERE engagement_id = 'e1'"))
    assert deliveries.waiting_count(connection) == 0
