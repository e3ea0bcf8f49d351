"""Journals written together: those that are due at about the same time, in one turn of a thread.

A turn for each would cost more than the writing: it is what databases call group commit. But not all are written
together: what has been written is looked at right away, and meanwhile nobody reads the sockets. What is to be
forced onto the disk is shared out among several threads: the disk takes its time, and can do much at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import inf
from typing import Protocol, TypeAlias

import trio

FLUSH_S = 0.25
"""How often what was read is written: a crash of the program costs no more than this, and what is not read yet."""
TOGETHER_S = 0.025
"""Who is due so soon is written with those who are due."""
SYNC_THREADS = 8
Job: TypeAlias = Callable[[], None]
"""What a thread is to do; it does not raise."""
_Begun: TypeAlias = "tuple[Member, Job]"


class Member(Protocol):
    """One journal. Nothing of it raises or waits: what fails is its own affair."""

    def begin(self) -> Job:
        """Writing what there is by now."""
        ...

    def end(self) -> None:
        """That is done."""
        ...

    def begin_sync(self) -> Job | None:
        """Forcing it onto the disk; None when that has time."""
        ...

    def end_sync(self) -> None:
        """That is done."""
        ...


class GroupCommit:
    """The journals of one daemon."""

    def __init__(self) -> None:
        """Nobody has anything to write."""
        self._due: dict[Member, float] = {}  # when it is to be written at the latest
        self._sleeps_until = -inf
        self._sooner = trio.Event()  # somebody is to be written before that
        self._writing = trio.CapacityLimiter(1)
        self._syncs = _Syncs()

    def want(self, member: Member, within_s: float = FLUSH_S) -> None:
        """Have a member's turn come in so many seconds, or before."""
        at = trio.current_time() + within_s
        if at < self._due.get(member, inf):
            self._due[member] = at
            if at < self._sleeps_until:
                self._sooner.set()

    def leave(self, member: Member) -> None:
        """A member has nothing more to write."""
        self._due.pop(member, None)

    async def run(self) -> None:
        """Write until cancelled; what has begun by then is ended."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._syncs.run)
                while True:
                    due = await self._next_due()
                    try:
                        await self._write(due)
                    finally:
                        _call_all(member.end for member in due)
                    self._syncs.begin(due)
        finally:
            with trio.CancelScope(shield=True):
                await self._syncs.finish()

    async def _write(self, due: Iterable[Member]) -> None:
        jobs = [member.begin() for member in due]
        with trio.CancelScope(shield=True):  # who has begun waits for the end
            try:
                await trio.to_thread.run_sync(_do, jobs, limiter=self._writing)
            except RuntimeError:
                _do(jobs)  # the system has no thread left: better a loop that waits than sound that is lost

    async def _next_due(self) -> list[Member]:
        """Wait until a turn has come; whose it is, and who can be written with them."""
        while (at := min(self._due.values(), default=inf)) > trio.current_time():
            self._sleeps_until, self._sooner = at, trio.Event()
            with trio.move_on_at(at):
                await self._sooner.wait()
        self._sleeps_until = -inf
        until = trio.current_time() + TOGETHER_S
        due = [member for member, at in self._due.items() if at <= until]
        for member in due:
            del self._due[member]
        return due


class _Syncs:
    """Journals on their way onto the disk, in several threads.

    A task and a `trio.to_thread.run_sync` for each thread would cost as much as the syncs do.
    """

    def __init__(self) -> None:
        self._waiting: deque[Sequence[_Begun]] = deque()
        self._busy = 0
        self._done: list[_Begun] = []
        self._news = trio.Event()

    def begin(self, members: Iterable[Member]) -> None:
        """Begin with those that have something to be forced onto the disk, as soon as there are threads."""
        begun = [(member, sync) for member in members if (sync := member.begin_sync()) is not None]
        self._waiting.extend(begun[number::SYNC_THREADS] for number in range(min(SYNC_THREADS, len(begun))))
        self._start()

    async def run(self) -> None:
        """Tell the end to those who are done, until cancelled."""
        while True:
            await self._tell()

    async def finish(self) -> None:
        """Tell the end to everybody who has begun, whatever goes wrong."""
        if self._busy or self._done:
            try:
                await self._tell()
            finally:
                await self.finish()

    async def _tell(self) -> None:
        await self._news.wait()
        done, self._done, self._news = self._done, [], trio.Event()
        self._start()
        _call_all(member.end_sync for member, _ in done)

    def _start(self) -> None:
        while self._waiting and self._busy < SYNC_THREADS:
            self._busy += 1
            self._sync(self._waiting.popleft())

    def _sync(self, group: Sequence[_Begun]) -> None:
        work = partial(_do, [sync for _, sync in group])
        soon = trio.lowlevel.current_trio_token().run_sync_soon
        try:
            trio.lowlevel.start_thread_soon(work, lambda _: soon(self._note_done, group))
        except RuntimeError:
            work()  # as in `GroupCommit._write`
            self._note_done(group)

    def _note_done(self, group: Sequence[_Begun]) -> None:
        self._busy -= 1
        self._done += group
        self._news.set()


def _call_all(ends: Iterable[Callable[[], None]]) -> None:
    """Who has begun is told the end in every case, or would wait for it for ever."""
    left = iter(ends)
    try:
        for end in left:
            end()
    except BaseException:
        _call_all(left)
        raise


def _do(jobs: Sequence[Job]) -> None:
    for job in jobs:
        job()
