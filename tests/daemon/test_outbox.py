from __future__ import annotations

import trio
import trio.testing
from trio.testing import MockClock

from zccvoice.daemon.outbox import Outbox, Parcel
from zccvoice.journal.journal import START
from zccvoice.store.facts import CallEventSeen


def test_a_parcel_grows_until_it_is_taken_care_of() -> None:
    outbox = Outbox()
    outbox.note("a", 100)
    outbox.note("b", 50)
    outbox.note("a", 200)
    assert outbox.parcels() == [Parcel("a", START, 200), Parcel("b", START, 50)]
    outbox.advance(Parcel("a", START, 200), 120)
    assert outbox.parcels() == [Parcel("b", START, 50), Parcel("a", 120, 200)], "others come first"
    outbox.advance(Parcel("a", 120, 200), 200)
    outbox.note("a", 200)
    assert outbox.parcels() == [Parcel("b", START, 50)]
    outbox.note("a", 201)
    assert outbox.parcels()[-1] == Parcel("a", 200, 201)


def test_what_the_database_does_not_have_any_more_is_written_again() -> None:
    outbox = Outbox()
    for journal in ("a", "b", "c"):
        outbox.note(journal, 100)
    a, b, _ = outbox.parcels()
    outbox.advance(a, 100)
    outbox.advance(b, 40)
    begun = next(parcel for parcel in outbox.parcels() if parcel.journal == "b")
    outbox.rewind()
    assert sorted(outbox.parcels(), key=lambda one: one.journal) == [
        Parcel(journal, START, 100) for journal in ("a", "b", "c")
    ]
    outbox.advance(begun, 100)
    assert Parcel("b", START, 100) in outbox.parcels(), "it was taken care of before"
    outbox.note("a", 120)
    assert Parcel("a", START, 120) in outbox.parcels()


def test_what_is_noted_while_it_is_taken_care_of_is_not_lost() -> None:
    outbox = Outbox()
    outbox.note("a", 100)
    (parcel,) = outbox.parcels()
    outbox.note("a", 150)
    outbox.advance(parcel, parcel.end)
    assert outbox.parcels() == [Parcel("a", 100, 150)]


def test_a_journal_is_closable_when_it_is_finished_measured_and_written() -> None:
    outbox = Outbox()
    outbox.note("a", 100)
    outbox.finish("a")
    outbox.measured("a")
    assert outbox.take_closable() == [], "something is still to be written"
    outbox.advance(Parcel("a", START, 100), 100)
    assert outbox.take_closable() == ["a"]
    assert outbox.take_closable() == []
    outbox.measured("b")
    assert outbox.take_closable() == [], "somebody still writes to it"
    outbox.finish("b")
    outbox.begin("b")
    assert outbox.take_closable() == [], "somebody writes to it again"


async def test_waiting_ends_with_news_and_with_the_last_of_it(autojump_clock: MockClock) -> None:
    outbox = Outbox()
    answers: list[bool] = []

    async def wait() -> None:
        answers.append(await outbox.wait())

    for tell in (lambda: outbox.note("a", 100), lambda: outbox.put(CallEventSeen("E", "S", "x", 1))):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await trio.testing.wait_all_tasks_blocked()
            tell()
        outbox.forget("a")
        outbox.take_urgent()
    outbox.note("a", 100)
    outbox.close()
    assert await outbox.wait()
    outbox.forget("a")
    assert not await outbox.wait()
    assert answers == [True, True]


def test_what_is_urgent_is_so_until_it_is_written() -> None:
    outbox = Outbox()
    seen = [outbox.is_urgent]
    outbox.put(CallEventSeen("E", "S", "user_hold", 1))
    seen.append(outbox.is_urgent)
    assert len(outbox.take_urgent()) == 1
    seen.append(outbox.is_urgent)
    outbox.urgent_written()
    seen.append(outbox.is_urgent)
    assert seen == [False, True, True, False]
