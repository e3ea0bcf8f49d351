"""How far recordings are, on a terminal: a bar for each that is being worked on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from zccvoice.cli.shown import shown
from zccvoice.reports.figures import duration


class Bars:
    """Shows nothing where standard error is no terminal. Any thread."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            _Sound(),
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=False,  # it would turn up on standard error
            disable=not sys.stderr.isatty(),
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Without bars for as long as the block lasts, which writes to the same terminal."""
        self._progress.stop()
        yield
        self._progress.start()

    @contextmanager
    def bar(self, name: str) -> Iterator[Bar]:
        """A bar for as long as the block lasts."""
        name = shown(name)[:30]
        task = self._progress.add_task(name, total=None)
        try:
            yield Bar(self._progress, task, name)
        finally:
            self._progress.remove_task(task)


class Bar:
    """How far one recording is: it is read, then listened to."""

    def __init__(self, progress: Progress, task: TaskID, name: str) -> None:
        self._progress = progress
        self._task = task
        self._name = name
        self._is_listening = False

    def read(self, done_s: float, total_s: float | None) -> None:
        """So many seconds of its sound are read."""
        self._progress.update(
            self._task, completed=done_s, total=total_s, description=f"{self._name} (reading)"
        )

    def heard(self, done_s: float, total_s: float | None) -> None:
        """And so many are transcribed."""
        if not self._is_listening:
            self._is_listening = True
            self._progress.reset(self._task, description=self._name)
        self._progress.update(self._task, completed=done_s, total=total_s)


class _Sound(ProgressColumn):
    """``1:07 of 12:40, 31 times real time``."""

    def render(self, task: Task) -> Text:
        """See `ProgressColumn`."""
        done = duration(round(task.completed * 1000))
        whole = "" if task.total is None else f" of {duration(round(task.total * 1000))}"
        speed = f", {task.completed / task.elapsed:.0f} times real time" if task.elapsed else ""
        return Text(f"{done}{whole}{speed}")
