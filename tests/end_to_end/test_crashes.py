"""The daemon is killed in mid-call, again and again; nothing that was received is lost or there twice.

A small trial of what `scripts/try_crashes.py` does at length.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.conftest import APP
from zccvoice.cli import settings
from zccvoice.config import load
from zccvoice.rehearsal import write_config
from zccvoice.rehearsal.crashes import Trial, compare, suffer
from zccvoice.simulator.scenario import Scenario
from zccvoice.store.database import connect


async def test_killed_in_mid_call(
    tmp_path: Path,
    database_url: str,
    new_database: Callable[[str], str],
    template_database: str,
    scenarios: dict[str, Scenario],
) -> None:
    config_file = write_config(tmp_path, list(scenarios.values()))
    config = load(config_file)
    shelf = settings.shelf(config)
    ordeal = await suffer(
        list(scenarios.values()),
        tmp_path,
        config_file,
        APP,
        shelf,
        Trial(calls_at_once=3, kills=3, longest_life_s=4.0),
        settings={"ZCCVOICE_DATABASE__URL": database_url, "ZCCVOICE_SPEECH__BEAM_SIZE": "1"},
        speed=3,
    )
    stored, empty = connect(database_url), connect(new_database(template_database))
    found = compare(ordeal, shelf, config, settings.phones(config), stored, empty)
    stored.dispose()
    empty.dispose()
    assert found.differences == []
    assert len(ordeal.truths) >= 3
    assert found.rows["zccvoice.utterance"] > 20
    assert 0 < found.gap_packets < found.packets_sent / 2


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that others may enter: when we are root another account runs the private Postgres in it."""
    folder = Path(tempfile.mkdtemp(prefix="zccvoice-tests-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


async def test_postgres_dies_in_mid_call(
    tmp_path: Path,
    open_folder: Path,
    new_database: Callable[[str], str],
    template_database: str,
    scenarios: dict[str, Scenario],
) -> None:
    """The daemon's private Postgres is killed with SIGKILL, too: it comes back, and nothing is missing."""
    config_file = write_config(open_folder, list(scenarios.values()))
    config = load(config_file)
    shelf = settings.shelf(config)
    killed: list[int] = []

    def kill_postgres(number: int) -> None:
        (pid_file,) = config.data.folder.rglob("postmaster.pid")
        killed.append(int(pid_file.read_text().split()[0]))
        os.kill(killed[-1], signal.SIGKILL)

    ordeal = await suffer(
        list(scenarios.values()),
        tmp_path,
        config_file,
        APP,
        shelf,
        Trial(calls_at_once=2, kills=0, disturbances=2, shortest_life_s=2.0, longest_life_s=4.0),
        settings={"ZCCVOICE_SPEECH__BEAM_SIZE": "1"},
        speed=4,
        disturb=kill_postgres,
    )
    assert len(set(killed)) == 2
    empty = connect(new_database(template_database))
    with settings.database(config) as stored:
        found = compare(ordeal, shelf, config, settings.phones(config), stored, empty)
    empty.dispose()
    assert found.differences == []
    assert found.rows["zccvoice.scorecard"] == len(ordeal.truths)
    assert found.gap_packets == found.unsent_packets, "no packet was lost on our side"
