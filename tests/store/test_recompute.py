"""Stored calls, measured again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection, select, text

from zccvoice.analytics.thresholds import DEFAULTS, Thresholds
from zccvoice.store.facts import UtteranceHeard
from zccvoice.store.measure_tables import AgentPart, MetricThresholds, scorecard_table
from zccvoice.store.measures import put_measures
from zccvoice.store.reads import call_record, everything
from zccvoice.store.recompute import Outcome, recompute, stored_calls
from zccvoice.store.tables import Utterance
from zccvoice.store.writes import apply

from .calls import BEGAN, small_call

STRICTER = Thresholds(silence_above_ms=100)


def stored(connection: Connection) -> dict[str, object]:
    computed_at = connection.scalar(select(scorecard_table.c.computed_at))
    return {**everything(connection, "e1"), "computed_at": computed_at}


def test_nothing_is_touched_when_nothing_changed(connection: Connection) -> None:
    apply(connection, small_call())
    put_measures(connection, call_record(connection, "e1"))
    before = stored(connection)
    assert recompute(connection, "e1", DEFAULTS) is Outcome.UNCHANGED
    assert stored(connection) == before


class Cheerful:
    """A scorer that likes everything."""

    def score(self, text: str) -> float:
        return 1.0


def test_what_has_no_sentiment_gets_it_once(connection: Connection) -> None:
    apply(
        connection,
        [replace(one, sentiment=None) if isinstance(one, UtteranceHeard) else one for one in small_call()],
    )
    card = put_measures(connection, call_record(connection, "e1"))
    assert card.sentiment_agent_score is None
    assert recompute(connection, "e1", DEFAULTS, {"de": Cheerful()}) is Outcome.UNCHANGED, "it is English"
    assert recompute(connection, "e1", DEFAULTS, {"en": Cheerful()}) is Outcome.CHANGED
    assert connection.scalar(select(scorecard_table.c.sentiment_agent_score)) == 5
    rated = connection.execute(select(Utterance.verdict, Utterance.sentiment).order_by(Utterance.start_ms))
    assert [tuple(row) for row in rated] == [
        ("kept", 1.0),
        ("refused: known hallucination", None),
        ("empty", None),
    ]
    before = stored(connection)
    assert recompute(connection, "e1", DEFAULTS, {"en": Cheerful()}) is Outcome.UNCHANGED
    assert stored(connection) == before


def test_a_number_of_words_that_nobody_can_count_goes(connection: Connection) -> None:
    chinese = "您好，请问有什么可以帮您。"
    facts = [
        replace(one, text=chinese, words=(), language="zh") if isinstance(one, UtteranceHeard) else one
        for one in small_call()
    ]
    apply(connection, facts)
    put_measures(connection, call_record(connection, "e1"))
    made_up = {"scorecard": "words_agent_count", "side_scorecard": "words_count", "agent_part": "words_count"}
    for table, column in {**made_up, "speech_span": "words_count"}.items():
        connection.execute(text(f"UPDATE zccvoice.{table} SET {column} = 1"))
    assert recompute(connection, "e1", DEFAULTS) is Outcome.CHANGED
    for table, column in made_up.items():
        query = f"SELECT {column} FROM zccvoice.{table}"
        query += " WHERE side = 'agent'" if table == "side_scorecard" else ""
        assert connection.scalars(text(query)).all() == [None], table
    spans = connection.execute(text("SELECT side, words_count FROM zccvoice.speech_span ORDER BY start_ms"))
    assert next(tuple(one) for one in spans) == ("agent", None)
    of_agent = (
        "SELECT words_count FROM reporting.agent_call",
        "SELECT words_agent_count FROM reporting.agent_day",
    )
    assert [connection.scalar(text(query)) for query in of_agent] == [None, None]
    assert recompute(connection, "e1", DEFAULTS) is Outcome.UNCHANGED


def test_a_sentiment_that_is_stored_stays(connection: Connection) -> None:
    apply(connection, small_call())
    put_measures(connection, call_record(connection, "e1"))
    assert recompute(connection, "e1", DEFAULTS, {"en": Cheerful()}) is Outcome.UNCHANGED


def test_other_thresholds_are_another_version(connection: Connection) -> None:
    apply(connection, small_call())
    put_measures(connection, call_record(connection, "e1"))
    assert recompute(connection, "e1", STRICTER) is Outcome.CHANGED
    assert recompute(connection, "e1", STRICTER) is Outcome.UNCHANGED
    assert connection.scalar(select(scorecard_table.c.thresholds_version)) == 2
    assert recompute(connection, "e1", DEFAULTS) is Outcome.CHANGED
    assert connection.scalar(select(scorecard_table.c.thresholds_version)) == 1, "they are known"
    assert len(connection.scalars(select(MetricThresholds.version)).all()) == 2


def test_running_silent_and_unknown_calls_are_left_alone(connection: Connection) -> None:
    apply(connection, small_call()[:-1])
    apply(connection, [small_call("e2", "s2")[0], small_call("e2", "s2")[-1]])
    assert recompute(connection, "e1", DEFAULTS) is Outcome.RUNNING
    assert recompute(connection, "e2", DEFAULTS) is Outcome.SILENT
    assert recompute(connection, "e3", DEFAULTS) is Outcome.GONE
    assert connection.execute(select(scorecard_table)).all() == []


def test_measures_outlive_what_they_were_made_of(connection: Connection) -> None:
    apply(connection, small_call())
    put_measures(connection, call_record(connection, "e1"))
    connection.execute(text("DELETE FROM zccvoice.utterance"))
    before = stored(connection)
    assert recompute(connection, "e1", STRICTER) is Outcome.PRUNED
    assert stored(connection) == before


def test_calls_of_a_time(connection: Connection) -> None:
    apply(connection, small_call())
    assert stored_calls(connection) == ["e1"]
    assert stored_calls(connection, since=BEGAN, until=BEGAN + timedelta(seconds=1)) == ["e1"]
    assert stored_calls(connection, until=BEGAN) == []


def test_an_agent_has_his_part(connection: Connection) -> None:
    apply(connection, small_call())
    card = put_measures(connection, call_record(connection, "e1"))
    assert connection.scalars(select(AgentPart.talk_time_ms)).all() == [card.talk_time_agent_ms]
