"""Every product × codec × division of media × fault through the daemon's own path, with the account of each.

    python scripts/try_matrix.py --whole

Prints a table; exit status 1 when an account does not balance.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from zccvoice.config import LogConfig
from zccvoice.daemon import log
from zccvoice.rehearsal.matrix import Cell, covering, everything, play

HEAD = f"{'product':15}{'codec':6}{'media':9}{'fault':21}{'sent':>9}{'missing':>9}{'decoded':>9}{'gaps':>8}  texts"


def main() -> int:
    """0 when every account balances."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--whole", action="store_true", help="all cells, not only a covering selection")
    parser.add_argument("--fault", help="cells with this fault alone")
    parser.add_argument("--log", default="error", help="level of the daemon's log (default: error)")
    options = parser.parse_args()
    log.configure(LogConfig(level=options.log))
    cells = everything() if options.whole else covering()
    begin, bad = time.monotonic(), 0
    print(HEAD)
    for cell in cells:
        if options.fault in (None, cell.fault):
            bad += not _show(cell)
    print(f"{len(cells)} cells, {bad} do not balance, {time.monotonic() - begin:.0f} s")
    return 1 if bad else 0


def _show(cell: Cell) -> bool:
    with tempfile.TemporaryDirectory(prefix="zccvoice-matrix-") as folder:
        account = play(cell, Path(folder))
    causes = ", ".join(sorted(account.gaps))
    print(
        f"{cell.product:15}{cell.codec:6}{cell.offer:9}{cell.fault:21}{account.sent:9}{account.missing:9}"
        f"{account.decoded:9}{account.gaps.total():8}  {account.texts_received}/{account.texts_sent}  {causes}",
        flush=True,
    )
    for problem in account.problems:
        print(f"    {problem}")
    return not account.problems


if __name__ == "__main__":
    sys.exit(main())
