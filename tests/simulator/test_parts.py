"""An engagement in several streams: nothing of it is lost at the cuts, and nothing comes twice."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from zccvoice.simulator.extras import Ending, NextStream
from zccvoice.simulator.parts import parts_of, stream_ids
from zccvoice.simulator.scenario import Scenario, parse_scenario
from zccvoice.simulator.sources import Leg, Recording

from .conftest import SMALL, MakeScenario

MS = 16
LENGTH_MS = 10_000


def recording(small: MakeScenario) -> Recording:
    legs = tuple(
        Leg(person, np.arange((LENGTH_MS + 1_000) * MS).astype(np.int16)) for person in small().participants
    )
    return Recording(LENGTH_MS, legs, ())


cuts = st.lists(st.integers(20, LENGTH_MS - 1), unique=True, max_size=4).map(sorted)


@settings(max_examples=40)
@given(cuts=cuts, moments=st.lists(st.integers(0, LENGTH_MS - 1), max_size=6))
def test_the_parts_are_the_whole(cuts: list[int], moments: list[int]) -> None:
    def make(**fields: Any) -> Scenario:
        return parse_scenario(tomllib.loads(SMALL) | fields, name="small.toml", folder=Path())

    streams = [{"at_ms": at_ms} for at_ms in cuts]
    events = [{"name": "transfer_accepted", "at_ms": at_ms} for at_ms in moments]
    scenario = make(stream=streams, event=events, faults={"garbage_at_ms": moments})
    whole = recording(make)
    parts = parts_of(scenario, whole)
    assert [part.from_ms for part in parts] == [0, *cuts]
    assert sum(part.recording.duration_ms for part in parts) == LENGTH_MS
    for number, leg in enumerate(whole.legs):
        pieces = [part.recording.legs[number].samples[: part.recording.duration_ms * MS] for part in parts]
        assert np.array_equal(np.concatenate(pieces), leg.samples[: LENGTH_MS * MS])
    told = [(part.from_ms + event.at_ms) for part in parts for event in part.scenario.events]
    assert told == sorted(moments)
    garbage = [part.from_ms + at_ms for part in parts for at_ms in part.scenario.faults.garbage_at_ms]
    assert sorted(garbage) == sorted(moments)
    assert [part.ending for part in parts] == [Ending.TRANSFER] * len(cuts) + [Ending.END]


def test_each_run_has_its_own_stream_ids(small: MakeScenario) -> None:
    streams = [{"at_ms": 1_000}, {"at_ms": 2_000, "stream_id": "given"}]
    one, other = small(stream=streams), small(stream=streams, stream_id="f" * 32)
    assert one.next_streams[0] == NextStream("", 1_000, Ending.TRANSFER)
    ids = stream_ids(one)
    assert ids == stream_ids(one)
    assert (ids[0], ids[2]) == (one.stream_id, "given")
    assert len({*ids, *stream_ids(other)}) == 5
    assert len(ids[1]) == 32


def test_holds_and_faults_move_with_the_cut(small: MakeScenario) -> None:
    scenario = small(
        "[[hold]]\nfrom_ms = 3_000\nto_ms = 5_000\n"
        '[faults]\nlost = [{who = "agent", from_ms = 4_500, to_ms = 9_000}]\n',
        stream=[{"at_ms": 4_000}],
    )
    first, second = (part.scenario for part in parts_of(scenario, recording(small)))
    assert [(one.from_ms, one.to_ms) for one in first.holds] == [(3_000, 5_000)]
    assert [(one.from_ms, one.to_ms) for one in second.holds] == [(0, 1_000)]
    assert [(one.from_ms, one.to_ms) for one in second.faults.lost] == [(500, 5_000)]
