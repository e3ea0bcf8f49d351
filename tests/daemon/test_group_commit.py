"""`daemon.group_commit` in virtual time: whose turn is when, and what an end waits for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from zccvoice.daemon.group_commit import FLUSH_S, SYNC_THREADS, TOGETHER_S, GroupCommit, Job

pytestmark = pytest.mark.usefixtures("no_threads")


class Diary:
    """A member that notes what is asked of it, and when."""

    def __init__(self, name: str, done: list[str], *, is_synced: bool = False) -> None:
        self._name = name
        self._done = done
        self._is_synced = is_synced

    def begin(self) -> Job:
        self._note("begin")
        return lambda: self._note("write")

    def end(self) -> None:
        self._note("end")

    def begin_sync(self) -> Job | None:
        return (lambda: self._note("sync")) if self._is_synced else None

    def end_sync(self) -> None:
        self._note("synced")

    def _note(self, what: str) -> None:
        self._done.append(f"{self._name} {what}")


@asynccontextmanager
async def committing() -> AsyncIterator[GroupCommit]:
    commits = GroupCommit()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(commits.run)
        yield commits
        nursery.cancel_scope.cancel()


async def test_who_is_due_at_about_the_same_time_is_written_in_one_turn(autojump_clock: MockClock) -> None:
    done: list[str] = []
    first, second, third = Diary("1", done), Diary("2", done), Diary("3", done)
    async with committing() as commits:
        commits.want(first)
        await trio.sleep(TOGETHER_S * 0.9)
        commits.want(second)
        await trio.sleep(FLUSH_S - TOGETHER_S)
        commits.want(third)
        commits.want(first)
        assert not done
        await trio.sleep(TOGETHER_S * 0.2)
        assert done == ["1 begin", "2 begin", "1 write", "2 write", "1 end", "2 end"]
        await trio.sleep(FLUSH_S)
        assert done[6:] == ["3 begin", "3 write", "3 end"]
        await trio.sleep(10 * FLUSH_S)
        assert len(done) == 9, "nobody wanted more"


async def test_who_is_in_a_hurry_waits_for_nothing_and_who_has_left_is_not_asked(
    autojump_clock: MockClock,
) -> None:
    done: list[str] = []
    gone, urgent = Diary("gone", done), Diary("urgent", done, is_synced=True)
    async with committing() as commits:
        begin = trio.current_time()
        commits.want(gone)
        commits.want(urgent)
        await trio.testing.wait_all_tasks_blocked()
        commits.leave(gone)
        commits.want(urgent, 0)
        await trio.testing.wait_all_tasks_blocked()
        assert done == [f"urgent {what}" for what in ("begin", "write", "end", "sync", "synced")]
        assert trio.current_time() == begin
        commits.want(gone)
        commits.leave(gone)
        await trio.sleep(4 * FLUSH_S)
        commits.want(urgent)
        await trio.sleep(1.1 * FLUSH_S)
        assert done[5:7] == ["urgent begin", "urgent write"]


async def test_who_has_time_is_not_kept_waiting_by_who_has_more_and_sooner_is_sooner(
    autojump_clock: MockClock,
) -> None:
    done: list[str] = []
    patient, ordinary = Diary("patient", done), Diary("ordinary", done)
    async with committing() as commits:
        commits.want(patient, 4 * FLUSH_S)
        await trio.testing.wait_all_tasks_blocked()
        commits.want(ordinary)
        commits.want(ordinary, 2 * FLUSH_S)
        await trio.sleep(1.1 * FLUSH_S)
        assert done == ["ordinary begin", "ordinary write", "ordinary end"]
        await trio.sleep(2.8 * FLUSH_S)
        assert len(done) == 3
        await trio.sleep(0.2 * FLUSH_S)
        assert done[3:] == ["patient begin", "patient write", "patient end"]


async def test_who_has_begun_is_told_the_end_whoever_cancels(autojump_clock: MockClock) -> None:
    done: list[str] = []
    async with trio.open_nursery() as nursery:
        commits = GroupCommit()

        class Cancelling(Diary):
            def begin(self) -> Job:
                nursery.cancel_scope.cancel()
                return super().begin()

        nursery.start_soon(commits.run)
        commits.want(Cancelling("it", done, is_synced=True))
        await trio.sleep(1)
    assert done == [f"it {what}" for what in ("begin", "write", "end", "sync", "synced")]


async def test_without_a_thread_the_loop_writes(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse_at_once(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    async def refuse(*_: object, **__: object) -> None:
        await trio.lowlevel.checkpoint()
        refuse_at_once()

    done: list[str] = []
    monkeypatch.setattr(trio.to_thread, "run_sync", refuse)
    monkeypatch.setattr(trio.lowlevel, "start_thread_soon", refuse_at_once)
    async with committing() as commits:
        commits.want(Diary("1", done, is_synced=True))
        await trio.sleep(2 * FLUSH_S)
    assert done == ["1 begin", "1 write", "1 end", "1 sync", "1 synced"]


async def test_whatever_goes_wrong_everybody_is_told_the_end(autojump_clock: MockClock) -> None:
    class Broken(Diary):
        def end(self) -> None:
            super().end()
            raise LookupError("a defect")

    done: list[str] = []
    with pytest.RaisesGroup(pytest.RaisesGroup(LookupError)):
        async with committing() as commits:
            commits.want(Broken("1", done))
            commits.want(Diary("2", done))
            await trio.sleep(2 * FLUSH_S)
    assert done[-2:] == ["1 end", "2 end"]


class SlowThreads:
    """Threads for syncs, which work when they are told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun: list[Callable[[], None]] = []
        monkeypatch.setattr(trio.lowlevel, "start_thread_soon", self._start)

    def _start(self, function: Callable[[], object], deliver: Callable[[object], None]) -> None:
        self.begun.append(lambda: deliver(function()))

    async def work(self, number: int) -> None:
        self.begun.pop(number)()
        await trio.testing.wait_all_tasks_blocked()


async def test_syncs_share_the_threads_and_are_told_the_end_as_each_is_done(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = SlowThreads(monkeypatch)
    done: list[str] = []
    async with committing() as commits:
        for number in range(SYNC_THREADS + 1):
            commits.want(Diary(f"{number}", done, is_synced=True), 0)
        await trio.testing.wait_all_tasks_blocked()
        del done[:]
        assert len(threads.begun) == SYNC_THREADS
        await threads.work(3)
        assert done == ["3 sync", "3 synced"]
        await threads.work(0)
        assert done[2:] == ["0 sync", f"{SYNC_THREADS} sync", "0 synced", f"{SYNC_THREADS} synced"]
        for number in range(3):
            commits.want(Diary(f"later {number}", done, is_synced=True), 0)
        await trio.testing.wait_all_tasks_blocked()
        assert len(threads.begun) == SYNC_THREADS, "the third one waits for a thread"
        await threads.work(0)
        assert len(threads.begun) == SYNC_THREADS
        del done[:]
        while threads.begun:
            await threads.work(-1)
        assert done[:2] == ["later 2 sync", "later 2 synced"]


async def test_a_sync_that_has_begun_is_told_its_end_though_another_end_goes_wrong(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Diary):
        def end_sync(self) -> None:
            super().end_sync()
            raise LookupError("a defect")

    threads = SlowThreads(monkeypatch)
    done: list[str] = []

    async def work() -> None:
        with trio.CancelScope(shield=True):
            while threads.begun:
                await trio.sleep(1)
                await threads.work(0)

    async def commit() -> None:
        async with trio.open_nursery() as working, committing() as commits:
            for number in range(4):
                commits.want((Broken, Diary)[number % 2](f"{number}", done, is_synced=True), 0)
            await trio.testing.wait_all_tasks_blocked()
            working.start_soon(work)
            await trio.sleep_forever()

    with pytest.raises(BaseExceptionGroup):
        await commit()
    assert [one for one in done if one.endswith("synced")] == [f"{number} synced" for number in range(4)]
