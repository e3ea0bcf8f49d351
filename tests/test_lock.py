"""What `make demo` installs holds all that the program asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import zccvoice

HOME = Path(zccvoice.__file__).parents[1]


def named(requirement: str) -> str:
    match = re.match(r"[\w.-]+", requirement)
    assert match is not None, requirement
    return match[0].lower().replace("_", "-")


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((HOME / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {named(one) for one in project["dependencies"] + project["optional-dependencies"]["dev"]}
    lock = (HOME / "requirements.lock").read_text(encoding="utf-8")
    pinned = {named(line) for line in lock.splitlines() if "==" in line and line[0].isalpha()}
    assert wanted - pinned == set()
