"""Whose side participants are on."""

from __future__ import annotations

from zccvoice.analytics.record import Side
from zccvoice.daemon.sides import Sides
from zccvoice.rtms.events import ParticipantConnected, Role


def somebody(channel_id: str | None, name: str = "Bob", role: Role | None = None) -> ParticipantConnected:
    return ParticipantConnected(channel_id, role, None, user_id=channel_id, display_name=name)


def test_roles_that_zoom_tells() -> None:
    sides = Sides(["Bob"])
    assert sides.of(somebody("c1", role=Role.CONSUMER)) == {"c1": Side.CUSTOMER}
    assert sides.of(somebody("c2", role=Role.USER)) == {"c2": Side.AGENT}
    assert sides.of(somebody("c3", role=Role.SUPERVISOR)) == {"c3": Side.OTHER}
    assert sides.of(somebody(None, role=Role.USER)) == {}


def test_a_supervisor_is_the_agent_once_he_takes_over() -> None:
    sides = Sides()
    assert sides.of(somebody("c3", role=Role.SUPERVISOR)) == {"c3": Side.OTHER}
    assert sides.of(somebody("c3", role=Role.USER)) == {"c3": Side.OTHER}, "he answered, to listen"
    assert sides.take_over("c3") is Side.AGENT
    assert sides.of(somebody("c3", role=Role.SUPERVISOR)) == {"c3": Side.AGENT}, "and stays it"
    assert sides.of(somebody("c2", role=Role.USER)) == {"c2": Side.AGENT}


def test_whoever_came_before_the_agent_is_a_customer_too() -> None:
    sides = Sides(["lee agent", "42"])
    assert sides.of(somebody("7", "Ana")) == {"7": None}
    assert sides.of(somebody("8", "Lee Agent")) == {"7": Side.CUSTOMER, "8": Side.AGENT}
    assert sides.of(somebody("42", "Kim")) == {"42": Side.AGENT}, "by id"
    assert sides.of(somebody("9", "Zoe")) == {"9": Side.CUSTOMER}


def test_a_name_may_come_late() -> None:
    sides = Sides(["Lee"])
    assert sides.of(somebody("8", "Somebody")) == {"8": None}
    assert sides.of(somebody("8", "LEE")) == {"8": Side.AGENT}


def test_without_configured_agents_no_side_is_known() -> None:
    assert Sides().of(somebody("7", "Ana")) == {"7": None}


def test_who_should_be_heard_are_agents_and_consumers() -> None:
    sides = Sides(["Bob"])
    for who in (
        somebody("c1", role=Role.CONSUMER),
        somebody("c2", role=Role.USER),
        somebody("c3", role=Role.USER),
        somebody("c3", role=Role.SUPERVISOR),
        somebody("of a meeting"),
        somebody(None, role=Role.USER),
    ):
        sides.of(who)
    assert sides.joined_ms == {"c1": 0, "c2": 0}
    sides.of(ParticipantConnected("c4", Role.USER, 5))
    sides.of(ParticipantConnected("c4", Role.USER, 9))
    assert sides.joined_ms["c4"] == 5, "when he came first"
