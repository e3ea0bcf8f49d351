"""Two daemons on the same data: the second does not begin."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from zccvoice.cli import main
from zccvoice.daemon.sole import sole_daemon
from zccvoice.errors import JournalError

SERVE = ["serve", "--set", "zoom.client_id=an-app", "--set", "zoom.client_secret=a-secret"]
HOLD = """
import sys, pathlib
from zccvoice.daemon.sole import sole_daemon
with sole_daemon(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_after_the_other(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    with sole_daemon(folder):
        with pytest.raises(JournalError, match=r"another daemon works with .*data; each needs a folder"):
            sole_daemon(folder).__enter__()
        with sole_daemon(tmp_path / "other"):
            pass
    with sole_daemon(folder):
        pass


def test_one_that_was_killed_is_in_nobodys_way(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(JournalError, match="another daemon"):
            sole_daemon(tmp_path).__enter__()
        other.kill()
    with sole_daemon(tmp_path):
        pass


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match=r"^data\.folder: .*file/data cannot be used: Not a directory$"):
        sole_daemon(tmp_path / "file" / "data").__enter__()


def test_serve_says_so_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "data"
    with sole_daemon(data):
        command = [*SERVE, "--set", "door.secret_token=a-token", "--set", f"data.folder={data}"]
        assert main([*command, "--model", "no such weights"]) == 3
    assert "another daemon works with" in capsys.readouterr().err
    assert [one.name for one in data.iterdir()] == ["daemon.lock"]
