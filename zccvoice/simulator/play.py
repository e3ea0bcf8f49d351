"""Plays scenarios to a daemon that runs elsewhere: the function behind ``zccvoice simulate``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import trio

from zccvoice.simulator.certificates import Authority
from zccvoice.simulator.progress import OnProgress, Violation
from zccvoice.simulator.scenario import Scenario
from zccvoice.simulator.timing import Timing
from zccvoice.simulator.truth import CallTruth
from zccvoice.simulator.webhooks import post_to
from zccvoice.simulator.zoom import Zoom, ZoomApp, running_zoom

RETRY_DELAYS_S = (5.0, 20.0, 60.0)
"""Zoom's 5, 20 and 60 minutes for undelivered webhooks, in seconds: nobody waits an hour for a rehearsal."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """What came of it."""

    truths: tuple[CallTruth, ...]
    """One per scenario, in the scenarios' order; empty when the endpoint failed Zoom's validation."""
    violations: tuple[Violation, ...]
    """Everything the daemon did wrong, the failed validation included."""


async def simulate(
    scenarios: Sequence[Scenario],
    app: ZoomApp,
    webhook_url: str,
    *,
    speed: float = 1.0,
    host: str = "127.0.0.1",
    port: int = 0,
    apart_s: float = 0.0,
    authority: Authority | None = None,
    on_progress: OnProgress | None = None,
) -> Simulation:
    """Validate the endpoint as Zoom does, then play all scenarios beside each other to their ends.

    Cancelling drops all connections at once.

    Args:
        scenarios: the calls; their stream ids must differ.
        app: the credentials that the daemon is configured with.
        webhook_url: the daemon's endpoint, ``http://``.
        speed: times faster than real.
        host: address to serve the WebSockets on; the daemon must be able and allowed to reach it.
        port: port to serve them on; 0 has the system choose.
        apart_s: seconds between the beginnings of two calls.
        authority: signs the certificate of ``wss://localhost``; None serves ``ws://``.
        on_progress: told how the calls go on.

    Raises:
        ScenarioError: the URL is not ``http://``, or the sound of a scenario cannot be made.
    """
    deliver = post_to(webhook_url)
    timing = replace(Timing(), webhook_retry_delays_s=RETRY_DELAYS_S).at_speed(speed)
    async with running_zoom(
        app,
        deliver=deliver,
        speed=speed,
        timing=timing,
        on_progress=on_progress,
        host=host,
        port=port,
        authority=authority,
    ) as zoom:
        if not await zoom.probe_webhook():
            return Simulation((), zoom.violations)
        truths: dict[int, CallTruth] = {}

        async def play(number: int, scenario: Scenario, zoom: Zoom = zoom) -> None:
            await trio.sleep(number * apart_s)
            truths[number] = await zoom.play(scenario)

        async with trio.open_nursery() as calls:
            for number, scenario in enumerate(scenarios):
                calls.start_soon(play, number, scenario)
        return Simulation(tuple(truths[number] for number in range(len(scenarios))), zoom.violations)
