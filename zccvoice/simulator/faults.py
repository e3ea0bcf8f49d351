"""Small things that go wrong all the time: packets lost, doubled or swapped, and unusual spellings.

Which packets it befalls is a function of the scenario and its seed alone.

The draw for a packet depends on seed, leg, kind of fault and packet number only, so that one fault more or
less in a scenario leaves the others where they were.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from zccvoice.simulator.entries import Entry, Who


@dataclass(frozen=True, slots=True)
class PacketFault:
    """Which packets of which legs a fault befalls."""

    channel_ids: tuple[str, ...]
    ratio: float = 1.0
    """Chance per packet."""
    from_ms: int = 0
    to_ms: int | None = None
    """First and last moment, by a packet's first sample; None is the end of the call."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Everything that is wrong from the beginning of a call to its end; `mishaps` has what happens once."""

    lost: tuple[PacketFault, ...] = ()
    duplicated: tuple[PacketFault, ...] = ()
    swapped: tuple[PacketFault, ...] = ()
    """Packets that arrive after their successor."""
    garbage_at_ms: tuple[int, ...] = ()
    """When a message that is no JSON is sent on the media connection."""
    misspelt_participant_info: bool = False
    """Events carry ``paticipant_info``, as Zoom's early documents and its own sample do."""
    binary_frames: bool = False
    """Messages come in binary WebSocket frames."""
    fragments: bool = False
    """Every message comes in three frames with a ping between them."""
    refused_signaling: int = 0
    """So many signaling handshakes are first refused with status 8 (duplicate signal request)."""
    repeated_webhook: bool = False
    """The started webhook is delivered twice."""
    stopped_first: bool = False
    """The stream ends before anybody was told of it: the stopped webhook comes, and then the started one."""
    only_subscribed_events: bool = False
    """No event but 1 and 7 without a subscription; else 8–13 come unasked in Contact Center."""


def read_faults(entry: Entry, who: Who) -> Faults:
    """The ``[faults]`` table of a scenario file."""
    faults = Faults(
        lost=_packet_faults(entry, "lost", who),
        duplicated=_packet_faults(entry, "duplicated", who),
        swapped=_packet_faults(entry, "swapped", who),
        garbage_at_ms=entry.wholes("garbage_at_ms"),
        misspelt_participant_info=entry.flag("misspelt_participant_info"),
        binary_frames=entry.flag("binary_frames"),
        fragments=entry.flag("fragments"),
        refused_signaling=entry.whole("refused_signaling", 0),
        repeated_webhook=entry.flag("repeated_webhook"),
        stopped_first=entry.flag("stopped_first"),
        only_subscribed_events=entry.flag("only_subscribed_events"),
    )
    entry.finish()
    return faults


def _packet_faults(faults: Entry, key: str, who: Who) -> tuple[PacketFault, ...]:
    found = []
    for entry in faults.entries(key):
        fault = PacketFault(
            channel_ids=who.all_of(entry, "who"),
            ratio=entry.real("ratio", 1.0, least=0.0, most=1.0),
            from_ms=entry.whole("from_ms", 0),
            to_ms=entry.whole_or_none("to_ms"),
        )
        entry.finish()
        found.append(fault)
    return tuple(found)


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
