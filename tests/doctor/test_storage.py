from __future__ import annotations

import os
import shutil
from collections import namedtuple
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from zccvoice.cli.settings import database
from zccvoice.config import Config
from zccvoice.doctor.clocks import Clocks
from zccvoice.doctor.finding import Finding, Verdict
from zccvoice.doctor.storage import GIB, check_database, check_disk, check_master_key
from zccvoice.journal.vault import Vault, own_master_key
from zccvoice.store.database import connect, transaction

Usage = namedtuple("Usage", "total used free")


def look(config: Config, clocks: Clocks | None = None) -> list[tuple[str, Verdict]]:
    found = check_database(config, partial(database, config), clocks or Clocks())
    return [(one.check, one.verdict) for one in found]


def test_a_database_in_order(settings: Callable[..., Config], database_url: str) -> None:
    clocks = Clocks()
    assert look(settings(database={"url": database_url}), clocks) == [
        ("database", Verdict.OK),
        ("schema", Verdict.OK),
        ("role", Verdict.OK),
    ]
    assert abs(clocks.ahead_s["the database's"]) < 5


def test_a_database_without_our_tables(settings: Callable[..., Config], empty_database_url: str) -> None:
    found = look(settings(database={"url": empty_database_url}))
    assert ("schema", Verdict.FAILED) in found


def test_a_login_that_may_not_work_as_the_daemon(settings: Callable[..., Config], database_url: str) -> None:
    engine = connect(database_url)
    with transaction(engine) as connection:
        connection.execute(text("DROP ROLE IF EXISTS doctors_patient"))
        connection.execute(text("CREATE ROLE doctors_patient LOGIN"))
        connection.execute(text("GRANT USAGE ON SCHEMA zccvoice TO doctors_patient"))
        connection.execute(text("GRANT SELECT ON ALL TABLES IN SCHEMA zccvoice TO doctors_patient"))
    engine.dispose()
    url = database_url.replace("postgres@", "doctors_patient@", 1)
    assert url != database_url
    assert look(settings(database={"url": url}))[-1] == ("role", Verdict.WARNING)


def test_no_database(settings: Callable[..., Config]) -> None:
    config = settings(database={"url": "postgresql://u:s3cret@127.0.0.1:1/x"})
    (found,) = check_database(config, partial(database, config), Clocks())
    assert (found.check, found.verdict) == ("database", Verdict.FAILED)
    assert "cannot be reached" in found.found
    assert "s3cret" not in found.found


def test_a_private_database_is_not_made_by_looking(settings: Callable[..., Config]) -> None:
    config = settings()
    assert look(config) == [("database", Verdict.NOT_CHECKED)]
    assert not config.data.folder.exists()


def test_a_disk_in_order_is_left_as_it_was(settings: Callable[..., Config], tmp_path: Path) -> None:
    found = check_disk(settings())
    assert [one.check for one in found] == ["disk", "disk speed"]
    assert "of 20 times" in found[1].found
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("free_gib", "budget_gib", "verdict"),
    [(0.5, 0, Verdict.FAILED), (5, 0, Verdict.WARNING), (50, 0, Verdict.OK), (50, 60, Verdict.WARNING)],
)
def test_room_on_the_disk(
    settings: Callable[..., Config],
    monkeypatch: pytest.MonkeyPatch,
    free_gib: float,
    budget_gib: float,
    verdict: Verdict,
) -> None:
    free = Usage(100 * GIB, 0, free_gib * GIB)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
    assert check_disk(settings(journal={"budget_gib": budget_gib}))[0].verdict is verdict


def test_a_folder_that_cannot_be_written(
    settings: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    (found,) = check_disk(settings())
    assert (found.verdict, "cannot be written" in found.found) == (Verdict.FAILED, True)


def look_at_key(config: Config) -> Finding:
    (found,) = check_master_key(config)
    return found


def test_the_master_key(settings: Callable[..., Config]) -> None:
    config = settings()
    assert look_at_key(config).verdict is Verdict.NOT_CHECKED
    assert not config.data.folder.exists()
    path = config.data.folder / "master.key"
    key = own_master_key(path)
    assert look_at_key(config).verdict is Verdict.WARNING
    path.chmod(0o644)
    found = look_at_key(config)
    assert (found.verdict, found.next_step) == (Verdict.FAILED, f"chmod 600 {path}")
    assert "0644" in found.found
    assert key not in str(found)


@pytest.mark.parametrize(
    ("given", "verdict"), [("the right master key", Verdict.OK), ("s3cret, but another", Verdict.FAILED)]
)
def test_a_master_key_in_the_settings(settings: Callable[..., Config], given: str, verdict: Verdict) -> None:
    config: Any = settings(journal={"master_key": given})
    assert look_at_key(config).verdict is Verdict.OK
    Vault(config.data.folder / "keys", "the right master key")
    found = look_at_key(config)
    assert found.verdict is verdict
    assert given not in found.found
