"""Lost, doubled and swapped packets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zccvoice.simulator.faults import Faults, PacketFault, transmit

LEG = ("ch-1",)
NUMBERS = tuple(range(1_000))


def sent(faults: Faults, numbers: tuple[int, ...] = NUMBERS, channel_id: str = "ch-1", seed: int = 1) -> Any:
    return transmit(numbers, faults, channel_id=channel_id, send_rate_ms=20, seed=seed)


def test_without_faults_everything_goes_out_in_order() -> None:
    way = sent(Faults())
    assert way.order == NUMBERS
    assert not way.lost | way.repeated | way.swapped


def test_a_burst_is_lost_exactly() -> None:
    way = sent(Faults(lost=(PacketFault(LEG, from_ms=1_000, to_ms=1_600),)))
    assert way.lost == frozenset(range(50, 80))
    assert way.order == (*range(50), *range(80, 1_000))


@pytest.mark.parametrize("ratio", [0.01, 0.03, 0.2])
def test_a_ratio_is_about_kept(ratio: float) -> None:
    numbers = tuple(range(20_000))
    way = sent(Faults(lost=(PacketFault(LEG, ratio),)), numbers)
    assert len(way.lost) / len(numbers) == pytest.approx(ratio, rel=0.2)


def test_ratio_within_a_range() -> None:
    way = sent(Faults(lost=(PacketFault(LEG, 0.5, from_ms=2_000, to_ms=6_000),)))
    assert 60 < len(way.lost) < 140
    assert way.lost <= frozenset(range(100, 300))


def test_other_legs_are_left_alone() -> None:
    assert sent(Faults(lost=(PacketFault(("ch-2",), 0.5),))).order == NUMBERS


def test_repeated_packets_come_twice_in_a_row() -> None:
    way = sent(Faults(duplicated=(PacketFault(LEG, 0.1),)))
    assert len(way.order) == 1_000 + len(way.repeated)
    assert sorted(set(way.order)) == list(NUMBERS)
    for number in way.repeated:
        place = way.order.index(number)
        assert way.order[place + 1] == number


def test_swapped_packets_come_after_their_successor() -> None:
    way = sent(Faults(swapped=(PacketFault(LEG, 0.1),)))
    assert sorted(way.order) == list(NUMBERS)
    assert way.swapped
    for number in way.swapped:
        assert way.order.index(number) == way.order.index(number + 1) + 1


def test_one_fault_more_leaves_the_others_where_they_were() -> None:
    faults = Faults(lost=(PacketFault(LEG, 0.1),), duplicated=(PacketFault(LEG, 0.1),))
    before = sent(faults)
    after = sent(replace(faults, lost=(*faults.lost, PacketFault(LEG, from_ms=0, to_ms=100))))
    assert after.lost == before.lost | frozenset(range(5))
    assert after.repeated == before.repeated - frozenset(range(5))


def test_seed_and_leg_rule_the_draw() -> None:
    faults = Faults(lost=(PacketFault(("ch-1", "ch-2"), 0.1),))
    assert sent(faults) == sent(faults)
    assert sent(faults, seed=2).lost != sent(faults).lost
    assert sent(faults, channel_id="ch-2").lost != sent(faults).lost


ratios = st.floats(0, 1)
rules = st.lists(
    st.builds(PacketFault, st.just(LEG), ratios, st.integers(0, 4_000), st.none() | st.integers(0, 4_000)),
    max_size=2,
).map(tuple)


@settings(deadline=None)
@given(
    st.builds(Faults, lost=rules, duplicated=rules, swapped=rules),
    st.sets(st.integers(0, 200)).map(lambda numbers: tuple(sorted(numbers))),
    st.integers(0, 9),
)
def test_whatever_the_faults_every_packet_is_sent_or_lost(
    faults: Faults, numbers: tuple[int, ...], seed: int
) -> None:
    way = sent(faults, numbers, seed=seed)
    assert set(way.order) | way.lost == set(numbers)
    assert not set(way.order) & way.lost
    assert len(way.order) == len(set(way.order)) + len(way.repeated)
    assert way.repeated | way.swapped <= set(way.order)
    firsts = list(dict.fromkeys(way.order))
    sent_numbers = sorted(set(way.order))
    assert all(abs(firsts.index(number) - place) <= 1 for place, number in enumerate(sent_numbers))
