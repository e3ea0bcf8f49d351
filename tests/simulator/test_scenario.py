"""Scenario files: what they mean when they are right, and what is said when they are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zccvoice.errors import ScenarioError
from zccvoice.rtms.enums import ContactCenterEventType, StopReason
from zccvoice.simulator.demo import demo_scenarios
from zccvoice.simulator.faults import PacketFault
from zccvoice.simulator.scenario import Scenario, Side, load_scenario
from zccvoice.simulator.sources import render

TWO = '[[participant]]\nside = "consumer"\n[[participant]]\nside = "agent"\n'


@pytest.fixture
def load(tmp_path: Path) -> Any:
    """Loads a scenario from text."""

    def load_text(text: str) -> Any:
        path = tmp_path / "call.toml"
        path.write_text(text, encoding="utf-8")
        return load_scenario(path)

    return load_text


def test_the_least_scenario(load: Callable[[str], Scenario]) -> None:
    scenario = load(TWO)
    assert scenario.title == "call"
    assert [person.side for person in scenario.participants] == [Side.CONSUMER, Side.AGENT]
    assert scenario.stop_reason is StopReason.CUSTOMER_DISCONNECTED
    assert len(scenario.stream_id) == 32
    assert int(scenario.stream_id, 16)
    assert scenario.duration_ms is None


def test_generated_ids_follow_seed_and_title(load: Callable[[str], Scenario]) -> None:
    first, again = load("seed = 1\n" + TWO), load("seed = 1\n" + TWO)
    other = load("seed = 2\n" + TWO)
    assert (first.stream_id, first.engagement_id) == (again.stream_id, again.engagement_id)
    assert first.stream_id != other.stream_id
    assert first.engagement_id != other.engagement_id


def test_everything_in_its_place(load: Callable[[str], Scenario], tmp_path: Path) -> None:
    (tmp_path / "hello.flac").touch()
    scenario = load(
        'stop_reason = 22\nduration_ms = 9_000\n[queue]\nid = "q"\nname = "Orders"\n'
        + TWO
        + """
[[speech]]
who = "agent"
at_ms = 5_000
text = "How can I help you?"
voice = "en-us+f2"
[[speech]]
who = "ch-consumer"
at_ms = 1_000
text = "Hello"
sound = "hello.flac"
gain_db = -3
[[hold]]
from_ms = 6_000
to_ms = 8_000
[[event]]
name = "consumer_answered"
at_ms = 0
[faults]
lost = [{ who = "agent", ratio = 0.03 }, { who = "consumer", from_ms = 100, to_ms = 700 }]
garbage_at_ms = [3_000]
"""
    )
    assert scenario.stop_reason is StopReason.AGENT_DISCONNECTED
    assert (scenario.queue.queue_id, scenario.queue.name) == ("q", "Orders")
    assert [(one.channel_id, one.at_ms) for one in scenario.speech] == [
        ("ch-consumer", 1_000),
        ("ch-agent", 5_000),
    ]
    assert scenario.speech[0].sound == tmp_path / "hello.flac"
    assert (scenario.holds[0].by, scenario.holds[0].held) == ("ch-agent", ("ch-consumer",))
    kind = ContactCenterEventType
    assert [(one.event_type, one.at_ms, one.channel_id) for one in scenario.events] == [
        (kind.CONSUMER_ANSWERED, 0, "ch-consumer"),
        (kind.USER_HOLD, 6_000, "ch-agent"),
        (kind.USER_UNHOLD, 8_000, "ch-agent"),
    ]
    assert scenario.faults.lost == (
        PacketFault(("ch-agent",), 0.03, 0, None),
        PacketFault(("ch-consumer",), 1.0, 100, 700),
    )
    assert scenario.faults.garbage_at_ms == (3_000,)


def test_all_mistakes_at_once(load: Callable[[str], Scenario], tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as refused:
        load(
            'seed = "x"\nstop_reason = "hung_up"\nnonsense = 1\n'
            + TWO
            + """
[[speech]]
who = "nobody"
at_ms = -1
sound = "missing.flac"
[[hold]]
from_ms = 2_000
to_ms = 1_000
[[event]]
name = "consumer_sneezed"
at_ms = true
[faults]
lost = [{ who = "agent", ratio = 1.5 }]
binary_frames = "yes"
"""
        )
    lines = str(refused.value).splitlines()
    assert all(line.startswith(f"{tmp_path / 'call.toml'}: ") for line in lines)
    for expected in (
        "seed: expected a whole number from 0, got 'x'",
        "stop_reason: expected one of",
        "nonsense: unknown key",
        "[[speech]] 1: who: nobody is 'nobody'",
        "[[speech]] 1: at_ms: expected a whole number from 0, got -1",
        "[[speech]] 1: text: expected text, got nothing",
        "[[speech]] 1: sound: no such file: missing.flac",
        "[[hold]] 1: to_ms: must be after from_ms",
        "[[event]] 1: name: expected one of",
        "[[event]] 1: at_ms: expected a whole number from 0, got True",
        "[faults] [[lost]] 1: ratio: expected a number from 0 to 1, got 1.5",
        "[faults]: binary_frames: expected true or false, got 'yes'",
    ):
        assert any(expected in line for line in lines), (expected, lines)
    assert len(lines) == 12


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("title = ", "not TOML"),
        ("", "at least one consumer and one agent"),
        (TWO + '[[participant]]\nside = "agent"\n', "channel_id must differ"),
        ("participant = 3", "expected a list of tables"),
        ("queue = 3\n" + TWO, "queue: expected a table"),
    ],
)
def test_other_mistakes(load: Callable[[str], Scenario], text: str, expected: Any) -> None:
    with pytest.raises(ScenarioError, match=expected):
        load(text)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(ScenarioError, match=r"nowhere\.toml: cannot be read"):
        load_scenario(Path("nowhere.toml"))


# The demo calls


@pytest.mark.parametrize("path", demo_scenarios(), ids=lambda path: path.stem)
def test_demo_calls_are_calls(path: Any) -> None:
    scenario = load_scenario(path)
    recording = render(scenario)
    assert 35_000 <= recording.duration_ms <= 60_000
    assert {one.side for one in recording.utterances} == set(Side)
    assert all(one.text for one in recording.utterances)
    voices = [person.voice for person in scenario.participants]
    assert len(set(voices)) == 2
    assert recording.utterances[-1].end_ms < recording.duration_ms
    quiet_ms = [
        later.start_ms - earlier.end_ms
        for earlier, later in zip(recording.utterances, recording.utterances[1:], strict=False)
    ]
    assert max(quiet_ms) > 3_000


def test_demo_calls_have_what_measures_need() -> None:
    calls = {path.stem: load_scenario(path) for path in demo_scenarios()}
    assert {call.language for call in calls.values()} == {"en", "es", "de"}
    hold = calls["orders"].holds[0]
    assert hold.to_ms - hold.from_ms > 6_000
    for name in ("orders", "factura"):
        customer, agent = interruption(render(calls[name]).utterances)
        assert agent.start_ms - customer.start_ms >= 500
        assert customer.end_ms - agent.start_ms >= 500
    lost = calls["router"].faults.lost
    assert any(fault.ratio == 0.03 for fault in lost)
    assert any(fault.to_ms is not None and fault.to_ms - fault.from_ms == 600 for fault in lost)
    assert calls["router"].faults.misspelt_participant_info


def interruption(utterances: Any) -> Any:
    """The customer's utterance and the agent's of more than three words that begins inside it."""
    return next(
        (one, other)
        for one in utterances
        for other in utterances
        if one.side is Side.CONSUMER and other.side is Side.AGENT
        if one.start_ms < other.start_ms < one.end_ms and len(other.text.split()) > 3
    )


def test_demo_is_small_enough_for_the_wheel() -> None:
    folder = demo_scenarios()[0].parent
    assert (
        sum(path.stat().st_size for path in folder.rglob("*") if path.suffix in (".flac", ".toml"))
        < 2_000_000
    )
