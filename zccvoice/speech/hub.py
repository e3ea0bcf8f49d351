"""Files of a hub of weights, over HTTP: what an interruption left is gone on with, and checked at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

OnProgress: TypeAlias = Callable[[str, int, int | None], None]
"""(file, bytes of it that are here, bytes that it has if that is known)"""
_PIECE_BYTES = 2**16
_PARTIAL_CONTENT = 206
"""RFC 9110, section 15.3.7."""


def download(
    repository: str,
    folder: Path,
    is_wanted: Callable[[str], bool],
    on_progress: OnProgress,
    endpoint: str | None = None,
) -> None:
    """Get the files of a repository's newest version into `folder`.

    A file appears when it is whole; until then its beginning lies in ``.part``, where the next attempt goes on.

    Args:
        repository: its name at the hub.
        folder: to put them into.
        is_wanted: which files, by name.
        on_progress: called as bytes come.
        endpoint: the hub's URL, or None for the usual one.

    Raises:
        Exception: what the hub's client raises for the hub, and its HTTP client for the network.
        OSError: of the disk.
        ValueError: a file is not what the hub said that it is; it is dropped.
    """
    from huggingface_hub import HfApi, get_session, get_token, hf_hub_url

    told = HfApi(endpoint=endpoint).model_info(repository, files_metadata=True)
    headers = {"accept-encoding": "identity"}  # ranges are of the file itself
    if (token := get_token()) is not None:  # of whoever has logged in; it does not follow to another host
        headers["authorization"] = f"Bearer {token}"
    for one in told.siblings or ():
        path = folder / one.rfilename
        if is_wanted(one.rfilename) and not path.exists():
            url = hf_hub_url(repository, one.rfilename, revision=told.sha, endpoint=endpoint)
            begin = partial(get_session().stream, "GET", url, follow_redirects=True)
            _download(begin, headers, path, one, on_progress)


def _download(
    begin: Callable[..., Any], headers: dict[str, str], path: Path, told: Any, on_progress: OnProgress
) -> None:
    part = path.with_name(f"{path.name}.part")
    here = part.stat().st_size if part.exists() else 0
    if told.size is None or here < told.size:
        ranges = {"range": f"bytes={here}-"} if here else {}
        with begin(headers=headers | ranges) as response:
            response.raise_for_status()
            goes_on = response.status_code == _PARTIAL_CONTENT
            here = here if goes_on else 0
            with part.open("ab" if goes_on else "wb") as file:
                for piece in response.iter_bytes(_PIECE_BYTES):
                    here += file.write(piece)
                    on_progress(path.name, here, told.size)
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
