"""Files for their owner alone, whole or as they were, and what is no file."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from zccvoice.reports.private_file import private_file


def test_a_file_is_its_owners_and_replaces_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "said"
    path.write_text("before")
    path.chmod(0o644)
    with private_file(path) as file:
        file.write(b"now")
        assert path.read_text() == "before"
    assert path.read_text() == "now"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "said"
    path.write_text("before")

    def broken_off() -> None:
        with private_file(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path: Path, is_there: bool) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    if is_there:
        target.write_text("before")
    link.symlink_to(target)
    with private_file(link) as file:
        file.write(b"now")
    assert link.is_symlink()
    assert target.read_text() == "now"


def test_a_pipe_is_written_into(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with private_file(pipe) as file:
            file.write(b"header, ")
            file.write(b"body")
            file.seek(0)  # as one does who learns the length at the end
            file.write(b"HEADER")
        assert os.read(reader, 99) == b"HEADER, body"
    finally:
        os.close(reader)
    assert pipe.is_fifo()
