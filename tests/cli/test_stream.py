from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.daemon.test_zoom_api import SECRET, Zoom, json_reply
from tests.http_server import http_server
from zccvoice.cli import main
from zccvoice.config.sources import is_setting


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if is_setting(name):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def use(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "CLIENT_ID": "rtms-app",
        "CLIENT_SECRET": "x",
        "ALLOWED_HOSTS": '["127.0.0.1"]',
        "API__ACCOUNT_ID": "A",
        "API__CLIENT_ID": "s2s",
        "API__CLIENT_SECRET": SECRET,
        "API__URL": f"{origin}/v2",
        "API__TOKEN_URL": f"{origin}/oauth/token",
    }.items():
        monkeypatch.setenv(f"ZCCVOICE_ZOOM__{name}", value)


def test_stop(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    zoom = Zoom()
    with http_server(zoom) as origin:
        use(origin, monkeypatch)
        assert main(["stream", "stop", "E", "--product", "meeting"]) == 0
    assert zoom.requests[-1].path == "/v2/live_meetings/E/rtms_app/status"
    assert zoom.requests[-1].body == b'{"action":"stop","settings":{"client_id":"rtms-app"}}'
    assert "E: Zoom will stop the stream" in capsys.readouterr().err


def test_a_refusal_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with http_server(Zoom(json_reply(403, code=2308, message="No."))) as origin:
        use(origin, monkeypatch)
        assert main(["stream", "start", "E"]) == 3
    first, second = capsys.readouterr().err.splitlines()
    assert first == "zccvoice: Zoom's API refused: HTTP 403, code 2308 (No.)"
    assert "Allow the app" in second


def test_missing_credentials(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stream", "start", "E"]) == 2
    assert "zoom.apps: expected an app" in capsys.readouterr().err
    arguments = ["--set", "zoom.client_id=c", "--set", "zoom.client_secret=s"]
    assert main(["stream", "start", "E", *arguments]) == 2
    assert "zoom.api.account_id: required" in capsys.readouterr().err
