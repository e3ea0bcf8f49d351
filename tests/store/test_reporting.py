"""The views say what their names promise; sums are sums over calls, and ratios are ratios of sums."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Row, text

from zccvoice.store.measure_tables import side_scorecard_table
from zccvoice.store.schema import REPORTING_SCHEMA

from .supervised_calls import CALLS, MOVED, add_part, put_measures, store_call, store_calls

FIRST_VIEWS = {"call", "utterance", "gap", "event"}
MORE_VIEWS = {"live_call", "agent_day", "queue_hour", "transcript_search", "silence", "interruption", "hold"}
LATER_VIEWS = {
    "zoom_transcript",
    "chat_message",
    "track",
    "one_way_audio",
    "refused_utterance",
    "language_pin",
    "agent_part",
}
REPORT_VIEWS = {"agent_call", "recognition", "call_recognition", "metric_target"}
MEASURE_VIEWS = {"speech", "loudness", "side", "category", "metric_definition", "schema_change"}
RULE_VIEWS = {"rule_revision"}


def one(connection: Connection, query: str) -> Row[Any]:
    return connection.execute(text(query)).one()


def test_the_names_of_the_views(connection: Connection) -> None:
    names = connection.execute(
        text("SELECT viewname FROM pg_views WHERE schemaname = :schema"), {"schema": REPORTING_SCHEMA}
    ).scalars()
    assert set(names) == FIRST_VIEWS | MORE_VIEWS | LATER_VIEWS | MEASURE_VIEWS | REPORT_VIEWS | RULE_VIEWS


def test_rows_about_a_call(connection: Connection) -> None:
    store_call(connection, "ann", "ann", MOVED)
    assert tuple(one(connection, "TABLE reporting.silence")) == ("ann", 3000, 7000, 4000)
    assert tuple(one(connection, "TABLE reporting.hold")) == ("ann", 8000, 9000, 1000)
    assert tuple(one(connection, "TABLE reporting.interruption")) == ("ann", 1200, "agent", 600)
    assert tuple(one(connection, "TABLE reporting.speech")) == ("ann", "c2", "agent", 1000, 2500, 1500, 3)
    hit = one(connection, "SELECT rule, revision, side, start_ms, started_at, why FROM reporting.category")
    assert tuple(hit) == ("refund", 1, "agent", 1000, MOVED + timedelta(seconds=1), "")
    said = one(connection, "SELECT source, loudness_score, speaker_name, text FROM reporting.utterance")
    assert tuple(said) == ("zccvoice", 50.0, "Ann", "We refunded ann")


@pytest.mark.parametrize(("level_dbfs", "score"), [(None, None), (-90, 0), (-60, 0), (-45, 25), (3, 100)])
def test_a_level_that_nobody_knows_has_no_score(
    connection: Connection, level_dbfs: float | None, score: float | None
) -> None:
    store_call(connection, "ann", "ann", MOVED)
    connection.execute(text("UPDATE zccvoice.utterance SET loudness_dbfs = :level"), {"level": level_dbfs})
    assert one(connection, "SELECT loudness_score FROM reporting.utterance").loudness_score == score


def test_the_side_view_has_every_measure_of_a_side(connection: Connection) -> None:
    columns = connection.execute(text("SELECT * FROM reporting.side")).keys()
    assert list(columns) == [column.name for column in side_scorecard_table.columns]


def test_a_running_call(connection: Connection) -> None:
    store_call(connection, "ann", "ann", MOVED)
    live = one(connection, "SELECT queue_name, agent_name, elapsed_ms, age_ms FROM reporting.live_call")
    assert tuple(live)[:3] == ("Queue", "Ann", 1)
    assert 2_000 <= live.age_ms < 60_000


def test_loudness_is_one_row_per_second(connection: Connection) -> None:
    store_call(connection, "ann", "ann", MOVED)
    connection.execute(text("UPDATE zccvoice.utterance SET loudness_by_second = '{-60,-30,0,3,-90}'"))
    query = text("SELECT at_ms, side, loudness_score FROM reporting.loudness ORDER BY at_ms")
    assert [tuple(row) for row in connection.execute(query)] == [
        (1000, "agent", 0.0),
        (2000, "agent", 50.0),
        (3000, "agent", 100.0),
        (4000, "agent", 100.0),
        (5000, "agent", 0.0),
    ]


measured = st.fixed_dictionaries(
    {
        "duration_ms": st.integers(1, 10_000),
        "talk_time_total_ms": st.integers(1, 9_000),
        "talk_time_agent_ms": st.none() | st.integers(0, 9_000),
        "words_agent_count": st.none() | st.integers(0, 30),
        "talk_speed_agent_wpm": st.none() | st.floats(1, 300),
        "hold_time_ms": st.integers(0, 99),
    }
)


@pytest.fixture
def four_calls(connection: Connection) -> Connection:
    """Four calls of one agent and one queue, none of them measured."""
    for number in range(4):
        store_call(connection, f"call{number}", "ann", MOVED)
    connection.execute(text("UPDATE zccvoice.engagement SET queue_id = 'q'"))
    connection.execute(text("DELETE FROM zccvoice.scorecard"))
    return connection


@given(measures=st.lists(measured, min_size=1, max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_ratios_are_those_of_all_calls_together(
    four_calls: Connection, measures: list[dict[str, Any]]
) -> None:
    with four_calls.begin_nested() as savepoint:
        for number, measure in enumerate(measures):
            put_measures(four_calls, f"call{number}", **measure)
        rows = [one(four_calls, f"SELECT * FROM reporting.{view}") for view in ("agent_day", "queue_hour")]
        savepoint.rollback()
    known = [each for each in measures if each["talk_time_agent_ms"] is not None]
    talk = sum(each["talk_time_agent_ms"] or 0 for each in known)
    spoken = [(each["words_agent_count"] or 0, each["talk_speed_agent_wpm"]) for each in measures]
    words = sum(count for count, speed in spoken if speed)
    minutes = sum(count / speed for count, speed in spoken if speed)
    for row in rows:
        assert (row.calls_count, row.measured_calls_count) == (4, len(measures))
        assert row.hold_time_ms == sum(each["hold_time_ms"] or 0 for each in measures)
        assert row.talk_time_agent_ms == (talk if known else None)
        for name, by in (("talk_share_agent", "talk_time_total_ms"), ("talk_ratio_agent", "duration_ms")):
            whole = sum(each[by] or 0 for each in known)
            assert getattr(row, name) == (pytest.approx(talk / whole) if known else None)
        assert row.talk_speed_agent_wpm == (pytest.approx(words / minutes) if words else None)


def test_a_call_without_measures_counts_as_a_call(connection: Connection) -> None:
    store_call(connection, "ann", "ann", MOVED)
    connection.execute(text("DELETE FROM zccvoice.scorecard"))
    for view in ("agent_day", "queue_hour"):
        row = one(connection, f"SELECT * FROM reporting.{view}")
        assert (row.calls_count, row.measured_calls_count, row.duration_ms) == (1, 0, None)


def test_what_two_agents_share_counts_for_each_by_his_part(connection: Connection) -> None:
    store_call(connection, "shared", "ann", MOVED)
    store_call(connection, "alone", "ann", MOVED)
    connection.execute(text("INSERT INTO zccvoice.agent VALUES ('sam', 'Sam')"))
    for channel_id, user_id in (("c3", "sam"), ("c4", "ann")):
        connection.execute(
            text(
                "INSERT INTO zccvoice.participant (engagement_id, channel_id, side, user_id) "
                "VALUES ('shared', :channel_id, 'agent', :user_id)"
            ),
            {"channel_id": channel_id, "user_id": user_id},
        )
    query = (
        "SELECT calls_count, shared_calls_count, talk_time_agent_ms FROM reporting.agent_day WHERE user_id = "
    )
    assert tuple(one(connection, query + "'ann'")) == (2, 1, 1500)
    assert tuple(one(connection, query + "'sam'")) == (1, 1, None), "nobody knows their parts"
    for channel_id, start_ms, talk_ms in (("c2", 0, 400), ("c3", 5_000, 300), ("c4", 9_000, 500)):
        add_part(connection, "shared", channel_id, start_ms=start_ms, talk_time_ms=talk_ms)
    assert tuple(one(connection, query + "'ann'")) == (2, 1, 2400), "alone, and her two parts"
    assert tuple(one(connection, query + "'sam'")) == (1, 1, 300)


def test_days_and_hours_are_utc(connection: Connection) -> None:
    connection.execute(text("SET LOCAL timezone = 'Asia/Kolkata'"))
    store_call(connection, "late", "ann", datetime(2026, 11, 20, 23, 59, tzinfo=UTC))
    assert one(connection, "SELECT day FROM reporting.agent_day").day == date(2026, 11, 20)
    hour = one(connection, "SELECT hour FROM reporting.queue_hour").hour
    assert hour == datetime(2026, 11, 20, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "said", "query"),
    [
        ("en", "I was refunded twice", "refunds"),
        ("de", "Die Rechnungen stimmen", "Rechnung"),
        ("es", "Quiero cancelar mis pedidos", "pedido"),
        ("fr", "Mes commandes sont perdues", "commande"),
        ("it", "Le fatture sono sbagliate", "fattura"),
        ("pt", "Os pedidos chegaram", "pedido"),
        ("nl", "De rekeningen kloppen", "rekening"),
        ("xx", "Word as it is", "word"),
        (None, "Word as it is", "word"),
    ],
)
def test_search_knows_the_forms_of_words(
    connection: Connection, language: str | None, said: str, query: str
) -> None:
    store_call(connection, "ann", "ann", MOVED)
    connection.execute(
        text("UPDATE zccvoice.utterance SET text = :said, language = :language"),
        {"said": said, "language": language},
    )
    assert search(connection, query) == ["ann"]
    assert search(connection, query, language=language) == ["ann"]
    assert search(connection, query, language="da") == []
    assert search(connection, "elsewhere") == []


def search(connection: Connection, query: str, **more: object) -> list[str]:
    named = "".join(f", {name} => :{name}" for name in more)
    found = connection.execute(
        text(f"SELECT * FROM reporting.search(:query{named})"), {"query": query, **more}
    )
    return [row.engagement_id for row in found]


def test_search_keeps_to_days_and_count_and_begins_with_the_newest(connection: Connection) -> None:
    for days in range(3):
        store_call(connection, f"day{days}", "ann", MOVED + timedelta(days=days))
    day = MOVED.date()
    assert search(connection, "refund") == ["day2", "day1", "day0"]
    assert search(connection, "refund", most=2) == ["day2", "day1"]
    assert search(connection, "refund", since=day + timedelta(days=1)) == ["day2", "day1"]
    assert search(connection, "refund", until=day + timedelta(days=1)) == ["day0"]


@pytest.mark.parametrize(
    ("query", "is_found"),
    [('"we refunded"', True), ('"refunded we"', False), ("refunded -we", False), ("x or refunded", True)],
)
def test_search_takes_phrases_and_exclusions(connection: Connection, query: str, is_found: bool) -> None:
    store_call(connection, "ann", "ann", MOVED)
    connection.execute(text("UPDATE zccvoice.utterance SET language = 'xx'"))  # "we" is a word there
    assert search(connection, query) == (["ann"] if is_found else [])


def test_refused_text_is_not_found(connection: Connection) -> None:
    store_call(connection, "ann", "ann", MOVED)
    connection.execute(text("UPDATE zccvoice.utterance SET verdict = 'refused: known hallucination'"))
    assert search(connection, "refund") == []
    assert connection.scalar(text("SELECT count(*) FROM reporting.transcript_search")) == 0


def test_the_search_view_compares_with_the_words_of_its_language(connection: Connection) -> None:
    store_calls(connection)
    query = text(
        "SELECT count(*) FROM reporting.transcript_search WHERE search @@ to_tsquery('english', 'refunds')"
    )
    assert connection.scalar(query) == len(CALLS)
