"""``zccvoice bench media``: what receiving costs, from the socket to the detector's decision.

Meetings of two people from a simulator in a process of its own are received, each time by another client in a
process and on a core of its own: a bare socket that counts bytes (the floor), this program's transport alone,
its whole path with nobody who transcribes, and Zoom's SDK doing nothing with what comes. Machines are shared,
and the simulator needs a core: trust the ratios within a run.
"""

from __future__ import annotations

import importlib.util
import time

from zccvoice.bench import BenchResult, Figure, Wanted, percentile
from zccvoice.bench.media_clients import measured
from zccvoice.bench.media_load import SIDES, simulated
from zccvoice.bench.media_tally import Tally

SECONDS = 2.0
CALLS = {20: 32, 100: 120}
"""That are played at each `send_rate` in milliseconds."""
CLIENTS = ("floor", "receive", "whole", "sdk")
IDLE_CALLS = 60
FIRST_SEARCHED, MOST_SEARCHED = 300, 600
SEARCHED_STEP = 40
"""Between a load that is kept up with and one that is not."""
SEARCH_S = 60.0
KEEPS_UP_MS = 1_000.0
"""The detector lags no further behind what was received than four of the journal's writes."""
LATE_MS = 100.0
"""A simulator that is later than that was not there when it should have been: one packet."""
SDK_RATE_MS = 20
"""What the SDK asks for when nothing else is said."""
WANTED_RECEIVING, WANTED_CALLS, WANTED_IDLE_KB, WANTED_KEPT_UP = 1.0, 4.0, 200.0, 300


def run(*, seconds: float = SECONDS) -> BenchResult:
    """Measure; takes three minutes, less than six on a machine that others use as well.

    Args:
        seconds: for which each client is measured once it is connected.
    """
    result = BenchResult("media")
    clients = [one for one in CLIENTS if one != "sdk" or importlib.util.find_spec("rtms") is not None]
    tallies: dict[tuple[str, int], Tally] = {}
    for rate_ms, count in CALLS.items():
        for client in clients:
            with simulated(count) as load:
                tally = measured(client, load.streams, send_rate_ms=rate_ms, seconds=seconds)
            tallies[client, rate_ms] = tally
            _tell(result, f"{client}_{rate_ms}ms", tally, rate_ms, count)
    _measure_idle(result, seconds)
    _search(result, seconds)
    _judge(result, tallies)
    return result


def _tell(result: BenchResult, name: str, tally: Tally, rate_ms: int, count: int) -> None:
    how = (
        f"{tally.streams} of {count} calls with two L16 sides, messages of {rate_ms} ms, {tally.wall_s:.1f} s"
    )
    figures = result.figures
    figures[f"{name}.calls_per_core"] = Figure(round(_calls_per_core(tally, rate_ms)), "calls", how)
    figures[f"{name}.memory"] = Figure(_kb_per_call(tally), "kB / call", "RssAnon, more than before")
    if not tally.received_bytes:
        per_cpu_s = tally.messages / max(tally.cpu_s, 1e-9)
        figures[f"{name}.messages"] = Figure(round(per_cpu_s), "messages / CPU s", how)
        minutes = round(per_cpu_s * rate_ms / SIDES / 60_000, 2)
        figures[f"{name}.call_minutes"] = Figure(minutes, "call minutes / CPU s", how)
    for kind, values in (("vad_delay", tally.delays_ms), ("loop_lag", tally.lags_ms)):
        for percent in (50, 99) if values else ():
            value = round(percentile(values, percent), 1)
            figures[f"{name}.{kind}_p{percent}"] = Figure(value, "ms", how)


def _calls_per_core(tally: Tally, rate_ms: int) -> float:
    """By what was really received; a bare socket, which counts no messages, is believed to have kept up."""
    if not tally.cpu_s:
        return 0.0
    if tally.received_bytes:
        return tally.streams * tally.wall_s / tally.cpu_s
    return tally.messages * rate_ms / SIDES / 1_000 / tally.cpu_s


def _kb_per_call(tally: Tally) -> float:
    return round(tally.memory_bytes / 1_000 / max(tally.streams, 1), 1)


def _measure_idle(result: BenchResult, seconds: float) -> None:
    with simulated(IDLE_CALLS, is_idle=True) as load:
        tally = measured("whole", load.streams, send_rate_ms=100, seconds=seconds)
    how = f"RssAnon of {tally.streams} calls in which nobody has said anything"
    result.figures["idle.memory"] = Figure(_kb_per_call(tally), "kB / call", how)
    result.wanted.append(Wanted("idle.memory", WANTED_IDLE_KB, _kb_per_call(tally)))


def _search(result: BenchResult, seconds: float) -> None:
    """Halve what lies between a load that one core keeps up with and one that it does not."""
    begin = time.monotonic()
    best, count, too_many, late_ms = 0, FIRST_SEARCHED, MOST_SEARCHED, 0.0
    while too_many - best > SEARCHED_STEP and time.monotonic() - begin < SEARCH_S:
        with simulated(count) as load:
            tally = measured("whole", load.streams, send_rate_ms=100, seconds=seconds)
            if _keeps_up(tally, count):
                best = count
            else:
                too_many, late_ms = count, load.late_ms
        count = (best + too_many) // 2
    how = f"VAD p99 below {KEEPS_UP_MS:g} ms, 19 of 20 packets in time; not {too_many}"
    if late_ms > LATE_MS:
        how += f", for which the simulator had no core of its own: it was {late_ms:.0f} ms late itself"
    result.figures["whole_100ms.kept_up"] = Figure(best, "calls", how)
    result.wanted.append(Wanted("whole_100ms.kept_up", WANTED_KEPT_UP, best, is_least=True))


def _keeps_up(tally: Tally, count: int) -> bool:
    due = count * SIDES * 10 * tally.wall_s
    is_complete = tally.streams == count and tally.messages >= 0.95 * due
    return is_complete and percentile(tally.delays_ms, 99) <= KEEPS_UP_MS


def _judge(result: BenchResult, tallies: dict[tuple[str, int], Tally]) -> None:
    """This program beside the SDK, where there is one."""
    if ("sdk", SDK_RATE_MS) not in tallies:
        return
    for name, ours, theirs, how in (
        ("receive_20ms.by_sdk", ("receive", 20), 20, "receiving alone, both at 20 ms"),
        ("receive_100ms.by_sdk", ("receive", 100), 100, "receiving alone, both at 100 ms"),
        (
            "whole_100ms.by_sdk",
            ("whole", 100),
            SDK_RATE_MS,
            "the whole path at 100 ms / the SDK at its 20 ms",
        ),
        ("whole_100ms.by_sdk_100ms", ("whole", 100), 100, "the whole path / the SDK, both at 100 ms"),
    ):
        sdk = _calls_per_core(tallies["sdk", theirs], theirs)
        ratio = round(_calls_per_core(tallies[ours], ours[1]) / max(sdk, 1e-9), 2)
        result.figures[name] = Figure(ratio, "ratio", f"calls per core: {how}")
    for name, bound in (("receive_20ms.by_sdk", WANTED_RECEIVING), ("whole_100ms.by_sdk", WANTED_CALLS)):
        result.wanted.append(Wanted(name, bound, result.figures[name].value, is_least=True))
