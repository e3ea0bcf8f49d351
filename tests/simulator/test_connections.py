"""The server's two connections, seen by a hand-written client: keep-alives, losses, and how strict it is."""

from __future__ import annotations

import json
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
import trio
import trio_websocket
from trio.testing import MockClock

from zccvoice.errors import ScenarioError
from zccvoice.simulator.play import simulate
from zccvoice.simulator.progress import Progress, Stage
from zccvoice.simulator.scenario import Scenario
from zccvoice.simulator.timing import Timing
from zccvoice.simulator.webhooks import WebhookAnswer, WebhookRequest
from zccvoice.simulator.zoom import ZoomApp, running_zoom

from .conftest import EVENT_TS_MS, Client, MakeScenario, OpenServer, played


async def test_keep_alive_on_both_connections(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario
) -> None:
    scenario = small(duration_ms=35_000)
    async with in_memory(scenario) as (zoom, client):
        await played(zoom, client, scenario)
    for connection in (client.signaling, client.media):
        asked = [one for one in connection if one["msg_type"] == 12]
        assert [one["sequence"] for one in asked] == [1, 2, 3]
        assert all(isinstance(one["timestamp"], int) for one in asked)
    assert not zoom.violations


async def test_a_client_that_leaves_keep_alive_unanswered_is_dropped(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario
) -> None:
    scenario = small(duration_ms=400_000)
    async with in_memory(scenario) as (zoom, client):
        client.answers_keep_alive = False
        began_s = trio.current_time()
        truth, *_ = await played(zoom, client, scenario, audio={"send_rate": 1_000})
        lasted_s = trio.current_time() - began_s
    assert "signaling: left 3 keep-alive requests unanswered" in {one.what for one in zoom.violations}
    assert truth.stop_reason in (19, 24)
    assert 40 < lasted_s < 120  # 3 misses, then a window of 60 s


async def test_stream_close_request_ends_the_stream(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario
) -> None:
    scenario = small()
    async with in_memory(scenario) as (zoom, client), trio.open_nursery() as nursery:
        truths = []

        async def play() -> None:
            truths.append(await zoom.play(scenario))

        nursery.start_soon(play)
        await trio.testing.wait_all_tasks_blocked()
        signaling, _ = await client.open_signaling()
        media, _ = await client.open_media()
        await client.ready(signaling)
        nursery.start_soon(client.listen, signaling, "signaling")
        nursery.start_soon(client.listen, media, "media")
        await trio.sleep(2)
        await client.say(signaling, 21, rtms_stream_id=scenario.stream_id)
    assert client.of_type(22)[0]["status_code"] == 0
    assert client.of_type(8)[-1]["reason"] == truths[0].stop_reason == 20
    assert 1_900 < truths[0].duration_ms < 2_100
    assert client.closed == {"signaling": 1000, "media": 1000}
    assert not zoom.violations


async def test_nothing_flows_before_the_client_is_ready(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario
) -> None:
    scenario = small()
    async with in_memory(scenario) as (zoom, client), trio.open_nursery() as nursery:
        nursery.start_soon(zoom.play, scenario)
        await trio.testing.wait_all_tasks_blocked()
        signaling, _ = await client.open_signaling()
        media, _ = await client.open_media()
        nursery.start_soon(client.listen, signaling, "signaling")
        nursery.start_soon(client.listen, media, "media")
        await trio.sleep(5)
        assert client.signaling == client.media == []
        await client.ready(signaling)
        await trio.sleep(0.11)
        assert len(client.audio("ch-7f31")) == 255  # 5 s in a burst, then 20 ms each
        nursery.cancel_scope.cancel()


async def test_media_connection_lost_and_back(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario
) -> None:
    scenario = small()
    async with in_memory(scenario) as (zoom, client), trio.open_nursery() as nursery:
        truths = []

        async def play() -> None:
            truths.append(await zoom.play(scenario, event_ts_ms=EVENT_TS_MS))

        nursery.start_soon(play)
        await trio.testing.wait_all_tasks_blocked()
        signaling, _ = await client.open_signaling()
        nursery.start_soon(client.listen, signaling, "signaling")
        media, _ = await client.open_media()
        await client.ready(signaling)
        nursery.start_soon(client.listen, media, "media")
        await trio.sleep(3.01)
        await media.aclose()
        await trio.sleep(2)
        media, _ = await client.open_media()
        await client.ready(signaling)
        nursery.start_soon(client.listen, media, "media")
    assert [one["state"] for one in client.of_type(8)] == [1, 2, 1, 4]
    assert client.of_type(8)[1]["reason"] == 14
    assert 7 in [one["event"]["event_type"] for one in client.of_type(6)]
    assert {one["timestamp"] for one in client.audio("ch-7f31")} == {
        EVENT_TS_MS + ms for ms in range(0, 10_000, 20)
    }
    assert truths[0].interruptions_count == 1


async def test_progress_is_told(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario
) -> None:
    told: list[Progress] = []
    scenario = small()
    async with in_memory(scenario, on_progress=told.append) as (zoom, client):
        await played(zoom, client, scenario)
    assert told[0].stage is Stage.ANNOUNCED
    assert told[-1].stage is Stage.ENDED
    assert told[-1].position_ms == told[-1].duration_ms == 10_000
    positions = [one.position_ms for one in told]
    assert positions == sorted(positions)
    assert len(positions) > 20


# What it refuses, and writes down


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"rtms_stream_id": "another"}, 2),
        ({"engagement_id": "another"}, 2),
        ({"engagement_id": None}, 4),
        ({"signature": "0" * 64}, 3),
        ({"signature": None}, 3),
        ({"protocol_version": 2}, 4),
    ],
)
async def test_signaling_handshakes_that_are_refused(
    autojump_clock: MockClock,
    in_memory: OpenServer,
    small: MakeScenario,
    fields: Any,
    status: int,
) -> None:
    scenario = small()
    async with in_memory(scenario) as (zoom, client), trio.open_nursery() as nursery:
        nursery.start_soon(zoom.play, scenario)
        await trio.testing.wait_all_tasks_blocked()
        _, answer = await client.open_signaling(**fields)
        assert answer["status_code"] == status
        assert answer["reason"]
        assert "media_server" not in answer
        assert len(zoom.violations) == 1
        nursery.cancel_scope.cancel()


async def test_second_signaling_connection_is_refused(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario
) -> None:
    scenario = small()
    async with in_memory(scenario) as (zoom, client), trio.open_nursery() as nursery:
        nursery.start_soon(zoom.play, scenario)
        await trio.testing.wait_all_tasks_blocked()
        _, first = await client.open_signaling(engagement_id=None, meeting_uuid=scenario.engagement_id)
        _, second = await client.open_signaling()
        assert (first["status_code"], second["status_code"]) == (0, 8)
        assert "duplicate" in second["reason"]
        nursery.cancel_scope.cancel()


async def test_provoked_refusals_are_no_violations(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario
) -> None:
    scenario = small("[faults]\nrefused_signaling = 2\n")
    async with in_memory(scenario) as (zoom, client), trio.open_nursery() as nursery:
        nursery.start_soon(zoom.play, scenario)
        await trio.testing.wait_all_tasks_blocked()
        statuses = [(await client.open_signaling())[1]["status_code"] for _ in range(3)]
        assert statuses == [8, 8, 0]
        assert not zoom.violations
        nursery.cancel_scope.cancel()


async def test_what_a_client_should_not_do_is_written_down(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario
) -> None:
    scenario = small()
    async with in_memory(scenario) as (zoom, client), trio.open_nursery() as nursery:
        nursery.start_soon(zoom.play, scenario)
        await trio.testing.wait_all_tasks_blocked()
        signaling, _ = await client.open_signaling()
        await client.ready(signaling)
        await client.say(signaling, 5, events=[{"event_type": 7, "subscribe": True}])
        await client.say(signaling, 5, events=[8, 9])
        await client.say(signaling, 13, timestamp=1)
        await client.say(signaling, 14, content={})
        await client.say(signaling, "7")
        await signaling.send_message("{")
        media, _ = await client.open_media()
        await client.ready(media)
        _, again = await client.open_media()
        assert again["status_code"] == 16
        await client.connect("/elsewhere")
        await trio.testing.wait_all_tasks_blocked()
        said = [one.what for one in zoom.violations]
        assert {one.engagement_id for one in zoom.violations} == {scenario.engagement_id, ""}
        nursery.cancel_scope.cancel()
    for expected in (
        "CLIENT_READY_ACK without",
        "7 comes by itself",
        "each entry needs event_type",
        "answered a keep-alive request that was not asked",
        "message 14 is not for a client",
        "no object with an integer msg_type",
        "no JSON",
        "message 7 is not for a client",
        "status 16",
        "no such path: /elsewhere",
    ):
        assert any(expected in one for one in said), expected
    assert len(said) == 11  # a list of bare numbers counts once per entry


async def test_events_that_nobody_subscribed_to(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario
) -> None:
    transfer = '[[event]]\nname = "transfer_initiated"\nat_ms = 5_000\n'
    for more, expected in (("", [1, 8, 10]), ("[faults]\nonly_subscribed_events = true\n", [1])):
        scenario = small(transfer + more)
        async with in_memory(scenario) as (zoom, client):
            await played(zoom, client, scenario)
        assert [one["event"]["event_type"] for one in client.of_type(6)] == expected


async def test_a_client_that_never_comes(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario
) -> None:
    posted = []

    async def deliver(request: WebhookRequest) -> None:
        posted.append(json.loads(request.body))
        raise OSError("nobody there")

    scenario = small()
    async with in_memory(scenario, deliver=deliver) as (zoom, _):
        truth = await zoom.play(scenario)
    assert truth.stop_reason == 11
    assert truth.first_packet_timestamp_ms == 0
    assert [one["event"].rpartition("_")[2] for one in posted] == [
        "started",
        "stopped",
        "stopped",
        "stopped",
        "stopped",
    ]


# Over real sockets


@pytest.fixture
def quick() -> Any:
    """No waiting where the test does not want it."""
    return Timing(webhook_retry_delays_s=(0.01,), close_s=0.5)


async def test_many_calls_at_once_over_sockets(app: ZoomApp, small: MakeScenario, quick: Timing) -> Any:
    scenarios = [
        small(engagement_id=f"engagement/{n}==", stream_id=f"{n:032x}", duration_ms=2_000) for n in range(8)
    ]
    samples, streams, announced = {}, [], {scenario.stream_id: trio.Event() for scenario in scenarios}

    async def deliver(request: WebhookRequest) -> Any:
        announced[json.loads(request.body)["payload"]["rtms_stream_id"]].set()
        return WebhookAnswer(200, b"")

    async with (
        running_zoom(app, deliver=deliver, speed=40, timing=quick) as zoom,
        trio.open_nursery() as nursery,
    ):

        async def connect(path: Any) -> Any:
            stream = await trio.open_tcp_stream("127.0.0.1", urlsplit(zoom.signaling_url).port or 0)
            streams.append(stream)  # trio-websocket leaves a client's closing to the collector
            return await trio_websocket.wrap_client_stream(nursery, stream, "127.0.0.1", path)

        async def call(scenario: Scenario) -> None:
            client = Client(connect, scenario)
            truth, *_ = await played(zoom, client, scenario, announced[scenario.stream_id])
            samples[truth.stream_id] = client.samples["ch-7f31"], client.samples["ch-90c2"]

        for scenario in scenarios:
            nursery.start_soon(call, scenario)
    for stream in streams:
        await stream.aclose()
    assert len(samples) == 8
    assert set(samples.values()) == {(32_000, 32_000)}
    assert not zoom.violations


async def test_simulate_stops_at_an_endpoint_that_fails_validation(app: ZoomApp, small: MakeScenario) -> None:
    async with trio.open_nursery() as nursery:

        async def refuse(stream: trio.SocketStream) -> None:
            async with stream:
                await stream.receive_some()
                await stream.send_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")

        listeners = await nursery.start(partial(trio.serve_tcp, refuse, 0, host="127.0.0.1"))
        port = listeners[0].socket.getsockname()[1]
        simulation = await simulate([small()], app, f"http://127.0.0.1:{port}/zoom/webhook", speed=50)
        nursery.cancel_scope.cancel()
    assert simulation.truths == ()
    assert "endpoint.url_validation" in simulation.violations[0].what


async def test_a_broken_scenario_comes_out_as_itself(app: ZoomApp, small: MakeScenario) -> None:
    scenario = small('[[speech]]\nwho = "agent"\nat_ms = 9_999\ntext = "too late"\nvoice = "no-such-voice"\n')
    with pytest.raises(ScenarioError):
        async with running_zoom(app, deliver=None) as zoom:
            await zoom.play(scenario)
