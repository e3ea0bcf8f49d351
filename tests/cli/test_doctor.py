from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from zccvoice.cli import main
from zccvoice.config.sources import is_setting


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if is_setting(name):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


CREDENTIALS = {
    "ZCCVOICE_ZOOM__CLIENT_ID": "a-client-id",
    "ZCCVOICE_ZOOM__CLIENT_SECRET": "s3cret-of-the-client",
    "ZCCVOICE_DOOR__SECRET_TOKEN": "s3cret-token",
    "ZCCVOICE_ZOOM__API__URL": "http://127.0.0.1:1",
}


@pytest.mark.parametrize(("strict", "status"), [([], 0), (["--strict"], 1)])
def test_the_worst_decides(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    database_url: str,
    strict: list[str],
    status: int,
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    arguments = ["doctor", "--json", "--set", f"database.url={database_url}", *strict]
    assert main(arguments) == status
    said = capsys.readouterr().out
    document = json.loads(said)
    assert document["verdict"] == "warning"  # the demo's weights are not for real calls
    assert {"check": "schema", "verdict": "ok", "found": "current", "next_step": ""} in document["findings"]
    assert "s3cret" not in said


@pytest.mark.parametrize("name", ["MASTER_KEY", "MASTER_KEY_FILE"])
def test_a_master_key_that_is_none_is_a_finding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    (tmp_path / "key").touch()
    monkeypatch.setenv(f"ZCCVOICE_JOURNAL__{name}", str(tmp_path / "key") if name.endswith("FILE") else "")
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("failed       settings     journal.master_key: expected at least 16 characters")


def test_wrong_settings_are_findings(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--set", "door.port=x", "--set", "no.such=1"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        "failed",
        "settings",
        "door.port:",
        "expected",
        "a",
        "whole",
        "number,",
        "got",
        "'x'",
    ]
    assert "no: no such setting" in lines[1]
    assert lines[2:] == [f"{'':<25} → Mend this first; nothing else was looked at."]


def test_settings_that_nothing_can_work_with_are_findings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    wrong = {
        "measures.thresholds.silence_abov_ms": "4000",
        "sentiment.lexicons": "nowhere",
        "redaction.pause_events": '["stream_paused", "userhold"]',
        "database.url": "mysql://x/y",
    }
    assert main(["doctor", *(f"--set={name}={value}" for name, value in wrong.items())]) == 1
    found = [
        line for line in capsys.readouterr().out.splitlines() if line.startswith("failed       settings")
    ]
    assert len(found) == 3
    assert found[2].endswith("redaction.pause_events: Zoom has no event 'userhold'; did you mean user_hold?")
