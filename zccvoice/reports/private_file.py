"""A file that is whole or not there, and that its owner alone can read: it holds what people said."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO


def is_written_into(path: Path) -> bool:
    """Whether at a path is what no file can take the place of: a device, a pipe, ``/dev/stdout``."""
    return path.exists() and not path.is_file()


def behind_links(path: Path) -> Path:
    """The file that is meant by a path: a link stays, and what it leads to is replaced."""
    return Path(os.path.realpath(path))


@contextmanager
def private_file(path: Path) -> Iterator[IO[bytes]]:
    """A new file that takes its name when the block ends, over one that has it by then.

    An error leaves what was there before; a killed program leaves a hidden file, which the next one writes over.
    What is no file gets all of it when the block ends.

    Raises:
        OSError: the file cannot be written.
    """
    if is_written_into(path):
        with TemporaryFile() as file:
            yield file
            file.seek(0)
            with path.open("wb") as sink:
                shutil.copyfileobj(file, sink)
        return
    path = behind_links(path)
    part = path.with_name(f".{path.name}.part")
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            os.fchmod(descriptor, 0o600)  # the umask has no say, nor has a file that was left there
            yield file
            file.flush()
            os.fsync(descriptor)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
