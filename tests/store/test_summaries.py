"""Many calls in one row are what the calls say, whoever asks, and however the time is cut."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from zccvoice.analytics.record import Side
from zccvoice.store import summaries
from zccvoice.store.facts import (
    CallEventSeen,
    ClockStarted,
    Fact,
    ParticipantSeen,
    StreamClosed,
    StreamOpened,
    UtteranceHeard,
)
from zccvoice.store.measures import put_measures
from zccvoice.store.reads import call_record
from zccvoice.store.summaries import Scope, Summary, summary_definitions
from zccvoice.store.writes import apply

from .calls import BEGAN, ZERO_MS, small_call
from .supervised_calls import CALLS, MOVED, add_part, store_call, store_calls

DAY = Scope(MOVED - timedelta(hours=12), MOVED + timedelta(hours=12))


def put(connection: Connection, engagement_id: str, **measures: object) -> None:
    """Give a stored call some measures."""
    for name, value in measures.items():
        connection.execute(
            text(f"UPDATE zccvoice.scorecard SET {name} = :value WHERE engagement_id = :id"),
            {"value": value, "id": engagement_id},
        )


def add_agent(connection: Connection, engagement_id: str, user_id: str) -> None:
    """A second agent on a stored call."""
    connection.execute(
        text("INSERT INTO zccvoice.agent VALUES (:u, :u) ON CONFLICT DO NOTHING"), {"u": user_id}
    )
    connection.execute(
        text(
            "INSERT INTO zccvoice.participant (engagement_id, channel_id, side, user_id) "
            "VALUES (:id, 'c3', 'agent', :u)"
        ),
        {"id": engagement_id, "u": user_id},
    )


def test_every_number_says_what_it_is() -> None:
    told = summary_definitions()
    assert list(told) == [field.name for field in fields(Summary)]
    assert all(definition.endswith(".") for definition in told.values())


def test_no_calls(connection: Connection) -> None:
    nothing = summaries.summary(connection, DAY)
    counts = {field.name for field in fields(Summary) if field.name.endswith("_count")}
    assert all(getattr(nothing, name) == 0 for name in counts)
    assert all(getattr(nothing, field.name) is None for field in fields(Summary) if field.name not in counts)
    assert summaries.agents(connection, DAY) == []
    assert summaries.queues(connection, DAY) == []
    assert summaries.days(connection, DAY, [DAY.since]) == [None]


@pytest.fixture
def calls(connection: Connection) -> Connection:
    store_calls(connection)
    return connection


def test_ratios_are_of_the_sums(calls: Connection) -> None:
    put(
        calls,
        "ann",
        duration_ms=60_000,
        talk_time_agent_ms=30_000,
        talk_time_total_ms=40_000,
        hold_time_ms=100,
    )
    put(calls, "nia", duration_ms=20_000, talk_time_agent_ms=0, talk_time_total_ms=10_000, hold_count=1)
    for other in set(CALLS) - {"ann", "nia"}:
        put(calls, other, talk_time_agent_ms=None)
    found = summaries.summary(calls, DAY)
    assert (found.calls_count, found.measured_calls_count) == (6, 6)
    assert found.talk_share_agent == pytest.approx(30 / 50)
    assert found.talk_ratio_agent == pytest.approx(30 / 80)
    assert found.hold_calls_ratio == pytest.approx(1 / 6)
    assert found.mean_hold_time_ms == round(100 / 6)
    assert found.mean_duration_ms == round(80_000 / 6)


def test_sentiment_is_of_the_calls_that_have_it(calls: Connection) -> None:
    put(calls, "ann", sentiment_agent_score=1.0, sentiment_customer_score=-3.0)
    put(calls, "sam", sentiment_agent_score=2.0, sentiment_customer_score=-1.0)
    found = summaries.summary(calls, DAY)
    assert (found.mean_sentiment_agent_score, found.mean_sentiment_customer_score) == (1.5, -2.0)
    add_agent(calls, "ann", "sam")
    of_agents = {one.user_id: one.summary for one in summaries.agents(calls, DAY)}
    assert of_agents["sam"].mean_sentiment_agent_score == 2.0, "that of the shared call is of nobody alone"
    assert of_agents["sam"].mean_sentiment_customer_score == -2.0


def test_talk_speed_is_of_the_transcribed_speech_of_the_calls_that_have_one(calls: Connection) -> None:
    for name in CALLS:
        put(calls, name, words_agent_count=None)
    put(calls, "ann", words_agent_count=19, talk_time_agent_ms=60_000)
    assert summaries.summary(calls, DAY).talk_speed_agent_wpm is None, "too few words for one"
    put(calls, "sam", words_agent_count=30, talk_time_agent_ms=30_000, talk_speed_agent_wpm=180)
    assert summaries.summary(calls, DAY).talk_speed_agent_wpm == pytest.approx(180)
    put(calls, "nia", words_agent_count=60, talk_time_agent_ms=20_000, talk_speed_agent_wpm=240)
    assert summaries.summary(calls, DAY).talk_speed_agent_wpm == pytest.approx(90 / (10 + 15) * 60)


def test_one_call_alone_is_what_the_call_itself_is(connection: Connection) -> None:
    """With speech that was not transcribed, which is in the talk time and not in the talk speed."""
    of: dict[str, Any] = {"engagement_id": "e1", "stream_id": "s1"}

    def said(channel_id: str, start_s: int, end_s: int, words: int) -> Fact:
        return UtteranceHeard(
            **of,
            channel_id=channel_id,
            start_timestamp_ms=ZERO_MS + 1_000 * start_s,
            end_timestamp_ms=ZERO_MS + 1_000 * end_s,
            loudness_dbfs=-20.0,
            clipped_ratio=0.0,
            text=" ".join(["word"] * words) or None,
            verdict="kept" if words else "failed: timeout",
        )

    agent = ParticipantSeen(**of, channel_id="c2", side=Side.AGENT)
    heard = [said("c2", 1, 11, 30), said("c2", 13, 33, 0), said("c1", 35, 40, 20)]
    ended = StreamClosed(**of, ended_at=BEGAN + timedelta(seconds=60), end_reason="call_ended", detail="")
    apply(connection, [*small_call()[:6], agent, *heard, ended])
    card = put_measures(connection, call_record(connection, "e1"))
    assert card.talk_speed_agent_wpm == pytest.approx(180)
    day = Scope(BEGAN - timedelta(days=1), BEGAN + timedelta(days=1))
    (of_agent,) = summaries.agents(connection, day)
    for found in (summaries.summary(connection, day), of_agent.summary):
        for name in ("talk_ratio_agent", "talk_share_agent", "talk_speed_agent_wpm"):
            assert getattr(found, name) == pytest.approx(getattr(card, name)), name
        assert found.silence_ratio == pytest.approx(card.silence_time_ms / card.duration_ms)
    for view in ("agent_day", "queue_hour"):
        row = connection.execute(text(f"SELECT * FROM reporting.{view}")).one()
        for name in ("talk_ratio_agent", "talk_share_agent", "talk_speed_agent_wpm"):
            assert getattr(row, name) == pytest.approx(getattr(card, name)), (view, name)


def test_an_agent_is_in_his_own_teams_alone(calls: Connection) -> None:
    before = {one.user_id: one.team_ids for one in summaries.agents(calls, DAY)}
    assert before["ann"] != before["sam"]
    add_agent(calls, "ann", "sam")
    assert {one.user_id: one.team_ids for one in summaries.agents(calls, DAY)} == before
    shared = "SELECT DISTINCT team_ids FROM reporting.agent_call WHERE engagement_id = 'ann'"
    assert set(calls.scalar(text(shared)) or ()) == {*before["ann"], *before["sam"]}


def test_a_call_without_measures_is_counted_and_nothing_else(calls: Connection) -> None:
    calls.execute(text("DELETE FROM zccvoice.scorecard WHERE engagement_id <> 'ann'"))
    put(calls, "ann", duration_ms=5_000, damaged=True)
    found = summaries.summary(calls, DAY)
    assert (found.calls_count, found.measured_calls_count, found.damaged_calls_count) == (6, 1, 1)
    assert found.mean_duration_ms == 5_000


def test_agents_have_their_own_calls_and_share_what_is_shared(calls: Connection) -> None:
    put(calls, "ann", talk_time_agent_ms=9, talk_time_total_ms=10, interruptions_agent_count=7)
    put(calls, "sam", interruptions_agent_count=3)
    add_agent(calls, "ann", "sam")
    found = {one.user_id: one for one in summaries.agents(calls, DAY)}
    assert list(found) == ["ann", "mia", "nia", "sam"]
    assert {name: one.summary.calls_count for name, one in found.items()} == {
        "ann": 1,
        "mia": 3,
        "nia": 1,
        "sam": 2,
    }
    assert found["ann"].summary.shared_calls_count == found["sam"].summary.shared_calls_count == 1
    whole, (at_once,) = summaries.summary(calls, DAY), summaries.days(calls, DAY, [DAY.since])
    assert (whole.calls_count, whole.shared_calls_count) == (6, 1), "one call, whoever shares it"
    assert at_once == whole
    assert summaries.queues_of_agent(calls, DAY, "sam").shared_calls_count == 1
    assert {one.queue_id: one.summary.shared_calls_count for one in summaries.queues(calls, DAY)}[
        "q-ann"
    ] == 1
    assert found["sam"].summary.interruptions_agent_per_call == 3, "his part of the other is not known"
    assert found["mia"].team_ids == ("sales", "support")


def test_of_a_shared_call_each_agent_has_his_own_part(calls: Connection) -> None:
    whole = {"duration_ms": 60_000, "talk_time_agent_ms": 20_000, "talk_time_total_ms": 40_000}
    put(
        calls,
        "ann",
        **whole,
        words_agent_count=90,
        interruptions_agent_count=5,
        hold_time_ms=9_000,
        hold_count=2,
    )
    put(calls, "ann", longest_monologue_agent_ms=8_000, silence_time_ms=30_000, sentiment_agent_score=0.5)
    alone = {one.user_id: one.summary for one in summaries.agents(calls, DAY)}["ann"]
    calls.execute(text("DELETE FROM zccvoice.agent_part"))
    for start_ms, words in ((0, 20), (40_000, 40)):
        add_part(
            calls, "ann", "c2", start_ms=start_ms, talk_time_ms=6_000, talk_time_total_ms=8_000, words_count=words,
            talk_speed_wpm=words * 12,
            silence_time_ms=1_000, sentiment_score=words / 10, first_response_ms=words,
            longest_monologue_ms=words, response_gap_ms_p50=words,
        )  # fmt: skip
    part = {"talk_time_ms": 3_000, "talk_time_total_ms": 6_000, "words_count": 30, "interruptions_count": 1}
    part["talk_speed_wpm"] = 30 * 60
    add_part(calls, "ann", "c3", start_ms=20_000, **part, hold_time_ms=4_000, hold_count=1)
    assert {one.user_id: one.summary for one in summaries.agents(calls, DAY)}["ann"] == alone, (
        "not shared yet"
    )
    add_agent(calls, "ann", "sue")
    found = {one.user_id: one.summary for one in summaries.agents(calls, DAY)}
    ann, sue = found["ann"], found["sue"]
    assert (ann.talk_ratio_agent, ann.talk_share_agent) == (12 / 20, 12 / 16)
    assert (sue.talk_ratio_agent, sue.talk_share_agent) == (3 / 10, 3 / 6)
    assert ann.talk_speed_agent_wpm == pytest.approx(60 * 60 / (5 + 5))
    assert sue.talk_speed_agent_wpm == pytest.approx(30 * 60), "of the second that was transcribed"
    assert (ann.interruptions_agent_per_call, sue.interruptions_agent_per_call) == (0, 1)
    assert (ann.mean_hold_time_ms, sue.mean_hold_time_ms) == (0, 4_000)
    assert (ann.hold_calls_ratio, sue.hold_calls_ratio) == (0, 1)
    assert (ann.silence_ratio, sue.silence_ratio) == (2 / 20, 0)
    assert (ann.mean_first_response_agent_ms, sue.mean_first_response_agent_ms) == (20, None)
    assert (ann.mean_longest_monologue_agent_ms, ann.mean_response_gap_agent_ms_p50) == (40, 30)
    assert ann.mean_sentiment_agent_score == pytest.approx((2 * 20 + 4 * 40) / 60)
    assert ann.mean_duration_ms == sue.mean_duration_ms == 60_000
    (of_day,) = summaries.agent_days(calls, DAY, "sue", [DAY.since])
    assert of_day == sue


def test_the_time_between_two_streams_is_nobodys(connection: Connection) -> None:
    """A second agent who says nothing takes nothing from the ratios of the first."""
    of: dict[str, Any] = {"engagement_id": "e1", "stream_id": "s1"}
    later: dict[str, Any] = {**of, "stream_id": "s2"}

    def heard(of: dict[str, Any], start_s: int, end_s: int) -> list[Fact]:
        said = UtteranceHeard(
            **of,
            channel_id="c2",
            start_timestamp_ms=ZERO_MS + 1_000 * start_s,
            end_timestamp_ms=ZERO_MS + 1_000 * start_s + 5_000,
            loudness_dbfs=-20.0,
            clipped_ratio=0.0,
            text="One moment, please.",
        )
        ended_at = datetime.fromtimestamp(ZERO_MS / 1_000 + end_s, UTC)
        return [said, StreamClosed(**of, ended_at=ended_at, end_reason="call_ended")]

    who = {"c2": "u2", "c3": "u3"}
    agents = [ParticipantSeen(**of, channel_id=one, side=Side.AGENT, user_id=id_) for one, id_ in who.items()]
    answered = CallEventSeen(**of, name="user_answered", timestamp_ms=ZERO_MS, channel_id="c2")
    first = [*small_call()[:3], agents[0], answered, *heard(of, 0, 20)]
    second: list[Fact] = [
        StreamOpened(**later, product="zcc_voice", started_at=BEGAN + timedelta(seconds=50))
    ]
    second += [ClockStarted(**later, timestamp_ms=ZERO_MS + 50_000), *heard(later, 50, 70)]
    apply(connection, [*first, *second])
    day = Scope(BEGAN - timedelta(days=1), BEGAN + timedelta(days=1))
    for facts, shared in (([], 0), (agents[1:], 1)):
        apply(connection, facts)
        put_measures(connection, call_record(connection, "e1"))
        found = {one.user_id: one.summary for one in summaries.agents(connection, day)}["u2"]
        assert (found.shared_calls_count, found.mean_duration_ms) == (shared, 40_000)
        assert (found.talk_ratio_agent, found.silence_ratio) == (10 / 40, 30 / 40)
        query = text("SELECT talk_ratio_agent FROM reporting.agent_day WHERE user_id = 'u2'")
        assert connection.scalar(query) == 10 / 40
    part = text("SELECT length_ms, ended_at - started_at FROM reporting.agent_part")
    assert connection.execute(part).one() == (40_000, timedelta(seconds=70))


def test_the_sentiment_of_several_parts_is_that_of_the_words_that_have_one(calls: Connection) -> None:
    calls.execute(text("DELETE FROM zccvoice.agent_part"))
    add_agent(calls, "ann", "sue")
    add_part(calls, "ann", "c2", words_count=90, sentiment_score=3.0, sentiment_words_count=10)
    add_part(
        calls, "ann", "c2", start_ms=20_000, words_count=None, sentiment_score=-1.0, sentiment_words_count=30
    )
    add_part(
        calls, "ann", "c2", start_ms=40_000, words_count=50, sentiment_score=None, sentiment_words_count=0
    )
    found = {one.user_id: one.summary for one in summaries.agents(calls, DAY)}
    assert found["ann"].mean_sentiment_agent_score == pytest.approx((3 * 10 - 1 * 30) / 40)


def test_only_a_queue_and_only_a_team(calls: Connection) -> None:
    def of(**only: str) -> int:
        return summaries.summary(calls, Scope(DAY.since, DAY.until, **only)).calls_count

    assert of(queue="q-ann") == 1
    assert of(queue="Queue") == 6
    assert of(queue="nowhere") == 0
    assert of(team="sales") == 3
    assert of(team="support", queue="q-sam") == 0


def test_a_moment_belongs_to_the_period_that_begins_with_it(calls: Connection) -> None:
    assert summaries.summary(calls, Scope(MOVED, MOVED + timedelta(hours=1))).calls_count == 4
    assert summaries.summary(calls, Scope(MOVED - timedelta(hours=1), MOVED)).calls_count == 1


def test_queues_by_the_hour_of_the_reader(calls: Connection) -> None:
    calls.execute(text("UPDATE zccvoice.engagement SET queue_id = 'q'"))
    hours = [(MOVED - timedelta(hours=1), 16), (MOVED, 17), (MOVED + timedelta(hours=1), 16)]
    found = summaries.queue_hours(calls, DAY, [at for at, _ in hours], [hour for _, hour in hours])
    assert {one.hour: one.summary.calls_count for one in found} == {16: 2, 17: 4}
    (whole,) = summaries.queues(calls, DAY)
    assert (whole.queue_id, whole.queue_name, whole.summary.calls_count) == ("q", "Queue", 6)


def test_the_queues_of_an_agent_hold_the_calls_of_others_too(calls: Connection) -> None:
    calls.execute(text("UPDATE zccvoice.engagement SET queue_id = 'q' WHERE engagement_id IN ('ann', 'sam')"))
    assert summaries.queues_of_agent(calls, DAY, "ann").calls_count == 2
    assert summaries.queues_of_agent(calls, DAY, "nia").calls_count == 1


@given(
    starts=st.lists(st.integers(0, 99), min_size=1, max_size=6),
    edges=st.lists(st.integers(1, 99), max_size=6, unique=True).map(lambda found: [0, *sorted(found)]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_the_parts_are_the_whole(connection: Connection, starts: list[int], edges: list[int]) -> None:
    def at(minutes: int) -> datetime:
        return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=minutes)

    with connection.begin_nested() as savepoint:
        for number, start in enumerate(starts):
            store_call(connection, f"call{number}", "ann", at(start))
            put(connection, f"call{number}", duration_ms=1_000 * start)
        scope = Scope(at(0), at(100))
        parts: list[Any] = summaries.days(connection, scope, [at(edge) for edge in edges])
        hers = summaries.agent_days(connection, scope, "ann", [at(edge) for edge in edges])
        whole = summaries.summary(connection, scope)
        savepoint.rollback()
    assert hers == parts
    assert whole.calls_count == len(starts) == sum(part.calls_count for part in parts if part)
    for part, first, last in zip(parts, edges, [*edges[1:], 100], strict=True):
        inside = [1_000 * start for start in starts if first <= start < last]
        assert (part.mean_duration_ms if part else None) == (
            pytest.approx(sum(inside) / len(inside), abs=0.51) if inside else None
        )
