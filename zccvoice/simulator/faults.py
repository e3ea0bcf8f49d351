"""Which packets of a leg are lost, doubled or swapped: a function of the scenario and its seed alone.

The draw for a packet depends on seed, leg, kind of fault and packet number only, so that one fault more or
less in a scenario leaves the others where they were.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from zccvoice.simulator.scenario import Faults, PacketFault


@dataclass(frozen=True, slots=True)
class Transmission:
    """How the packets of one leg go out. All are packet numbers, counted from the call's first packet."""

    order: tuple[int, ...]
    """In the order they are sent: a swapped packet after its successor, a repeated one twice in a row."""
    lost: frozenset[int]
    repeated: frozenset[int]
    swapped: frozenset[int]
    """The packets that come later than they should."""


def transmit(
    numbers: tuple[int, ...], faults: Faults, *, channel_id: str, send_rate_ms: int, seed: int
) -> Transmission:
    """What becomes of the packets `numbers` of a leg.

    Args:
        numbers: the packets that the leg sends, ascending; stretches on hold are left out already.
        faults: the scenario's.
        channel_id: whose leg.
        send_rate_ms: packet *n* begins at ``n * send_rate_ms``.
        seed: the scenario's.
    """
    size = numbers[-1] + 1 if numbers else 0

    def befallen(kind: str, rules: tuple[PacketFault, ...]) -> frozenset[int]:
        hit = np.zeros(size, dtype=np.bool_)
        for place, rule in enumerate(rules):
            if channel_id not in rule.channel_ids:
                continue
            draws = np.random.default_rng(_key(seed, channel_id, f"{kind}{place}")).random(size)
            begins_ms = np.arange(size) * send_rate_ms
            inside = (begins_ms >= rule.from_ms) & (
                begins_ms < (np.inf if rule.to_ms is None else rule.to_ms)
            )
            hit |= inside & (draws < rule.ratio)
        return frozenset(number for number in numbers if hit[number])

    lost = befallen("lost", faults.lost)
    sent = [number for number in numbers if number not in lost]
    repeated = befallen("duplicated", faults.duplicated) - lost
    late = befallen("swapped", faults.swapped) - lost
    swapped: set[int] = set()
    place = 0
    while place + 1 < len(sent):
        if sent[place] in late:
            swapped.add(sent[place])
            sent[place], sent[place + 1] = sent[place + 1], sent[place]
            place += 1
        place += 1
    order = tuple(number for number in sent for _ in range(2 if number in repeated else 1))
    return Transmission(order, lost, repeated, frozenset(swapped))


def _key(seed: int, channel_id: str, kind: str) -> list[int]:
    return [seed, zlib.crc32(f"{channel_id}/{kind}".encode())]
