"""``zccvoice bench analytics``: scorecards per second, stored calls measured again, an agent's month, hang-up.

All in one run, in a folder, a Postgres and a daemon of its own that are gone afterwards.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import trio
from sqlalchemy import Engine

from zccvoice.analytics.scorecard import scorecard
from zccvoice.analytics.thresholds import DEFAULTS
from zccvoice.bench import BenchResult, Figure, Wanted, percentile
from zccvoice.bench.conversation import LENGTH_MS, conversation
from zccvoice.bench.questions import measure_questions
from zccvoice.bench.store import database
from zccvoice.bench.year import OnProgress, load_year, make_year
from zccvoice.rehearsal import new_calls, rehearse, write_config
from zccvoice.simulator.demo import demo_scenarios
from zccvoice.simulator.scenario import load_scenario
from zccvoice.store.recompute import Outcome, recompute_all, stored_calls

UTTERANCES = 1_000_000
RECOMPUTED_CALLS = 10_000
LIVE_CALLS = 20
WANTED_SCORECARDS_PER_S = 500.0
WANTED_LAG_P95_S = 2.0
_CALLS, _ROUNDS = 50, 5


def run(
    *,
    utterances: int = UTTERANCES,
    live_calls: int = LIVE_CALLS,
    on_progress: OnProgress = lambda said: None,
) -> BenchResult:
    """Measure; takes some minutes, most of them for loading the year of calls.

    Args:
        utterances: size of the year.
        live_calls: demo calls that are played at once, at the speed of life; 0 plays none.
        on_progress: told what is done by now.

    Raises:
        StoreError: no Postgres is to be had.
        RehearsalError: the daemon did not do its part.
        OSError: there is no room for a temporary folder.
    """
    result = BenchResult("analytics")
    on_progress("scorecards")
    measure_scorecards(result)
    with tempfile.TemporaryDirectory(prefix="zccvoice-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # when we are root another account runs the server, and has to get there
        if live_calls:
            on_progress(f"{live_calls} calls at once")
            measure_live(folder, live_calls, result)
        with database(folder / "year") as engine:
            year = make_year(utterances, datetime.now(UTC).date() + timedelta(days=1))
            load_year(engine, year, on_progress)
            measure_questions(engine, year, result, names=("agent_month",), on_progress=on_progress)
            on_progress("measuring stored calls again")
            measure_recompute(engine, RECOMPUTED_CALLS, result)
    return result


def measure_scorecards(result: BenchResult, *, calls: int = _CALLS, rounds: int = _ROUNDS) -> None:
    """Add how many scorecards of six-minute calls one core makes; the best of the rounds counts."""
    records = [conversation(number) for number in range(calls)]
    taken_s = []
    for _ in range(rounds):
        begin = time.process_time()
        for record in records:
            scorecard(record)
        taken_s.append(time.process_time() - begin)
    per_s = calls / min(taken_s)
    spoken = sum(len(record.utterances) for record in records) / calls
    how = f"{calls} calls of {LENGTH_MS // 60_000} min, {spoken:.0f} utterances each, best of {rounds}, CPU time"
    result.figures["scorecards"] = Figure(round(per_s), "calls/s", how)
    result.wanted.append(Wanted("scorecards", WANTED_SCORECARDS_PER_S, per_s, is_least=True))


def measure_recompute(engine: Engine, calls: int, result: BenchResult) -> None:
    """Add how fast stored calls are measured again: once when all change, once when none does."""
    with engine.connect() as connection:
        ids = stored_calls(connection)[-calls:]
    for name, outcome in (("changed", Outcome.CHANGED), ("unchanged", Outcome.UNCHANGED)):
        begin = time.monotonic()
        found = Counter(recompute_all(engine, ids, DEFAULTS))
        took_s = time.monotonic() - begin
        how = f"{len(ids)} stored calls, {found[outcome]} {outcome}, one process per core"
        result.figures[f"recompute_{name}"] = Figure(round(took_s, 1), "s", how)
        result.figures[f"recompute_{name}_rate"] = Figure(round(len(ids) / took_s), "calls/s", how)


def measure_live(folder: Path, calls: int, result: BenchResult) -> None:
    """Add how soon after hang-up a call's final row is committed, with so many demo calls at once."""
    scenarios = [load_scenario(path) for path in demo_scenarios()]
    config_file = write_config(folder, scenarios)
    played = new_calls(list(islice(cycle(scenarios), calls)))
    rehearsal = trio.run(partial(rehearse, played, folder, config_file=config_file, speed=1.0))
    lags_s = list(rehearsal.lags_s.values())
    for percent in (50, 95):
        how = f"hang-up to committed row, {len(lags_s)} demo calls at once, demo weights"
        result.figures[f"final_row_p{percent}"] = Figure(round(percentile(lags_s, percent), 3), "s", how)
    result.wanted.append(Wanted("final_row_p95", WANTED_LAG_P95_S, percentile(lags_s, 95)))
