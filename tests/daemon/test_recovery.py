"""What a new daemon finds of an old one."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from tests.daemon.rooms import EPOCH_S, new_shelf, wall_clock
from zccvoice.daemon.endings import REMEMBERED_S
from zccvoice.daemon.outbox import Outbox
from zccvoice.daemon.recovery import deleter, find_inheritance
from zccvoice.daemon.webhook_journal import Keepsake, WebhookJournal
from zccvoice.errors import JournalFullError
from zccvoice.journal.record import Kind
from zccvoice.journal.shelf import Shelf, journal_name
from zccvoice.rtms.enums import Product, StopReason
from zccvoice.rtms.webhook import StreamStarted, StreamStopped
from zccvoice.store.facts import StreamRevoked

pytestmark = pytest.mark.usefixtures("no_threads")
CCV = Product.CONTACT_CENTER


def started(stream_id: str, after_s: float = 0) -> StreamStarted:
    return StreamStarted(CCV, "E", stream_id, "wss://a.zoom.us", int((EPOCH_S + after_s) * 1000), "acc")


def stopped(stream_id: str | None, reason: StopReason | None = None) -> StreamStopped:
    return StreamStopped(CCV, "E", stream_id, int(EPOCH_S * 1000), reason)


def lose_key(folder: Path, stream_id: str) -> None:
    (key,) = folder.rglob(f"{journal_name(stream_id)}.key")
    key.unlink()


@asynccontextmanager
async def keeping(shelf: Shelf) -> AsyncIterator[WebhookJournal]:
    webhooks = WebhookJournal(shelf, wall_clock=wall_clock)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(webhooks.run)
        yield webhooks
        nursery.cancel_scope.cancel()


async def keep(shelf: Shelf, *keepsakes: Keepsake) -> None:
    async with keeping(shelf) as webhooks:
        for one in keepsakes:
            await webhooks.keep(one)


def begin(shelf: Shelf, stream_id: str) -> None:
    with shelf.writer(journal_name(stream_id)) as writer:
        writer.write(Kind.RECEIVED, 0, [started(stream_id)])


def begin_and_die(shelf: Shelf, folder: Path, stream_id: str, torn: bytes) -> None:
    shelf.writer(journal_name(stream_id)).close()
    (path,) = folder.rglob(f"{journal_name(stream_id)}.journal")
    with path.open("ab") as file:
        file.write(torn)


async def test_webhooks_are_read_again_in_order(tmp_path: Path, autojump_clock: MockClock) -> None:
    shelf = new_shelf(tmp_path)
    told: list[Keepsake] = [started("S1"), stopped("S1", StopReason.AGENT_DISCONNECTED), started("S2")]
    await keep(shelf, *told[:2])
    await keep(shelf, told[2])
    assert [one for _, one in WebhookJournal(shelf, wall_clock=wall_clock).recent()] == told


async def test_many_at_once_are_one_record(tmp_path: Path, autojump_clock: MockClock) -> None:
    shelf = new_shelf(tmp_path)
    async with keeping(shelf) as webhooks, trio.open_nursery() as nursery:
        for number in range(50):
            nursery.start_soon(webhooks.keep, started(f"S{number}"))
    (name,) = shelf.open_names()
    with shelf.reader(name) as reader:
        assert len(list(reader.records())) <= 2


async def test_a_day_is_a_journal_and_yesterdays_is_still_read(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    shelf = new_shelf(tmp_path)
    async with keeping(shelf) as webhooks:
        await webhooks.keep(started("S1"))
        await trio.sleep(24 * 3600)
        await webhooks.keep(started("S2"))
        await trio.sleep(24 * 3600)
        await webhooks.keep(started("S3"))
        assert [one for _, one in webhooks.recent()] == [started("S2"), started("S3")]
    assert len(shelf.open_names()) == 1
    assert len(shelf.closed()) == 1, "those of the day before yesterday are of no use any more"


async def test_a_daemon_that_is_started_again_and_again_keeps_webhooks(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    shelf = new_shelf(tmp_path)
    for number in range(300):
        await keep(shelf, started(f"S{number}"))
        find_inheritance(shelf, WebhookJournal(shelf, wall_clock=wall_clock), wall_clock=wall_clock)
        await trio.sleep(1)
    kept = WebhookJournal(shelf, wall_clock=wall_clock).recent()
    assert [one.stream_id for _, one in kept] == [f"S{number}" for number in range(300)]
    assert shelf.open_names() == []


async def test_a_full_disk_refuses_and_goes_on_when_there_is_room(
    tmp_path: Path, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = new_shelf(tmp_path)
    real = os.pwrite

    def full(descriptor: int, data: bytes, offset: int) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    async with keeping(shelf) as webhooks:
        await webhooks.keep(started("S1"))
        monkeypatch.setattr(os, "pwrite", full)
        for stream_id in ("S2", "S3"):
            with pytest.raises(JournalFullError):
                await webhooks.keep(started(stream_id))
        monkeypatch.setattr(os, "pwrite", real)
        await webhooks.keep(started("S4"))
        told = [one.stream_id for _, one in webhooks.recent()]
    assert told in (["S1", "S4"], ["S1", "S2", "S4"]), "what was refused may be there: Zoom tells it again"


async def test_unfinished_journals_and_missed_webhooks_are_found(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    shelf = new_shelf(tmp_path)
    await keep(shelf, started("done"), started("open"), started("missed"), started("over"), stopped("over"))
    for stream_id in ("done", "open"):
        begin(shelf, stream_id)
    shelf.close(journal_name("done"))
    found = find_inheritance(shelf, WebhookJournal(shelf, wall_clock=wall_clock), wall_clock=wall_clock)
    assert [one.stream_id for one in found.unfinished] == ["open"]
    assert found.missed == [started("missed")]
    assert found.stopped == [stopped("over")]
    assert found.revoked == []


async def test_the_times_of_a_start_and_a_stop_tell_whether_it_was_missed(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    shelf = new_shelf(tmp_path)
    again = [started("again", after_s=60), started("ended_again", after_s=60)]
    await keep(shelf, stopped("over"), started("over"), started("again"), started("ended_again"))
    await keep(shelf, stopped("again"), *again, stopped("again"), replace(again[0], server_url="wss://late"))
    for stream_id in ("again", "ended_again"):
        begin(shelf, stream_id)
        shelf.close(journal_name(stream_id))
    found = find_inheritance(shelf, WebhookJournal(shelf, wall_clock=wall_clock), wall_clock=wall_clock)
    assert [one.stream_id for one in found.missed] == ["again"]
    assert found.missed[0].event_ts_ms == again[0].event_ts_ms


async def test_an_announcement_is_missed_for_no_longer_than_zoom_repeats_it(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    shelf = new_shelf(tmp_path)
    await keep(shelf, started("missed"))
    await trio.sleep(REMEMBERED_S + 1)
    found = find_inheritance(shelf, WebhookJournal(shelf, wall_clock=wall_clock), wall_clock=wall_clock)
    assert found.missed == []


@pytest.mark.parametrize("torn", [b"", b"half a record"])
async def test_a_journal_that_was_begun_and_holds_nothing_is_as_good_as_none(
    tmp_path: Path, autojump_clock: MockClock, torn: bytes
) -> None:
    shelf = new_shelf(tmp_path)
    await keep(shelf, started("begun"), started("over"), stopped("over"))
    for stream_id in ("begun", "over"):
        begin_and_die(shelf, tmp_path, stream_id, torn)
    found = find_inheritance(shelf, WebhookJournal(shelf, wall_clock=wall_clock), wall_clock=wall_clock)
    assert found.missed == [started("begun")]
    assert found.unfinished == []
    assert not any(shelf.exists(journal_name(one)) for one in ("begun", "over"))


async def test_a_crash_between_a_journals_file_and_its_key_loses_no_stream(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    shelf = new_shelf(tmp_path)
    await keep(shelf, started("begun"))
    begin_and_die(shelf, tmp_path, "begun", b"")
    lose_key(tmp_path, "begun")
    found = find_inheritance(shelf, WebhookJournal(shelf, wall_clock=wall_clock), wall_clock=wall_clock)
    assert found.missed == [started("begun")]


async def test_a_journal_that_cannot_be_read_does_not_stop_the_start(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    shelf = new_shelf(tmp_path)
    begin(shelf, "whole")
    (tmp_path / "journal" / "open" / f"{journal_name('broken')}.journal").write_bytes(b"no journal")
    with shelf.writer(journal_name("nobody")) as writer:
        writer.write(Kind.RECEIVED, 0, [stopped("nobody")])
    found = find_inheritance(shelf, WebhookJournal(shelf, wall_clock=wall_clock), wall_clock=wall_clock)
    assert [one.stream_id for one in found.unfinished] == ["whole"]


async def test_the_newest_announcement_tells_where_a_stream_is(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    shelf = new_shelf(tmp_path)
    begin(shelf, "S")
    moved = replace(started("S"), server_url="wss://b.zoom.us", event_ts_ms=int(EPOCH_S * 1000) + 60_000)
    await keep(shelf, started("S"), moved, started("S"))  # the first one again: its answer was late
    found = find_inheritance(shelf, WebhookJournal(shelf, wall_clock=wall_clock), wall_clock=wall_clock)
    assert [one.server_url for one in found.unfinished] == ["wss://b.zoom.us"]


async def test_a_start_that_another_app_signed_tells_nothing(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    shelf = new_shelf(tmp_path)
    ours = {stream_id: replace(started(stream_id), client_id="ours") for stream_id in ("S1", "S2")}
    others = [replace(one, client_id="other", server_url="wss://b", event_ts_ms=one.event_ts_ms + 9)
              for one in ours.values()]  # fmt: skip
    await keep(shelf, *ours.values(), *others)
    with shelf.writer(journal_name("S1")) as writer:
        writer.write(Kind.RECEIVED, 0, [ours["S1"]])
    found = find_inheritance(shelf, WebhookJournal(shelf, wall_clock=wall_clock), wall_clock=wall_clock)
    assert (found.unfinished, found.missed) == ([ours["S1"]], [ours["S2"]])


async def test_nobody_revokes_the_stream_of_another_app(tmp_path: Path, autojump_clock: MockClock) -> None:
    shelf = new_shelf(tmp_path)
    revoked = replace(stopped("S", StopReason.STREAM_REVOKED), client_ids=("other",))
    await keep(shelf, replace(started("S"), client_id="ours"), revoked)
    found = find_inheritance(shelf, WebhookJournal(shelf, wall_clock=wall_clock), wall_clock=wall_clock)
    assert found.revoked == []


@pytest.mark.parametrize(("signer", "is_deleted"), [("ours", True), ("other", False)])
async def test_the_journal_of_a_stream_tells_who_may_revoke_it(
    tmp_path: Path, signer: str, is_deleted: bool, autojump_clock: MockClock
) -> None:
    """When it began so long ago that its webhook is not kept any more, or when it is over."""
    shelf = new_shelf(tmp_path)
    with shelf.writer(journal_name("S")) as writer:
        writer.write(Kind.RECEIVED, 0, [replace(started("S"), client_id="ours")])
    revoked = replace(stopped("S", StopReason.STREAM_REVOKED), client_ids=(signer,))
    forged = replace(started("S"), client_id="other")
    async with keeping(shelf) as webhooks:
        for webhook in (forged, revoked):
            await webhooks.keep(webhook)
        found = find_inheritance(shelf, webhooks, wall_clock=wall_clock)
        assert [one.stream_id for one in found.revoked] == (["S"] if is_deleted else [])
        assert await deleter(shelf, webhooks, Outbox())(revoked) == (["S"] if is_deleted else [])
    assert shelf.exists(journal_name("S")) is not is_deleted


@pytest.mark.parametrize("is_stored", [False, True])
async def test_a_revocation_is_kept_until_the_database_has_it(
    tmp_path: Path, is_stored: bool, autojump_clock: MockClock
) -> None:
    """The database is away over a long weekend, and the daemon is started anew before it is back."""
    shelf, outbox = new_shelf(tmp_path), Outbox()
    begin(shelf, "S1")
    webhooks = WebhookJournal(shelf, is_settled=lambda: not outbox.is_urgent, wall_clock=wall_clock)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(webhooks.run)
        await webhooks.keep(started("S1"))
        revoked = stopped("S1", StopReason.STREAM_REVOKED)
        await webhooks.keep(revoked)
        await deleter(shelf, webhooks, outbox)(revoked)
        assert len(outbox.take_urgent()) == 1
        if is_stored:
            outbox.urgent_written()
        for number in range(3):
            await trio.sleep(24 * 3600)
            await webhooks.keep(started(f"other{number}"))
        nursery.cancel_scope.cancel()
    found = find_inheritance(shelf, WebhookJournal(shelf, wall_clock=wall_clock), wall_clock=wall_clock)
    assert [one.stream_id for one in found.revoked] == ([] if is_stored else ["S1"])
    assert len(shelf.closed()) == (2 if is_stored else 4), "days with a webhook"


async def test_a_revocation_is_carried_out_however_long_nobody_was_there(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    shelf = new_shelf(tmp_path)
    begin(shelf, "S1")
    await keep(shelf, started("S1"), stopped("S1", StopReason.STREAM_REVOKED))
    await trio.sleep(4 * 24 * 3600)
    found = find_inheritance(shelf, WebhookJournal(shelf, wall_clock=wall_clock), wall_clock=wall_clock)
    assert [one.stream_id for one in found.revoked] == ["S1"]
    assert found.unfinished == []
    await keep(shelf, started("later"))
    assert len(shelf.open_names()) == 2, "its own journal and the one of today"
    assert shelf.closed() == [], "what is carried out, or will be by this daemon, is not kept"


async def test_sound_that_the_disk_does_not_delete_holds_up_nothing_and_is_not_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    shelf, outbox = new_shelf(tmp_path), Outbox()
    for stream_id in ("S1", "S2"):
        begin(shelf, stream_id)
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path.stem == journal_name("S1"):
            raise OSError(errno.EIO, "Input/output error")
        unlink(path, missing_ok)

    async with keeping(shelf) as webhooks:
        await webhooks.keep(started("S1"))
        await webhooks.keep(started("S2"))
        with monkeypatch.context() as system:
            system.setattr(Path, "unlink", refuse)
            deleted = await deleter(shelf, webhooks, outbox)(stopped(None, StopReason.STREAM_REVOKED))
    assert deleted == ["S1", "S2"]
    assert [fact.stream_id for fact in outbox.take_urgent()] == ["S1", "S2"], "their rows go"
    assert [shelf.exists(journal_name(one)) for one in deleted] == [True, False]
    assert outbox.owes_deletion


async def test_a_revoked_stream_stays_deleted(tmp_path: Path, autojump_clock: MockClock) -> None:
    shelf = new_shelf(tmp_path)
    for stream_id in ("by_webhook", "by_signaling"):
        begin(shelf, stream_id)
    async with keeping(shelf) as webhooks:
        await webhooks.keep(stopped("by_webhook", StopReason.STREAM_REVOKED))
        outbox = Outbox()
        assert await deleter(shelf, webhooks, outbox)(stopped("by_signaling"))
        assert not shelf.exists(journal_name("by_signaling"))
        (fact,) = outbox.take_urgent()
        assert isinstance(fact, StreamRevoked)
        assert (fact.stream_id, fact.revoked_at.tzinfo) == ("by_signaling", UTC)
    found = find_inheritance(shelf, WebhookJournal(shelf, wall_clock=wall_clock), wall_clock=wall_clock)
    assert [one.stream_id for one in found.revoked] == ["by_webhook", "by_signaling"]
    assert found.revoked[0].revoked_at == datetime.fromtimestamp(EPOCH_S, UTC)
    assert found.unfinished == []
