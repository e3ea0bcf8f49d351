"""A long trial: calls through a daemon that is killed with SIGKILL again and again, or whose Postgres is.

    python scripts/try_crashes.py --calls 20 --kills 50
    python scripts/try_crashes.py --calls 20 --kills 0 --postgres-kills 5 --postgres-stops 1 --stop-s 60

Prints what was played, what was compared and what differs; exit status 1 when anything does. Everything happens on
this machine, in a folder that is removed at the end (kept with --keep).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path

import trio
from sqlalchemy import make_url, text

from zccvoice.cli import settings
from zccvoice.config import load
from zccvoice.rehearsal import write_config
from zccvoice.rehearsal.crashes import Trial, compare, suffer
from zccvoice.simulator.demo import demo_scenarios
from zccvoice.simulator.scenario import load_scenario
from zccvoice.simulator.zoom import ZoomApp
from zccvoice.store.database import connect, upgrade
from zccvoice.store.private_postgres import PrivatePostgres

APP = ZoomApp("trial-client-id", "trial-client-secret", "trial-webhook-secret")


def main() -> int:
    """0 when nothing differs."""
    options = _parser().parse_args()
    folder = Path(tempfile.mkdtemp(prefix="zccvoice-trial-"))
    folder.chmod(0o755)  # when we are root another account runs the private Postgres, and has to get there
    try:
        return _run(options, folder)
    finally:
        if options.keep:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--calls", type=int, default=20, help="at once (default: 20)")
    parser.add_argument("--kills", type=int, default=50, help="of the daemon (default: 50)")
    parser.add_argument("--postgres-kills", type=int, default=0, help="after those of the daemon")
    parser.add_argument("--postgres-stops", type=int, default=0, help="after those")
    parser.add_argument("--stop-s", type=float, default=60, help="how long Postgres stays away (default: 60)")
    parser.add_argument("--longest-life-s", type=float, default=6, help="of a daemon (default: 6)")
    parser.add_argument("--speed", type=float, default=1, help="times faster than real (default: 1)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep journals, logs and databases")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


class _Server:
    """A Postgres with two databases, which can be killed and stopped."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._postgres = PrivatePostgres(folder)

    def __enter__(self) -> _Server:
        self._postgres.__enter__()
        administrator = connect(self._postgres.url)
        with administrator.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for name in ("stored", "empty"):
                connection.execute(text(f"CREATE DATABASE {name}"))
        administrator.dispose()
        return self

    def __exit__(self, *_: object) -> None:
        self._postgres.__exit__(None, None, None)

    def url(self, database: str) -> str:
        return make_url(self._postgres.url).set(database=database).render_as_string(hide_password=False)

    def kill(self) -> None:
        pid = int((next(self._postgres.home.rglob("postmaster.pid"))).read_text().split()[0])
        os.kill(pid, signal.SIGKILL)

    def stop_for(self, seconds: float) -> None:
        self._postgres.__exit__(None, None, None)
        time.sleep(seconds)
        self._postgres = PrivatePostgres(self._folder)
        self._postgres.__enter__()


def _run(options: argparse.Namespace, folder: Path) -> int:
    scenarios = [load_scenario(path) for path in demo_scenarios()]
    config_file = write_config(folder, scenarios)
    config = load(config_file)
    shelf = settings.shelf(config)
    trial = Trial(
        calls_at_once=options.calls,
        kills=options.kills,
        longest_life_s=options.longest_life_s,
        disturbances=options.postgres_kills + options.postgres_stops,
        seed=options.seed,
    )
    begin = time.monotonic()
    with _Server(folder / "postgres") as server:
        stored, empty = connect(server.url("stored")), connect(server.url("empty"), statement_timeout_s=300)
        for engine in (stored, empty):
            upgrade(engine)

        def disturb(number: int) -> None:
            if number < options.postgres_kills:
                server.kill()
            else:
                server.stop_for(options.stop_s)

        environment = {
            "ZCCVOICE_DATABASE__URL": server.url("stored"),
            "ZCCVOICE_SPEECH__BEAM_SIZE": "1",  # two cores are to keep up with all the calls
        }
        play = partial(suffer, scenarios, folder, config_file, APP, shelf, trial)
        ordeal = trio.run(partial(play, settings=environment, speed=options.speed, disturb=disturb))
        played_s = time.monotonic() - begin
        found = compare(ordeal, shelf, config, settings.phones(config), stored, empty)
        stored.dispose()
        empty.dispose()
    result = {
        "calls": len(ordeal.truths),
        "kills": len(ordeal.kills_ms),
        "down_s": round(ordeal.down_s, 1),
        "played_s": round(played_s, 1),
        **asdict(found),
    }
    if options.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:>22}  {value if name != 'differences' else len(found.differences)}")
        for difference in found.differences[:20]:
            print(difference)
    return 1 if found.differences else 0


if __name__ == "__main__":
    sys.exit(main())
