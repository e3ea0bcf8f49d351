"""An installation for tests of commands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.recorded import Installation
from zccvoice.config.sources import is_setting


@pytest.fixture
def there(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    for name in list(os.environ):
        if is_setting(name):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    state = tmp_path / "state"
    return Installation(tmp_path, ["--set", f"database.url={database_url}", "--set", f"data.folder={state}"])
