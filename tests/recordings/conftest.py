"""Recordings as calls, and journals to take them into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from tests.daemon.fakes import FakeRecognizer
from tests.recordings.sounds import Channels, encode
from tests.speech.sounds import noise, voice
from zccvoice.analytics.pseudonym import PhonePseudonym
from zccvoice.config import load
from zccvoice.daemon.past import ENTRY_TYPES
from zccvoice.journal.shelf import Shelf
from zccvoice.journal.vault import Vault
from zccvoice.recordings.keeping import StoringKeeper
from zccvoice.recordings.recorded_call import Files, RecordedCall, content_id, legs_of
from zccvoice.recordings.sound_file import examine
from zccvoice.store.database import connect
from zccvoice.store.facts import Fact

BEGIN = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
BEGIN_MS = int(BEGIN.timestamp() * 1000)
CONFIG = load(None)
PHONES = PhonePseudonym(None)


def talk() -> Channels:
    """Two sides that take turns, the left one first: ``int16[2, n]``, 16 kHz, 6 s."""
    left = np.concatenate([noise(1_000), voice(1_500), noise(3_500)])
    right = np.concatenate([noise(3_000, seed=2), voice(1_500, pitch_hz=190), noise(1_500, seed=3)])
    return np.stack([left, right])


def call_of(*paths: Path, engagement_id: str = "E") -> RecordedCall:
    """The call in these files, the agent left or first."""
    files = Files(paths, (None,))
    sounds = tuple(map(examine, paths))
    legs = legs_of(files, sounds, agent="left", mono=None)
    return RecordedCall(sounds, legs, engagement_id, content_id(paths), BEGIN)


@pytest.fixture
def talk_file(tmp_path: Path) -> Path:
    return encode(tmp_path / "talk.wav", "pcm_s16le", 16_000, talk())


@dataclass
class Place:
    """A database, a folder of journals, and what puts calls there."""

    engine: Engine
    folder: Path
    recognizer: FakeRecognizer = field(default_factory=FakeRecognizer)

    def shelf(self, name: str = "journal") -> Shelf:
        return Shelf(self.folder / name, Vault(self.folder / "keys", "a key"), ENTRY_TYPES)

    def keeper(self) -> StoringKeeper:
        return StoringKeeper(
            self.shelf(), self.shelf("incoming"), self.engine, CONFIG, PHONES, self.recognizer
        )

    def store(self, call: RecordedCall, *, again: bool = False) -> list[Fact]:
        return list(self.keeper().facts(call, again=again, on_read=lambda done_s: None))


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Iterator[Place]:
    engine = connect(database_url)
    yield Place(engine, tmp_path / "state")
    engine.dispose()


@pytest.fixture
def new_shelf(tmp_path: Path) -> Callable[[], Shelf]:
    return lambda: Shelf(tmp_path / "journal", Vault(tmp_path / "keys", "a key"), ENTRY_TYPES)
