"""Facts become rows; saying a thing twice, in pieces or from two writers changes nothing."""

from __future__ import annotations

import threading
import time
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text

from zccvoice.analytics.record import Side
from zccvoice.analytics.scorecard import Scorecard
from zccvoice.store.database import connect, transaction
from zccvoice.store.facts import (
    CallEventSeen,
    ChatWritten,
    ClockStarted,
    Fact,
    GapFound,
    LanguagePinned,
    ParticipantSeen,
    StoredWord,
    StreamClosed,
    StreamOpened,
    TrackClosed,
    UtteranceHeard,
    ZoomTranscribed,
)
from zccvoice.store.measures import put_scorecard
from zccvoice.store.reads import call, utterances
from zccvoice.store.writes import apply

from .calls import BEGAN, ZERO_MS, facts, small_call, stored

OF: dict[str, Any] = {"engagement_id": "e1", "stream_id": "s1"}


def heard(start_ms: int, text: str | None = "yes", **changes: object) -> UtteranceHeard:
    """An utterance at an epoch millisecond."""
    said = UtteranceHeard(
        **OF,
        channel_id="c1",
        start_timestamp_ms=start_ms,
        end_timestamp_ms=start_ms + 500,
        loudness_dbfs=-20.0,
        clipped_ratio=0.0,
        text=text,
    )
    return replace(said, **changes)  # type: ignore[arg-type]


def rows(connection: Connection, query: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.execute(text(query))]


def test_rows_of_a_small_call(connection: Connection) -> None:
    apply(connection, small_call())
    assert rows(
        connection,
        "SELECT product, account_id, queue_id, queue_name, clock_zero_ms, started_at, ended_at, language, "
        "language_source FROM zccvoice.engagement",
    ) == [
        ("zcc_voice", "acc", "q", "Sales", ZERO_MS, BEGAN, BEGAN + timedelta(seconds=14), "en", "configured")
    ]
    assert rows(
        connection, "SELECT started_at, first_packet_ms, ended_at, end_reason, detail FROM zccvoice.stream"
    ) == [(BEGAN, 0, BEGAN + timedelta(seconds=14), "call_ended", "told by webhook")]
    assert rows(
        connection, "SELECT channel_id, side, user_id, display_name FROM zccvoice.participant ORDER BY 1"
    ) == [("c1", "customer", None, None), ("c2", "agent", "u7", "Ada")]
    assert rows(
        connection,
        "SELECT channel_id, start_ms, end_ms, text, verdict FROM zccvoice.utterance ORDER BY start_ms",
    ) == [
        ("c2", 1_000, 2_000, "Hello, there.", "kept"),
        ("c1", 3_000, 3_500, "Thanks for watching!", "refused: known hallucination"),
        ("c1", 4_000, 4_100, None, "empty"),
    ]
    assert rows(
        connection,
        "SELECT word_texts, word_start_ms, word_end_ms FROM zccvoice.utterance WHERE start_ms = 1000",
    ) == [(["Hello,", "there."], [100, 450], [400, 900])]
    assert rows(connection, "SELECT start_ms, end_ms, cause FROM zccvoice.gap") == [
        (9_000, 9_400, "lost_packets")
    ]
    assert rows(
        connection,
        "SELECT start_ms, end_ms, packets_count, lost_packets_count, duplicate_packets_count, "
        "reordered_packets_count, noise_dbfs FROM zccvoice.track",
    ) == [(0, 12_000, 116, 4, 2, 1, -62.5)]
    assert rows(connection, "SELECT name, at_ms, channel_id, side FROM reporting.event ORDER BY at_ms") == [
        ("consumer_answered", -500, None, None),
        ("user_hold", 5_000, "c2", "agent"),
        ("user_unhold", 9_000, "c2", "agent"),
    ]


def test_texts_of_zoom(connection: Connection) -> None:
    apply(connection, small_call())
    read = "SELECT side, speaker_name, start_ms, end_ms, language, text FROM reporting.zoom_transcript"
    assert rows(connection, read) == [("agent", "Ada", 1_010, None, "en", "Hello there")]
    start_ms, end_ms = ZERO_MS + 1_010, ZERO_MS + 1_900
    apply(connection, [ZoomTranscribed("e1", "s1", "c2", start_ms, end_ms, "Hello, there")])
    assert rows(connection, read) == [("agent", "Ada", 1_010, 1_900, None, "Hello, there")]
    read = "SELECT sender_name, text FROM reporting.chat_message"
    assert rows(connection, read) == [("Ada", "Hi")]
    apply(connection, [ChatWritten(**OF, message_id="m1", timestamp_ms=ZERO_MS + 2_000, text=None)])
    assert rows(connection, read) == [("Ada", None)], "deleted, and by whom it was"


def test_nothing_to_write(connection: Connection) -> None:
    apply(connection, [])


@pytest.mark.parametrize("fact", small_call(), ids=lambda fact: type(fact).__name__)
def test_any_fact_may_come_first_and_alone(connection: Connection, fact: Fact) -> None:
    apply(connection, [fact])
    assert rows(connection, "SELECT stream_id, engagement_id FROM zccvoice.stream") == [("s1", "e1")]


def test_without_a_clock_the_first_thing_heard_is_zero(connection: Connection) -> None:
    apply(connection, [heard(ZERO_MS + 700), heard(ZERO_MS + 200)])
    apply(connection, [ClockStarted(**OF, timestamp_ms=ZERO_MS)])
    assert rows(connection, "SELECT start_ms FROM zccvoice.utterance ORDER BY 1") == [(0,), (500,)]
    assert rows(connection, "SELECT clock_zero_ms FROM zccvoice.engagement") == [(ZERO_MS + 200,)]


def test_the_clock_of_the_first_stream_rules(connection: Connection) -> None:
    second = {"engagement_id": "e1", "stream_id": "s2"}
    apply(connection, [ClockStarted(**OF, timestamp_ms=ZERO_MS), heard(ZERO_MS + 100)])
    apply(connection, [ClockStarted(**second, timestamp_ms=ZERO_MS + 60_000)])
    apply(connection, [heard(ZERO_MS + 61_000, stream_id="s2")])
    assert rows(connection, "SELECT stream_id, first_packet_ms FROM zccvoice.stream ORDER BY 1") == [
        ("s1", 0),
        ("s2", 60_000),
    ]
    assert rows(connection, "SELECT start_ms FROM zccvoice.utterance ORDER BY 1") == [(100,), (61_000,)]


def test_what_is_learned_of_a_participant_adds_up(connection: Connection) -> None:
    apply(connection, [ParticipantSeen(**OF, channel_id="c1", side=Side.AGENT, display_name="Ada")])
    apply(
        connection,
        [ParticipantSeen(**OF, channel_id="c1", user_id="u", display_name="Ada L.", queue_name="Q")],
    )
    assert rows(connection, "SELECT side, user_id, display_name, queue_name FROM zccvoice.participant") == [
        ("agent", "u", "Ada L.", "Q")
    ]
    assert rows(connection, "SELECT queue_name FROM zccvoice.engagement") == [("Q",)]


def test_an_engagement_lasts_from_its_first_to_its_last_stream(connection: Connection) -> None:
    later: dict[str, Any] = {"engagement_id": "e1", "stream_id": "s2"}
    minute = timedelta(minutes=1)
    apply(connection, [StreamOpened(**later, product="zcc_voice", started_at=BEGAN + minute)])
    apply(connection, [StreamClosed(**later, ended_at=BEGAN + 3 * minute, end_reason="call_ended")])
    apply(connection, [StreamOpened(**OF, product="other", started_at=BEGAN)])
    apply(connection, [StreamClosed(**OF, ended_at=BEGAN + 2 * minute, end_reason="transfer")])
    assert rows(connection, "SELECT product, started_at, ended_at FROM zccvoice.engagement") == [
        ("zcc_voice", BEGAN, BEGAN + 3 * minute)
    ]


def test_a_stream_that_is_taken_up_again_has_no_end(connection: Connection) -> None:
    """Its engagement has that of its other streams, if any."""
    opened = StreamOpened("e1", "s1", "zcc_voice", BEGAN)
    resumed = replace(opened, resumed_at=BEGAN + timedelta(seconds=70))
    ended = StreamClosed("e1", "s1", BEGAN + timedelta(seconds=60), "shutdown", "stopped by us")
    later = StreamClosed("e1", "s1", BEGAN + timedelta(seconds=90), "call_ended")
    other = StreamClosed("e1", "s2", BEGAN + timedelta(seconds=30), "call_ended")

    def ends() -> list[tuple[object, ...]]:
        query = "SELECT ended_at, end_reason, detail FROM zccvoice.stream WHERE stream_id = 's1'"
        return rows(connection, query) + rows(connection, "SELECT ended_at FROM zccvoice.engagement")

    apply(connection, [opened, ended])
    assert ends() == [(ended.ended_at, "shutdown", "stopped by us"), (ended.ended_at,)]
    apply(connection, [resumed])
    assert ends() == [(None, None, None), (None,)]
    apply(connection, [other, opened, ended, resumed])
    assert ends() == [(None, None, None), (other.ended_at,)]
    apply(connection, [opened, ended, resumed, later])
    assert ends() == [(later.ended_at, "call_ended", ""), (later.ended_at,)]


def test_a_better_transcript_replaces_the_old_one(connection: Connection) -> None:
    words = (StoredWord("yes", 0, 10, 0.5), StoredWord("sir", 20, 30, float("nan")))
    apply(connection, [heard(ZERO_MS, "yes sir", words=words), heard(ZERO_MS, "yes", words=words[:1])])
    (row,) = utterances(connection, "e1")
    assert (row.text, row.words) == ("yes", words[:1])
    unrated = (StoredWord("yes", 0, 10, None), StoredWord("sir", 20, 30, None))
    apply(connection, [heard(ZERO_MS, "yes sir", words=unrated)])
    (row,) = utterances(connection, "e1")
    assert (row.text, row.words) == ("yes sir", unrated)
    apply(connection, [heard(ZERO_MS, None, verdict="failed: out of memory")])
    (row,) = utterances(connection, "e1")
    assert (row.text, row.words, row.verdict) == (None, (), "failed: out of memory")


def test_the_last_count_and_the_last_length_stay(connection: Connection) -> None:
    first = (*small_call()[-3:-1],)
    apply(connection, first)
    gap, track = first
    assert isinstance(gap, GapFound)
    assert isinstance(track, TrackClosed)
    longer = replace(gap, end_timestamp_ms=gap.end_timestamp_ms + 100, cause="connection_lost")
    apply(connection, [longer, replace(track, packets=200, lost_packets=0)])
    assert rows(connection, "SELECT end_ms, cause FROM zccvoice.gap") == [(9_500, "connection_lost")]
    assert rows(connection, "SELECT packets_count, lost_packets_count FROM zccvoice.track") == [(200, 0)]


def test_values_that_postgres_cannot_hold(connection: Connection) -> None:
    apply(
        connection,
        [
            heard(ZERO_MS, "nul\0 and half \ud800", loudness_dbfs=float("-inf"), confidence=float("nan")),
            CallEventSeen(**OF, name="late", timestamp_ms=2**63),
            CallEventSeen(**OF, name="early", timestamp_ms=-1),
            GapFound(
                **OF,
                channel_id="c1",
                start_timestamp_ms=ZERO_MS,
                end_timestamp_ms=2**70,
                cause="lost_packets",
            ),
            ParticipantSeen("e\0", "s\0", "c\0", display_name="x"),
        ],
    )
    (row,) = utterances(connection, "e1")
    assert (row.text, row.loudness_dbfs, row.confidence) == ("nul\ufffd and half ?", None, None)
    assert rows(connection, "SELECT extract(year FROM occurred_at) FROM zccvoice.call_event ORDER BY 1") == [
        (1970,),
        (9999,),
    ]


def test_a_number_that_is_next_to_nothing_costs_no_utterance(connection: Connection) -> None:
    words = tuple(StoredWord("so", 0, 5, probability) for probability in (0.5, 1e-60, 1e-320))
    quiet = heard(ZERO_MS, "so so so", words=words, loudness_by_second=(-20.0, -1e-60))
    apply(connection, [quiet])
    query = "SELECT word_probability, loudness_by_second FROM zccvoice.utterance"
    assert rows(connection, query) == [([0.5, 0.0, 0.0], [-20.0, 0.0])]


def card(**changes: object) -> Scorecard:
    """A scorecard without measures, but for those given."""
    values: dict[str, object] = {}
    for field in fields(Scorecard):
        values[field.name] = None if "None" in str(field.type) else False if field.type == "bool" else 0
    return Scorecard(**(values | changes))  # type: ignore[arg-type]


def test_the_last_scorecard_stays(connection: Connection) -> None:
    put_scorecard(connection, "new", card(duration_ms=1, verdict="sparse"))
    put_scorecard(
        connection, "new", card(duration_ms=2, talk_ratio_agent=0.25, loudness_agent_dbfs=float("-inf"))
    )
    row = call(connection, "new")
    assert row is not None
    assert row.scorecard == card(duration_ms=2, talk_ratio_agent=0.25)
    assert row.computed_at is not None


def _said(engine: Engine, *batches: list[Fact]) -> dict[str, list[tuple[object, ...]]]:
    """What is stored after these batches, in a transaction that is rolled back."""
    with engine.connect() as connection:
        for batch in batches:
            apply(connection, batch)
        return stored(connection, "e1", "e2")


@settings(max_examples=25, deadline=None)
@given(told=facts(), data=st.data())
def test_twice_or_in_pieces_is_once(shared_engine: Engine, told: list[Fact], data: st.DataObject) -> None:
    once = _said(shared_engine, told)
    cut = data.draw(st.integers(0, len(told)))
    assert _said(shared_engine, told, told) == once
    assert _said(shared_engine, told[:cut], told[cut:]) == once
    assert _said(shared_engine, told[:cut], told) == once
    assert _said(shared_engine, told, told[cut:]) == once


@settings(max_examples=15, deadline=None)
@given(told=facts())
def test_one_by_one_is_at_once(shared_engine: Engine, told: list[Fact]) -> None:
    assert _said(shared_engine, *([fact] for fact in told)) == _said(shared_engine, told)


def test_writers_that_go_through_the_calls_crosswise_wait_for_one_another(database_url: str) -> None:
    engine = connect(database_url)
    pinned = [LanguagePinned(f"e{number}", f"s{number}", "de", "detected") for number in range(8)]
    with transaction(engine) as connection:
        apply(connection, [replace(fact, language="en") for fact in pinned])
    problems: list[BaseException] = []

    def write(facts_in_order: list[LanguagePinned]) -> None:
        try:
            with transaction(engine) as connection:
                apply(connection, facts_in_order)
        except BaseException as error:
            problems.append(error)

    # Both are stopped half-way, holding what they have written so far. Unsorted, neither could go on after that.
    writers = [threading.Thread(target=write, args=[order]) for order in (pinned, pinned[::-1])]
    with engine.connect() as connection:
        connection.execute(text("SELECT 1 FROM zccvoice.engagement WHERE engagement_id = 'e4' FOR UPDATE"))
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        for number, writer in enumerate(writers, 1):
            writer.start()
            while connection.scalar(waiting) != number:
                assert writer.is_alive(), problems
                time.sleep(0.01)
                connection.execute(text("SELECT pg_stat_clear_snapshot()"))
        connection.rollback()
    for writer in writers:
        writer.join()
    assert problems == []
    with transaction(engine) as connection:
        assert rows(connection, "SELECT DISTINCT language FROM zccvoice.engagement") == [("de",)]
    engine.dispose()


def test_two_writers_say_what_one_says(database_url: str) -> None:
    calls = {f"e{number}": small_call(f"e{number}", f"s{number}") for number in range(8)}
    told = [fact for facts_at_once in zip(*calls.values(), strict=True) for fact in facts_at_once]
    engine = connect(database_url)
    with engine.connect() as connection:
        apply(connection, told)
        once = stored(connection, *calls)
        connection.rollback()
    ready = threading.Barrier(2)
    problems: list[BaseException] = []

    def write(facts_in_order: list[Fact], size: int) -> None:
        try:
            ready.wait()
            for _ in range(4):
                for first in range(0, len(facts_in_order), size):
                    with transaction(engine) as connection:
                        apply(connection, facts_in_order[first : first + size])
        except BaseException as error:
            problems.append(error)

    other = [fact for facts_at_once in zip(*reversed(calls.values()), strict=True) for fact in facts_at_once]
    writers = [threading.Thread(target=write, args=arguments) for arguments in ((told, 16), (other, 24))]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert problems == []
    with transaction(engine) as connection:
        assert stored(connection, *calls) == once
    engine.dispose()
