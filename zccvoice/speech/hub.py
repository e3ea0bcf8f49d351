"""Files of a hub of weights, over HTTP: what an interruption left is gone on with, and checked at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

TIMEOUT_S = 60.0
"""Without a byte."""
_PIECE_BYTES = 2**16


def download(
    repository: str, folder: Path, is_wanted: Callable[[str], bool], endpoint: str | None = None
) -> None:
    """Get the files of a repository's newest version into `folder`, with progress on standard error.

    A file appears when it is whole; until then its beginning lies in ``.part``, where the next attempt goes on.

    Args:
        repository: its name at the hub.
        folder: to put them into.
        is_wanted: which files, by name.
        endpoint: the hub's URL, or None for the usual one.

    Raises:
        httpx.HTTPError, OSError: the hub or the disk, or what the hub's client raises for them.
        ValueError: a file is not what the hub said that it is; it is dropped.
    """
    from huggingface_hub import HfApi, get_token, hf_hub_url

    told = HfApi(endpoint=endpoint).model_info(repository, files_metadata=True)
    headers = {"accept-encoding": "identity"}  # ranges are of the file itself
    if (token := get_token()) is not None:  # of whoever has logged in; it does not follow to another host
        headers["authorization"] = f"Bearer {token}"
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with (
        httpx.Client(headers=headers, timeout=TIMEOUT_S, follow_redirects=True) as client,
        Progress(TextColumn("{task.description}"), *columns, console=Console(stderr=True)) as progress,
    ):
        for one in told.siblings or ():
            path = folder / one.rfilename
            if is_wanted(one.rfilename) and not path.exists():
                url = hf_hub_url(repository, one.rfilename, revision=told.sha, endpoint=endpoint)
                _download(client, url, path, one, progress)


def _download(client: httpx.Client, url: str, path: Path, told: Any, progress: Progress) -> None:
    part = path.with_name(f"{path.name}.part")
    begun = part.stat().st_size if part.exists() else 0
    task = progress.add_task(path.name, total=told.size, completed=begun)
    if told.size is None or begun < told.size:
        with client.stream("GET", url, headers={"range": f"bytes={begun}-"} if begun else {}) as response:
            response.raise_for_status()
            goes_on = response.status_code == httpx.codes.PARTIAL_CONTENT
            if not goes_on:
                progress.reset(task)
            with part.open("ab" if goes_on else "wb") as file:
                for piece in response.iter_bytes(_PIECE_BYTES):
                    file.write(piece)
                    progress.advance(task, len(piece))
    problem = _problem(part, told)
    if problem:
        part.unlink()
        raise ValueError(f"{path.name}: {problem}")
    part.rename(path)


def _problem(part: Path, told: Any) -> str | None:
    """What is wrong with a file; its checksum is told of large ones."""
    size = part.stat().st_size
    if told.size is not None and size != told.size:
        return f"expected {told.size} bytes, got {size}"
    if told.lfs is not None:
        with part.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != told.lfs.sha256:
            return f"expected SHA-256 {told.lfs.sha256}, got {found}"
    return None
