from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from tests.daemon.played import LANGUAGES, OPENED, STARTED, audio, crash
from tests.daemon.rooms import EPOCH_S, Rooms, open_house
from zccvoice.daemon.call import Call
from zccvoice.daemon.endings import REMEMBERED_S
from zccvoice.daemon.supervisor import STOP_GRACE_S, Supervisor
from zccvoice.daemon.transcriber import Transcriber
from zccvoice.errors import (
    ConnectionFailedError,
    ForbiddenHostError,
    HandshakeRefusedError,
    RemoteProtocolError,
)
from zccvoice.journal.shelf import journal_name
from zccvoice.rtms.enums import Product, StopReason
from zccvoice.rtms.events import AudioReceived, MediaOpened, ReceptionBroken, StreamEnded
from zccvoice.rtms.messages import AudioParams
from zccvoice.rtms.webhook import StreamInterrupted, StreamStarted, StreamStopped, WebhookEvent
from zccvoice.store.facts import GapFound, StreamClosed, UtteranceHeard

pytestmark = pytest.mark.usefixtures("no_threads")

CCV = Product.CONTACT_CENTER
T0 = int(EPOCH_S * 1000)


def started(stream: str, engagement: str = "E", *, after_s: int = 0) -> StreamStarted:
    return StreamStarted(CCV, engagement, stream, "wss://a.zoom.us", T0 + after_s * 1000)


def stopped(stream: str | None, *, after_s: int, reason: StopReason | None = None) -> StreamStopped:
    return StreamStopped(CCV, "E", stream, T0 + after_s * 1000, reason)


class Town:
    """A supervisor with calls whose receivers follow scripts."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self.scripts: dict[str, list[object]] = {}
        self.made: list[str] = []
        self.deleted: list[str] = []
        self.webhooks_send, self.webhooks_receive = trio.open_memory_channel[WebhookEvent](100)
        self.supervisor = Supervisor(self._call, self._delete, rooms.metrics)

    def _call(self, event: StreamStarted, is_announced: bool) -> Call:
        if event.stream_id == "impossible":
            raise RuntimeError("a defect")
        self.made.append(event.stream_id)
        script = self.scripts.get(event.stream_id, [])
        if event.stream_id == "broken":
            script = [object(), StreamEnded("done", "")]  # an event that no journal can hold
        return self.rooms.call(event, script, is_announced=is_announced)

    async def _delete(self, revoked: StreamStopped) -> list[str]:
        """Knows none of which only the call is told."""
        await trio.lowlevel.checkpoint()
        deleted = [] if revoked.stream_id is None else [revoked.stream_id]
        self.deleted += deleted
        return deleted

    async def tell(self, event: WebhookEvent) -> None:
        await self.webhooks_send.send(event)
        await trio.sleep(1)  # for the journals

    def ends(self, stream_id: str) -> list[str]:
        """How often the stream ended, and how."""
        return [one.end_reason for one in self.rooms.facts(stream_id) if isinstance(one, StreamClosed)]


Script = Callable[[Town], Awaitable[None]]


async def run(folder: Path, script: Script, *, is_transcribing: bool = True) -> Town:
    """Run until the script is through and all calls have ended."""
    async with open_house(folder, is_transcribing=is_transcribing) as rooms:
        town = Town(rooms)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(town.supervisor.run, town.webhooks_receive)
            await script(town)
            town.webhooks_send.close()
    return town


async def test_one_call_per_stream_however_often_zoom_says_so(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async def script(town: Town) -> None:
        for _ in range(3):
            await town.tell(started("S1"))
        await town.tell(started("S2"))
        assert town.supervisor.active_streams == 2

    town = await run(tmp_path, script)
    assert (town.ends("S1"), town.ends("S2")) == (["shutdown"], ["shutdown"])
    assert town.made == ["S1", "S2"]


async def test_a_late_repetition_after_the_end_is_ignored_for_ninety_minutes(
    tmp_path: Path,
    autojump_clock: MockClock,
) -> None:
    async def script(town: Town) -> None:
        town.scripts["S1"] = [StreamEnded("meeting_ended", "")]
        await town.tell(started("S1"))
        await trio.sleep(REMEMBERED_S - 60)
        await town.tell(started("S1"))
        assert town.made == ["S1"]
        await trio.sleep(REMEMBERED_S + 120)
        town.scripts["S1"] = []
        await town.tell(started("S1"))
        assert town.made == ["S1", "S1"]

    town = await run(tmp_path, script)
    assert town.ends("S1") == ["meeting_ended"], "and its journal is remembered longer than that"


async def test_a_stop_gives_the_stream_time_to_end_by_itself(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async def script(town: Town) -> None:
        await town.tell(started("S1"))
        await town.tell(StreamStopped(CCV, "E", "S1", T0, StopReason.AGENT_DISCONNECTED))
        assert town.supervisor.active_streams == 1
        await trio.sleep(STOP_GRACE_S + 1)
        assert town.supervisor.active_streams == 0

    assert (await run(tmp_path, script)).ends("S1") == ["agent_disconnected"]


async def test_a_stop_without_stream_id_means_the_engagement(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async def script(town: Town) -> None:
        await town.tell(started("S1", "E1"))
        await town.tell(started("S2", "E2"))
        await town.tell(StreamStopped(CCV, "E1", None, T0 - 1))
        assert town.supervisor.active_streams == 2, "repeated by Zoom, and of a stream before"
        await town.tell(StreamStopped(CCV, "E1", None, T0))
        await trio.sleep(STOP_GRACE_S + 1)

    town = await run(tmp_path, script)
    assert (town.ends("S1"), town.ends("S2")) == (["stopped"], ["shutdown"])


async def test_who_signs_for_another_app_ends_nothing(tmp_path: Path, autojump_clock: MockClock) -> None:
    async def script(town: Town) -> None:
        await town.tell(replace(started("S1"), client_id="ours"))
        for stream_id in ("S1", None):
            stopped = StreamStopped(CCV, "E", stream_id, T0, StopReason.STREAM_REVOKED, client_ids=("other",))
            await town.tell(stopped)
        await town.tell(StreamInterrupted(CCV, "E", "S1", T0, client_ids=("other",)))
        assert town.deleted == []
        assert town.supervisor.active_streams == 1

    assert (await run(tmp_path, script)).ends("S1") == ["shutdown"]


async def test_a_start_that_failover_has_overtaken_moves_nothing(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    first = started("S1")
    moved = replace(first, server_url="wss://b.zoom.us", event_ts_ms=T0 + 60_000)

    async def script(town: Town) -> None:
        for event in (first, moved, first, moved):
            await town.tell(event)

    town = await run(tmp_path, script)
    urls = [url for order, url in town.rooms.receivers[0].orders if order == "reconnect"]
    assert urls == [moved.server_url, moved.server_url]


async def test_a_start_that_another_app_signed_moves_nothing(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    ours = replace(started("S1"), client_id="ours")

    async def script(town: Town) -> None:
        await town.tell(ours)
        for number, client_id in enumerate(("other", "ours", None), 1):
            url = f"wss://{number}.zoom.us"
            await town.tell(replace(ours, client_id=client_id, server_url=url, event_ts_ms=T0 + number))

    town = await run(tmp_path, script)
    assert town.rooms.receivers[0].orders == [
        ("reconnect", "wss://2.zoom.us"),
        ("reconnect", "wss://3.zoom.us"),
    ]


async def test_a_start_that_another_app_signed_takes_nothing_up(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async def script(town: Town) -> None:
        town.scripts["S1"] = [OPENED, *audio("ch"), StreamEnded("user_triggered", "")]
        for client_id, after_s in (("ours", 0), ("other", 60), ("ours", 120)):
            await town.tell(replace(started("S1", after_s=after_s), client_id=client_id))
            await trio.sleep(10)

    town = await run(tmp_path, script)
    assert [one.started.client_id for one in town.rooms.receivers] == ["ours", "ours"]


async def test_an_interruption_counts_once_and_not_before_the_last_start(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async def script(town: Town) -> None:
        await town.tell(started("S1"))
        for event_ts_ms in (T0 + 5, T0 + 5, T0 + 4, T0 + 9):
            await town.tell(StreamInterrupted(CCV, "E", "S1", event_ts_ms))
        await town.tell(replace(started("S1"), event_ts_ms=T0 + 20))
        await town.tell(StreamInterrupted(CCV, "E", "S1", T0 + 15))

    orders = (await run(tmp_path, script)).rooms.receivers[0].orders
    assert orders == [("reconnect", None), ("reconnect", None), ("reconnect", "wss://a.zoom.us")]


@pytest.mark.parametrize(
    ("client_id", "event_ts_ms", "is_retired"),
    [("ours", T0 + 1, True), ("ours", T0 - 200_000, False), ("other", T0 + 1, False)],
)
async def test_what_is_retired_is_older_and_of_the_same_app(
    client_id: str, event_ts_ms: int, is_retired: bool, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async def script(town: Town) -> None:
        await town.tell(replace(started("S1"), client_id="ours"))
        await town.tell(replace(started("S2"), client_id=client_id, event_ts_ms=event_ts_ms))

    town = await run(tmp_path, script)
    assert (("retire", "superseded") in town.rooms.receivers[0].orders) == is_retired
    assert town.rooms.receivers[1].orders == []


async def test_what_was_not_heard_until_another_stream_took_over_is_a_gap(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async def script(town: Town) -> None:
        lost = [ReceptionBroken("connection_lost"), StreamEnded("superseded", "the connections were gone")]
        town.scripts["S1"] = [OPENED, *audio("ch"), 5.0, *lost]
        await town.tell(started("S1"))
        await town.tell(started("S2", after_s=30))
        await town.tell(started("S3", after_s=40))
        await trio.sleep(10)

    town = await run(tmp_path, script)
    assert town.ends("S1") == ["superseded"]
    (gap,) = (one for one in town.rooms.facts("S1") if isinstance(one, GapFound))
    assert (gap.end_timestamp_ms - gap.start_timestamp_ms, gap.end_timestamp_ms) == (26_000, T0 + 30_000)


async def test_a_stop_that_overtakes_its_start_voids_it(tmp_path: Path, autojump_clock: MockClock) -> None:
    async def script(town: Town) -> None:
        await town.tell(StreamStopped(CCV, "E", "S1", T0))
        await town.tell(started("S1"))
        await town.tell(StreamInterrupted(CCV, "E", "S9", 0))
        assert town.made == []

    await run(tmp_path, script)


@pytest.mark.parametrize("stream_id", ["S1", None])
async def test_a_start_older_than_the_stop_that_overtook_it_is_void(
    tmp_path: Path, stream_id: str | None, autojump_clock: MockClock
) -> None:
    async def script(town: Town) -> None:
        await town.tell(stopped(stream_id, after_s=20))
        await town.tell(started("S1"))
        await town.tell(started("S1", after_s=20))
        assert town.made == []
        await town.tell(started("S1", after_s=21))
        assert town.made == ["S1"]

    await run(tmp_path, script)


@pytest.mark.parametrize("stream_id", ["S1", None])
async def test_a_stream_that_is_started_anew_after_its_stop_is_received_again(
    tmp_path: Path, stream_id: str | None, autojump_clock: MockClock
) -> None:
    async def script(town: Town) -> None:
        await town.tell(started("S1"))
        await town.tell(stopped(stream_id, after_s=20, reason=StopReason.USER_TRIGGERED))
        await trio.sleep(STOP_GRACE_S + 1)
        for repeated in (started("S1"), replace(started("S1", after_s=60), is_dated=False)):
            assert town.supervisor.active_streams == 0
            await town.tell(repeated)
        await town.tell(started("S1", after_s=60))
        for late in (stopped(stream_id, after_s=20), started("S1"), stopped(stream_id, after_s=20)):
            await town.tell(late)
        await trio.sleep(STOP_GRACE_S + 1)
        assert town.supervisor.active_streams == 1
        assert town.made == ["S1", "S1"]
        await town.tell(stopped(stream_id, after_s=90, reason=StopReason.CUSTOMER_DISCONNECTED))
        await trio.sleep(STOP_GRACE_S + 1)
        await town.tell(started("S1", after_s=60))

    town = await run(tmp_path, script)
    assert town.ends("S1") == ["user_triggered", "customer_disconnected"]
    assert town.rooms.receivers[1].orders == [("retire", "customer_disconnected")]


@pytest.mark.parametrize("is_stopped_again", [False, True])
async def test_a_stream_that_is_started_anew_before_its_end_is_told_is_received_after_it(
    tmp_path: Path, is_stopped_again: bool, autojump_clock: MockClock
) -> None:
    async def script(town: Town) -> None:
        await town.tell(started("S1"))
        await town.tell(stopped("S1", after_s=20, reason=StopReason.USER_TRIGGERED))
        await town.tell(started("S1", after_s=21))
        await town.tell(stopped("S1", after_s=22 if is_stopped_again else 20))
        assert town.made == ["S1"]
        await trio.sleep(STOP_GRACE_S + 1)

    town = await run(tmp_path, script)
    assert town.made == (["S1"] if is_stopped_again else ["S1", "S1"])
    assert ("reconnect", "wss://a.zoom.us") not in town.rooms.receivers[0].orders


async def test_a_stream_that_ended_by_itself_is_not_begun_again_by_an_older_failover(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async def script(town: Town) -> None:
        last = AudioReceived("ch", T0 + 100_000, b"\1\0" * 1600)
        town.scripts["S1"] = [MediaOpened(AudioParams()), last, StreamEnded("customer_disconnected", "")]
        await town.tell(started("S1"))
        town.scripts["S1"] = []
        await town.tell(started("S1", after_s=60))
        assert town.made == ["S1"]
        await town.tell(started("S1", after_s=200))
        assert town.made == ["S1", "S1"]

    assert (await run(tmp_path, script)).ends("S1") == ["customer_disconnected", "shutdown"]


async def test_what_an_earlier_daemon_was_told_to_be_over_is_not_begun(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_house(tmp_path) as rooms, trio.open_nursery() as nursery:
        town = Town(rooms)
        nursery.start_soon(town.supervisor.run, town.webhooks_receive, (), (), [stopped("S1", after_s=20)])
        await town.tell(started("S1"))
        await town.tell(started("S2"))
        town.webhooks_send.close()
    assert town.made == ["S2"]


async def test_a_broken_call_leaves_the_others_alone(tmp_path: Path, autojump_clock: MockClock) -> None:
    async def script(town: Town) -> None:
        await town.tell(started("S1"))
        await town.tell(started("broken"))
        assert town.supervisor.active_streams == 1

    town = await run(tmp_path, script)
    assert town.ends("S1") == ["shutdown"]
    assert town.rooms.metric("zccvoice_active_streams") == 0


async def test_a_stream_that_we_failed_to_reach_may_be_announced_again(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async def script(town: Town) -> None:
        town.scripts["S1"] = [ConnectionFailedError("signaling server: refused")]
        await town.tell(started("S1"))
        town.scripts["S1"] = []
        await town.tell(started("S1"))
        assert town.made == ["S1", "S1"]

    assert (await run(tmp_path, script)).ends("S1") == ["connection_failed", "shutdown"]


@pytest.mark.parametrize(
    ("refusal", "cause"),
    [
        (HandshakeRefusedError("signaling", 45, "busy"), "handshake_refused"),
        (RemoteProtocolError("no media URL"), "remote_protocol"),
        (ForbiddenHostError("wss://a.example"), "forbidden_host"),
    ],
)
async def test_a_stream_that_its_first_server_refused_is_received_at_the_next(
    refusal: Exception, cause: str, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async def script(town: Town) -> None:
        town.scripts["S1"] = [refusal]
        await town.tell(started("S1"))
        town.scripts["S1"] = []
        await town.tell(started("S1"))
        assert town.made == ["S1"], "a repetition"
        await town.tell(replace(started("S1", after_s=60), server_url="wss://b.zoom.us"))
        assert town.made == ["S1", "S1"]

    town = await run(tmp_path, script)
    assert town.ends("S1") == [cause, "shutdown"]
    assert town.rooms.receivers[1].started.server_url == "wss://b.zoom.us"


@pytest.mark.parametrize("is_stopping", [False, True])
async def test_a_stream_that_is_announced_again_while_it_is_finished_is_received_once_more(
    tmp_path: Path, autojump_clock: MockClock, is_stopping: bool
) -> None:
    """Or, when the daemon stops, left to the next one."""

    async def script(town: Town) -> None:
        town.scripts["S1"] = [OPENED, *audio("ch"), StreamEnded("connection_lost", "")]
        await town.tell(started("S1"))
        town.scripts["S1"] = []
        await town.tell(started("S1"))
        assert town.made == ["S1"], "its transcript is waited for"
        if is_stopping:
            town.webhooks_send.close()
        async with trio.open_nursery() as nursery:
            transcriber = Transcriber(town.rooms.recognizer, town.rooms.metrics)
            nursery.start_soon(transcriber.run, town.rooms.spoken_receive)
            await trio.sleep(5)
            nursery.cancel_scope.cancel()
        assert town.made == ["S1", "S1"]
        assert town.supervisor.active_streams == (0 if is_stopping else 1)

    town = await run(tmp_path, script, is_transcribing=False)
    assert town.ends("S1") == ["connection_lost", "shutdown"]


@pytest.mark.parametrize(
    ("cause", "event_ts_ms", "is_received"),
    [
        ("connection_lost", T0 + 4_001, True),
        ("user_triggered", T0 + 4_001, True),
        ("user_triggered", T0 + 3_000, False),  # of failover before its end, told late
    ],
)
async def test_a_stream_that_is_started_anew_waits_for_no_transcript(
    cause: str, event_ts_ms: int, is_received: bool, tmp_path: Path, autojump_clock: MockClock
) -> None:
    anew = replace(started("S1"), event_ts_ms=event_ts_ms, server_url="wss://b.zoom.us")

    async def script(town: Town) -> None:
        town.scripts["S1"] = [OPENED, *audio("ch"), StreamEnded(cause, "")]
        await town.tell(started("S1"))
        town.scripts["S1"] = [
            OPENED,
            *audio("ch", offset_ms=30_000),
            StreamEnded("customer_disconnected", ""),
        ]
        await town.tell(anew)
        await trio.sleep(5)
        assert town.made == ["S1"] * (2 if is_received else 1), "nobody transcribes yet"
        town.webhooks_send.close()
        async with trio.open_nursery() as nursery:
            transcriber = Transcriber(town.rooms.recognizer, town.rooms.metrics)
            nursery.start_soon(transcriber.run, town.rooms.spoken_receive)
            await trio.sleep(30)
            nursery.cancel_scope.cancel()

    town = await run(tmp_path, script, is_transcribing=False)
    facts = town.rooms.facts("S1")
    if is_received:
        assert town.ends("S1") == ["customer_disconnected"]
        assert len({one for one in facts if isinstance(one, UtteranceHeard)}) == 2


async def test_a_webhook_that_trips_over_a_defect_leaves_the_others_alone(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async def script(town: Town) -> None:
        await town.tell(started("S1"))
        await town.tell(started("impossible"))
        await town.tell(started("S2"))

    town = await run(tmp_path, script)
    assert (town.ends("S1"), town.ends("S2")) == (["shutdown"], ["shutdown"])


async def test_a_revoked_stream_is_dropped_and_deleted_within_seconds(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async def script(town: Town) -> None:
        await town.tell(started("S1"))
        await town.tell(started("S2"))
        await town.tell(StreamStopped(CCV, "E", "S1", T0, StopReason.STREAM_REVOKED))
        assert town.deleted == ["S1"]
        assert town.supervisor.active_streams == 1
        await town.tell(StreamStopped(CCV, "E", "S7", T0, StopReason.STREAM_REVOKED))
        assert town.deleted == ["S1", "S7"], "also one that does not run any more"
        town.scripts["S3"] = [StreamEnded("stream_revoked", "told on the signaling connection")]
        await town.tell(started("S3"))
        assert town.deleted == ["S1", "S7", "S3"]
        for stream_id in ("S1", "S7", "S3"):
            await town.tell(started(stream_id, after_s=60))
        assert town.made == ["S1", "S2", "S3"], "and for good"

    await run(tmp_path, script)


async def test_the_moment_of_a_stop_is_noted_in_the_journal(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    stopped = StreamStopped(CCV, "E", "S1", T0 + 5000, StopReason.AGENT_DISCONNECTED)

    async def script(town: Town) -> None:
        packet = AudioReceived("ch", T0, b"\1\0" * 1600)
        town.scripts["S1"] = [MediaOpened(AudioParams()), packet]
        await town.tell(started("S1"))
        await town.tell(stopped)

    town = await run(tmp_path, script)
    entries = [entry for record in town.rooms.records("S1") for entry in record.entries]
    assert stopped in entries


async def test_unfinished_streams_and_missed_webhooks_come_first(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_house(tmp_path) as rooms:
        town = Town(rooms)
        town.webhooks_send.close()
        stopped = StreamStopped(CCV, "E", "S2", T0)
        await town.supervisor.run(
            town.webhooks_receive, [started("S1")], [started("S2"), stopped, started("S3")]
        )
    assert town.made == ["S1", "S2", "S3"]


@pytest.mark.parametrize("is_deleted", [False, True])
async def test_a_stop_that_comes_after_we_lost_the_stream_tells_what_was_missed(
    is_deleted: bool, tmp_path: Path, autojump_clock: MockClock
) -> None:
    stop = stopped(None, after_s=65, reason=StopReason.AWAIT_RECONNECTION_TIMEOUT)

    async def script(town: Town) -> None:
        lost = [ReceptionBroken("connection_lost"), StreamEnded("connection_lost", "no route")]
        town.scripts["S1"] = [OPENED, *audio("ch"), 60.0, *lost]
        await town.tell(started("S1"))
        await trio.sleep(300)
        if is_deleted:
            town.rooms.shelf.shred(journal_name("S1"))
        for event in (stopped("S1", after_s=-1), stop, stop):
            await town.tell(event)
            await trio.sleep(30)
        assert town.made == ["S1"] * 2
        assert town.rooms.shelf.exists(journal_name("S1")) is not is_deleted

    town = await run(tmp_path, script)
    assert town.rooms.metric("zccvoice_streams_ended_total", {"reason": "connection_lost"}) == 1
    if not is_deleted:
        facts = town.rooms.facts("S1")
        gaps = [one for one in facts if isinstance(one, GapFound)]
        assert gaps == [GapFound("E", "S1", "ch", T0 + 4000, T0 + 65_000, "connection_lost")]
        last = facts[-1]
        assert isinstance(last, StreamClosed)
        assert (last.end_reason, last.ended_at.timestamp()) == ("connection_lost", EPOCH_S + 65)


async def test_an_end_that_an_earlier_daemon_was_told_counts_for_what_it_left_unfinished(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    await crash(tmp_path, [OPENED, *audio("ch")])  # when it had answered the webhook, before it acted upon it
    stop = stopped(None, after_s=20, reason=StopReason.CUSTOMER_DISCONNECTED)
    async with open_house(tmp_path, languages=LANGUAGES) as rooms:
        town = Town(rooms)
        town.scripts["S"] = [HandshakeRefusedError("signaling", 2, "unknown rtms_stream_id")]
        town.webhooks_send.close()
        await town.supervisor.run(town.webhooks_receive, [STARTED], stopped=[stop])
    gaps = [one for one in town.rooms.facts("S") if isinstance(one, GapFound)]
    assert gaps == [GapFound("E", "S", "ch", T0 + 4000, T0 + 20_000, "daemon_down")]
