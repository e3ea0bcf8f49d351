"""``zccvoice db``: erase, hold, prune and move, on real journals and a real database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.store.calls import small_call
from zccvoice.cli import main, settings
from zccvoice.config import load
from zccvoice.config.sources import is_setting
from zccvoice.journal.journal import JournalWriter
from zccvoice.journal.record import Kind
from zccvoice.journal.shelf import Shelf, journal_name
from zccvoice.rtms.enums import Product
from zccvoice.rtms.webhook import StreamStarted
from zccvoice.store.database import connect, transaction
from zccvoice.store.erasure import find_by_phone, residue, rows_of
from zccvoice.store.facts import ParticipantSeen
from zccvoice.store.measures import put_measures
from zccvoice.store.reads import call_record, calls
from zccvoice.store.retention import remove_engagements
from zccvoice.store.writes import apply

NUMBER = "+1 (555) 555-0123"
LONG_AGO_S = 1_500_000_000.0


@dataclass
class Installation:
    """A database with the calls e1 and e2 of one customer, a journal of each, and how to reach them."""

    engine: Engine
    shelf: Shelf
    folder: Path
    arguments: list[str]

    def run(self, *arguments: str) -> int:
        return main(["db", *arguments, *self.arguments])

    def rows(self, engagement_id: str) -> dict[str, int]:
        with transaction(self.engine) as connection:
            return rows_of(connection, [engagement_id])

    def has_sound(self, stream_id: str) -> bool:
        name = journal_name(stream_id)
        return self.shelf.exists(name) or self.shelf.has_key(name)

    def age(self, stream_id: str) -> None:
        os.utime(
            self.folder / "journal/closed" / f"{journal_name(stream_id)}.journal", (LONG_AGO_S, LONG_AGO_S)
        )


@pytest.fixture
def there(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    for name in list(os.environ):
        if is_setting(name):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "state"
    config = load(None, data={"folder": folder})
    phone = settings.phones(config).of(NUMBER)
    engine, shelf = connect(database_url), settings.shelf(config)
    for engagement_id, stream_id in (("e1", "s1"), ("e2", "s2")):
        customer = ParticipantSeen(
            engagement_id, stream_id, "c1", phone_hash=phone.hash, phone_last4=phone.last4
        )
        with transaction(engine) as connection:
            apply(connection, [*small_call(engagement_id, stream_id), customer])
            put_measures(connection, call_record(connection, engagement_id))
        begin_journal(shelf, engagement_id, stream_id).close()
        shelf.close(journal_name(stream_id))
    arguments = ["--set", f"database.url={database_url}", "--set", f"data.folder={folder}"]
    yield Installation(engine, shelf, folder, arguments)
    engine.dispose()


def begin_journal(shelf: Shelf, engagement_id: str, stream_id: str) -> JournalWriter:
    started = StreamStarted(Product.CONTACT_CENTER, engagement_id, stream_id, "wss://zoom.example.test", 0)
    writer = shelf.writer(journal_name(stream_id))
    writer.write(Kind.RECEIVED, 0, [started])
    return writer


def answer(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    monkeypatch.setattr("builtins.input", lambda prompt: words)


def test_a_call_goes_and_that_is_proved(there: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    before, others = there.rows("e1"), there.rows("e2")
    assert there.run("erase", "--engagement", "e1", "--yes") == 0
    removed, vacuumed, proof = capsys.readouterr().out.splitlines()
    for name, count in before.items():
        assert f"{name} {count}" in removed
    assert not removed.endswith(" 0 bytes of sound")
    assert vacuumed.startswith(f"vacuumed: {len(before)} of {len(before)} tables")
    assert proof.startswith("nothing left: journal, keys, ")
    assert there.rows("e1") == {}
    assert not there.has_sound("s1")
    assert (there.rows("e2"), there.has_sound("s2")) == (others, True)


def test_all_calls_of_a_customer_go(there: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    assert there.run("erase", "--customer", "0015555550123", "--yes") == 0
    said = capsys.readouterr()
    assert "2 calls, 2 journals" in said.err
    assert "0123" not in said.out + said.err
    assert "Hello" not in said.out + said.err
    assert there.rows("e1") == there.rows("e2") == {}
    with transaction(there.engine) as connection:
        assert not any(residue(connection, texts=["0123", "Hello,"]).values())
    assert there.run("erase", "--customer", NUMBER, "--yes") == 1
    assert "no call of this number is known" in capsys.readouterr().err


def test_measures_can_be_kept(there: Installation) -> None:
    assert there.run("erase", "--engagement", "e1", "--keep-measures", "--yes") == 0
    assert there.rows("e1") == {}
    with transaction(there.engine) as connection:
        assert len(calls(connection)) == 2


def test_it_asks_first(there: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "no")
    assert there.run("erase", "--engagement", "e1") == 1
    assert there.rows("e1")
    assert there.has_sound("s1")
    answer(monkeypatch, "Yes")
    assert there.run("erase", "--engagement", "e1") == 0


def test_a_running_call_is_left_alone(there: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    with there.shelf.writer(journal_name("s1")):
        assert there.run("erase", "--customer", NUMBER, "--yes") == 3
    assert "the call is running" in capsys.readouterr().err
    assert there.rows("e1")
    assert there.has_sound("s1")
    assert there.has_sound("s2")


def test_a_journal_that_never_reached_the_database_goes_too(there: Installation) -> None:
    begin_journal(there.shelf, "e3", "s3").close()
    begin_journal(there.shelf, "e4", "s4").close()
    assert there.run("erase", "--engagement", "e3", "--yes") == 0
    assert (there.has_sound("s3"), there.has_sound("s4")) == (False, True)
    with transaction(there.engine) as connection:
        apply(connection, [*small_call("e3", "s3"), *small_call("e5", "s3")])
    assert there.rows("e3") == there.rows("e5") == {}


def test_sound_whose_rows_are_gone_goes_too(there: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    """By age, or with a backup from before the call."""
    with transaction(there.engine) as connection:
        remove_engagements(connection, ["e1"])
    assert there.rows("e1") == {}
    assert there.run("erase", "--engagement", "e1", "--yes") == 0
    assert not there.has_sound("s1")
    assert there.has_sound("s2")
    assert "not known here" not in capsys.readouterr().err
    with transaction(there.engine) as connection:
        apply(connection, small_call("e9", "s1"))
    assert there.rows("e9") == {}, "nor does it come again"


def test_a_call_that_is_not_known_is_said_to_be_none(
    there: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert there.run("erase", "--engagement", "typo", "e1", "--yes") == 1
    said = capsys.readouterr().err
    assert "not known here: typo" in said
    assert "to be deleted: 1 calls, 1 journals" in said
    assert there.rows("e1") == {}
    with transaction(there.engine) as connection:
        apply(connection, small_call("typo", "s9"))
    assert there.rows("typo") == {}


def test_the_proof_fails_when_something_is_left(
    there: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    """Here in a table that somebody made beside ours."""
    with transaction(there.engine) as connection:
        connection.exec_driver_sql(
            "CREATE TABLE zccvoice.notes AS SELECT engagement_id FROM zccvoice.engagement"
        )
    assert there.run("erase", "--engagement", "e1", "--yes") == 1
    assert "left: 0 journals or keys, zccvoice.notes 1" in capsys.readouterr().err


def test_a_customer_without_kept_numbers(there: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    assert there.run("erase", "--customer", NUMBER, "--set", "privacy.phone_numbers=none") == 2
    assert "privacy.phone_numbers" in capsys.readouterr().err
    assert there.run("erase", "--customer", "nobody") == 2


def test_a_legal_hold_blocks_erasing_and_pruning(
    there: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert there.run("hold", "place", "e1", "--reason", "case 7", "--by", "Counsel") == 0
    capsys.readouterr()
    assert there.run("erase", "--customer", NUMBER, "--yes") == 3
    assert "legal hold 1, placed by Counsel" in capsys.readouterr().err
    for stream_id in ("s1", "s2"):
        there.age(stream_id)
    assert there.run("prune", "--set", "retention.sound_days=30") == 0
    assert "removed: 1 journals" in capsys.readouterr().out
    assert (there.has_sound("s1"), there.has_sound("s2")) == (True, False)
    assert there.run("hold", "list") == 0
    assert "e1" in capsys.readouterr().out
    assert there.run("hold", "release", "1") == 0
    assert there.run("hold", "release", "1") == 1
    capsys.readouterr()
    assert there.run("hold", "list") == 0
    assert capsys.readouterr().out == ""
    assert there.run("hold", "list", "--all") == 0
    assert "lifted" in capsys.readouterr().out
    assert there.run("erase", "--customer", NUMBER, "--yes") == 0


def test_prune_without_settings_deletes_nothing(
    there: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    there.age("s1")
    assert there.run("prune") == 0
    assert capsys.readouterr().out == "removed: 0 journals (0 bytes), no rows\n"
    assert there.has_sound("s1")


def test_everything_moves_to_another_server(
    there: Installation, empty_database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert there.run("move", "--to", empty_database_url) == 0
    said = capsys.readouterr()
    assert ["utterance", "6"] in [line.split() for line in said.out.splitlines()]
    assert "database.url" in said.err
    other = connect(empty_database_url)
    try:
        with transaction(other) as connection:
            kept = settings.phones(load(None, data={"folder": there.folder})).of(NUMBER)
            assert find_by_phone(connection, kept.hash or "") == ["e1", "e2"]
    finally:
        other.dispose()
    assert there.run("move", "--to", empty_database_url) == 3
    assert "expected a target without content" in capsys.readouterr().err
