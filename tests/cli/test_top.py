"""``zccvoice top``: in a pipe, and in a terminal of its own."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

import zccvoice
from tests.cli.recorded import Installation
from tests.store.supervised_calls import MOVED, store_call
from zccvoice.store.database import connect, transaction

LONGEST_S = 20
"""Before a test gives up."""
SOURCE = Path(zccvoice.__file__).parents[1]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A database with one running call."""
    engine = connect(database_url)
    with transaction(engine) as connection:
        store_call(connection, "ann", "ann", MOVED)
        connection.execute(
            text("UPDATE zccvoice.live_call SET state = 'hold', state_ms = 90000, last_words = 'one moment'")
        )
    yield engine
    engine.dispose()


def test_once(there: Installation, engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["top", "--once"], ["top"]):
        assert there.run(*arguments, "--hold", "60") == 0
        told = capsys.readouterr().out
        assert told.startswith("1 call: 1 on hold · rows up to ")
        assert re.search(r"Queue +Ann +0:00 ! hold 1:30 .* refund .* one moment", told)


def test_json(there: Installation, engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert there.run("top", "--json") == 0
    (call,) = json.loads(capsys.readouterr().out)["calls"]
    assert (call["engagement_id"], call["state"], call["rule_hits"]) == ("ann", "hold", ["refund"])


def test_a_database_that_is_away_is_told(
    empty_database_url: str, there: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = replace(there, settings=["--set", "database.url=postgresql://nobody@127.0.0.1:1/none"])
    assert nowhere.run("top", "--once") == 3
    assert "the database cannot be reached" in capsys.readouterr().err
    empty = replace(there, settings=["--set", f"database.url={empty_database_url}"])
    assert empty.run("top", "--once") == 3
    assert "reporting.live_call" in capsys.readouterr().err


class Screen:
    """The command on a pseudo-terminal."""

    def __init__(self, *arguments: str) -> None:
        self.ours, self.theirs = pty.openpty()
        termios.tcsetwinsize(self.theirs, (24, 150))
        self.before = termios.tcgetattr(self.theirs)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "zccvoice", "top", *arguments],
            stdin=self.theirs,
            stdout=self.theirs,
            stderr=subprocess.PIPE,
            env={**os.environ, "TERM": "xterm-256color", "NO_COLOR": "1", "PYTHONPATH": str(SOURCE)},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        self.shown = ""

    def wait_for(self, pattern: str) -> None:
        """Read on until what has been shown since the last find has this."""
        while not (found := re.search(pattern, self.shown, re.DOTALL)):
            assert select.select([self.ours], [], [], LONGEST_S)[0], f"no {pattern} in {self.shown[-2_000:]}"
            self.shown += os.read(self.ours, 65_536).decode("utf-8", "replace")
        self.shown = self.shown[found.end() :]

    def press(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def end(self, complaint: str = "") -> int:
        """Its exit status; the terminal is as it was before."""
        status = self.process.wait(LONGEST_S)
        assert self.process.stderr is not None
        assert complaint in (told := self.process.stderr.read().decode())
        assert bool(told) == bool(complaint)
        assert termios.tcgetattr(self.theirs) == self.before
        return status


@pytest.fixture
def top(there: Installation) -> Iterator[Callable[..., Screen]]:
    screens: list[Screen] = []

    def start(*arguments: str) -> Screen:
        screens.append(Screen("--every", "0.2", *there.settings, *arguments))
        return screens[-1]

    yield start
    for screen in screens:
        screen.process.kill()
        screen.process.communicate()
        os.close(screen.ours)
        os.close(screen.theirs)


def test_keys_sort_and_end_it(engine: Engine, top: Callable[..., Screen]) -> None:
    screen = top()
    screen.wait_for(re.escape("\x1b[?1049h"))  # a screen of its own
    screen.wait_for("by elapsed.*1 call: 1 on hold.*Queue.*Ann.*! hold 1:30.*one moment.*q end")
    screen.press("l")
    screen.wait_for("by silence")
    screen.press("q")
    assert screen.end() == 0
    screen.wait_for(re.escape("\x1b[?1049l"))  # and back


@pytest.mark.parametrize(
    "how", [lambda screen: screen.press("\x03"), lambda screen: screen.process.terminate()]
)
def test_interrupting_it_is_no_failure(
    engine: Engine, top: Callable[..., Screen], how: Callable[[Screen], Any]
) -> None:
    screen = top()
    screen.wait_for("1 call: 1 on hold")
    how(screen)
    assert screen.end() == 0
    screen.wait_for(re.escape("\x1b[?1049l"))


def test_a_database_that_refuses_ends_it(engine: Engine, top: Callable[..., Screen]) -> None:
    with transaction(engine) as connection:
        connection.execute(text("DROP VIEW reporting.live_call"))
    assert top().end("zccvoice: the database refused") == 3


def test_it_waits_for_a_database_that_is_away(
    engine: Engine, postgres: Any, top: Callable[..., Screen]
) -> None:
    screen = top()
    screen.wait_for("1 call: 1 on hold")
    name = engine.url.database
    engine.dispose()
    administrator = connect(postgres.url)
    with administrator.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"),
            {"name": name},
        )
        screen.wait_for(r"‼ No answer since \d\d:\d\d:\d\d: the database.*as of.*1 call: 1 on hold")
        connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
        screen.wait_for("by elapsed[^‼]*q end")
    administrator.dispose()
    screen.press("q")
    assert screen.end() == 0
