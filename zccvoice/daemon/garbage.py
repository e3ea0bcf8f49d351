"""How often Python looks for what holds itself in a circle, in a process that receives calls.

A packet is several objects that live for a second at most and go as soon as nobody refers to them. Python looks
for circles whenever 700 more objects were made than have gone, and there are thousands of packets on their way at
any time: so it looks again and again, all the others wait meanwhile, and it finds nothing. With two hundred calls
that takes a tenth of the time that they take, and once in a while a tenth of a second at a stretch.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG_OBJECTS = 10_000
"""So many more have to be there before Python looks at the new ones: those of a dozen calls that have ended."""
OLDER_EACH = 10
"""Every so many looks also at those that were there the last time, and so on: as Python has it by itself."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Look for circles seldom while the block lasts, and not among what is there by now: that stays."""
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, OLDER_EACH, OLDER_EACH)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
