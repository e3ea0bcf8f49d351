"""The systemd units that operators copy."""

from __future__ import annotations

import shlex
import tomllib
from pathlib import Path

import pytest

import zccvoice
from zccvoice.cli import _parser
from zccvoice.config import ShutdownConfig

ROOT = Path(zccvoice.__file__).parents[1]
SERVICES = sorted((ROOT / "docs" / "systemd").glob("*.service"))


def lines(service: Path) -> list[tuple[str, str]]:
    """Names and values, in their order; names may come several times."""
    text = service.read_text(encoding="utf-8").splitlines()
    return [(name, value) for name, sign, value in (line.partition("=") for line in text) if sign]


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.stem)
def test_every_command_is_one_of_ours_by_its_full_path(service: Path) -> None:
    commands = [shlex.split(value) for name, value in lines(service) if name == "ExecStart"]
    assert commands
    for program, *arguments in commands:
        assert program == "/opt/zccvoice/.venv/bin/zccvoice"
        _parser(arguments[:1]).parse_args(arguments)


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.stem)
def test_the_data_folder_of_the_example_may_be_written(service: Path) -> None:
    settings = tomllib.loads((ROOT / "zccvoice.example.toml").read_text(encoding="utf-8"))
    unit = dict(lines(service))
    writable = {f"/var/lib/{unit['StateDirectory']}", unit.get("ReadWritePaths", "").removeprefix("-")}
    assert str(Path(settings["data"]["folder"]).parent) in writable
    assert unit["EnvironmentFile"].startswith("-"), "it need not be there"


def test_the_daemon_has_the_time_that_it_may_take() -> None:
    unit = dict(lines(ROOT / "docs" / "systemd" / "zccvoice.service"))
    assert int(unit["TimeoutStopSec"]) > ShutdownConfig().drain_s + 65, "and the private Postgres its own"
    assert unit["KillMode"] == "mixed"
