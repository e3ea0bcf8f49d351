from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zccvoice.config import Config, load
from zccvoice.config.sources import is_setting

APP = {"client_id": "a-client-id", "client_secret": "s3cret-of-the-client"}
TOKEN = "s3cret-token"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if is_setting(name) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Config]:
    """``settings(section={field: value})``: an installation in a folder of its own."""

    def make(**sections: dict[str, Any]) -> Config:
        given: dict[str, dict[str, Any]] = {
            "data": {"folder": tmp_path / "state"},
            "door": {"secret_token": TOKEN},
            "zoom": {**APP, "allowed_hosts": ("127.0.0.1",), "api": {"url": "http://127.0.0.1:1/v2"}},
        }
        merged = {name: {**given.get(name, {}), **sections.get(name, {})} for name in {**given, **sections}}
        return load(None, **merged)

    return make
