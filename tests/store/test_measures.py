"""What is computed of a call becomes rows, and computing it again changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from tests.store.calls import BEGAN, ZERO_MS, small_call, stored
from zccvoice.analytics.live import live_call
from zccvoice.analytics.record import Side
from zccvoice.analytics.scorecard import definitions
from zccvoice.analytics.thresholds import DEFAULTS, thresholds_with
from zccvoice.store import definitions as stored_definitions
from zccvoice.store.definitions import unit_of, write_definitions, write_history
from zccvoice.store.facts import (
    CallEventSeen,
    ClockStarted,
    Fact,
    GapFound,
    LanguagePinned,
    ParticipantSeen,
    StreamClosed,
    StreamOpened,
    StreamRestated,
    StreamRevoked,
    UtteranceHeard,
)
from zccvoice.store.measure_tables import MetricDefinition, MetricThresholds, side_measures
from zccvoice.store.measures import put_live, put_measures
from zccvoice.store.reads import call_record, is_running, thresholds
from zccvoice.store.writes import apply

REVOKED = StreamRevoked("e1", "s1", datetime(2026, 11, 26, tzinfo=UTC))


def rows(connection: Connection, table: str) -> list[dict[str, object]]:
    return [dict(row._mapping) for row in connection.execute(text(f"SELECT * FROM zccvoice.{table}"))]


def test_a_call_with_all_that_comes_of_it(connection: Connection) -> None:
    apply(connection, small_call())
    card = put_measures(connection, call_record(connection, "e1"))
    assert [(one["start_ms"], one["end_ms"]) for one in rows(connection, "hold")] == [(5000, 9000)]
    assert [
        (one["channel_id"], one["side"], one["words_count"]) for one in rows(connection, "speech_span")
    ] == [
        ("c2", "agent", 2),
        ("c1", "customer", None),
        ("c1", "customer", 0),
    ]
    sides = {one["side"]: one for one in rows(connection, "side_scorecard")}
    assert sides["agent"]["talk_time_ms"] == card.talk_time_agent_ms == 1000
    assert sides["customer"]["talk_time_ms"] == card.talk_time_customer_ms == 600
    assert sides["customer"]["talk_share"] is None, "defined for the agent side alone"
    (silence,) = rows(connection, "silence")
    assert silence["end_ms"] - silence["start_ms"] == card.longest_silence_ms  # type: ignore[operator]


def test_a_hold_over_time_without_a_stream_is_one_row(connection: Connection) -> None:
    later: list[Fact] = [
        CallEventSeen("e1", "s1", "user_hold", ZERO_MS + 12_000, "c2"),
        StreamOpened("e1", "s2", "zcc_voice", BEGAN + timedelta(seconds=30)),
        ClockStarted("e1", "s2", ZERO_MS + 30_000),
        CallEventSeen("e1", "s2", "user_unhold", ZERO_MS + 33_000, "c2"),
        StreamClosed("e1", "s2", BEGAN + timedelta(seconds=60), "call_ended", ""),
    ]
    apply(connection, [*small_call(), *later])
    card = put_measures(connection, call_record(connection, "e1"))
    found = connection.execute(
        text("SELECT start_ms, end_ms, length_ms FROM reporting.hold ORDER BY 1")
    ).all()
    assert len(found) == card.hold_count == 2
    assert sum(one.length_ms for one in found) == card.hold_time_ms
    assert (found[1].start_ms, found[1].end_ms) == (12_000, 33_000)
    assert found[1].length_ms == card.hold_time_ms - 4_000 < 20_000
    connection.execute(text("UPDATE zccvoice.hold SET length_ms = NULL"))
    assert connection.scalar(text("SELECT length_ms FROM reporting.hold WHERE start_ms = 5000")) == 4_000


def test_measuring_twice_changes_nothing(connection: Connection) -> None:
    apply(connection, small_call())
    put_measures(connection, call_record(connection, "e1"))
    before = {name: rows(connection, name) for name in ("scorecard", "side_scorecard", "speech_span", "hold")}
    put_measures(connection, call_record(connection, "e1"))
    assert {name: rows(connection, name) for name in before} == before, "not even the moment it was computed"


def test_a_call_that_changed_is_measured_anew(connection: Connection) -> None:
    apply(connection, small_call())
    put_measures(connection, call_record(connection, "e1"))
    apply(
        connection,
        [
            UtteranceHeard(
                "e1", "s1", "c1", ZERO_MS + 9_500, ZERO_MS + 11_000, -20.0, 0.0, "one two three four"
            ),
            ParticipantSeen("e1", "s1", "c2", side=Side.OTHER),
        ],
    )
    card = put_measures(connection, call_record(connection, "e1"))
    assert card.talk_time_customer_ms == 2100
    assert {one["side"] for one in rows(connection, "side_scorecard")} == {"customer", "other"}
    assert len(rows(connection, "speech_span")) == 4


def test_a_running_call_has_a_row_until_it_is_measured(connection: Connection) -> None:
    apply(connection, small_call()[:-1])
    record = call_record(connection, "e1")
    put_live(connection, "e1", live_call(record))
    put_live(connection, "e1", live_call(record))
    (live,) = rows(connection, "live_call")
    assert (live["talk_time_agent_ms"], live["last_words"], live["last_side"]) == (
        1000,
        "Hello, there.",
        "agent",
    )
    put_measures(connection, record)
    assert rows(connection, "live_call") == []


def test_a_call_runs_until_its_last_stream_has_ended(connection: Connection) -> None:
    apply(connection, [*small_call()[:-1], *small_call("e1", "s2")])
    assert is_running(connection, "e1")
    apply(connection, [small_call()[-1]])
    assert not is_running(connection, "e1")


def test_every_measure_of_a_side_has_its_column() -> None:
    measures = side_measures()
    assert measures["interruptions_time_ms"] == {
        Side.AGENT: "interruptions_agent_time_ms",
        Side.CUSTOMER: "interruptions_customer_time_ms",
    }
    named = {name for fields in measures.values() for name in fields.values()}
    assert named <= set(definitions())
    assert {one for one in definitions() if "_agent" in one or "_customer" in one} <= named


def test_definitions_have_versions(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    assert connection.scalars(select(MetricDefinition.version).distinct()).all() == [1]
    assert connection.scalars(select(MetricDefinition.name)).all() == list(definitions())
    monkeypatch.setattr(
        stored_definitions, "definitions", lambda: definitions() | {"hold_count": "Holds, anew."}
    )
    for _ in range(2):
        write_definitions(connection)
    query = select(MetricDefinition.version, MetricDefinition.definition).where(
        MetricDefinition.name == "hold_count"
    )
    versions = connection.execute(query.order_by(MetricDefinition.version)).all()
    assert [tuple(one) for one in versions] == [(1, "Number of holds."), (2, "Holds, anew.")]


def test_a_scorecard_names_its_thresholds(connection: Connection) -> None:
    apply(connection, small_call())
    put_measures(connection, call_record(connection, "e1"))
    (card,) = rows(connection, "scorecard")
    assert card["thresholds_version"] == connection.scalar(select(MetricThresholds.version)) == 1
    assert thresholds(connection, "e1") == thresholds(connection, "not measured") == DEFAULTS
    changed = thresholds_with({"silence_above_ms": 5_000})
    put_measures(connection, call_record(connection, "e1"), changed)
    assert thresholds(connection, "e1") == changed


def test_the_schema_tells_its_history(connection: Connection) -> None:
    versions = [str(one["version"]) for one in rows(connection, "schema_change")]
    assert versions[:2] == ["20261122_first_light", "20261126_whole_store"]
    write_history(connection, [("20261122_first_light", "told twice")])
    assert all(one["what"] != "told twice" for one in rows(connection, "schema_change"))


def test_units_are_in_the_names() -> None:
    assert unit_of("response_gap_agent_ms_p50") == "ms"
    assert unit_of("speaker_switches_per_min") == "1/min"
    assert unit_of("loudness_agent_dbfs") == "dBFS"
    assert unit_of("verdict") is None


# What goes


def test_a_revoked_stream_leaves_a_stone_and_nothing_else(connection: Connection) -> None:
    apply(connection, small_call())
    put_measures(connection, call_record(connection, "e1"))
    apply(connection, [REVOKED])
    assert all(
        found == [] for name, found in stored(connection, "e1").items() if not name.endswith("tombstone")
    )
    (stone,) = rows(connection, "tombstone")
    assert (stone["stream_id"], stone["reason"]) == ("s1", "revoked")
    assert stone["removed"]["utterance"] == 3  # type: ignore[index]


def test_a_revoked_stream_tells_whose_it_is(connection: Connection) -> None:
    """Where Zoom did not say of which call it was."""
    apply(connection, small_call())
    apply(connection, [replace(REVOKED, engagement_id="")])
    assert rows(connection, "engagement") == []
    (stone,) = rows(connection, "tombstone")
    assert (stone["engagement_id"], stone["stream_id"]) == ("e1", "s1")


def test_nothing_of_a_revoked_stream_is_stored_again(connection: Connection) -> None:
    apply(connection, small_call())
    apply(connection, [REVOKED])
    apply(connection, [REVOKED, *small_call()])
    apply(connection, small_call())
    assert rows(connection, "engagement") == []
    assert len(rows(connection, "tombstone")) == 1


def test_a_revoked_stream_beside_another_one(connection: Connection) -> None:
    apply(connection, [*small_call(), *small_call("e1", "s2")])
    apply(connection, [REVOKED])
    assert [one["stream_id"] for one in rows(connection, "stream")] == ["s2"]
    assert len(rows(connection, "utterance")) == 3
    assert put_measures(connection, call_record(connection, "e1")).talk_time_agent_ms == 1000


def leg(stream_id: str, agent: str, queue: str, language: str, after: timedelta) -> list[Fact]:
    """A stream of `e1` with people of its own, before its end."""
    of: dict[str, Any] = {"engagement_id": "e1", "stream_id": stream_id}
    at, ms = BEGAN + after, ZERO_MS + int(after.total_seconds() * 1000)
    agent_channel, customer_channel = f"{stream_id}-agent", f"{stream_id}-customer"
    return [
        StreamOpened(**of, product="zcc_voice", started_at=at),
        LanguagePinned(**of, language=language, source="detected"),
        ParticipantSeen(**of, channel_id=agent_channel, side=Side.AGENT, user_id=agent, queue_id=queue),
        ParticipantSeen(**of, channel_id=customer_channel, side=Side.CUSTOMER, phone_hash=f"of {stream_id}"),
        *(
            UtteranceHeard(**of, channel_id=one, start_timestamp_ms=ms, end_timestamp_ms=ms + 900,
                           loudness_dbfs=-20.0, clipped_ratio=0.0, text="Yes.")
            for one in (agent_channel, customer_channel)
        ),
    ]  # fmt: skip


def of_call(connection: Connection) -> tuple[object, ...]:
    columns = "started_at, ended_at, queue_id, language, team_ids"
    (row,) = connection.execute(text(f"SELECT {columns} FROM zccvoice.engagement")).all()
    return tuple(row)


def test_a_revoked_stream_takes_its_people_and_what_only_it_told(connection: Connection) -> None:
    connection.execute(text("INSERT INTO zccvoice.team (team_id, team_name) VALUES ('t1', '1'), ('t2', '2')"))
    connection.execute(
        text(
            "INSERT INTO zccvoice.agent_team (user_id, team_id, valid_from) "
            "VALUES ('ada', 't1', '2026-01-01'), ('bob', 't2', '2026-01-01')"
        )
    )
    later = timedelta(hours=1)
    ends = [StreamClosed("e1", "s2", BEGAN + later / 2, "done")]
    apply(connection, [*leg("s2", "ada", "q1", "en", timedelta()), *ends])
    before = of_call(connection)
    assert before == (BEGAN, BEGAN + later / 2, "q1", "en", ["t1"])
    people = rows(connection, "participant")
    apply(
        connection,
        [*leg("s1", "bob", "q2", "de", later), StreamClosed("e1", "s1", BEGAN + 2 * later, "done")],
    )
    assert of_call(connection) == (BEGAN, BEGAN + 2 * later, "q2", "de", ["t1", "t2"])
    apply(connection, [REVOKED])
    assert of_call(connection) == before
    assert rows(connection, "participant") == people
    (stone,) = rows(connection, "tombstone")
    assert stone["removed"]["participant"] == 2  # type: ignore[index]


def test_people_of_a_stream_that_runs_stay_before_they_speak(connection: Connection) -> None:
    apply(
        connection,
        [*leg("s1", "bob", "q2", "de", timedelta()), *leg("s2", "ada", "q1", "en", timedelta())[:4]],
    )
    apply(connection, [StreamClosed("e1", "s1", BEGAN + timedelta(hours=1), "done"), REVOKED])
    assert {one["user_id"] for one in rows(connection, "participant")} == {"ada", None}
    assert of_call(connection)[:4] == (BEGAN, None, "q1", "en")


def test_what_a_replay_did_not_state_again_is_stale(connection: Connection) -> None:
    told = small_call()
    apply(connection, told)
    apply(
        connection,
        [
            UtteranceHeard("e1", "s1", "c2", ZERO_MS + 1_020, ZERO_MS + 2_000, -20.0, 0.0, "Hello there."),
            StreamRestated("e1", "s1", (("c2", ZERO_MS + 1_020), ("c1", ZERO_MS + 3_000)), ()),
        ],
    )
    kept = {(one["channel_id"], one["start_ms"]) for one in rows(connection, "utterance")}
    assert kept == {("c2", 1_020), ("c1", 3_000)}
    assert rows(connection, "gap") == []
    apply(connection, [GapFound("e1", "s2", "c1", ZERO_MS, ZERO_MS + 100, "lost_packets")])
    apply(connection, [StreamRestated("e1", "s1", (), ())])
    assert rows(connection, "utterance") == []
    assert [one["stream_id"] for one in rows(connection, "gap")] == ["s2"], "another stream's"


def test_people_who_were_seen(connection: Connection) -> None:
    apply(
        connection,
        [
            StreamOpened("e1", "s1", "zcc_voice", BEGAN),
            ParticipantSeen("e1", "s1", "c2", Side.AGENT, "u7", "Ada", "q1", "Sales"),
            ParticipantSeen(
                "e1",
                "s1",
                "c1",
                Side.CUSTOMER,
                "contact",
                "Bob",
                "q1",
                "Sales",
                phone_hash="ab",
                phone_last4="0123",
            ),
            ParticipantSeen("e1", "s1", "c2", Side.AGENT, "u7", "Ada L."),
            StreamClosed("e1", "s1", BEGAN, "done"),
        ],
    )
    assert rows(connection, "agent") == [{"user_id": "u7", "display_name": "Ada L."}]
    assert rows(connection, "queue") == [{"queue_id": "q1", "queue_name": "Sales"}]
    customer = next(one for one in rows(connection, "participant") if one["side"] == "customer")
    assert (customer["phone_hash"], customer["phone_last4"]) == ("ab", "0123")
