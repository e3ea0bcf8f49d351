"""Which files and channels are whose side of which call."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from zccvoice.errors import RecordingError
from zccvoice.recordings.recorded_call import Files, apart_s, begin_of, content_id, in_calls, legs_of
from zccvoice.recordings.sound_file import SoundFile
from zccvoice.rtms.events import Role

AGENT, CUSTOMER = Role.USER, Role.CONSUMER
BEGIN = datetime(2026, 5, 1, 10, tzinfo=UTC)
MONO = SoundFile(Path("x.wav"), 1, 8_000, 1.0, None)
STEREO = replace(MONO, channel_count=2)


def test_sides_are_known_by_their_names() -> None:
    names = ["a/1-agent.wav", "b/1-agent.wav", "2.wav", "a/1-customer.wav", "3_Customer.WAV", "2.wav"]
    found = [(one.paths, one.roles, one.name) for one in in_calls(map(Path, [*names, "travel agent.mp3"]))]
    assert found == [
        ((Path("a/1-agent.wav"), Path("a/1-customer.wav")), (AGENT, CUSTOMER), "1"),
        ((Path("b/1-agent.wav"),), (AGENT,), "1-agent"),
        ((Path("2.wav"),), (None,), "2"),
        ((Path("3_Customer.WAV"),), (CUSTOMER,), "3_Customer"),
        ((Path("travel agent.mp3"),), (AGENT,), "travel agent"),
    ]


def test_no_file_is_left_out_because_another_has_nearly_its_name() -> None:
    names = ["x-agent.wav", "x_agent.wav", "x-customer.wav", "x-Agent.wav", "x.agent.WAV"]
    found = [one.paths for one in in_calls(map(Path, names))]
    assert found == [
        (Path("x-agent.wav"), Path("x-customer.wav")),
        (Path("x_agent.wav"),),
        (Path("x-Agent.wav"),),
        (Path("x.agent.WAV"),),
    ]


@pytest.mark.parametrize(("agent", "roles"), [("left", [AGENT, CUSTOMER]), ("right", [CUSTOMER, AGENT])])
def test_two_channels_are_two_sides(agent: str, roles: list[Role]) -> None:
    legs = legs_of(Files((MONO.path,), (None,)), [STEREO], agent=agent, mono=None)
    assert [(leg.channel_id, leg.channel, leg.role) for leg in legs] == [
        ("left", 0, roles[0]),
        ("right", 1, roles[1]),
    ]


def test_nobody_guesses_which_channel_is_the_agents() -> None:
    with pytest.raises(RecordingError, match=r"x\.wav: has two channels.*--agent"):
        legs_of(Files((MONO.path,), (None,)), [STEREO], agent=None, mono=None)


@pytest.mark.parametrize(("mono", "name"), [(None, "mono"), (AGENT, "agent"), (CUSTOMER, "customer")])
def test_one_channel(mono: Role | None, name: str) -> None:
    (leg,) = legs_of(Files((MONO.path,), (None,)), [MONO], agent=None, mono=mono)
    assert (leg.channel_id, leg.role) == (name, mono)


def test_the_file_of_one_side_has_one_channel() -> None:
    files = Files((Path("1-agent.wav"), Path("1-customer.wav")), (AGENT, CUSTOMER))
    legs = legs_of(files, [MONO, MONO], agent=None, mono=None)
    assert [(leg.channel_id, leg.file, leg.role) for leg in legs] == [
        ("agent", 0, AGENT),
        ("customer", 1, CUSTOMER),
    ]
    with pytest.raises(RecordingError, match="one channel of one side"):
        legs_of(files, [MONO, STEREO], agent="left", mono=None)


def test_the_same_content_is_the_same_recording(tmp_path: Path) -> None:
    one, two, three = tmp_path / "1", tmp_path / "2", tmp_path / "3"
    one.write_bytes(b"a" * 3_000_000)
    two.write_bytes(one.read_bytes())
    three.write_bytes(b"a" * 2_999_999 + b"b")
    assert content_id([one]) == content_id([two]) != content_id([three])
    assert content_id([one, three]) != content_id([three, one])
    with pytest.raises(RecordingError, match="nowhere"):
        content_id([tmp_path / "nowhere"])


def test_a_recording_that_tells_nothing_began_as_long_before_its_date_as_it_lasts(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.touch()
    os.utime(path, (1_790_000_600,) * 2)
    ten_minutes = replace(MONO, path=path, duration_s=600.0)
    assert begin_of([ten_minutes]).timestamp() == 1_790_000_000
    assert begin_of([ten_minutes, replace(ten_minutes, started_at=BEGIN)]) == BEGIN


def test_how_far_apart_the_sides_say_that_they_began() -> None:
    agent, customer = replace(MONO, started_at=BEGIN + timedelta(seconds=30)), replace(MONO, started_at=BEGIN)
    assert apart_s([agent, customer]) == apart_s([customer, agent]) == 30
    assert apart_s([agent, MONO]) == apart_s([MONO]) == 0
