"""A day of calls with faults through the daemon's parts, in virtual time: does anything leak, is any call lost?

    python scripts/try_day.py --hours 24 --calls 384

Prints what is there at the end of every hour, and the account of the day; exit status 1 when something is amiss.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from zccvoice.config import LogConfig
from zccvoice.daemon import log
from zccvoice.rehearsal.day import Reading, play_day


def main() -> int:
    """0 when every account balances and nothing is left."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--calls", type=int, default=384)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    log.configure(LogConfig(level="error"))
    begin = time.monotonic()
    print(
        f"{'hour':>4}{'calls':>7}{'tasks':>7}{'files':>7}{'connections':>13}{'objects':>10}{'resident MiB':>14}"
    )
    with tempfile.TemporaryDirectory(prefix="zccvoice-day-") as folder:
        day = play_day(
            Path(folder), calls=options.calls, hours=options.hours, seed=options.seed, on_hour=_show
        )
    account = day.account
    took_s, played = time.monotonic() - begin, day.kinds.total()
    print(f"{options.hours} hours in {took_s:.0f} s: {played} calls of {len(day.kinds)} kinds")
    print(f"  {day.streams} streams on {day.connections} connections, {day.revoked} revoked")
    print(f"  samples sent {account.sent:,} + missing {account.missing:,} = ", end="")
    print(f"decoded {account.decoded:,} + gaps {account.gaps.total():,} {dict(account.gaps)}")
    print(f"  texts received {account.texts_received:,} of {account.texts_sent:,}")
    print(f"  ends: {dict(account.end_causes)}")
    for name, value in day.counters.items():
        print(f"  {name} {value:,.0f}")
    for problem in account.problems:
        print(f"  AMISS {problem}")
    return 1 if account.problems else 0


def _show(one: Reading) -> None:
    print(
        f"{one.hour:4}{one.calls:7}{one.tasks:7}{one.open_files:7}{one.connections:13}{one.objects:10}"
        f"{one.resident_mib:14.1f}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
