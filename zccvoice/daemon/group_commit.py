"""Journals written together: those that are due at about the same time, in one turn of a thread.

A turn for each would cost more than the writing: it is what databases call group commit. But not all are written
together: what has been written is looked at right away, and meanwhile nobody reads the sockets. What is to be
forced onto the disk is shared out among several threads: the disk takes its time, and can do much at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
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
        self._syncing = trio.CapacityLimiter(SYNC_THREADS)

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
        async with trio.open_nursery() as syncs:
            while True:
                due = await self._next_due()
                try:
                    await _in_thread([member.begin() for member in due], self._writing)
                finally:
                    _call_all(member.end for member in due)
                begun = [(member, sync) for member in due if (sync := member.begin_sync()) is not None]
                for number in range(min(SYNC_THREADS, len(begun))):
                    syncs.start_soon(self._sync, begun[number::SYNC_THREADS])

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

    async def _sync(self, begun: Sequence[tuple[Member, Job]]) -> None:
        try:
            await _in_thread([sync for _, sync in begun], self._syncing)
        finally:
            _call_all(member.end_sync for member, _ in begun)


async def _in_thread(jobs: Sequence[Job], limiter: trio.CapacityLimiter) -> None:
    with trio.CancelScope(shield=True):  # who has begun waits for the end
        try:
            await trio.to_thread.run_sync(_do, jobs, limiter=limiter)
        except RuntimeError:
            _do(jobs)  # the system has no thread left: better a loop that waits than sound that is lost


def _call_all(ends: Iterable[Callable[[], None]]) -> None:
    """Who has begun is told the end in every case, or would wait for it for ever."""
    with ExitStack() as stack:
        for end in reversed([*ends]):
            stack.callback(end)


def _do(jobs: Sequence[Job]) -> None:
    for job in jobs:
        job()
