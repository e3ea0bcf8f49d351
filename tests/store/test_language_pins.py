"""Decisions on languages, and what was not believed: in the database, and for whoever reads reports."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, text

from zccvoice.store.facts import (
    CallEventSeen,
    LanguagePinned,
    OneWayFound,
    StreamRestated,
    StreamRevoked,
    UtteranceHeard,
)
from zccvoice.store.reads import call, call_record
from zccvoice.store.writes import apply

from .calls import BEGAN, ZERO_MS, small_call

FIRST = LanguagePinned("e1", "s1", "de", "detected", 0.75)
SECOND = LanguagePinned("e1", "s1", "es", "detected", 0.5, None, 1, "c1", ZERO_MS + 4_000)
EVENT = CallEventSeen("e1", "s1", "language_repinned", ZERO_MS + 4_000, None, "de to es, confidence 0.50")


def rows(connection: Connection, query: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.execute(text(query))]


def test_every_decision_is_kept_and_the_last_one_is_that_of_the_call(connection: Connection) -> None:
    for _ in range(2):
        apply(connection, [*small_call(), FIRST, SECOND, EVENT])
    assert rows(
        connection,
        "SELECT channel_id, number, language, source, confidence, since_ms FROM reporting.language_pin ORDER BY 2",
    ) == [(None, 0, "de", "detected", 0.75, None), (None, 1, "es", "detected", 0.5, 4_000)]
    stored = call(connection, "e1")
    assert stored is not None
    assert (stored.language, stored.language_source) == ("es", "detected")
    assert rows(connection, "SELECT at_ms, detail FROM reporting.event WHERE name = 'language_repinned'") == [
        (4_000, "de to es, confidence 0.50")
    ]


def test_the_language_of_one_side_may_not_be_that_of_the_call(connection: Connection) -> None:
    side = replace(FIRST, channel_id="c2")
    apply(connection, [*small_call(), side, replace(SECOND, channel_id="c1", number=0, is_of_call=False)])
    assert rows(
        connection,
        "SELECT channel_id, side, language FROM reporting.language_pin WHERE channel_id <> '' ORDER BY 1",
    ) == [("c1", "customer", "es"), ("c2", "agent", "de")]
    stored = call(connection, "e1")
    assert stored is not None
    assert stored.language == "de"


def test_pins_go_with_their_stream(connection: Connection) -> None:
    apply(connection, [*small_call(), FIRST])
    apply(connection, [StreamRevoked("e1", "s1", BEGAN)])
    assert rows(connection, "SELECT language FROM zccvoice.language_pin") == []


def test_what_a_replay_pins_otherwise_takes_the_place_of_earlier_pins(connection: Connection) -> None:
    one_way = OneWayFound("e1", "s1", "c1", ZERO_MS, ZERO_MS + 70_000)
    apply(connection, [*small_call(), FIRST, SECOND, EVENT, one_way])
    pins = "SELECT number, language FROM zccvoice.language_pin ORDER BY 1"
    stretches = "SELECT start_ms FROM zccvoice.one_way_audio"
    events = "SELECT occurred_at FROM zccvoice.call_event WHERE name = 'language_repinned'"
    before = [rows(connection, query) for query in (pins, stretches, events)]
    of_old = StreamRestated("e1", "s1", (), ())
    apply(connection, [of_old])
    assert [rows(connection, query) for query in (pins, stretches, events)] == before, "of an earlier version"
    apply(connection, [replace(of_old, pins=(("", 0), ("", 1)), one_way=(("c1", ZERO_MS),))])
    assert [rows(connection, query) for query in (pins, stretches, events)] == before, "stated again"
    later = replace(SECOND, since_timestamp_ms=ZERO_MS + 6_500)
    apply(connection, [later, replace(EVENT, timestamp_ms=ZERO_MS + 6_500)])
    apply(connection, [replace(of_old, pins=(("", 0), ("", 1)))])
    assert len(rows(connection, events)) == 1
    assert rows(connection, events) != before[2]
    apply(connection, [replace(FIRST, language="es"), replace(of_old, pins=(("", 0),), one_way=())])
    assert [rows(connection, query) for query in (pins, stretches, events)] == [[(0, "es")], [], []]


def test_what_was_refused_is_kept_apart_and_never_counted(connection: Connection) -> None:
    refused = UtteranceHeard(
        "e1",
        "s1",
        "c1",
        ZERO_MS + 20_000,
        ZERO_MS + 21_000,
        -40.0,
        0.0,
        text=None,
        language="en",
        confidence=0.2,
        model="demo",
        verdict="refused: likely invention",
        refused_text="Thanks for watching!",
    )
    apply(connection, [*small_call(), refused])
    assert rows(
        connection,
        "SELECT side, start_ms, reason, refused_text FROM reporting.refused_utterance WHERE start_ms = 20000",
    ) == [("customer", 20_000, "likely invention", "Thanks for watching!")]
    (stored,) = [one for one in call_record(connection, "e1").utterances if one.start_ms == 20_000]
    assert stored.text is None
    assert rows(connection, "SELECT text FROM reporting.utterance WHERE start_ms = 20000") == [(None,)]
    assert rows(
        connection, "SELECT count(*) FROM reporting.transcript_search WHERE text LIKE '%watching%'"
    ) == [(0,)]


def test_a_second_attempt_that_is_believed_replaces_what_was_refused(connection: Connection) -> None:
    said = UtteranceHeard("e1", "s1", "c1", ZERO_MS + 20_000, ZERO_MS + 21_000, -40.0, 0.0, text="Hola.")
    refused = replace(said, text=None, verdict="refused: guessed", refused_text="Oh, la.")
    apply(connection, [*small_call(), refused])
    apply(connection, [said])
    assert rows(
        connection, "SELECT text, refused_text, verdict FROM zccvoice.utterance WHERE start_ms = 20000"
    ) == [("Hola.", None, "kept")]
