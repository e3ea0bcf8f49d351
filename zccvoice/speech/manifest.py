"""Checksums of weights: ``manifest.toml``, in their folder or in the one above it.

    [sha256]
    "demo/model.bin" = "3a6e…"

Paths count from the manifest's folder.
"""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

from zccvoice.errors import RecognizerError

NAME = "manifest.toml"


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(folder: Path) -> None:
    """State what the files of a folder are now."""
    lines = [
        f'"{path.name}" = "{checksum(path)}"'
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != NAME
    ]
    (folder / NAME).write_text("\n".join(["[sha256]", *lines, ""]), "utf-8")


def verify(folder: Path) -> list[str]:
    """What is wrong with a folder of weights, one line per file; nothing when all is as its manifest says.

    Raises:
        RecognizerError: there is no manifest for it, or it cannot be read.
    """
    found = []
    for name, wanted in _checksums(folder).items():
        path = folder / name
        if not path.is_file():
            found.append(f"{name}: missing")
        elif (got := checksum(path)) != wanted:
            found.append(f"{name}: expected SHA-256 {wanted}, got {got}")
    return found


def _checksums(folder: Path) -> dict[str, str]:
    """By name in the folder."""
    resolved = folder.resolve()
    for place, prefix in ((resolved, ""), (resolved.parent, f"{resolved.name}/")):
        path = place / NAME
        if not path.is_file():
            continue
        told = _read(path)
        found = {name.removeprefix(prefix): one for name, one in told.items() if name.startswith(prefix)}
        if found:
            return found
    raise RecognizerError(f"no {NAME} tells checksums for {folder}")


def _read(path: Path) -> dict[str, str]:
    try:
        told = tomllib.loads(path.read_text("utf-8"))["sha256"]
        return {str(name): str(one) for name, one in told.items()}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, AttributeError) as error:
        raise RecognizerError(f"{path}: expected a table sha256, got {type(error).__name__}") from error
