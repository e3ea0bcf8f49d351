"""Supervisors: listening, speaking, taking over."""

from __future__ import annotations

from zccvoice.analytics.parts import agent_parts
from zccvoice.analytics.record import CallRecord
from zccvoice.analytics.roles import with_roles
from zccvoice.analytics.scorecard import scorecard

from .build import A, C, O, call, event, said, track


def supervised(*names: tuple[str, int]) -> CallRecord:
    return call(
        said(A, 0, 4_000),
        said(C, 5_000, 9_000),
        said(A, 10_000, 12_000, channel_id="ch-s"),
        said(A, 20_000, 23_000, channel_id="ch-s"),
        tracks=(track(A, 0, 30_000), track(C, 0, 30_000), track(A, 9_000, 30_000, channel_id="ch-s")),
        events=tuple(event(name, at_ms, "ch-s") for name, at_ms in names),
    )


def test_a_supervisor_is_on_neither_side() -> None:
    card = scorecard(with_roles(supervised(("monitor_started", 9_000), ("user_answered", 9_100))))
    assert (card.talk_time_agent_ms, card.talk_time_other_ms) == (4_000, 5_000)
    assert (card.words_agent_count, card.turns_agent_count) == (10, 1)


def test_one_who_listens_is_no_speaker() -> None:
    record = supervised(("monitor_started", 9_000))
    silent = with_roles(call(*record.utterances[:2], tracks=record.tracks, events=record.events))
    card, without = scorecard(silent), scorecard(call(*record.utterances[:2]))
    assert card.talk_time_other_ms == 0
    assert (card.talk_share_agent, card.turns_agent_count) == (
        without.talk_share_agent,
        without.turns_agent_count,
    )
    assert [one.channel_id for one in agent_parts(silent)] == ["ch-a"]


def test_who_takes_over_is_the_agent_from_then_on() -> None:
    record = with_roles(supervised(("monitor_started", 9_000), ("takeover_started", 15_000)))
    assert [one.side for one in record.utterances] == [A, C, O, A]
    assert [(t.side, *t.open_span) for t in record.tracks if t.channel_id == "ch-s"] == [
        (O, 9_000, 15_000),
        (A, 15_000, 30_000),
    ]
    assert [(one.channel_id, one.talk_time_ms) for one in agent_parts(record)] == [
        ("ch-a", 4_000),
        ("ch-s", 3_000),
    ]


def test_a_part_begins_with_the_takeover_and_not_with_the_listening() -> None:
    takeover = ("monitor_started", 9_000), ("takeover_started", 15_000)
    parts = agent_parts(with_roles(supervised(*takeover)))
    assert agent_parts(with_roles(supervised(*takeover, ("user_answered", 9_100)))) == parts
    assert (parts[1].channel_id, parts[1].start_ms) == ("ch-s", 15_000)


def test_others_stay_who_they_are() -> None:
    record = supervised(("user_answered", 9_000), ("transfer_accepted", 9_000))
    assert with_roles(record) is record
