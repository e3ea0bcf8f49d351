"""From journals to a store that may be away, or refuse."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest
import trio
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from trio.testing import MockClock

from tests.daemon.fakes import FakeStore
from tests.daemon.rooms import new_shelf
from tests.store.calls import small_call
from zccvoice.analytics.live import Heard
from zccvoice.analytics.rules import Condition, Limit, Phrases, Quantity, Rule
from zccvoice.analytics.thresholds import DEFAULTS
from zccvoice.daemon.live_speech import LiveSpeech, StreamSpeech
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.outbox import Outbox
from zccvoice.daemon.writer import BATCH_FACTS, LIVE_S, Writer, measure_in, measure_live_in, write_to
from zccvoice.errors import StoreError
from zccvoice.journal.journal import Record
from zccvoice.journal.record import Kind
from zccvoice.journal.shelf import Shelf, journal_name
from zccvoice.rtms.events import AudioReceived
from zccvoice.store.database import connect, is_transient, transaction
from zccvoice.store.facts import (
    CallEventSeen,
    Fact,
    GapFound,
    StreamClosed,
    StreamOpened,
    StreamRestated,
    StreamRevoked,
    UtteranceHeard,
)
from zccvoice.store.recompute import Outcome, recompute
from zccvoice.store.rules import rule_book
from zccvoice.store.writes import apply

pytestmark = pytest.mark.usefixtures("no_threads")


def fact(number: int, stream_id: str = "S") -> CallEventSeen:
    return CallEventSeen("E", stream_id, "user_hold", number)


def end(stream_id: str = "S") -> StreamClosed:
    return StreamClosed("E", stream_id, datetime(2026, 11, 26, tzinfo=UTC), "done")


def away() -> StoreError:
    """An error as `store.database.transaction` raises it when the server is gone."""
    try:
        try:
            raise OperationalError("select", {}, psycopg.OperationalError("server closed the connection"))
        except OperationalError:
            raise StoreError("the database cannot be reached") from None
    except StoreError as error:
        return error


class Office:
    """A writer with journals and a store."""

    def __init__(self, folder: Path) -> None:
        self.shelf: Shelf = new_shelf(folder)
        self.store = FakeStore()
        self.metrics = Metrics()
        self.outbox = Outbox()
        self.live = LiveSpeech()
        self.paused: list[tuple[str, int]] = []
        self.writer = self.new_writer()

    def new_writer(self) -> Writer:
        return Writer(
            self.outbox,
            self.shelf,
            self.metrics,
            write=self.store.write,
            measure=self.store.measure,
            measure_live=self.store.measure_live,
            live=self.live,
            pause_sound=lambda engagement_id, end_ms: self.paused.append((engagement_id, end_ms)),
        )

    def journal(self, facts: Sequence[Fact], stream_id: str = "S", *, each: int = 3) -> str:
        """A journal with these facts, among sound, noted in the outbox."""
        name = journal_name(stream_id)
        with self.shelf.writer(name) as journal:
            for at in range(0, len(facts), each):
                journal.write(Kind.RECEIVED, 0, [AudioReceived("ch", at, b"\0" * 320)])
                journal.write(Kind.DERIVED, 0, facts[at : at + each])
            self.outbox.note(name, journal.end)
        return name

    async def write(self) -> None:
        """Write until everything is."""
        self.outbox.close()
        with trio.fail_after(100_000):
            await self.writer.run()

    def metric(self, name: str) -> float | None:
        return self.metrics.registry.get_sample_value(name)


async def test_everything_in_order_in_few_transactions(tmp_path: Path, autojump_clock: MockClock) -> None:
    office = Office(tmp_path)
    facts: list[Fact] = [fact(number) for number in range(2 * BATCH_FACTS + 7)]
    office.journal(facts)
    await office.write()
    assert office.store.facts == facts
    assert len(office.store.batches) == 3


async def test_streams_share_a_transaction(tmp_path: Path, autojump_clock: MockClock) -> None:
    office = Office(tmp_path)
    for number in range(10):
        office.journal([fact(number, f"S{number}")], f"S{number}")
    await office.write()
    assert office.store.batches == [10]


async def test_it_waits_for_the_database_and_loses_nothing(tmp_path: Path, autojump_clock: MockClock) -> None:
    assert is_transient(away())
    office = Office(tmp_path)
    office.journal([fact(1), fact(2)])
    office.store.failures = [away() for _ in range(12)]
    begin = trio.current_time()
    await office.write()
    assert office.store.facts == [fact(1), fact(2)]
    assert office.metric("zccvoice_store_retries_total") == 12
    assert 100 < trio.current_time() - begin < 200, "backs off to half a minute"


async def test_what_comes_while_the_database_is_away_waits_in_the_journals(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    office = Office(tmp_path)
    office.store.failures = [away() for _ in range(12)]
    office.journal([fact(0, "first")], "first")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(office.writer.run)
        for number in range(200):
            await trio.sleep(0.1)
            office.journal([fact(number, f"S{number}")], f"S{number}")
        assert office.store.facts == []
        assert len(office.outbox) == 201
        office.outbox.close()
    assert len(office.store.facts) == 201
    assert office.store.facts[0] == fact(0, "first")


async def test_a_database_that_is_restored_under_our_feet_costs_nothing(
    tmp_path: Path, database_url: str
) -> None:
    """Its tables are away when a call ends, and come back as they were before it began."""
    engine = connect(database_url)

    def do(*statements: str) -> None:
        with transaction(engine) as connection:
            for statement in statements:
                connection.execute(text(statement))

    def count(table: str) -> int:
        with transaction(engine) as connection:
            return int(connection.scalar(text(f"SELECT count(*) FROM zccvoice.{table}")) or 0)

    office = Office(tmp_path)
    office.writer._write, office.writer._measure = write_to(engine), measure_in(engine)
    call = small_call("E", "S")
    name = office.journal(call[:6])
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(office.writer.run)
            while len(office.outbox):
                await trio.sleep(0.05)
            do("DELETE FROM zccvoice.engagement", "ALTER SCHEMA zccvoice RENAME TO away")
            with office.shelf.writer(name) as journal:
                journal.write(Kind.DERIVED, 0, call[6:])
                office.outbox.note(name, journal.end)
            office.outbox.finish(name)
            while not office.metric("zccvoice_store_retries_total"):
                await trio.sleep(0.05)
            do("ALTER SCHEMA away RENAME TO zccvoice")
            office.outbox.close()
    told = {UtteranceHeard: "utterance", GapFound: "gap", CallEventSeen: "call_event"}
    for kind, table in told.items():
        assert count(table) == sum(isinstance(one, kind) for one in call), table
    assert (count("participant"), count("scorecard")) == (2, 1)
    assert office.metric("zccvoice_lost_facts_total") == 0
    assert office.shelf.is_closed(name)
    engine.dispose()


async def test_a_refused_fact_costs_itself(tmp_path: Path, autojump_clock: MockClock) -> None:
    office = Office(tmp_path)
    office.store.refuses = lambda one: StoreError("value too long") if one == fact(3) else None
    office.journal([fact(number) for number in range(6)])
    await office.write()
    assert office.store.facts == [fact(0), fact(1), fact(2), fact(4), fact(5)]
    assert office.metric("zccvoice_lost_facts_total") == 1


async def test_a_defect_in_the_store_costs_one_fact(tmp_path: Path, autojump_clock: MockClock) -> None:
    office = Office(tmp_path)
    office.store.refuses = lambda one: TypeError("a defect") if one == fact(3) else None
    office.journal([fact(number) for number in range(5)])
    await office.write()
    assert office.store.facts == [fact(0), fact(1), fact(2), fact(4)]


async def test_a_finished_journal_is_closed_once_its_call_is_measured(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    office = Office(tmp_path)
    name = office.journal([fact(1), end()])
    office.outbox.finish(name)
    other = office.journal([fact(1, "T"), end("T")], "T")  # still being written to
    await office.write()
    assert office.store.measured == ["E", "E"]
    assert office.shelf.is_closed(name)
    assert not office.shelf.is_closed(other)


async def test_the_lag_of_a_scorecard_is_from_hang_up_to_commit(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    office = Office(tmp_path)
    office.store.failures = [away()]
    office.metrics.note_hang_up("S", trio.current_time())
    office.journal([end()])
    await office.write()
    assert office.metric("zccvoice_scorecard_lag_seconds_sum") == pytest.approx(0.2)


async def test_a_call_that_cannot_be_measured_keeps_its_facts_and_its_journal(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    office = Office(tmp_path)
    office.store.cannot_measure = ZeroDivisionError()
    name = office.journal([fact(1), end()])
    office.outbox.finish(name)
    office.journal([fact(2, "T")], "T")
    await office.write()
    assert office.store.facts == [fact(1), end(), fact(2, "T")]
    assert office.metric("zccvoice_lost_facts_total") == 1
    assert not office.shelf.is_closed(name), "to be tried again at the next start"


async def test_a_journal_that_is_gone_stops_nobody(tmp_path: Path, autojump_clock: MockClock) -> None:
    office = Office(tmp_path)
    office.shelf.shred(office.journal([fact(1, "gone")], "gone"))
    office.journal([fact(2)])
    await office.write()
    assert office.store.facts == [fact(2)]


async def test_a_journal_that_cannot_be_read_now_is_read_later(
    tmp_path: Path, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(tmp_path)
    office.journal([fact(number) for number in range(5)])

    def refuse(*_: object, **__: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    async with trio.open_nursery() as nursery:
        with monkeypatch.context() as system:
            system.setattr(Path, "open", refuse)
            nursery.start_soon(office.write)
            await trio.sleep(60)
            assert office.store.facts == []
    assert office.store.facts == [fact(number) for number in range(5)]


@pytest.mark.parametrize("state", [errno.ESTALE, errno.EIO])
async def test_a_folder_that_is_away_for_a_while_costs_nothing(
    tmp_path: Path, state: int, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server of files that is started anew, or a disk that is about to die."""
    office = Office(tmp_path)
    name = office.journal([fact(1), end()])
    office.outbox.finish(name)
    real = os.stat

    def refuse(path: Any, *rest: Any, **more: Any) -> os.stat_result:
        if str(path).endswith(".journal"):
            raise OSError(state, os.strerror(state))
        return real(path, *rest, **more)

    async with trio.open_nursery() as nursery:
        with monkeypatch.context() as system:
            system.setattr(os, "stat", refuse)
            nursery.start_soon(office.write)
            await trio.sleep(60)
            assert office.store.facts == []
    assert office.store.facts == [fact(1), end()]
    assert office.shelf.is_closed(name)


async def test_a_journal_that_goes_before_it_is_closed_stops_nobody(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """Erased by hand, in another process."""
    office = Office(tmp_path)
    name = office.journal([end("gone")], "gone")
    office.outbox.finish(name)
    office.outbox.measured(name)
    office.shelf.shred(name)
    office.journal([fact(2)])
    await office.write()
    assert office.store.facts == [fact(2)]


async def test_a_revocation_comes_first(tmp_path: Path, autojump_clock: MockClock) -> None:
    office = Office(tmp_path)
    office.journal([fact(1)])
    revoked = StreamRevoked("E", "R", datetime(2026, 11, 26, tzinfo=UTC))
    office.outbox.put(revoked)
    await office.write()
    assert office.store.facts == [revoked, fact(1)]


async def test_of_a_stream_without_a_row_to_come_nothing_is_remembered(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    office = Office(tmp_path)
    office.store.cannot_measure = ZeroDivisionError()
    for stream_id in ("R", "S"):
        office.metrics.note_hang_up(stream_id, 0)
    office.outbox.put(StreamRevoked("E", "R", datetime(2026, 11, 26, tzinfo=UTC)))
    office.journal([end()])
    await office.write()
    for stream_id in ("R", "S"):
        assert office.metrics.note_scorecard(stream_id, 1) is None


async def test_the_sound_of_a_running_call_is_paused_as_its_rules_say(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    office = Office(tmp_path)
    office.store.pause_end_ms = 42_000
    office.journal([StreamOpened("E", "S", "contact_center", datetime(2026, 11, 26, tzinfo=UTC))])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(office.writer.run)
        await trio.sleep(LIVE_S / 2)
        office.store.pause_end_ms = None
        await trio.sleep(LIVE_S)
        nursery.cancel_scope.cancel()
    assert office.paused == [("E", 42_000)]


async def test_a_running_calls_row_is_never_older_than_five_seconds(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """Also while there are many, and measuring them takes its time."""
    office = Office(tmp_path)
    measured_at: dict[str, list[float]] = {f"E{number}": [] for number in range(20)}

    def measure_live(engagement_id: str, heard: Heard | None) -> None:
        autojump_clock.jump(0.12)
        measured_at[engagement_id].append(trio.current_time())

    office.store.measure_live = measure_live  # type: ignore[method-assign]
    office.writer = office.new_writer()
    for number, engagement_id in enumerate(measured_at):
        opened = StreamOpened(
            engagement_id, f"S{number}", "contact_center", datetime(2026, 11, 26, tzinfo=UTC)
        )
        office.journal([opened], f"S{number}")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(office.writer.run)
        await trio.sleep(60)
        nursery.cancel_scope.cancel()
    for moments in measured_at.values():
        assert len(moments) >= 60 / 5
        assert max(later - earlier for earlier, later in pairwise([0, *moments, 60])) <= 5


async def test_a_running_call_is_measured_with_what_is_heard_of_it(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    office = Office(tmp_path)
    opened = StreamOpened("E", "S", "contact_center", datetime(2026, 11, 26, tzinfo=UTC))
    office.journal([opened])
    stream = StreamSpeech("E", tuple, lambda: False, lambda: 3.5)
    stream.note(Record(0, 1, Kind.RECEIVED, 1_000, [AudioReceived("ch", 900, b"")]), [])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(office.writer.run)
        with office.live.listening("S", stream):
            await trio.sleep(LIVE_S / 2)
        await trio.sleep(LIVE_S)
        nursery.cancel_scope.cancel()
    assert office.store.heard == [Heard(3_400, {}, {}, {}), None]


async def test_running_calls_are_measured_every_few_seconds(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    office = Office(tmp_path)
    opened = StreamOpened("E", "S", "contact_center", datetime(2026, 11, 26, tzinfo=UTC))
    office.journal([opened, fact(1)])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(office.writer.run)
        await trio.sleep(2.5 * LIVE_S)
        assert office.store.measured_live == ["E"] * 3, "at once, and then every few seconds"
        assert LIVE_S < 5
        with office.shelf.writer(journal_name("S")) as journal:
            journal.write(Kind.DERIVED, 0, [end()])
            office.outbox.note(journal_name("S"), journal.end)
        await trio.sleep(3 * LIVE_S)
        assert office.store.measured_live == ["E"] * 3, "it has ended"
        office.outbox.close()


def test_a_call_that_retention_emptied_is_not_measured_with_zeros(database_url: str) -> None:
    engine = connect(database_url)
    with transaction(engine) as connection:
        apply(connection, [*small_call(), *small_call("e1", "s2")])
        book = rule_book(connection, [Rule("greeted", (Condition(Phrases(("hello",))),))])
    measure = measure_in(engine, book)
    measure("e1")

    def measures() -> list[Any]:
        with transaction(engine) as connection:
            tables = ("zccvoice.scorecard", "zccvoice.side_scorecard", "zccvoice.category_hit")
            return [connection.execute(text(f"SELECT * FROM {one} ORDER BY 1, 2, 3")).all() for one in tables]

    before = measures()
    assert all(before)
    with transaction(engine) as connection:
        connection.execute(text("DELETE FROM zccvoice.utterance"))
    measure("e1")
    assert measures() == before, "nothing better is to be had"
    with transaction(engine) as connection:
        apply(connection, [StreamRevoked("e1", "s2", datetime(2026, 11, 26, tzinfo=UTC))])
    measure("e1")
    assert measures() == [[], [], []], "there is nothing to make any of"
    with transaction(engine) as connection:
        assert recompute(connection, "e1", DEFAULTS) is Outcome.PRUNED
        apply(connection, small_call())
    measure("e1")
    assert all(measures()), "a replay told again what was said"
    engine.dispose()


def test_rules_agree_with_the_measures_about_what_a_silence_is(database_url: str) -> None:
    engine = connect(database_url)
    with transaction(engine) as connection:
        apply(connection, small_call())
        silence = Condition(Limit(Quantity.SILENCE_MS, 0, is_above=True))
        book = rule_book(connection, [Rule("silence", (silence,))])
    counts = []
    for thresholds in (DEFAULTS, replace(DEFAULTS, silence_above_ms=1)):
        measure_in(engine, book, thresholds=thresholds)("e1")
        with transaction(engine) as connection:
            counts.append(connection.scalar(text("SELECT silence_count FROM zccvoice.scorecard")))
            assert connection.scalar(text("SELECT count(*) FROM zccvoice.category_hit")) == counts[-1]
    assert counts[0] < counts[1]
    engine.dispose()


def test_a_call_that_a_replay_found_silent_is_measured_as_such(database_url: str) -> None:
    """As after an endpointer that took music for speech: retention has nothing to do with it."""
    engine = connect(database_url)
    told = small_call()
    with transaction(engine) as connection:
        apply(connection, told)
        book = rule_book(connection, [Rule("greeted", (Condition(Phrases(("hello",))),))])
    measure = measure_in(engine, book)
    measure("e1")

    def measures() -> list[Any]:
        with transaction(engine) as connection:
            row = connection.execute(text("SELECT * FROM zccvoice.scorecard")).mappings().one()
            spans = connection.execute(text("SELECT * FROM zccvoice.speech_span")).all()
            hits = connection.execute(text("SELECT rule FROM zccvoice.category_hit")).all()
            return [{name: row[name] for name in row if name != "computed_at"}, spans, hits]

    assert measures()[0]["talk_time_agent_ms"] == 1_000
    with transaction(engine) as connection:
        apply(connection, [StreamRestated("e1", "s1", (), (), (), ()), told[-1]])
    measure("e1")
    after = measures()
    with transaction(engine) as connection:
        connection.execute(text("DELETE FROM zccvoice.engagement"))
        apply(connection, [one for one in told if not isinstance(one, UtteranceHeard | GapFound)])
    measure("e1")
    assert after == measures()
    assert after[1:] == [[], []]
    with transaction(engine) as connection:
        assert recompute(connection, "e1", DEFAULTS) is Outcome.UNCHANGED
    engine.dispose()


def test_a_call_of_which_no_audio_came_does_not_run_for_ever(database_url: str) -> None:
    engine = connect(database_url)
    opened, closed = small_call()[0], small_call()[-1]

    def running() -> list[str]:
        with transaction(engine) as connection:
            return list(connection.scalars(text("SELECT engagement_id FROM reporting.live_call")))

    with transaction(engine) as connection:
        apply(connection, [opened, replace(opened, stream_id="s2")])
    measure_live_in(engine)("e1", None)
    with transaction(engine) as connection:
        apply(connection, [closed])
    measure_in(engine)("e1")
    assert running() == ["e1"], "its other stream goes on"
    with transaction(engine) as connection:
        apply(connection, [replace(closed, stream_id="s2")])
    measure_in(engine)("e1")
    assert running() == []
    engine.dispose()
