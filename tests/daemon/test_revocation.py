"""What Zoom withdraws without saying which stream: every one of the call that had begun by then."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from tests.daemon.rooms import new_shelf, open_house, wall_clock
from tests.daemon.test_recovery import begin, keep, keeping
from tests.daemon.test_supervisor import T0, Town, started, stopped
from zccvoice.daemon.recovery import deleter, find_inheritance
from zccvoice.daemon.supervisor import Supervisor
from zccvoice.daemon.webhook_journal import WebhookJournal
from zccvoice.journal.shelf import journal_name
from zccvoice.rtms.enums import StopReason
from zccvoice.rtms.events import StreamEnded
from zccvoice.rtms.webhook import WebhookEvent
from zccvoice.store.facts import StreamRevoked

pytestmark = pytest.mark.usefixtures("no_threads")
REVOKED = stopped(None, after_s=20, reason=StopReason.STREAM_REVOKED)


async def test_all_streams_of_the_call_go_whether_or_not_they_run(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_house(tmp_path) as rooms, keeping(rooms.shelf) as webhooks:
        town = Town(rooms)
        delete = deleter(rooms.shelf, webhooks, rooms.outbox)
        town.supervisor = Supervisor(town._call, delete, rooms.metrics)

        async def tell(event: WebhookEvent) -> None:
            await webhooks.keep(event)
            await town.tell(event)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(town.supervisor.run, town.webhooks_receive)
            town.scripts["over"] = [StreamEnded("agent_disconnected", "")]
            town.scripts["alien"] = town.scripts["elsewhere"] = town.scripts["over"]
            await tell(replace(started("over"), client_id="ours"))
            await tell(replace(started("alien"), client_id="other"))
            await tell(started("elsewhere", "E2"))
            await tell(started("running", after_s=10))
            await tell(started("later", after_s=30))
            await tell(replace(REVOKED, client_ids=("ours",)))
            assert town.supervisor.active_streams == 1
            town.scripts["over"] = []
            await tell(started("over", after_s=60))
            assert town.made.count("over") == 1, "what is revoked is over for good"
            town.webhooks_send.close()
    streams = ("over", "alien", "elsewhere", "running", "later")
    left = [one for one in streams if rooms.shelf.exists(journal_name(one))]
    assert left == ["alien", "elsewhere", "later"]
    deleted = {one.stream_id for one in rooms.outbox.take_urgent() if isinstance(one, StreamRevoked)}
    assert deleted == {"over", "running"}
    found = find_inheritance(rooms.shelf, WebhookJournal(rooms.shelf, wall_clock=wall_clock))
    assert {one.stream_id for one in found.revoked} == deleted, "and the next daemon sees to it once more"


async def test_a_daemon_that_dies_before_it_acts_leaves_it_to_the_next(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    shelf = new_shelf(tmp_path)
    begin(shelf, "begun_long_ago")
    await keep(shelf, started("over"), started("open"), started("later", after_s=30), REVOKED)
    for stream_id in ("over", "open", "later"):
        begin(shelf, stream_id)
    shelf.close(journal_name("over"))
    found = find_inheritance(shelf, WebhookJournal(shelf, wall_clock=wall_clock), wall_clock=wall_clock)
    assert {one.stream_id for one in found.revoked} == {"begun_long_ago", "over", "open"}
    assert [one.stream_id for one in found.unfinished] == ["later"]


async def test_what_was_revoked_over_signaling_is_not_begun_by_the_next_daemon(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    shelf = new_shelf(tmp_path)
    begin(shelf, "S1")
    async with open_house(tmp_path) as rooms, keeping(shelf) as webhooks:
        told = stopped("S1", after_s=20)
        assert await deleter(shelf, webhooks, rooms.outbox)(told) == ["S1"]
        found = find_inheritance(shelf, webhooks, wall_clock=wall_clock)
        town = Town(rooms)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(town.supervisor.run, town.webhooks_receive, (), (), found.stopped)
            await town.tell(started("S1"))
            await town.tell(started("S1", after_s=60))
            town.webhooks_send.close()
    assert town.made == []


async def test_the_stream_alone_is_enough(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Zoom may not tell the call, or we not understand its id."""
    shelf = new_shelf(tmp_path)
    revoked = replace(REVOKED, engagement_id="", stream_id="S1")
    await keep(shelf, started("S1"), revoked)
    begin(shelf, "S1")
    found = find_inheritance(shelf, WebhookJournal(shelf, wall_clock=wall_clock), wall_clock=wall_clock)
    assert [(one.engagement_id, one.stream_id) for one in found.revoked] == [("E", "S1")]
    async with open_house(tmp_path / "other") as rooms, trio.open_nursery() as nursery:
        town = Town(rooms)
        nursery.start_soon(town.supervisor.run, town.webhooks_receive)
        await town.tell(started("S1"))
        await town.tell(replace(revoked, event_ts_ms=T0))
        assert town.deleted == ["S1"]
        town.webhooks_send.close()
