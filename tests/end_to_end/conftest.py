"""The real daemon in a process of its own, the simulated Zoom on loopback sockets, a real Postgres."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from zccvoice.rehearsal import Daemon, running_daemon, write_config
from zccvoice.simulator.demo import demo_scenarios
from zccvoice.simulator.scenario import Scenario, load_scenario
from zccvoice.simulator.zoom import ZoomApp
from zccvoice.store.database import connect

APP = ZoomApp("demo-client-id", "demo-client-secret", "demo-webhook-secret")


@pytest.fixture
def scenarios() -> dict[str, Scenario]:
    """The demo's calls, by name of file."""
    return {path.stem: load_scenario(path) for path in demo_scenarios()}


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def daemon(
    tmp_path: Path, database_url: str, scenarios: dict[str, Scenario]
) -> Callable[[], AbstractAsyncContextManager[Daemon]]:
    """Starts a daemon on the test's own database: ``async with daemon() as running``."""
    config_file = write_config(tmp_path, list(scenarios.values()))

    def start() -> AbstractAsyncContextManager[Daemon]:
        return running_daemon(tmp_path, config_file, APP, {"ZCCVOICE_DATABASE__URL": database_url})

    return start
