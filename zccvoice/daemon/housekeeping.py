"""What has to be done now and then: partitions made ahead, old data dropped, room made on the disk.

Each chore by itself: one that fails is logged and comes again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import trio
from sqlalchemy import Engine

from zccvoice.config import Config
from zccvoice.daemon import retention
from zccvoice.daemon.log import get_logger
from zccvoice.errors import ZccvoiceError
from zccvoice.journal.shelf import Shelf, ShelvedJournal
from zccvoice.store import partitions
from zccvoice.store.database import transaction

CHORES_S = 300.0
"""Between two rounds."""
MONTHS_AHEAD = 3
log = get_logger()


async def keep_house(config: Config, engine: Engine, shelf: Shelf) -> None:
    """Do the chores again and again. Cancelling it leaves a chore that runs in a thread to its end."""
    chores: list[Callable[[], None]] = [
        partial(_make_partitions, engine),
        partial(_retain_sound, config, engine, shelf),
        partial(_make_room, config, engine, shelf),
        partial(_retain_rows, config, engine),
    ]
    while True:
        for chore in chores:
            try:
                await trio.to_thread.run_sync(chore)
            except ZccvoiceError as error:
                log.warning("chore not done", problem=str(error))
            except Exception:  # the edge of one chore
                log.exception("chore failed")
        await trio.sleep(CHORES_S)


def _make_partitions(engine: Engine) -> None:
    with transaction(engine) as connection:
        partitions.make_partitions(connection, months_ahead=MONTHS_AHEAD)


def _retain_sound(config: Config, engine: Engine, shelf: Shelf) -> None:
    if deleted := retention.retain_sound(config.retention, engine, shelf):
        log.info("journals deleted by age", count=len(deleted), bytes=_size(deleted))


def _make_room(config: Config, engine: Engine, shelf: Shelf) -> None:
    budget_bytes = int(config.journal.budget_gib * 2**30)
    if not budget_bytes or shelf.size_bytes() <= budget_bytes:
        return
    if deleted := retention.make_room(budget_bytes, engine, shelf):
        log.info("journals deleted for room", count=len(deleted), bytes=_size(deleted))
    if (size := shelf.size_bytes()) > budget_bytes:
        log.error(
            "journals take more than their budget: none can be deleted", bytes=size, budget=budget_bytes
        )


def _retain_rows(config: Config, engine: Engine) -> None:
    if removed := retention.retain_rows(config.retention, engine):
        log.info("rows deleted by age", **removed)


def _size(journals: Sequence[ShelvedJournal]) -> int:
    return sum(one.size_bytes for one in journals)
