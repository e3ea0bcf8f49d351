"""One daemon per data folder: a second one would take up the calls that the first receives, and lose them."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zccvoice.errors import JournalError

LOCK = "daemon.lock"
"""Its name in the folder. What holds it is the kernel's lock, not that the file is there."""


@contextmanager
def sole_daemon(folder: Path) -> Iterator[None]:
    """Be the only daemon on these data for as long as the block lasts, or the process.

    Args:
        folder: ``data.folder``; made if it is not there.

    Raises:
        JournalError: another daemon works there, or the folder cannot be used.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise JournalError(f"data.folder: {folder} cannot be used: {error.strerror}") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalError(
                f"data.folder: another daemon works with {folder}; each needs a folder of its own"
            ) from None
        yield
    finally:
        os.close(descriptor)
