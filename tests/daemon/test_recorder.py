"""A stream's journal in virtual time, on a disk that may be full."""

from __future__ import annotations

import errno
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from tests.daemon.rooms import new_shelf, wall_clock
from zccvoice.config import JournalConfig
from zccvoice.daemon.group_commit import FLUSH_S, GroupCommit
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.outbox import Outbox
from zccvoice.daemon.recorder import RECENT_RECORDS, Recorder
from zccvoice.journal.journal import START, Damage, Record
from zccvoice.journal.record import Kind
from zccvoice.journal.shelf import Shelf
from zccvoice.rtms.events import AudioReceived, CallEventReceived, ChatReceived, ReceptionBroken
from zccvoice.store.facts import CallEventSeen

pytestmark = pytest.mark.usefixtures("no_threads")


def packet(number: int) -> AudioReceived:
    return AudioReceived("ch", 1_781_000_000_000 + number * 100, number.to_bytes(2, "little") * 1600)


def fact(number: int) -> CallEventSeen:
    return CallEventSeen("E", "S", "user_hold", number)


class Bench:
    """A recorder at work."""

    def __init__(self, shelf: Shelf, recorder: Recorder, outbox: Outbox, metrics: Metrics) -> None:
        self.shelf = shelf
        self.recorder = recorder
        self.outbox = outbox
        self.metrics = metrics

    def written(self, kind: Kind) -> list[object]:
        with self.shelf.reader("j") as reader:
            records = list(reader.records(kind=kind))
        assert not any(isinstance(one, Damage) for one in records)
        return [entry for one in records if isinstance(one, Record) for entry in one.entries]

    async def follow(self, offset: int = START) -> list[object]:
        """Everything `next` gives, to its end."""
        found: list[object] = []
        while records := await self.recorder.next(offset):
            for one in records:
                assert isinstance(one, Record)
                found += one.entries
                offset = one.end
        return found


def new_bench(folder: Path, commits: GroupCommit, **settings: float) -> Bench:
    shelf, outbox, metrics = new_shelf(folder), Outbox(), Metrics()
    recorder = Recorder(
        shelf.writer("j"),
        lambda: shelf.reader("j"),
        outbox,
        received_end=START,
        settings=JournalConfig.model_validate(settings),
        metrics=metrics,
        commits=commits,
        limiter=trio.CapacityLimiter(4),
        wall_clock=wall_clock,
    )
    return Bench(shelf, recorder, outbox, metrics)


@asynccontextmanager
async def recording(folder: Path, **settings: float) -> AsyncIterator[Bench]:
    commits = GroupCommit()
    bench = new_bench(folder, commits, **settings)
    async with trio.open_nursery() as writing:
        writing.start_soon(commits.run)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.recorder.run)
            yield bench
            bench.recorder.close()
        writing.cancel_scope.cancel()


async def test_what_arrives_is_written_four_times_a_second(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with recording(tmp_path) as bench:
        for number in range(20):
            bench.recorder.receive(packet(number))
            await trio.sleep(0.1)
        await trio.sleep(FLUSH_S)
        with bench.shelf.reader("j") as reader:
            assert len(list(reader.records())) in range(6, 9)
        assert bench.written(Kind.RECEIVED) == [packet(number) for number in range(20)]


async def test_a_journal_is_hardly_larger_than_its_sound(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Opus in small packets of any size, in the records that come of it."""
    names = ("0f8fad5b-d9cb-469f-a165-70867728950e", "7c9e6679-7425-40de-944b-e07fc1f90ae7")
    chance = random.Random(1)
    payload_bytes = 0
    async with recording(tmp_path) as bench:
        for at_ms in range(0, 30_000, 20):
            for name in names:
                payload = bytes(chance.randint(60, 100))
                payload_bytes += len(payload)
                bench.recorder.receive(AudioReceived(name, int(wall_clock() * 1000) + at_ms, payload))
            await trio.sleep(0.02)
        await bench.recorder.settle()
        with bench.shelf.reader("j") as reader:
            assert len(list(reader.records())) >= 30 / (FLUSH_S + 0.02) - 1
            assert payload_bytes < reader.size_bytes <= payload_bytes * 1.03


async def test_what_is_handed_out_stands_as_it_is_written(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Sides that take turns are put apart: live and from the file they come in the same order."""
    async with recording(tmp_path) as bench:
        for number in range(50):
            bench.recorder.receive(packet(number))
            bench.recorder.receive(AudioReceived("other", 1_781_000_000_007 + number * 100, b"sound"))
            if number % 5 == 4:
                bench.recorder.receive(CallEventReceived("user_hold", number))
            await trio.sleep(0.05)
            if number == 20:
                (first,) = await bench.recorder.next(START)
        bench.recorder.end_of_reception()
        assert isinstance(first, Record)
        live = [*first.entries, *await bench.follow(first.end)]
        assert live == bench.written(Kind.RECEIVED)
        assert len(live) == 110
        events = [at for at, one in enumerate(live) if isinstance(one, CallEventReceived)]
        assert [at % 11 for at in events] == [10] * 10, "what happened keeps its place among packets"


async def test_it_is_handed_out_once_written_and_in_order(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with recording(tmp_path) as bench, trio.open_nursery() as nursery:
        found: list[object] = []

        async def follow() -> None:
            found.extend(await bench.follow())

        nursery.start_soon(follow)
        for number in range(50):
            bench.recorder.receive(packet(number))
            bench.recorder.derive([fact(number)])
            await trio.sleep(0.1)
        bench.recorder.end_of_reception()
        with trio.fail_after(5):
            while len(found) < 50:
                await trio.sleep(0.1)
    assert found == [packet(number) for number in range(50)]


async def test_who_finds_records_waiting_gives_others_their_turn(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with recording(tmp_path) as bench:
        for number in range(3):
            bench.recorder.receive(packet(number))
            await trio.sleep(FLUSH_S + 0.01)
        offset = START
        for number in range(3):
            with trio.testing.assert_checkpoints():
                (record,) = await bench.recorder.next(offset)
            assert isinstance(record, Record)
            assert record.entries == [packet(number)]
            offset = record.end


async def test_who_lags_reads_from_the_file(tmp_path: Path, autojump_clock: MockClock) -> None:
    count = 10 * RECENT_RECORDS
    async with recording(tmp_path) as bench:
        for number in range(count):
            bench.recorder.receive(packet(number))
            await trio.sleep(FLUSH_S + 0.01)
        bench.recorder.end_of_reception()
        assert await bench.follow() == [packet(number) for number in range(count)]


async def test_a_file_that_cannot_be_read_now_is_read_later(
    tmp_path: Path, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    async with recording(tmp_path) as bench, trio.open_nursery() as nursery:
        for number in range(2 * RECENT_RECORDS):
            bench.recorder.receive(packet(number))
            await trio.sleep(FLUSH_S + 0.01)
        found: list[object] = []

        async def follow() -> None:
            found.extend(await bench.follow())

        with monkeypatch.context() as system:
            system.setattr(Path, "open", refuse)
            nursery.start_soon(follow)
            await trio.sleep(10)
        bench.recorder.end_of_reception()
    assert found == [packet(number) for number in range(2 * RECENT_RECORDS)]


async def test_the_end_waits_for_what_is_being_written(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with recording(tmp_path) as bench:
        bench.recorder.receive(packet(1))
        bench.recorder.end_of_reception()
        assert await bench.follow() == [packet(1)]


async def test_facts_reach_the_outbox_when_they_are_on_the_disk(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with recording(tmp_path, sync_every_s=2) as bench:
        bench.recorder.derive([fact(0)])
        await bench.recorder.settle()
        (parcel,) = bench.outbox.parcels()
        bench.recorder.derive([fact(1)])
        await trio.sleep(1)
        assert bench.written(Kind.DERIVED) == [fact(0), fact(1)]
        assert bench.outbox.parcels() == [parcel], "written, but not yet forced onto the disk"
        await trio.sleep(2)
        (later,) = bench.outbox.parcels()
        assert later.end > parcel.end


async def test_a_full_disk_costs_sound_and_nothing_else(
    tmp_path: Path, autojump_clock: MockClock, disk: Callable[[int | None], None]
) -> None:
    async with recording(tmp_path) as bench:
        numbers = iter(range(100))

        async def play(count: int) -> list[int]:
            played = [next(numbers) for _ in range(count)]
            for number in played:
                bench.recorder.receive(packet(number))
                await trio.sleep(0.1)
            await trio.sleep(FLUSH_S)
            return played

        before = await play(10)
        disk(100)
        await play(10)
        bench.recorder.receive(CallEventReceived("user_hold", 5))
        bench.recorder.derive([fact(7)])
        await trio.sleep(1)
        assert bench.metrics.registry.get_sample_value("zccvoice_journals_full") == 1
        disk(None)
        await trio.sleep(1)
        after = await play(10)
        received = bench.written(Kind.RECEIVED)
        kept = [packet(number) for number in (*before, *range(10, 20), *after)]
        sound = [one for one in received if isinstance(one, AudioReceived)]
        lost = [one for one in kept if one not in sound]
        assert sound == [one for one in kept if one in sound], "in order, none twice"
        assert 5 <= len(lost) <= 10
        dropped = bench.metrics.registry.get_sample_value("zccvoice_dropped_packets_total")
        assert dropped == len(lost)
        broken = received.index(ReceptionBroken("disk_full"))
        assert received[broken + 1] == CallEventReceived("user_hold", 5)
        assert received[broken + 2 :] == [packet(number) for number in after]
        assert bench.written(Kind.DERIVED) == [fact(7)]
        assert bench.metrics.registry.get_sample_value("zccvoice_journals_full") == 0


async def test_who_waits_for_the_disk_waits_until_there_is_room(
    tmp_path: Path, autojump_clock: MockClock, disk: Callable[[int | None], None]
) -> None:
    async with recording(tmp_path) as bench, trio.open_nursery() as nursery:
        disk(0)
        bench.recorder.derive([fact(1)])
        settled = trio.Event()

        async def settle() -> None:
            await bench.recorder.settle()
            settled.set()

        nursery.start_soon(settle)
        await trio.sleep(3)
        assert not settled.is_set()
        disk(None)
        await trio.sleep(1)
        assert settled.is_set()
        assert bench.written(Kind.DERIVED) == [fact(1)]


async def test_what_waits_for_room_is_tried_again_though_nothing_more_comes(
    tmp_path: Path, autojump_clock: MockClock, disk: Callable[[int | None], None]
) -> None:
    async with recording(tmp_path) as bench:
        disk(100)
        bench.recorder.receive(packet(1))
        await trio.sleep(3)
        disk(None)
        assert bench.written(Kind.RECEIVED) == []
        await trio.sleep(1)
        assert bench.written(Kind.RECEIVED) == [packet(1)]


async def test_what_is_written_while_a_sync_is_under_way_has_the_next_one_at_once(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    commits = GroupCommit()
    bench = new_bench(tmp_path, commits)
    recorder = bench.recorder
    settled: list[int] = []

    async def settle(number: int) -> None:
        recorder.derive([fact(number)])
        await recorder.settle()
        settled.append(number)

    async def write() -> None:
        """As if it were its turn."""
        await trio.testing.wait_all_tasks_blocked()
        commits.leave(recorder)
        recorder.begin()()
        recorder.end()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(settle, 1)
        await write()
        sync = recorder.begin_sync()
        assert sync is not None
        nursery.start_soon(settle, 2)
        await write()
        assert recorder.begin_sync() is None
        sync()
        recorder.end_sync()
        begin = trio.current_time()
        nursery.start_soon(commits.run)
        await trio.testing.wait_all_tasks_blocked()
        assert settled == [1, 2]
        assert trio.current_time() == begin
        nursery.cancel_scope.cancel()


async def test_a_defect_ends_one_journal_and_no_other(tmp_path: Path, autojump_clock: MockClock) -> None:
    commits = GroupCommit()
    sound, broken = new_bench(tmp_path / "sound", commits), new_bench(tmp_path / "broken", commits)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(commits.run)
        nursery.start_soon(sound.recorder.run)
        sound.recorder.receive(packet(1))
        broken.recorder.receive(object())
        with pytest.raises(TypeError):
            await broken.recorder.run()
        broken.recorder.receive(packet(2))
        sound.recorder.receive(packet(3))
        await sound.recorder.settle()
        await trio.sleep(4 * FLUSH_S)
        assert sound.written(Kind.RECEIVED) == [packet(1), packet(3)]
        assert broken.written(Kind.RECEIVED) == []
        nursery.cancel_scope.cancel()


async def test_half_a_character_ends_no_recording(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Of a chat message that somebody's program has cut within an emoji."""
    chat = ChatReceived(1_781_000_000_000, "so \ud83d", "u1", "\ude00")
    whole = replace(chat, text="so ?", sender_name="?")
    async with recording(tmp_path) as bench:
        for one in (packet(1), chat, packet(2)):
            bench.recorder.receive(one)
        bench.recorder.derive([fact(1), replace(fact(2), detail="\ud83d"), fact(3)])
        await bench.recorder.settle()
        bench.recorder.receive(packet(3))
        bench.recorder.end_of_reception()
        assert await bench.follow() == [packet(1), whole, packet(2), packet(3)], "as the journal has it"
    assert bench.written(Kind.RECEIVED) == [packet(1), whole, packet(2), packet(3)]
    assert bench.written(Kind.DERIVED) == [fact(1), replace(fact(2), detail="?"), fact(3)]
