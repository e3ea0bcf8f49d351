"""A journal for the test to have to itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journal.keyring import (
    Keyring,
    write_some,
    writer,
)
from zccvoice.journal.journal import Record


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.journal"


@pytest.fixture
def keyring() -> Keyring:
    return Keyring()


@pytest.fixture
def written(path: Path, keyring: Keyring) -> list[Record]:
    """A journal of six records under two keys."""
    with writer(path, keyring) as journal:
        records = write_some(journal, 3)
    with writer(path, keyring) as journal:
        return records + write_some(journal, 3, first=3)
