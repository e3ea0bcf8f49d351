"""The chores are done by themselves, each on its own: one that fails keeps no other from its turn."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio
from sqlalchemy import Engine, text

from tests.daemon.rooms import new_shelf
from zccvoice.config import load
from zccvoice.daemon.housekeeping import keep_house
from zccvoice.journal.shelf import Shelf, journal_name
from zccvoice.store.database import connect, transaction
from zccvoice.store.erasure import rows_of
from zccvoice.store.facts import StreamOpened
from zccvoice.store.writes import apply

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
NAME = journal_name("s1")
CONFIG = load(None, retention={"sound_days": 30, "transcripts_days": 30, "calls_days": 30})


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A call of long ago is stored."""
    engine = connect(database_url)
    with transaction(engine) as connection:
        apply(connection, [StreamOpened("e1", "s1", "zcc_voice", LONG_AGO)])
    yield engine
    engine.dispose()


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """Its journal."""
    shelf = new_shelf(tmp_path)
    shelf.writer(NAME).close()
    shelf.close(NAME)
    os.utime(tmp_path / "journal/closed" / f"{NAME}.journal", (LONG_AGO.timestamp(),) * 2)
    return shelf


def is_stored(engine: Engine) -> bool:
    with transaction(engine) as connection:
        return bool(rows_of(connection, ["e1"]))


async def keep_house_until(engine: Engine, shelf: Shelf, is_done: Callable[[], bool]) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(keep_house, CONFIG, engine, shelf)
        with trio.fail_after(30):
            while not await trio.to_thread.run_sync(is_done):
                pass
        nursery.cancel_scope.cancel()


async def test_what_is_too_old_goes(engine: Engine, shelf: Shelf) -> None:
    await keep_house_until(engine, shelf, lambda: not shelf.exists(NAME) and not is_stored(engine))


async def test_a_chore_that_fails_keeps_no_other_from_its_turn(engine: Engine, shelf: Shelf) -> None:
    """Here partitions cannot be made."""
    with transaction(engine) as connection:
        connection.execute(text("DROP FUNCTION zccvoice.make_partitions(integer)"))
    await keep_house_until(engine, shelf, lambda: not shelf.exists(NAME) and not is_stored(engine))
