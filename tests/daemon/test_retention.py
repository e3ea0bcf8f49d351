"""What is too old goes by itself, and never what is under a legal hold."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.daemon.rooms import new_shelf
from tests.store.calls import small_call
from zccvoice.config import RetentionConfig
from zccvoice.daemon.retention import make_room, retain_rows, retain_sound
from zccvoice.errors import StoreError
from zccvoice.journal.shelf import Shelf, journal_name
from zccvoice.store import holds
from zccvoice.store.database import connect, transaction
from zccvoice.store.erasure import rows_of
from zccvoice.store.facts import StreamClosed, StreamOpened
from zccvoice.store.writes import apply

MONTH = RetentionConfig(sound_days=30)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Two stored calls, the second one under a legal hold."""
    engine = connect(database_url)
    with transaction(engine) as connection:
        apply(connection, [*small_call("e1", "s1"), *small_call("e2", "s2")])
        holds.place(connection, "e2", reason="case 7", by="Counsel")
    yield engine
    engine.dispose()


@pytest.fixture
def away() -> Iterator[Engine]:
    """A database that nobody reaches: nothing listens on port 1."""
    engine = connect("postgresql://nobody@127.0.0.1:1/none")
    yield engine
    engine.dispose()


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """Closed journals of 40 days ago: of both calls, and of webhooks; one of today, and an open one."""
    shelf = new_shelf(tmp_path)
    for name in (journal_name("s1"), journal_name("s2"), "webhooks-2026-10-17", journal_name("today")):
        shelf.writer(name).close()
        shelf.close(name)
        if name != journal_name("today"):
            age(tmp_path / "journal/closed", name, days=40)
    shelf.writer(journal_name("open")).close()
    age(tmp_path / "journal/open", journal_name("open"), days=40)
    return shelf


def age(folder: Path, name: str, *, days: float) -> None:
    moment = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    os.utime(folder / f"{name}.journal", (moment, moment))


def there(shelf: Shelf) -> set[str]:
    return {*(one.name for one in shelf.closed()), *shelf.open_names()}


def names(*stream_ids: str) -> set[str]:
    return {journal_name(stream_id) for stream_id in stream_ids}


def test_old_sound_goes_unless_held_or_open(engine: Engine, shelf: Shelf) -> None:
    deleted = retain_sound(MONTH, engine, shelf)
    assert {one.name for one in deleted} == {journal_name("s1"), "webhooks-2026-10-17"}
    assert there(shelf) == names("s2", "today", "open")
    assert not shelf.has_key(journal_name("s1"))
    assert retain_sound(MONTH, engine, shelf) == []


def test_webhooks_that_a_start_reads_again_stay(engine: Engine, shelf: Shelf, tmp_path: Path) -> None:
    age(tmp_path / "journal/closed", "webhooks-2026-10-17", days=1.5)
    retain_sound(RetentionConfig(sound_days=1), engine, shelf)
    assert there(shelf) == names("s2", "today", "open") | {"webhooks-2026-10-17"}


def test_without_settings_everything_stays(engine: Engine, shelf: Shelf) -> None:
    before = there(shelf)
    assert retain_sound(RetentionConfig(), engine, shelf) == []
    assert retain_rows(RetentionConfig(), engine) == {}
    assert there(shelf) == before


def test_room_is_made_of_what_is_not_held(engine: Engine, shelf: Shelf) -> None:
    make_room(0, engine, shelf)
    assert there(shelf) == names("s2", "open")


def test_room_is_not_made_of_webhooks_that_a_start_reads_again(
    engine: Engine, shelf: Shelf, tmp_path: Path
) -> None:
    age(tmp_path / "journal/closed", "webhooks-2026-10-17", days=1.5)
    make_room(0, engine, shelf)
    assert there(shelf) == names("s2", "open") | {"webhooks-2026-10-17"}


def test_no_sound_is_deleted_while_the_database_is_away(away: Engine, shelf: Shelf) -> None:
    before = there(shelf)
    with pytest.raises(StoreError, match="cannot be reached"):
        retain_sound(MONTH, away, shelf)
    with pytest.raises(StoreError, match="cannot be reached"):
        make_room(0, away, shelf)
    assert there(shelf) == before


def test_old_calls_go_and_new_ones_stay(engine: Engine) -> None:
    """All of the small calls are of one moment, far ahead or long ago, depending on when this runs."""
    now = datetime.now(UTC)
    with transaction(engine) as connection:
        for name, days in (("old", 100), ("older", 200), ("new", 1)):
            at = now - timedelta(days=days)
            apply(
                connection,
                [StreamOpened(name, name, "zcc_voice", at), StreamClosed(name, name, at, "call_ended")],
            )
        holds.place(connection, "older", reason="case 8", by="Counsel")
    removed = retain_rows(RetentionConfig(sound_days=90, transcripts_days=90, calls_days=90), engine)
    assert removed["engagement"] >= 1
    with transaction(engine) as connection:
        assert rows_of(connection, ["old"]) == {}
        for name in ("older", "new", "e2"):
            assert rows_of(connection, [name])["engagement"] == 1
