"""What became of utterances, how late they were stored, and why something is missing."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from zccvoice.store import quality
from zccvoice.store.measures import remeasure
from zccvoice.store.quality import Reason
from zccvoice.store.reads import call_record
from zccvoice.store.summaries import Scope

from .supervised_calls import CALLS, MOVED, store_calls

DAY = Scope(MOVED - timedelta(hours=12), MOVED + timedelta(hours=12))


@pytest.fixture
def heard(connection: Connection) -> Connection:
    """Six calls of one utterance that ends at 2.5 s, each with a fate of its own."""
    store_calls(connection)
    connection.execute(text("DELETE FROM zccvoice.utterance WHERE verdict = 'refused: guessed'"))
    fates = {
        "ann": "verdict = 'refused: too fast: 9 words'",
        "nia": "verdict = 'failed: RecognizerError'",
        "sam": "verdict = 'empty', text = NULL",
        "mia-before": "text = NULL",
    }
    for name, fate in fates.items():
        connection.execute(text(f"UPDATE zccvoice.utterance SET {fate} WHERE engagement_id = '{name}'"))
    connection.execute(
        text("""
        UPDATE zccvoice.utterance u SET stored_at = e.started_at + interval '4 s'
        FROM zccvoice.engagement e WHERE e.engagement_id = u.engagement_id
        """)
    )
    connection.execute(
        text("UPDATE zccvoice.participant SET side = NULL WHERE engagement_id = 'sam' AND channel_id = 'c2'")
    )
    return connection


def test_what_became_of_utterances(heard: Connection) -> None:
    whole, parts = quality.recognition(heard, DAY, [DAY.since, MOVED, MOVED + timedelta(hours=2)])
    first, second, third = parts
    assert whole is not None
    assert (whole.utterances_count, whole.waiting_count, whole.lag_ms_p50) == (6, 1, 1_500)
    assert first is not None
    assert second is not None
    assert third is None
    assert (first.utterances_count, first.waiting_count, first.kept_count) == (1, 1, 0)
    assert (second.utterances_count, second.refused_count, second.failed_count) == (5, 1, 1)
    assert (second.kept_count, second.empty_count, second.unassigned_count) == (2, 1, 1)
    assert (second.lag_ms_p50, second.lag_ms_p95) == (1_500, 1_500)


def test_it_is_counted_once_a_call_is_measured(heard: Connection) -> None:
    def counted() -> tuple[object, ...]:
        edges = [DAY.since, MOVED, MOVED + timedelta(hours=2)]
        return quality.recognition(heard, DAY, edges), quality.rejections(heard, DAY)

    def measure(name: str) -> bool:
        return remeasure(heard, call_record(heard, name))

    before = counted()
    for name in CALLS:
        assert measure(name)
        assert not measure(name), "nothing has changed"
    assert counted() == before
    heard.execute(text("DELETE FROM zccvoice.utterance"))
    assert counted() == before, "which outlasts the transcripts"
    assert measure("ann")
    assert counted() != before


def test_a_call_that_was_played_faster_than_real_has_no_lag(heard: Connection) -> None:
    heard.execute(text("UPDATE zccvoice.utterance SET stored_at = stored_at - interval '2 s'"))
    heard.execute(text("UPDATE zccvoice.utterance SET stored_at = now() WHERE engagement_id = 'ann'"))
    _, (first, second) = quality.recognition(heard, DAY, [DAY.since, MOVED])
    assert first is not None
    assert second is not None
    assert (first.utterances_count, first.lag_ms_p50, first.lag_ms_p95) == (1, None, None)
    assert second.lag_ms_p50 == second.lag_ms_p95
    assert second.lag_ms_p50 is not None
    query = text("SELECT count(*), count(lag_ms), bool_and(lag_ms >= 0) FROM reporting.recognition")
    assert tuple(heard.execute(query).one()) == (6, 1, True)


@given(st.lists(st.integers(0, 9_000) | st.integers(10_000, 9_000_000), min_size=1, max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_lags_are_told_as_precisely_as_anybody_reads_them(heard: Connection, lags_ms: list[int]) -> None:
    with heard.begin_nested() as savepoint:
        heard.execute(
            text("INSERT INTO zccvoice.call_recognition VALUES ('ann', 1, 1, 0, 0, 0, 0, 0, :lags_ms, '[]')"),
            {"lags_ms": lags_ms},
        )
        whole, _ = quality.recognition(heard, Scope(DAY.since, DAY.until, queue="q-ann"), [DAY.since])
        savepoint.rollback()
    assert whole is not None
    for told, share in ((whole.lag_ms_p50, 0.5), (whole.lag_ms_p95, 0.95)):
        exact = sorted(lags_ms)[math.ceil(share * len(lags_ms)) - 1]
        assert told == pytest.approx(exact, abs=10 if exact < 10_000 else 500)


def test_only_the_scope(heard: Connection) -> None:
    found, _ = quality.recognition(heard, Scope(DAY.since, DAY.until, queue="q-ann"), [DAY.since])
    assert found is not None
    assert found.utterances_count == 1
    none, (no_part,) = quality.recognition(
        heard, Scope(DAY.until, DAY.until + timedelta(days=1)), [DAY.until]
    )
    assert none is no_part is None


def test_why_text_does_not_count(heard: Connection) -> None:
    assert quality.rejections(heard, DAY) == [
        Reason("failed", "RecognizerError", 1, 1, 1_500),
        Reason("refused", "too fast: 9 words", 1, 1, 1_500),
    ]


def test_why_audio_is_missing(heard: Connection) -> None:
    heard.execute(
        text("UPDATE zccvoice.gap SET cause = 'daemon_down', end_ms = 500 WHERE engagement_id = 'ann'")
    )
    assert quality.gap_causes(heard, DAY) == [
        Reason("gap", "daemon_down", 1, 1, 500),
        Reason("gap", "lost_packets", 5, 5, 50),
    ]


def test_how_calls_ended(heard: Connection) -> None:
    heard.execute(text("UPDATE zccvoice.stream SET end_reason = NULL WHERE engagement_id = 'ann'"))
    heard.execute(text("UPDATE zccvoice.scorecard SET duration_ms = 10"))
    assert quality.ends(heard, DAY) == [
        Reason("end", "call_ended", 5, 5, 50),
        Reason("end", "", 1, 1, 10),
    ]
