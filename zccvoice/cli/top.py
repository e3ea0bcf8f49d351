"""``zccvoice top``: the calls that run now, in the terminal.

It reads ``reporting.live_call`` and nothing else, so it runs wherever the database can be reached, with the
rights of a reader. One task asks, one draws, one listens to the keys; while the database is away the last answer
stays, marked as old.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import trio
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text
from sqlalchemy import Engine

from zccvoice.cli import settings
from zccvoice.errors import StoreError
from zccvoice.reports.running import (
    SORTS,
    Alarms,
    RunningReport,
    in_order,
    running_document,
    running_table,
    summary,
)
from zccvoice.store.database import is_transient, transaction
from zccvoice.store.running import running_calls

FILE_WIDTH = 160
"""Columns of a table that goes into a file or a pipe."""
_KEYS = {name[0]: name for name in SORTS if name not in ("silence", "age")} | {"l": "silence", "o": "age"}
"""Which key sorts by what."""
_LINES_AROUND = 5
"""Of a screen, beside the rows."""


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "top",
        description="Show the calls that run now, again and again: what goes on, talk shares, silences, "
        "interruptions, rules that matched, the last words. A reader's login is enough. Where standard output is "
        "no terminal it is written once.",
        epilog="Keys: "
        + ", ".join(f"{key} sorts by {name}" for key, name in _KEYS.items())
        + ", q ends. ! marks what is too long, ‼ what is three times as long.",
    )
    parser.add_argument("--once", action="store_true", help="write one table and end")
    parser.add_argument("--json", action="store_true", help="write one JSON document and end")
    parser.add_argument("--sort", choices=list(SORTS), default="elapsed", help="(default: elapsed)")
    parser.add_argument(
        "--every",
        type=settings.positive,
        default=1.0,
        metavar="SECONDS",
        help="between two looks (default: 1)",
    )
    parser.add_argument(
        "--silence",
        type=settings.positive,
        default=10.0,
        metavar="SECONDS",
        help="from when on a silence is marked (default: 10)",
    )
    parser.add_argument(
        "--hold",
        type=settings.positive,
        default=60.0,
        metavar="SECONDS",
        help="from when on a hold is marked (default: 60)",
    )
    settings.add_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """0, also when it is ended by a signal."""
    alarms = Alarms(round(options.silence * 1000), round(options.hold * 1000))
    with settings.database(settings.load(options), application_name="zccvoice top") as engine:
        if options.json:
            json.dump(running_document(_ask(engine)), sys.stdout, ensure_ascii=False, indent=2)
            print()
        elif options.once or not sys.stdout.isatty():
            _print_once(_ask(engine), options.sort, alarms)
        else:
            trio.run(partial(_Top(engine, options.sort, options.every, alarms).run))
    return 0


def _ask(engine: Engine) -> RunningReport:
    with transaction(engine) as connection:
        return RunningReport(datetime.now(UTC), running_calls(connection))


def _print_once(report: RunningReport, sort: str, alarms: Alarms) -> None:
    width = None if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit() else FILE_WIDTH
    console = Console(width=width, markup=False, emoji=False, highlight=False)
    console.print(summary(report))
    if report.calls:
        console.print(running_table(in_order(report.calls, sort), console.width, alarms))


class _Top:
    """The screen: what was answered last, and what is wrong if anything is."""

    def __init__(self, engine: Engine, sort: str, every_s: float, alarms: Alarms) -> None:
        self._engine = engine
        self._sort = sort
        self._every_s = every_s
        self._alarms = alarms
        self._console = Console(markup=False, emoji=False, highlight=False)
        self._report: RunningReport | None = None
        self._problem: tuple[datetime, str] | None = None
        self._changed = trio.Event()

    async def run(self) -> None:
        """Show until a key, SIGINT or SIGTERM ends it; the terminal is left as it was.

        Raises:
            StoreError: the database refuses, and would again.
        """
        with (
            _keys_at_once(),
            Live(console=self._console, screen=True, auto_refresh=False) as live,
        ):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_until_signal, nursery.cancel_scope)
                nursery.start_soon(self._listen, nursery.cancel_scope)
                nursery.start_soon(self._keep_asking)
                await self._keep_drawing(live)

    async def _keep_asking(self) -> None:
        while True:
            try:
                # A thread that waits for a database that is away is left to itself when we end.
                self._report = await trio.to_thread.run_sync(_ask, self._engine, abandon_on_cancel=True)
                self._problem = None
            except StoreError as error:
                if not is_transient(error):
                    raise
                since = datetime.now(UTC) if self._problem is None else self._problem[0]
                self._problem = (since, str(error))
            self._changed.set()
            await trio.sleep(self._every_s)

    async def _keep_drawing(self, live: Live) -> None:
        """Whenever something changed, and every second: the terminal may have another size."""
        while True:
            live.update(self._screen(), refresh=True)
            with trio.move_on_after(1):
                await self._changed.wait()
            self._changed = trio.Event()

    async def _listen(self, everything: trio.CancelScope) -> None:
        while sys.stdin.isatty():
            await trio.lowlevel.wait_readable(sys.stdin)
            for key in os.read(sys.stdin.fileno(), 64).decode("ascii", "ignore").lower():
                if key == "q":
                    everything.cancel()
                self._sort = _KEYS.get(key, self._sort)
            self._changed.set()

    def _screen(self) -> RenderableType:
        now = datetime.now().astimezone()
        title = Text("zccvoice top", style="bold") + Text(f"  {now:%H:%M:%S}  by {self._sort}", style="dim")
        keys = "  ".join(f"{key} {name}" for key, name in _KEYS.items())
        lines: list[RenderableType] = [title]
        if self._problem is not None:
            since, problem = self._problem
            lines.append(
                Text(f"‼ No answer since {since.astimezone():%H:%M:%S}: {problem}", style="bold red")
            )
        if self._report is not None:
            lines += self._rows(self._report)
        elif self._problem is None:
            lines.append(Text("Asking the database …", style="dim"))
        return Group(*lines, Text(), Text(f"{keys}  q end", style="dim"))

    def _rows(self, report: RunningReport) -> Iterator[RenderableType]:
        is_old = self._problem is not None
        as_of = f"as of {report.at.astimezone():%H:%M:%S} · " if is_old else ""
        yield Text(as_of + summary(report), no_wrap=True, overflow="ellipsis")
        yield Text()
        room = max(1, self._console.height - _LINES_AROUND - 2 * is_old)
        calls = in_order(report.calls, self._sort)
        if calls:
            yield running_table(calls[:room], self._console.width, self._alarms)
        if len(calls) > room:
            yield Text(f"and {len(calls) - room} more", style="dim")


async def _until_signal(everything: trio.CancelScope) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as received:
        async for _ in received:
            everything.cancel()
            return


@contextmanager
def _keys_at_once() -> Iterator[None]:
    """Keys are told without a line break, and not shown."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
