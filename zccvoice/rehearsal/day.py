"""A day of calls through a daemon in virtual time: every kind of call and of fault, hour after hour.

Calls begin in the first forty minutes of each hour and are over before the next one begins. Then nothing may be
left: no task, no connection, no open file. What each call gave is held against its truth, and forgotten.
"""

from __future__ import annotations

import gc
import os
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle
from pathlib import Path
from typing import Any

import trio

from zccvoice.journal.shelf import journal_name
from zccvoice.rehearsal.accounts import Account, account_of
from zccvoice.rehearsal.matrix import PRODUCTS
from zccvoice.rehearsal.virtual import VirtualDaemon, run_virtually, virtual_daemon
from zccvoice.rtms.enums import Product
from zccvoice.simulator import demo
from zccvoice.simulator.scenario import Scenario, parse_scenario
from zccvoice.simulator.truth import CallTruth
from zccvoice.store.facts import Fact, StreamClosed

HOUR_S = 3_600
BUSY_S = 2_400
"""Calls begin in this part of an hour."""
PATIENCE_S = 120
"""How long after its end a call may take to be stored."""


def _mishap(kind: str, at_ms: int = 30_050, **fields: Any) -> dict[str, Any]:
    return {"mishap": [{"kind": kind, "at_ms": at_ms, **fields}]}


KINDS: Mapping[str, dict[str, Any]] = {
    "plain": {},
    "lost packets": {
        "faults": {"lost": [{"who": "agent", "ratio": 0.05, "from_ms": 2_000, "to_ms": 50_000}]}
    },
    "signaling dropped": _mishap("drop", where="signaling"),
    "media dropped": _mishap("drop", where="media"),
    "both reset": _mishap("abort"),
    "both half-open": _mishap("cut"),
    "media half-open": _mishap("cut", where="media"),
    "silence": _mishap("silence", for_ms=20_000),
    "outage": _mishap("outage", for_ms=20_000),
    "failover": _mishap("failover"),
    "transfer": {"stream": [{"at_ms": 60_000, "after": "transfer"}]},
    "failover, new id": {"stream": [{"at_ms": 60_000, "after": "failover"}]},
    "pause": _mishap("pause", 30_000, for_ms=20_000),
    "broken frames": _mishap("garbage", garbage="bad_utf8"),
    "refused": _mishap("refuse", 0, where="signaling", times=2),
    "revoked": _mishap("stop", reason="stream_revoked"),
}
"""As many as the simulator keeps the sound of."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is there at the end of an hour, when no call runs."""

    hour: int
    calls: int
    """Played until then."""
    tasks: int
    open_files: int
    connections: int
    objects: int
    """That the garbage collector knows."""
    resident_mib: float


@dataclass(slots=True)
class Day:
    """What came of it."""

    account: Account = field(default_factory=Account)
    kinds: Counter[str] = field(default_factory=Counter)
    """Calls by kind."""
    streams: int = 0
    revoked: int = 0
    connections: int = 0
    """That were made."""
    counters: dict[str, float] = field(default_factory=dict)
    """The daemon's, at the end."""
    readings: list[Reading] = field(default_factory=list)


def play_day(
    folder: Path, *, calls: int, hours: int, seed: int, on_hour: Callable[[Reading], None] = lambda _: None
) -> Day:
    """Play it.

    Args:
        folder: for the daemon's journals; they are deleted as soon as their calls are compared.
        calls: how many; the same number in each hour.
        hours: virtual ones.
        seed: of when calls begin.
        on_hour: told at the end of each hour.
    """
    chance = random.Random(seed)  # noqa: S311 (no secret)
    return run_virtually(lambda: _play_day(folder, calls, hours, chance, on_hour))


async def _play_day(
    folder: Path, calls: int, hours: int, chance: random.Random, on_hour: Callable[[Reading], None]
) -> Day:
    day = Day()
    scenarios = [_scenario(kind, product) for kind, product in zip(KINDS, cycle(PRODUCTS), strict=False)]
    # A packet a second, at 8 kHz: what is tried is not the codec.
    settings: dict[str, Any] = {
        "sample_rate_hz": 8_000,
        "send_rate_ms": 1_000,
        "transcripts": True,
        "chat": True,
    }
    begin = trio.current_time()
    async with virtual_daemon(folder, **settings) as daemon:
        numbers = iter(range(calls))
        for hour in range(hours):
            async with trio.open_nursery() as playing:
                for number in [
                    next(numbers) for _ in range(calls * (hour + 1) // hours - calls * hour // hours)
                ]:
                    scenario = scenarios[number % len(scenarios)]
                    playing.start_soon(_play_call, daemon, day, scenario, number, chance.uniform(0, BUSY_S))
            await trio.sleep_until(begin + (hour + 1) * HOUR_S)
            day.readings.append(_reading(hour + 1, day, daemon))
            on_hour(day.readings[-1])
        day.connections = daemon.connected_count
        day.revoked = len(daemon.revoked)
        day.counters = {
            sample.name: sample.value
            for metric in daemon.metrics.registry.collect()
            for sample in metric.samples
            if not sample.labels and "_created" not in sample.name
        }
        day.account.problems += [f"left: {left}" for left in daemon.facts]
    return day


async def _play_call(
    daemon: VirtualDaemon, day: Day, scenario: Scenario, number: int, begins_in_s: float
) -> None:
    await trio.sleep(begins_in_s)
    named = replace(scenario, engagement_id=f"engagement-{number}", stream_id=f"{number:032x}")
    truth = await daemon.play(named)
    day.kinds[scenario.title] += 1
    for stream in truth.streams():
        day.streams += 1
        await _compare(daemon, day.account, stream, is_revoked=scenario.title == "revoked")
    day.account.problems += truth.violations


async def _compare(daemon: VirtualDaemon, account: Account, stream: CallTruth, *, is_revoked: bool) -> None:
    """Hold a stream against its truth when it is stored, and forget it."""
    stream_id = stream.stream_id
    if is_revoked:
        await trio.sleep(PATIENCE_S)
        if daemon.facts.pop(stream_id, None) or daemon.shelf.exists(journal_name(stream_id)):
            account.problems.append(f"{stream_id}: revoked, and not forgotten")
        return
    with trio.move_on_after(PATIENCE_S):
        while not _is_closed(daemon.facts.get(stream_id, ())):  # noqa: ASYNC110 (nobody tells)
            await trio.sleep(1)
    account.add(account_of(stream, daemon.facts.pop(stream_id, [])))
    await trio.sleep(1)  # the writer closes the journal
    daemon.shelf.shred(journal_name(stream_id))


def _is_closed(facts: Sequence[Fact]) -> bool:
    return any(isinstance(fact, StreamClosed) for fact in facts)


def _reading(hour: int, day: Day, daemon: VirtualDaemon) -> Reading:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Reading(
        hour=hour,
        calls=day.kinds.total(),
        tasks=trio.lowlevel.current_statistics().tasks_living,
        open_files=len(os.listdir("/proc/self/fd")),  # noqa: PTH208 (procfs)
        connections=daemon.connections_count,
        objects=len(gc.get_objects()),
        resident_mib=pages * os.sysconf("SC_PAGE_SIZE") / 2**20,
    )


def _scenario(kind: str, product: Product) -> Scenario:
    """Two minutes of two people, each of whom says something every quarter of a minute."""
    has_channels = product is Product.CONTACT_CENTER
    consumer, agent = ("ch-consumer", "ch-agent") if has_channels else ("16778240", "16779264")
    fields: dict[str, Any] = {
        "title": kind,
        "product": product.value,
        "duration_ms": 120_000,
        "stop_reason": "customer_disconnected",
        "participant": [
            {"side": "consumer", "channel_id": consumer, "display_name": "Ana Example"},
            {"side": "agent", "channel_id": agent, "display_name": "Lee Agent"},
        ],
        "speech": [
            {"who": who, "at_ms": at_ms + later_ms, "text": "Thank you.", "sound": sound}
            for at_ms in range(1_000, 110_000, 15_000)
            for who, later_ms, sound in ((agent, 0, "orders/14.flac"), (consumer, 6_000, "orders/11.flac"))
        ],
        "event": [{"name": "user_answered", "at_ms": 200}] if has_channels else [],
        "chat": [] if has_channels else [{"who": consumer, "at_ms": 10_000, "text": "Hello"}],
        **KINDS[kind],
    }
    return parse_scenario(fields, name=kind, folder=Path(demo.__file__).parent)
