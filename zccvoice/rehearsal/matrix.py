"""Every product, codec, division into media connections and fault, each as a call of its own through the daemon.

A cell plays one call in virtual time and makes its account. `covering` chooses cells in which every two values of
different dimensions meet; `everything` is the whole product.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations, product
from pathlib import Path
from typing import Any

import trio

from zccvoice.rehearsal.accounts import Account, account_of
from zccvoice.rehearsal.virtual import run_virtually, virtual_daemon
from zccvoice.rtms.enums import Product
from zccvoice.simulator import demo
from zccvoice.simulator.scenario import Scenario, parse_scenario
from zccvoice.simulator.timing import Timing

PRODUCTS = (Product.CONTACT_CENTER, Product.MEETING, Product.WEBINAR, Product.VIDEO_SDK, Product.PHONE)
CODECS = ("l16", "g711", "g722", "opus")
OFFERS = ("split", "unified")
LOST = frozenset({"lost_packets"})
BROKEN = frozenset({"connection_lost"})
LONGEST_S = 600
"""Virtual seconds that a cell may take."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, and what may come of it."""

    scenario: Mapping[str, Any] = field(default_factory=dict)
    """More fields of the scenario."""
    causes: frozenset[str] = frozenset()
    """The causes that gaps may have; for all else there are no gaps."""
    is_lossy: bool = False
    """Whether there must be a gap."""
    ends: frozenset[str] = frozenset({"customer_disconnected"})
    """How its streams end."""
    timing: Timing = field(default_factory=Timing)
    settings: Mapping[str, Any] = field(default_factory=dict)


def _mishap(kind: str, at_ms: int = 2_030, **fields: Any) -> dict[str, Any]:
    return {"mishap": [{"kind": kind, "at_ms": at_ms, **fields}]}


def _pause_and_outage(pause_ms: int) -> dict[str, Any]:
    mishaps = (
        _mishap("pause", 2_000, for_ms=pause_ms)["mishap"] + _mishap("outage", 4_000, for_ms=2_000)["mishap"]
    )
    return {"mishap": mishaps, "duration_ms": 12_000}


def _often(*garbage: str) -> dict[str, Any]:
    return {
        "mishap": [
            {"kind": "garbage", "at_ms": 1_200 + 500 * n, "where": where, "garbage": one}
            for n, one in enumerate(garbage)
            for where in ("media", "signaling")
        ]
    }


def _packets(kind: str) -> dict[str, Any]:
    sides = ("consumer", "agent")
    return {"faults": {kind: [{"who": one, "ratio": 0.2, "from_ms": 1_000, "to_ms": 5_000} for one in sides]}}


def _next(after: str) -> dict[str, Any]:
    return {"stream": [{"at_ms": 3_000, "after": after}]}


_HALF_OPEN: dict[str, Any] = {
    "timing": Timing(keep_alive_s=3.0),
    "settings": {"signaling_silence_timeout_s": 10},
}
"""Zoom notices after 12 s, we after 10; of the media connection when it tells us."""
FAULTS: Mapping[str, Fault] = {
    "none": Fault(),
    "start buffer": Fault({"buffered_ms": 5_000}),
    "refused signaling": Fault(_mishap("refuse", 0, where="signaling", times=2)),
    "refused media": Fault(_mishap("refuse", 0, where="media", times=2)),
    "slow": Fault(_mishap("slow", 0, for_ms=4_000)),
    "signaling closed": Fault(_mishap("close", where="signaling"), BROKEN),
    "signaling dropped": Fault(_mishap("drop", where="signaling"), BROKEN),
    "media closed": Fault(_mishap("close", where="media", code=1_001), BROKEN),
    "media dropped": Fault(_mishap("drop", where="media"), BROKEN),
    "both reset": Fault(_mishap("abort"), BROKEN),
    "signaling half-open": Fault(
        {**_mishap("cut", where="signaling"), "duration_ms": 20_000}, BROKEN, **_HALF_OPEN
    ),
    "media half-open": Fault(
        {**_mishap("cut", where="media"), "duration_ms": 20_000}, BROKEN, is_lossy=True, **_HALF_OPEN
    ),
    "media half-open at first": Fault(
        {**_mishap("cut", 1_000, where="media"), "buffered_ms": 3_000, "duration_ms": 20_000},
        BROKEN,
        is_lossy=True,
        **_HALF_OPEN,
    ),
    "both half-open": Fault({**_mishap("cut"), "duration_ms": 20_000}, BROKEN, is_lossy=True, **_HALF_OPEN),
    "silence": Fault(_mishap("silence", for_ms=2_500)),
    "no keep-alives": Fault({**_mishap("no_keep_alive", for_ms=12_000), "duration_ms": 15_000}),
    "outage": Fault({**_mishap("outage", for_ms=5_000), "duration_ms": 11_000}, BROKEN),
    "packets lost": Fault(_packets("lost"), LOST, is_lossy=True),
    "packets doubled": Fault(_packets("duplicated")),
    "packets swapped": Fault(_packets("swapped")),
    "failover": Fault(_mishap("failover"), BROKEN),
    "failover, new id": Fault(_next("failover"), ends=frozenset({"customer_disconnected", "superseded"})),
    "transfer": Fault(_next("transfer"), ends=frozenset({"customer_disconnected", "agent_disconnected"})),
    "restart": Fault(_next("restart"), ends=frozenset({"customer_disconnected", "user_triggered"})),
    "pause": Fault(_mishap("pause", 2_000, for_ms=2_500)),
    "short pause": Fault(_mishap("pause", 2_000, for_ms=800)),
    "outage in a pause": Fault(_pause_and_outage(pause_ms=6_000)),
    "pause over in an outage": Fault(_pause_and_outage(pause_ms=2_500)),
    "garbage": Fault(
        _often("cut_off", "no_object", "no_type", "unknown_type", "wrong_fields", "bad_base64", "empty")
    ),
    "broken frames": Fault(_often("bad_utf8", "reserved_opcode", "pieces", "ping", "huge"), BROKEN),
    "webhooks twice": Fault({"faults": {"repeated_webhook": True}, **_mishap("repeat_started")}),
    "stopped first": Fault({"faults": {"stopped_first": True}}, ends=frozenset()),
    "revoked": Fault(_mishap("stop", reason="stream_revoked"), ends=frozenset()),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination."""

    product: Product
    codec: str
    offer: str
    fault: str


def everything() -> list[Cell]:
    """All of them."""
    return [Cell(*values) for values in product(PRODUCTS, CODECS, OFFERS, FAULTS)]


def covering() -> list[Cell]:
    """Few cells, in which every two values of different dimensions meet at least once."""
    meeting = {cell: _pairs(cell) for cell in everything()}
    owed = {pair for pairs in meeting.values() for pair in pairs}
    chosen = []
    while owed:
        best = max(meeting, key=lambda cell: len(owed & meeting[cell]))
        owed -= meeting[best]
        chosen.append(best)
    return sorted(chosen, key=lambda cell: list(FAULTS).index(cell.fault))


def _pairs(cell: Cell) -> set[tuple[Any, Any]]:
    values = enumerate((cell.product, cell.codec, cell.offer, cell.fault))
    return set(combinations(values, 2))


def play(cell: Cell, folder: Path) -> Account:
    """Play the cell's call in virtual time, and make its account: of all its streams.

    Args:
        cell: which.
        folder: for the daemon's journals.
    """
    return run_virtually(lambda: _play(cell, folder))


async def _play(cell: Cell, folder: Path) -> Account:
    fault = FAULTS[cell.fault]
    account = Account()
    settings = {"codec": cell.codec, "transcripts": True, "chat": True, **fault.settings}
    async with virtual_daemon(folder, fault.timing, **settings) as daemon:
        with trio.move_on_after(LONGEST_S) as patience:
            truth = await daemon.play(scenario_of(cell, fault))
            await daemon.settled()
        if patience.cancelled_caught:
            account.problems.append(f"not over after {LONGEST_S} s")
            return account
        left = daemon.connections_count
        facts = daemon.facts
    for stream in truth.streams():
        if cell.fault == "revoked":
            account.problems += ["not forgotten"] if facts.get(stream.stream_id) else []
        elif cell.fault != "stopped first":
            account.add(account_of(stream, facts[stream.stream_id]))
    account.problems += _against_expectations(account, fault, left)
    if cell.fault == "stopped first" and facts:
        account.problems.append(f"received although it had ended: {len(facts)} streams")
    if cell.fault != "stopped first":  # Zoom minds that somebody still asks for that one
        account.problems += [one.what for one in daemon.zoom.violations]
    return account


def _against_expectations(account: Account, fault: Fault, left: int) -> Iterator[str]:
    if wrong := set(account.gaps) - fault.causes:
        yield f"gaps with causes {sorted(wrong)}, expected {sorted(fault.causes)}"
    if fault.is_lossy and not account.gaps:
        yield "no gap"
    if set(account.end_causes) != fault.ends:
        yield f"ended with {sorted(account.end_causes)}, expected {sorted(fault.ends)}"
    if left:
        yield f"{left} connections left open"


def scenario_of(cell: Cell, fault: Fault) -> Scenario:
    """Two people of whom each says something, and the fault."""
    return parse_scenario(_fields(cell, fault), name=str(cell), folder=Path(demo.__file__).parent)


def _fields(cell: Cell, fault: Fault) -> dict[str, Any]:
    has_channels = cell.product is Product.CONTACT_CENTER
    consumer, agent = ("ch-consumer", "ch-agent") if has_channels else ("16778240", "16779264")
    events = [{"name": "consumer_answered", "at_ms": 100}, {"name": "user_answered", "at_ms": 200}]
    return {
        "title": f"{cell.product} {cell.codec} {cell.offer} {cell.fault}",
        "product": cell.product.value,
        "duration_ms": 6_000,
        "stop_reason": "customer_disconnected",
        "participant": [
            {"side": "consumer", "channel_id": consumer, "display_name": "Ana Example"},
            {"side": "agent", "channel_id": agent, "display_name": "Lee Agent"},
        ],
        "speech": [
            {"who": agent, "at_ms": 600, "text": "One moment please.", "sound": "orders/14.flac"},
            {"who": consumer, "at_ms": 4_800, "text": "Thank you.", "sound": "orders/11.flac"},
        ],
        "event": events if has_channels else [],
        "chat": [] if has_channels else [{"who": consumer, "at_ms": 1_000, "text": "Hello"}],
        "dialect": {"offer": cell.offer},
        **fault.scenario,
    }
