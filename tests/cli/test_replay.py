"""``zccvoice replay`` on journals that a daemon left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import text
from trio.testing import MockClock

from tests.daemon.conftest import no_threads  # noqa: F401 (a fixture)
from tests.daemon.played import ENDED, OPENED, WHO, audio, run
from zccvoice.cli import main
from zccvoice.cli import settings as cli_settings
from zccvoice.config import load
from zccvoice.journal.shelf import journal_name
from zccvoice.store.database import connect, transaction


@pytest.fixture
def config_file(tmp_path: Path, database_url: str) -> Path:
    path = tmp_path / "zccvoice.toml"
    path.write_text(
        f'[database]\nurl = "{database_url}"\n[data]\nfolder = "{tmp_path}"\n'
        '[journal]\nmaster_key = "the master key of the tests"\n[language.queues]\n"Pedidos" = "es"\n',
        encoding="utf-8",
    )
    return path


@pytest.mark.usefixtures("no_threads")
async def test_a_journal_becomes_rows(
    tmp_path: Path,
    config_file: Path,
    database_url: str,
    capsys: pytest.CaptureFixture[str],
    autojump_clock: MockClock,
) -> None:
    await run(tmp_path, [OPENED, WHO, *audio("ch"), ENDED])
    shelf = cli_settings.shelf(load(config_file))
    (name,) = shelf.open_names()
    assert name == journal_name("S")
    journal = tmp_path / "journal" / "open" / f"{name}.journal"
    capsys.readouterr()
    for _ in range(2):
        assert main(["replay", "--config", str(config_file), "--json", str(journal)]) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["engagement_id"], first["utterances"], first["transcribed"]) == ("E", 1, 1)
    assert {**first, "wall_s": 0} == {**second, "wall_s": 0}
    engine = connect(database_url)
    with transaction(engine) as connection:
        rows = connection.execute(text("SELECT language, verdict FROM zccvoice.utterance")).all()
        assert [tuple(row) for row in rows] == [("es", "kept")]
        assert connection.scalar(text("SELECT count(*) FROM zccvoice.scorecard")) == 1
    engine.dispose()


@pytest.mark.usefixtures("no_threads")
async def test_a_call_is_judged_by_the_rules_and_nobody_is_told(
    tmp_path: Path, config_file: Path, database_url: str, autojump_clock: MockClock
) -> None:
    await run(tmp_path, [OPENED, WHO, *audio("ch"), ENDED])
    rules = tmp_path / "rules.toml"
    rules.write_text(
        '[[rule]]\nname = "no order number"\n[[rule.when]]\nany_of = ["order number"]\nnegate = true\n',
        encoding="utf-8",
    )
    webhook = '[rules.webhook]\nurl = "http://127.0.0.1:1"\nsecret = "a secret of the receiver"\n'
    with config_file.open("a", encoding="utf-8") as file:
        file.write(f'[rules]\nfile = "{rules}"\n{webhook}allowed_hosts = ["127.0.0.1"]\n')
    journal = tmp_path / "journal" / "open" / f"{journal_name('S')}.journal"
    assert main(["replay", "--config", str(config_file), str(journal)]) == 0
    engine = connect(database_url)
    with transaction(engine) as connection:
        hits = connection.execute(text("SELECT rule, revision FROM reporting.category")).all()
        assert [tuple(hit) for hit in hits] == [("no order number", 1)]
        assert connection.scalar(text("SELECT count(*) FROM zccvoice.rule_delivery")) == 0
    engine.dispose()


def test_what_is_no_journal_is_told_and_the_others_are_replayed(
    tmp_path: Path, config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.journal"
    broken.write_bytes(b"no journal")
    assert main(["replay", "--config", str(config_file), str(broken), str(tmp_path / "missing.journal")]) == 1
    problems = capsys.readouterr().err
    assert "broken.journal" in problems
    assert "missing.journal: there is no such file" in problems
