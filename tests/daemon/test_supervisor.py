from __future__ import annotations

from collections.abc import Callable

import trio
import trio.testing
from trio.testing import MockClock

from tests.daemon.fakes import FakeReceiver
from zccvoice.config import LanguageConfig, VadConfig
from zccvoice.daemon.call import Call
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.supervisor import REMEMBERED_S, STOP_GRACE_S, Supervisor
from zccvoice.daemon.transcriber import SpokenItem
from zccvoice.errors import ConnectionFailedError
from zccvoice.rtms.enums import Product, StopReason
from zccvoice.rtms.events import StreamEnded
from zccvoice.rtms.webhook import StreamInterrupted, StreamStarted, StreamStopped, WebhookEvent
from zccvoice.speech.language import LanguagePolicy
from zccvoice.store.facts import Fact, StreamClosed

CCV = Product.CONTACT_CENTER


def started(stream: str, engagement: str = "E") -> StreamStarted:
    return StreamStarted(CCV, engagement, stream, "wss://a.zoom.us", 1_781_000_000_000)


class House:
    """A supervisor with calls whose receivers follow scripts."""

    def __init__(self) -> None:
        self.scripts: dict[str, list[object]] = {}
        self.made: list[str] = []
        self.metrics = Metrics()
        self.facts_send, self.facts_receive = trio.open_memory_channel[Fact](1000)
        self.spoken_send, self.spoken_receive = trio.open_memory_channel[SpokenItem](1000)
        self.webhooks_send, self.webhooks_receive = trio.open_memory_channel[WebhookEvent](100)
        self.supervisor = Supervisor(self._call, self.metrics)

    def _call(self, event: StreamStarted) -> Call:
        if event.stream_id == "impossible":
            raise RuntimeError("a defect")
        self.made.append(event.stream_id)
        if event.stream_id == "broken":
            raise_on_run: list[object] = [object()]  # an event that no call understands
            self.scripts["broken"] = [*raise_on_run, StreamEnded("done", "")]
        return Call(
            event,
            lambda one, events_send: FakeReceiver(one, events_send, self.scripts.get(one.stream_id, [])),
            vad=VadConfig(),
            languages=LanguagePolicy(LanguageConfig()),
            metrics=self.metrics,
            facts_send=self.facts_send,
            spoken_send=self.spoken_send,
        )

    async def run(self, script: Callable[[House], object]) -> dict[str, str]:
        """Run until the script is through; returns how each stream ended."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.supervisor.run, self.webhooks_receive)
            await script(self)  # type: ignore[misc]
            await trio.testing.wait_all_tasks_blocked()
            self.webhooks_send.close()
        self.spoken_send.close()
        return {
            one.stream_id: one.end_reason
            async for one in self.spoken_receive
            if isinstance(one, StreamClosed)
        }

    async def tell(self, event: WebhookEvent) -> None:
        await self.webhooks_send.send(event)
        await trio.testing.wait_all_tasks_blocked()


async def test_one_call_per_stream_however_often_zoom_says_so(autojump_clock: MockClock) -> None:
    async def script(house: House) -> None:
        for _ in range(3):
            await house.tell(started("S1"))
        await house.tell(started("S2"))
        assert house.supervisor.active_streams == 2

    house = House()
    assert await house.run(script) == {"S1": "shutdown", "S2": "shutdown"}
    assert house.made == ["S1", "S2"]


async def test_a_late_repetition_after_the_end_is_ignored_for_ninety_minutes(
    autojump_clock: MockClock,
) -> None:
    async def script(house: House) -> None:
        house.scripts["S1"] = [StreamEnded("meeting_ended", "")]
        await house.tell(started("S1"))
        await trio.sleep(REMEMBERED_S - 60)
        await house.tell(started("S1"))
        assert house.made == ["S1"]
        await trio.sleep(REMEMBERED_S + 120)
        await house.tell(started("S1"))
        assert house.made == ["S1", "S1"]

    assert await House().run(script) == {"S1": "meeting_ended"}


async def test_a_stop_gives_the_stream_time_to_end_by_itself(autojump_clock: MockClock) -> None:
    async def script(house: House) -> None:
        await house.tell(started("S1"))
        await house.tell(StreamStopped(CCV, "E", "S1", 0, StopReason.AGENT_DISCONNECTED))
        assert house.supervisor.active_streams == 1
        await trio.sleep(STOP_GRACE_S + 1)
        assert house.supervisor.active_streams == 0

    assert await House().run(script) == {"S1": "agent_disconnected"}


async def test_a_stop_without_stream_id_means_the_engagement(autojump_clock: MockClock) -> None:
    async def script(house: House) -> None:
        await house.tell(started("S1", "E1"))
        await house.tell(started("S2", "E2"))
        await house.tell(StreamStopped(CCV, "E1", None, 0))
        await trio.sleep(STOP_GRACE_S + 1)

    assert await House().run(script) == {"S1": "stopped", "S2": "shutdown"}


async def test_a_stop_that_overtakes_its_start_voids_it(autojump_clock: MockClock) -> None:
    async def script(house: House) -> None:
        await house.tell(StreamStopped(CCV, "E", "S1", 0))
        await house.tell(started("S1"))
        await house.tell(StreamInterrupted(CCV, "E", "S9", 0))
        assert house.made == []

    assert await House().run(script) == {}


async def test_a_broken_call_leaves_the_others_alone(autojump_clock: MockClock) -> None:
    async def script(house: House) -> None:
        await house.tell(started("S1"))
        await house.tell(started("broken"))
        assert house.supervisor.active_streams == 1

    house = House()
    ends = await house.run(script)
    assert ends["S1"] == "shutdown"
    assert house.metrics.registry.get_sample_value("zccvoice_active_streams") == 0


async def test_a_stream_that_we_failed_to_reach_may_be_announced_again(autojump_clock: MockClock) -> None:
    async def script(house: House) -> None:
        house.scripts["S1"] = [ConnectionFailedError("signaling server: refused")]
        await house.tell(started("S1"))
        house.scripts["S1"] = []
        await house.tell(started("S1"))
        assert house.made == ["S1", "S1"]

    assert await House().run(script) == {"S1": "shutdown"}


async def test_a_webhook_that_trips_over_a_defect_leaves_the_others_alone(autojump_clock: MockClock) -> None:
    async def script(house: House) -> None:
        await house.tell(started("S1"))
        await house.tell(started("impossible"))
        await house.tell(started("S2"))

    assert await House().run(script) == {"S1": "shutdown", "S2": "shutdown"}
