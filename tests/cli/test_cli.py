from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

import zccvoice
from zccvoice import __version__
from zccvoice.cli import _COMMANDS, main
from zccvoice.cli.periods import moment
from zccvoice.config.sources import is_setting
from zccvoice.store.database import connect, transaction
from zccvoice.store.facts import ClockStarted, ParticipantSeen, StreamClosed, StreamOpened, UtteranceHeard
from zccvoice.store.writes import apply

T0 = 1_781_000_000_000
STARTED = datetime.fromtimestamp(T0 / 1000, UTC)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if is_setting(name):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture
def one_call(database_url: str) -> str:
    """A stored call with one utterance, on the database whose settings the result is."""
    engine: Engine = connect(database_url)
    with transaction(engine) as connection:
        apply(
            connection,
            [
                StreamOpened("E/1", "S1", "contact_center", STARTED),
                ClockStarted("E/1", "S1", T0),
                ParticipantSeen("E/1", "S1", "ch", queue_name="Orders"),
                UtteranceHeard("E/1", "S1", "ch", T0 + 1000, T0 + 2500, -20.0, 0.0, "a word or two"),
                StreamClosed("E/1", "S1", STARTED + timedelta(seconds=5), "customer_disconnected"),
            ],
        )
    engine.dispose()
    return f"database.url={database_url}"


@pytest.mark.parametrize("command", sorted(_COMMANDS))
def test_every_command_says_what_it_does(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    usage, description, *_ = capsys.readouterr().out.split("\n\n")
    assert usage.startswith(f"usage: zccvoice {command}")
    assert description.endswith(".")


def test_help_loads_no_library() -> None:
    """Who asks what commands there are does not wait for what they need."""
    asked = "import sys; from zccvoice.cli import main\n"
    asked += "try: main(['--help'])\n"
    asked += "finally: print({'numpy', 'sqlalchemy', 'trio'} & sys.modules.keys())"
    here = {**os.environ, "PYTHONPATH": str(Path(zccvoice.__file__).parents[1])}
    told = subprocess.check_output([sys.executable, "-c", asked], env=here, text=True)
    assert told.splitlines()[-1] == "set()"


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--version"], ["--help"], ["serve", "--help"], ["report", "calls", "--help"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 0
    assert __version__ in capsys.readouterr().out


def test_serve_names_everything_that_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve"]) == 2
    said = capsys.readouterr().err
    for field in ("door.secret_token", "zoom.client_id", "zoom.client_secret"):
        assert field in said
    assert "Traceback" not in said


def test_wrong_settings_are_all_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--set", "door.port=x", "--set", "zoom.send_rate_ms=30", "--set", "no.such=1"]) == 2
    said = capsys.readouterr().err
    assert [line.split(":")[1].strip() for line in said.splitlines()] == [
        "door.port",
        "zoom.send_rate_ms",
        "no",
    ]
    assert main(["serve", "--set", "nonsense"]) == 2
    assert "SECTION.FIELD=VALUE" in capsys.readouterr().err
    assert main(["serve", "--set", "path.foo=1", "--set", "door.port=1", "--set", "door.port.x=2"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "zccvoice: door.port: expected a whole number, got a table",
        "zccvoice: path: no such setting",
    ]


@pytest.mark.parametrize("url", ["", "mysql://me:s3cret@host/db", "postgresql://me:s3cr@et@host/db"])
def test_a_wrong_database_url_is_told_with_its_field(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "calls", "--set", f"database.url='{url}'"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(
        "zccvoice: database.url: expected a database URL like postgresql://user:password@host"
    )
    assert "s3cr" not in said


def test_serve_refuses_a_schema_that_is_not_current(
    empty_database_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZCCVOICE_ZOOM__CLIENT_ID", "c")
    monkeypatch.setenv("ZCCVOICE_ZOOM__CLIENT_SECRET", "s3cret")
    monkeypatch.setenv("ZCCVOICE_DOOR__SECRET_TOKEN", "s3cret")
    assert main(["serve", "--set", f"database.url={empty_database_url}"]) == 3
    said = capsys.readouterr().err
    assert "zccvoice db upgrade" in said
    assert "s3cret" not in said


def test_serve_refuses_languages_that_the_weights_do_not_know(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZCCVOICE_ZOOM__CLIENT_ID", "c")
    monkeypatch.setenv("ZCCVOICE_ZOOM__CLIENT_SECRET", "s")
    monkeypatch.setenv("ZCCVOICE_DOOR__SECRET_TOKEN", "t")
    assert main(["serve", "--set", "language.default=fr"]) == 3
    assert "do not know fr" in capsys.readouterr().err


def test_db_upgrade_makes_reports_possible(
    empty_database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    database = ["--set", f"database.url={empty_database_url}"]
    assert main(["report", "calls", *database]) == 3
    assert "zccvoice db upgrade" in capsys.readouterr().err
    assert main(["db", "upgrade", *database]) == 0
    assert main(["db", "upgrade", *database]) == 0
    assert main(["report", "calls", *database]) == 0
    assert capsys.readouterr().out == "No calls.\n"


def test_db_open_gives_psql_the_password_where_nobody_else_sees_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    psql = tmp_path / "psql"
    psql.write_text('#!/bin/sh\nprintf "%s\\n" "$PGPASSWORD" "$@"\n', encoding="utf-8")
    psql.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    url = "database.url=postgresql+psycopg://me:s3c%40ret@host:5/db?sslmode=require"
    assert main(["db", "open", "--set", url, "--", "-c", "table x"]) == 0
    said = capfd.readouterr()
    address = "host=host dbname=db user=me port=5 sslmode=require"
    assert said.out.splitlines() == ["s3c@ret", address, "-c", "table x"]
    assert said.err == f"any SQL tool while this is open: {address}\n"


def test_report_calls_in_three_forms(
    one_call: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["report", "calls", "--set", one_call, "--timezone", "UTC"]) == 0
    assert "Orders" in capsys.readouterr().out
    assert main(["report", "calls", "--set", one_call, "--format", "json", "--since", "2026-06-01"]) == 0
    (call,) = json.loads(capsys.readouterr().out)["calls"]
    assert call["engagement_id"] == "E/1"
    folder = tmp_path / "pages"
    assert main(["report", "calls", "--set", one_call, "--format", "html", "--output", str(folder)]) == 0
    assert capsys.readouterr().out.strip() == str(folder / "index.html")
    assert len(list(folder.glob("call-*.html"))) == 1


def test_report_calls_of_another_period(one_call: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "calls", "--set", one_call, "--until", "2026-06-01"]) == 0
    assert capsys.readouterr().out == "No calls.\n"


def test_report_one_call(one_call: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "call", "E/1", "--set", one_call]) == 0
    assert "a word or two" in capsys.readouterr().out
    assert main(["report", "call", "E/2", "--set", one_call]) == 3
    assert "nothing is known of the call 'E/2'" in capsys.readouterr().err


def test_simulate_needs_credentials_and_a_scenario(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["simulate", "nowhere.toml", "--webhook", "http://127.0.0.1:9/zoom/webhook"]
    assert main(arguments) == 2
    assert capsys.readouterr().err.count("required in the environment") == 3
    for name in ("ZOOM__CLIENT_ID", "ZOOM__CLIENT_SECRET", "DOOR__SECRET_TOKEN"):
        monkeypatch.setenv(f"ZCCVOICE_{name}", "x")
    assert main(arguments) == 2
    assert "nowhere.toml" in capsys.readouterr().err
    assert main([*arguments, "--as-is", "--copies", "2"]) == 2
    assert "--as-is rules out" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["7d", "12h", "30m", "2w"])
def test_ages(text: str) -> None:
    seconds = int(text[:-1]) * {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}[text[-1]]
    assert (datetime.now(UTC) - moment(text)).total_seconds() == pytest.approx(seconds, abs=5)


def test_days_are_local_and_aware() -> None:
    assert moment("2026-05-01").tzinfo is not None
    assert moment("2026-05-01T10:00:00+02:00") == datetime(2026, 5, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize("text", ["yesterday", "7y", "", "2026-13-01"])
def test_what_is_no_moment(text: str) -> None:
    import argparse

    with pytest.raises(argparse.ArgumentTypeError, match="such as"):
        moment(text)
