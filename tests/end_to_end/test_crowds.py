"""Many calls at once: what one of them goes through must not be felt by the others."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import trio

from zccvoice.rehearsal.accounts import account_of
from zccvoice.rehearsal.matrix import FAULTS, Cell, scenario_of
from zccvoice.rehearsal.virtual import VirtualDaemon, run_virtually, virtual_daemon
from zccvoice.rtms.enums import Product
from zccvoice.simulator.scenario import Scenario
from zccvoice.simulator.truth import CallTruth

PLAIN = scenario_of(Cell(Product.CONTACT_CENTER, "l16", "split", "none"), FAULTS["none"])
SETTINGS: dict[str, Any] = {"sample_rate_hz": 8_000, "send_rate_ms": 200}


def numbered(scenario: Scenario, number: int) -> Scenario:
    return replace(scenario, engagement_id=f"E{number}", stream_id=f"{number:032x}")


async def play_beside(daemon: VirtualDaemon, scenarios: list[Scenario]) -> list[CallTruth]:
    truths: list[CallTruth] = []

    async def play(scenario: Scenario) -> None:
        truths.append(await daemon.play(scenario))

    async with trio.open_nursery() as calls:
        for scenario in scenarios:
            calls.start_soon(play, scenario)
    with trio.fail_after(300):
        await daemon.settled()
    return truths


def test_a_minute_at_once_beside_twenty_calls(tmp_path: Path) -> None:
    """The start buffer: timestamps rule, so a minute that comes in a moment is a minute long."""

    async def run() -> None:
        late = replace(PLAIN, duration_ms=70_000, buffered_ms=58_000, speech=(), events=())
        async with virtual_daemon(tmp_path, **SETTINGS) as daemon:
            scenarios = [numbered(PLAIN, number) for number in range(20)] + [numbered(late, 20)]
            truths = await play_beside(daemon, scenarios)
            assert daemon.zoom.violations == ()
            for truth in truths:
                account = account_of(truth, daemon.facts[truth.stream_id])
                assert account.problems == []
                assert account.decoded == account.sent
            burst = next(truth for truth in truths if truth.stream_id == f"{20:032x}")
            assert burst.burst_ms >= 58_000
            assert burst.duration_ms == 70_000

    run_virtually(run)


def test_a_storm_of_reconnects_is_spread_over_time(tmp_path: Path) -> None:
    """A network that fails for all calls at once must not have them all back in the same instant."""
    calls = 100

    async def run() -> None:
        begun: list[float] = []
        reset = replace(
            scenario_of(Cell(Product.CONTACT_CENTER, "l16", "split", "both reset"), FAULTS["both reset"]),
            speech=(),
        )
        async with virtual_daemon(tmp_path, **SETTINGS) as daemon:
            real = daemon.zoom.serve_stream

            async def serve(stream: trio.abc.Stream) -> None:
                begun.append(trio.current_time())
                await real(stream)

            daemon.zoom.serve_stream = serve  # type: ignore[method-assign]
            truths = await play_beside(daemon, [numbered(reset, number) for number in range(calls)])
            assert len(daemon.facts) == calls
            for truth in truths:
                account = account_of(truth, daemon.facts[truth.stream_id])
                assert account.problems == []
                assert set(account.end_causes) == {"customer_disconnected"}
        again = Counter(round(at, 2) for at in begun if at > 1)
        assert again.total() >= 2 * calls
        assert max(again.values()) < again.total() / 5, "within one hundredth of a second"

    run_virtually(run)


def test_the_streams_of_an_engagement_have_its_clock(tmp_path: Path) -> None:
    """Facts are stamped with Zoom's time alone: what follows a transfer comes after what was before it."""

    async def run() -> None:
        cell = Cell(Product.CONTACT_CENTER, "l16", "split", "transfer")
        async with virtual_daemon(tmp_path, **SETTINGS) as daemon:
            (truth,) = await play_beside(daemon, [scenario_of(cell, FAULTS["transfer"])])
            first, second = truth.streams()
            gap_ms = second.first_packet_timestamp_ms - first.first_packet_timestamp_ms
            assert 2_900 <= gap_ms <= 3_200, "the transfer came after three seconds"
            for stream in (first, second):
                assert account_of(stream, daemon.facts[stream.stream_id]).problems == []

    run_virtually(run)
