"""Utterances of mixed tracks learn who spoke, whenever and in whatever order it is told."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select, text

from zccvoice.analytics.attribution import SPEAKER_NAMED, SPEAKER_UNKNOWN, ActiveSpeakers, Naming
from zccvoice.analytics.record import Side, Span
from zccvoice.analytics.scorecard import scorecard
from zccvoice.analytics.thresholds import DEFAULTS
from zccvoice.rtms.media import MIX
from zccvoice.store.facts import (
    CallEventSeen,
    ClockStarted,
    Fact,
    ParticipantSeen,
    StreamClosed,
    StreamOpened,
    TrackClosed,
    UtteranceHeard,
)
from zccvoice.store.measures import put_measures
from zccvoice.store.reads import call_record, utterances
from zccvoice.store.recompute import Outcome, recompute
from zccvoice.store.tables import Utterance
from zccvoice.store.writes import apply

from .calls import BEGAN, ZERO_MS, stored

OF: dict[str, Any] = {"engagement_id": "e1", "stream_id": "s1"}
ANA, LEE = "16778240", "16779264"
OPENING: list[Fact] = [
    StreamOpened(**OF, product="meeting", started_at=BEGAN),
    ClockStarted(**OF, timestamp_ms=ZERO_MS),
    ParticipantSeen(**OF, channel_id=MIX),
    ParticipantSeen(**OF, channel_id=ANA, display_name="Ana", side=Side.CUSTOMER),
    ParticipantSeen(**OF, channel_id=LEE, display_name="Lee", side=Side.AGENT),
]
CLOSING: list[Fact] = [
    TrackClosed(
        **OF,
        channel_id=MIX,
        first_timestamp_ms=ZERO_MS,
        last_timestamp_ms=ZERO_MS + 60_000,
        packets=600,
        lost_packets=0,
        duplicate_packets=0,
        reordered_packets=0,
    ),
    StreamClosed(**OF, ended_at=BEGAN, end_reason="call_ended"),
]


def named(at_ms: int, channel_id: str | None, stream_id: str = "s1") -> CallEventSeen:
    name = SPEAKER_UNKNOWN if channel_id is None else SPEAKER_NAMED
    return CallEventSeen("e1", stream_id, name, ZERO_MS + at_ms, channel_id)


def heard(start_ms: int, end_ms: int, channel_id: str = MIX, stream_id: str = "s1") -> UtteranceHeard:
    return UtteranceHeard(
        "e1",
        stream_id,
        channel_id,
        ZERO_MS + start_ms,
        ZERO_MS + end_ms,
        loudness_dbfs=-20.0,
        clipped_ratio=0.0,
        text="some words that somebody said",
        language="en",
    )


CALL: list[Fact] = [
    named(0, ANA),
    heard(0, 4_000),
    heard(5_000, 9_000),
    named(10_000, LEE),
    heard(10_000, 14_000),
]


def speakers(connection: Connection) -> list[str | None]:
    query = select(Utterance.speaker_channel_id).order_by(Utterance.stream_id, Utterance.start_ms)
    return list(connection.scalars(query))


def test_who_is_named_spoke(connection: Connection) -> None:
    apply(connection, [*OPENING, *CALL])
    assert speakers(connection) == [ANA, ANA, LEE]


def test_an_event_that_comes_late_is_in_time(connection: Connection) -> None:
    apply(connection, [*OPENING, named(0, ANA), *(one for one in CALL if isinstance(one, UtteranceHeard))])
    assert speakers(connection) == [ANA, ANA, ANA], "of Lee nobody has told yet"
    apply(connection, [named(10_000, LEE)])
    assert speakers(connection) == [ANA, ANA, LEE]
    apply(connection, [named(4_500, None)])
    assert speakers(connection) == [ANA, None, LEE]


def test_what_is_told_again_changes_nothing(connection: Connection) -> None:
    apply(connection, [*OPENING, *CALL])
    before = stored(connection, "e1")
    apply(connection, CALL[:3])
    for fact in reversed(CALL):
        apply(connection, [fact])
    assert stored(connection, "e1") == before


def test_tracks_of_participants_are_left_alone(connection: Connection) -> None:
    apply(connection, [*OPENING, named(0, ANA), heard(0, 4_000, LEE)])
    assert speakers(connection) == [None]
    (row,) = utterances(connection, "e1")
    assert (row.display_name, row.side) == ("Lee", Side.AGENT)


def test_events_are_of_their_stream(connection: Connection) -> None:
    apply(connection, [*OPENING, named(0, ANA), heard(0, 4_000, stream_id="s2"), named(2_000, LEE, "s2")])
    assert speakers(connection) == [None]


def test_the_speaker_is_told_and_no_side_is_measured(connection: Connection) -> None:
    apply(connection, [*OPENING, *CALL, heard(20_000, 20_500), named(20_200, ANA), *CLOSING])
    told = [(row.display_name, row.side, row.speaker_channel_id) for row in utterances(connection, "e1")]
    assert told == [
        ("Ana", Side.CUSTOMER, ANA),
        ("Ana", Side.CUSTOMER, ANA),
        ("Lee", Side.AGENT, LEE),
        (None, None, None),
    ]
    read = "SELECT speaker_name, side, speaker_channel_id FROM reporting.utterance ORDER BY start_ms"
    assert [tuple(row) for row in connection.execute(text(read))] == told
    found = "SELECT speaker_name FROM reporting.transcript_search ORDER BY start_ms"
    assert list(connection.scalars(text(found))) == ["Ana", "Ana", "Lee", None]
    searched = "SELECT speaker_name FROM reporting.search('somebody', 'en') ORDER BY start_ms"
    assert list(connection.scalars(text(searched))) == ["Ana", "Ana", "Lee", None]
    card = scorecard(call_record(connection, "e1"))
    assert card.talk_time_total_ms == card.speech_time_ms == 12_500
    assert card.words_agent_count is card.talk_time_agent_ms is card.talk_ratio_agent is None


def test_stored_calls_are_attributed_when_they_are_measured_again(connection: Connection) -> None:
    apply(connection, [*OPENING, *CALL, *CLOSING])
    put_measures(connection, call_record(connection, "e1"))
    assert recompute(connection, "e1", DEFAULTS) is Outcome.UNCHANGED
    connection.execute(text("UPDATE zccvoice.utterance SET speaker_channel_id = NULL"))
    assert recompute(connection, "e1", DEFAULTS) is Outcome.CHANGED
    assert speakers(connection) == [ANA, ANA, LEE]
    assert recompute(connection, "e1", DEFAULTS) is Outcome.UNCHANGED


_tenths = st.integers(0, 300).map(lambda tenths: tenths * 100)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(_tenths, st.sampled_from([ANA, LEE, None])), max_size=8),
    st.dictionaries(_tenths, st.integers(1, 60).map(lambda tenths: tenths * 100), max_size=6),
    st.data(),
)
def test_in_whatever_pieces_it_comes(
    shared_engine: Engine,
    namings: list[tuple[int, str | None]],
    spoken: dict[int, int],
    data: st.DataObject,
) -> None:
    """What is stored in the end is what all events together say of each utterance."""
    told: list[Fact] = [named(*one) for one in namings]
    told += [heard(start_ms, start_ms + length_ms) for start_ms, length_ms in spoken.items()]
    told = data.draw(st.permutations(told))
    cut = data.draw(st.integers(0, len(told)))
    whole = ActiveSpeakers(Naming(*one) for one in namings)
    with shared_engine.connect() as connection, connection.begin() as transaction:
        apply(connection, OPENING)
        for piece in (told[:cut], told[cut:]):
            apply(connection, piece)
        assert speakers(connection) == [
            whole.speaker_of(Span(start_ms, start_ms + spoken[start_ms])) for start_ms in sorted(spoken)
        ]
        transaction.rollback()
