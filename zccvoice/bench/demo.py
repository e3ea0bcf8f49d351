"""``zccvoice bench demo``: what a call costs, by stage, and how soon after hang-up its row is there.

The demo calls are played several times at once through the real daemon, in a process of its own. Its CPU time is
told apart by thread: Trio's loop, the threads that run the recognizer and the database driver, and, as what is
left of the process, CTranslate2's own threads.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import trio

from zccvoice.bench import BenchResult, Figure, Wanted
from zccvoice.rehearsal import Rehearsal, figures, new_calls, rehearse, write_config
from zccvoice.simulator.demo import demo_scenarios
from zccvoice.simulator.scenario import load_scenario

WANTED_LAG_P95_S = 2.0
"""Hang-up → scorecard row: the promise of the design, with the demo weights."""


def run(*, rounds: int = 2, speed: float = 4.0, model: str = "demo") -> BenchResult:
    """Measure; takes about `rounds` × 60 s / `speed` and a start of the daemon.

    Args:
        rounds: how many times each demo call is played, all at once.
        speed: times faster than real.
        model: ``speech.model`` of the daemon.

    Raises:
        RehearsalError: the daemon did not do its part.
    """
    scenarios = [load_scenario(path) for path in demo_scenarios()]
    calls = new_calls(scenarios * rounds)
    with tempfile.TemporaryDirectory(prefix="zccvoice-bench-") as name:
        folder = Path(name)
        config_file = write_config(folder, scenarios, model=model)
        rehearsal = trio.run(partial(rehearse, calls, folder, config_file=config_file, speed=speed))
    return result_of(rehearsal, speed)


def result_of(rehearsal: Rehearsal, speed: float) -> BenchResult:
    """The figures of a rehearsal: what the daemon's counters moved between its two ``/metrics`` pages."""
    before, after = figures(rehearsal.metrics_before), figures(rehearsal.metrics_after)

    def spent(name: str) -> float:
        return after.get(name, 0.0) - before.get(name, 0.0)

    def stage(name: str) -> float:
        return spent(f'zccvoice_cpu_seconds_total{{stage="{name}"}}')

    loop, process = spent("zccvoice_loop_cpu_seconds"), spent("zccvoice_process_cpu_seconds")
    cpu_s = {
        "socket": (
            loop - stage("decode") - stage("vad"),
            "Trio's thread without the two below: sockets, JSON",
        ),
        "decode": (stage("decode"), "timeline and codec, on Trio's thread"),
        "vad": (stage("vad"), "detector and endpointer, on Trio's thread"),
        "recognition": (
            process - loop - stage("store"),
            "the process without Trio's and the store's threads",
        ),
        "store": (stage("store"), "the writer's thread, without Postgres itself"),
        "all": (process, "the daemon's process"),
    }
    minutes = sum(truth.duration_ms for truth in rehearsal.truths) / 60_000
    result = BenchResult("demo")
    for name, (seconds, how) in cpu_s.items():
        result.figures[f"cpu_{name}"] = Figure(round(seconds / minutes, 4), "CPU s / call minute", how)
    lags_s = sorted(rehearsal.lags_s.values())
    for percent in (50, 95):
        value = lags_s[min(len(lags_s) - 1, len(lags_s) * percent // 100)]
        how = f"hang-up to committed row, {len(lags_s)} calls at once at {speed:g}x speed"
        result.figures[f"scorecard_lag_p{percent}"] = Figure(round(value, 3), "s", how)
    result.figures["call_minutes"] = Figure(round(minutes, 2), "min", "played in all")
    result.figures["memory"] = Figure(
        round(after["zccvoice_resident_memory_bytes"] / 2**20), "MiB", "the daemon's process at the end"
    )
    lag_p95 = result.figures["scorecard_lag_p95"].value
    result.wanted.append(Wanted("scorecard_lag_p95", WANTED_LAG_P95_S, lag_p95))
    return result
