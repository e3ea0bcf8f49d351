"""What analytics and reports are given."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text

from zccvoice.analytics.record import AudioGap, CallEvent, CallRecord, Side, Span, SpokenUtterance, TrackSound
from zccvoice.store.facts import (
    CallEventSeen,
    ClockStarted,
    ParticipantSeen,
    StoredWord,
    StreamClosed,
    StreamOpened,
    TrackClosed,
)
from zccvoice.store.measures import put_scorecard
from zccvoice.store.reads import UnfinishedStream, call, call_record, calls, unfinished_streams, utterances
from zccvoice.store.writes import apply

from .calls import BEGAN, ZERO_MS, small_call
from .test_writes import card, heard

OF: dict[str, Any] = {"engagement_id": "e1", "stream_id": "s1"}


def test_the_record_of_a_small_call(connection: Connection) -> None:
    apply(connection, small_call())
    apply(connection, small_call("another", "of another"))
    assert call_record(connection, "e1") == CallRecord(
        engagement_id="e1",
        streams=(Span(0, 14_000 - 1_234),),
        utterances=(
            SpokenUtterance(
                *(Side.AGENT, "c2", 1_000, 2_000, "Hello, there.", 0.875, -20.5, 0.0, 0.25),
                word_spans=(Span(1_100, 1_400), Span(1_450, 1_900)),
                language="en",
            ),
            SpokenUtterance(Side.CUSTOMER, "c1", 3_000, 3_500, None, None, -30.0, 0.25),
            SpokenUtterance(Side.CUSTOMER, "c1", 4_000, 4_100, "", None, -40.0, 0.0),
        ),
        tracks=(TrackSound(Side.CUSTOMER, "c1", Span(0, 12_000), 4, 2, 1, -62.5),),
        gaps=(AudioGap(Side.CUSTOMER, "c1", 9_000, 9_400),),
        events=(
            CallEvent("consumer_answered", -500),
            CallEvent("user_hold", 5_000, "c2"),
            CallEvent("user_unhold", 9_000, "c2"),
        ),
        language="en",
        language_source="configured",
    )


def test_a_call_that_nobody_knows(connection: Connection) -> None:
    assert call_record(connection, "no such") == CallRecord("no such", (), (), (), (), (), None, None)
    assert call(connection, "no such") is None
    assert utterances(connection, "no such") == []


def test_an_open_stream_reaches_to_the_last_thing_heard(connection: Connection) -> None:
    apply(connection, [ClockStarted(**OF, timestamp_ms=ZERO_MS)])
    assert call_record(connection, "e1").streams == (Span(0, 0),)
    apply(connection, [heard(ZERO_MS + 1_000)])
    assert call_record(connection, "e1").streams == (Span(0, 1_500),)


def test_a_stream_ends_no_earlier_than_its_last_packet(connection: Connection) -> None:
    early = StreamClosed(**OF, ended_at=BEGAN, end_reason="shutdown")
    track = TrackClosed(**OF, channel_id="c1", first_timestamp_ms=ZERO_MS, last_timestamp_ms=ZERO_MS + 900,
                        packets=9, lost_packets=0, duplicate_packets=0, reordered_packets=0)  # fmt: skip
    apply(connection, [ClockStarted(**OF, timestamp_ms=ZERO_MS), early])
    assert call_record(connection, "e1").streams == (Span(0, 0),)
    apply(connection, [track])
    assert call_record(connection, "e1").streams == (Span(0, 900),)


def test_several_streams(connection: Connection) -> None:
    second = {"engagement_id": "e1", "stream_id": "s2"}
    hold = CallEventSeen(**OF, name="user_hold", timestamp_ms=ZERO_MS + 5)
    apply(
        connection,
        [
            ClockStarted(**OF, timestamp_ms=ZERO_MS),
            hold,
            StreamClosed(**OF, ended_at=BEGAN + timedelta(seconds=10), end_reason="transfer"),
            StreamOpened("e1", "never a packet", "zcc_voice", BEGAN),
            ClockStarted(**second, timestamp_ms=ZERO_MS + 20_000),
            CallEventSeen(**second, name="user_hold", timestamp_ms=ZERO_MS + 5),
            StreamClosed(**second, ended_at=BEGAN + timedelta(seconds=30), end_reason="call_ended"),
        ],
    )
    record = call_record(connection, "e1")
    assert record.streams == (Span(0, 8_766), Span(20_000, 28_766))
    assert record.events == (CallEvent("user_hold", 5),)  # told by both streams, happened once


def test_sides_learned_late(connection: Connection) -> None:
    apply(connection, [heard(ZERO_MS)])
    assert [one.side for one in call_record(connection, "e1").utterances] == [None]
    apply(connection, [ParticipantSeen(**OF, channel_id="c1", side=Side.OTHER)])
    assert [one.side for one in call_record(connection, "e1").utterances] == [Side.OTHER]
    assert connection.scalar(text("SELECT side FROM reporting.utterance")) == "other"


def test_utterances_with_their_words(connection: Connection) -> None:
    apply(connection, small_call())
    first, refused, empty = utterances(connection, "e1")
    assert (first.side, first.display_name, first.model) == (Side.AGENT, "Ada", "demo")
    assert [word.text for word in first.words] == ["Hello,", "there."]
    assert first.words[1] == StoredWord("there.", 450, 900, first.words[1].probability)
    assert first.words[1].probability == pytest.approx(0.8)  # stored in four bytes
    assert (refused.text, refused.verdict) == ("Thanks for watching!", "refused: known hallucination")
    assert (empty.text, empty.words, empty.verdict) == (None, (), "empty")


def test_calls_and_their_measures(connection: Connection) -> None:
    for number in range(3):
        opened = StreamOpened(f"e{number}", f"s{number}", "zcc_voice", BEGAN + timedelta(hours=number))
        apply(connection, [opened])
    put_scorecard(connection, "e1", card(duration_ms=5, language="fr"))
    assert [row.engagement_id for row in calls(connection)] == ["e2", "e1", "e0"]
    assert [row.engagement_id for row in calls(connection, limit=2)] == ["e2", "e1"]
    hour = timedelta(hours=1)
    assert [row.engagement_id for row in calls(connection, since=BEGAN + hour)] == ["e2", "e1"]
    (row,) = calls(connection, since=BEGAN + hour, until=BEGAN + 2 * hour)
    assert row.scorecard == card(duration_ms=5, language="fr")
    assert (row.product, row.started_at, row.ended_at, row.language) == (
        "zcc_voice",
        BEGAN + hour,
        None,
        None,
    )
    assert call(connection, "e1") == row
    assert calls(connection, until=BEGAN) == []
    (other,) = calls(connection, until=BEGAN + hour)
    assert (other.scorecard, other.computed_at) == (None, None)


def test_the_agents_of_a_call(connection: Connection) -> None:
    for channel_id, side, name in (
        ("c1", Side.AGENT, "Bob"),
        ("c2", Side.AGENT, "Ada"),
        ("c3", Side.CUSTOMER, "Eve"),
        ("c4", Side.AGENT, "Bob"),
    ):
        apply(connection, [ParticipantSeen(**OF, channel_id=channel_id, side=side, display_name=name)])
    row = call(connection, "e1")
    assert row is not None
    assert row.agent_name == "Ada, Bob"
    assert connection.scalar(text("SELECT agent_name FROM reporting.call")) == "Ada, Bob"


def test_streams_that_never_ended(connection: Connection) -> None:
    apply(connection, small_call())
    apply(connection, [StreamOpened("e2", "s2", "zcc_voice", BEGAN), heard(ZERO_MS, stream_id="s3")])
    assert unfinished_streams(connection) == [
        UnfinishedStream("e2", "s2", BEGAN),
        UnfinishedStream("e1", "s3", None),
    ]


def test_the_views_that_supervisors_query(connection: Connection) -> None:
    apply(connection, small_call())
    put_scorecard(connection, "e1", card(duration_ms=12_766, talk_time_agent_ms=1_000))
    assert connection.execute(
        text("SELECT queue_name, agent_name, language, duration_ms, talk_time_agent_ms FROM reporting.call")
    ).all() == [("Sales", "Ada", "en", 12_766, 1_000)]
    zero = BEGAN + timedelta(milliseconds=1_234)
    assert connection.execute(
        text("SELECT side, start_ms, end_ms, started_at, text FROM reporting.utterance ORDER BY start_ms")
    ).all() == [
        ("agent", 1_000, 2_000, zero + timedelta(seconds=1), "Hello, there."),
        ("customer", 3_000, 3_500, zero + timedelta(seconds=3), None),
        ("customer", 4_000, 4_100, zero + timedelta(seconds=4), None),
    ]
    assert connection.execute(text("SELECT side, start_ms, length_ms FROM reporting.gap")).all() == [
        ("customer", 9_000, 400)
    ]
