from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("ZCCVOICE_", "ZOOM_", "ZM_")):
            monkeypatch.delenv(name)
