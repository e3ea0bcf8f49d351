"""A million messages that are wrong in every way, into the parser, the connection cores and the journal's codec.

    python scripts/try_messages.py --count 1000000 --seed 1

Ends with a traceback when anything but a message or a refusal comes out.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict

from zccvoice.rehearsal.mutations import throw


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    begin = time.process_time()
    figures = throw(options.count, options.seed)
    took_s = time.process_time() - begin
    print(
        f"{figures.total:,} messages, {figures.total / took_s:,.0f} per CPU-second, no unexpected exception"
    )
    for name, value in asdict(figures).items():
        print(f"  {name:14}{value:>12,}")


if __name__ == "__main__":
    main()
