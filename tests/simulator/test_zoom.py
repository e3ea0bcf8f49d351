"""The server, seen by a hand-written client: golden messages, pacing, faults, and how strict it is."""

from __future__ import annotations

import base64
import json
from functools import partial
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import trio
import trio_websocket
from trio.testing import MockClock

from zccvoice.errors import ScenarioError
from zccvoice.simulator.play import simulate
from zccvoice.simulator.progress import Progress, Stage
from zccvoice.simulator.scenario import Scenario
from zccvoice.simulator.sources import render
from zccvoice.simulator.timing import Timing
from zccvoice.simulator.webhooks import WebhookAnswer, WebhookRequest
from zccvoice.simulator.zoom import Zoom, ZoomApp, running_zoom

from .conftest import EVENT_TS_MS, Client, MakeScenario, OpenServer


async def played(
    zoom: Zoom, client: Client, scenario: Scenario, announced: trio.Event | None = None, **kwargs: Any
) -> Any:
    """Play a call to a client that takes all of it; the truth and the two handshake answers.

    The client connects once `announced` is set: over sockets the sound takes real time to make.
    """
    results: dict[str, Any] = {}

    async def play() -> None:
        results["truth"] = await zoom.play(scenario, event_ts_ms=EVENT_TS_MS)

    async def take() -> None:
        if announced is not None:
            await announced.wait()
        results["answers"] = await client.take_call(**kwargs)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(play)
        nursery.start_soon(take)
    answer, accepted = results["answers"]
    return results["truth"], answer, accepted


# What goes over the wire


async def test_messages_are_those_of_the_documents(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario
) -> None:
    scenario = small()
    async with in_memory(scenario) as (zoom, client):
        _, answer, accepted = await played(zoom, client, scenario)
    assert answer == {
        "msg_type": 2,
        "protocol_version": 1,
        "sequence": 0,
        "status_code": 0,
        "reason": "",
        "media_server": {
            "server_urls": {"audio": "/media/audio", "transcript": "/media/transcript", "all": "/media/all"}
        },
    }
    assert accepted == {
        "msg_type": 4,
        "protocol_version": 1,
        "sequence": 0,
        "status_code": 0,
        "reason": "",
        "payload_encrypted": False,
        "media_params": {
            # The server's defaults: nothing was asked for.
            "audio": {
                "content_type": 2,
                "codec": 1,
                "sample_rate": 1,
                "channel": 1,
                "data_opt": 1,
                "send_rate": 20,
            }
        },
    }
    assert json.loads(
        '{"msg_type":6,"event":{"event_type":8,"event_ts":1781000004000,"participant_info":{"channel_id":"ch-7f31",'
        '"participant_mode":"caller","queue_id":"q_MadeUp","queue_name":"Orders","account_id":"acc_Made_Up",'
        '"phone_number":"+15555550123","user_id":"contact_42","display_name":"Ana Example"}}}'
    ) in client.of_type(6)
    assert json.loads(
        '{"msg_type":6,"event":{"event_type":10,"event_ts":1781000009000,"participant_info":{"channel_id":"ch-90c2",'
        '"participant_mode":"callee","queue_id":"q_MadeUp","queue_name":"Orders","account_id":"acc_Made_Up",'
        '"user_id":"agent_7","display_name":"Lee Agent"}}}'
    ) in client.of_type(6)
    assert {"msg_type": 6, "event": {"event_type": 1, "timestamp": EVENT_TS_MS}} in client.of_type(6)
    started, stopped = client.of_type(9)
    assert (started["state"], stopped["state"], stopped["stop_reason"]) == (2, 5, 21)
    assert isinstance(started["rtms_session_id"], str)
    active, terminated = client.of_type(8)
    assert active["state"] == 1
    assert (terminated["state"], terminated["reason"]) == (4, 21)
    assert client.signaling[-1] is terminated
    assert client.closed == {"signaling": 1000, "media": 1000}
    first = client.audio("ch-7f31")[0]
    assert set(first) == {"channel_id", "data", "length", "timestamp"}
    assert (first["length"], len(first["data"]), first["timestamp"]) == (640, 856, EVENT_TS_MS)
    assert not zoom.violations


@pytest.mark.parametrize("send_rate", [20, 100, 1000])
async def test_samples_sent_are_samples_received(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario, send_rate: Any
) -> None:
    scenario = small()
    audio = {
        "content_type": 2,
        "codec": 1,
        "sample_rate": 1,
        "channel": 1,
        "data_opt": 2,
        "send_rate": send_rate,
    }
    async with in_memory(scenario) as (zoom, client):
        truth, *_ = await played(zoom, client, scenario, audio=audio)
    recording = render(scenario)
    for leg in recording.legs:
        track = truth.track(leg.participant.channel_id)
        packets = client.audio(track.channel_id)
        assert client.samples[track.channel_id] == track.samples_sent_count == 160_000
        assert len(packets) == track.packets_sent_count == 10_000 // send_rate
        stamps = [packet["timestamp"] for packet in packets]
        assert stamps == [EVENT_TS_MS + number * send_rate for number in range(len(packets))]
        sound = np.frombuffer(b"".join(base64.b64decode(packet["data"]) for packet in packets), "<i2")
        assert np.array_equal(sound, leg.samples[: len(sound)])
    assert (truth.send_rate_ms, truth.sample_rate_hz) == (send_rate, 16_000)


@pytest.mark.parametrize(
    ("sample_rate", "channel", "values"), [(0, 1, 80_000), (3, 1, 480_000), (1, 2, 320_000)]
)
async def test_other_rates_and_stereo(
    autojump_clock: MockClock,
    in_memory: OpenServer,
    small: MakeScenario,
    sample_rate: Any,
    channel: Any,
    values: Any,
) -> None:
    scenario = small()
    audio = {"sample_rate": sample_rate, "channel": channel, "send_rate": 200}
    async with in_memory(scenario) as (zoom, client):
        truth, *_ = await played(zoom, client, scenario, audio=audio)
    assert client.samples["ch-7f31"] == values == truth.track("ch-7f31").samples_sent_count * channel


async def test_audio_comes_in_real_time_and_eight_times_as_fast(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario
) -> None:
    for speed, expected_s in ((1, 10), (8, 1.25)):
        scenario = small()
        async with in_memory(scenario, speed=speed) as (zoom, client):
            began_s = trio.current_time()
            truth, *_ = await played(zoom, client, scenario)
            assert trio.current_time() - began_s == pytest.approx(expected_s, abs=0.05)
        assert truth.duration_ms == 10_000
        assert client.audio("ch-7f31")[-1]["timestamp"] == EVENT_TS_MS + 9_980


async def test_what_was_captured_before_comes_in_a_burst(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario
) -> None:
    scenario = small(buffered_ms=4_000)
    async with in_memory(scenario) as (zoom, client):
        began_s = trio.current_time()
        truth, *_ = await played(zoom, client, scenario)
        assert trio.current_time() - began_s == pytest.approx(6, abs=0.05)
    assert truth.burst_ms == 4_000
    assert client.samples["ch-7f31"] == 160_000


async def test_buffer_data_false_drops_what_was_captured_before(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario
) -> None:
    scenario = small(buffered_ms=4_000)
    async with in_memory(scenario) as (zoom, client):
        truth, *_ = await played(zoom, client, scenario, buffer_data=False)
    assert client.samples["ch-7f31"] == 96_000
    assert truth.track("ch-7f31").packets_expired_count == 200
    assert truth.first_packet_timestamp_ms == EVENT_TS_MS + 4_000 == client.audio("ch-7f31")[0]["timestamp"]
    assert client.of_type(6)[0]["event"]["timestamp"] == EVENT_TS_MS + 4_000
    assert truth.duration_ms == 6_000


async def test_audio_older_than_a_minute_expires(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario
) -> None:
    scenario = small(buffered_ms=65_000, duration_ms=70_000)
    async with in_memory(scenario) as (zoom, client):
        truth, *_ = await played(zoom, client, scenario, audio={"send_rate": 1_000})
    assert truth.burst_ms == 60_000
    assert truth.track("ch-7f31").packets_expired_count == 5
    assert len(client.audio("ch-7f31")) == 65


async def test_held_party_sends_nothing(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario
) -> None:
    scenario = small("[[hold]]\nfrom_ms = 3_000\nto_ms = 5_000\n")
    async with in_memory(scenario) as (zoom, client):
        truth, *_ = await played(zoom, client, scenario)
    stamps = {packet["timestamp"] - EVENT_TS_MS for packet in client.audio("ch-7f31")}
    assert stamps == {*range(0, 3_000, 20), *range(5_000, 10_000, 20)}
    assert client.samples["ch-90c2"] == 160_000
    assert [(span.start_ms, span.end_ms) for span in truth.holds] == [(3_000, 5_000)]
    numbers = [one["event"]["event_type"] for one in client.of_type(6)]
    assert numbers == [1, 12, 8, 13, 10]
    assert [event.name for event in truth.events] == [
        "user_hold",
        "consumer_answered",
        "user_unhold",
        "user_answered",
    ]


async def test_faults_are_on_the_wire_as_in_the_truth(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario
) -> None:
    scenario = small(
        '[faults]\nlost = [{who = "agent", ratio = 0.2}]\nduplicated = [{who = "agent", ratio = 0.1}]\n'
        'swapped = [{who = "agent", ratio = 0.1}]\nmisspelt_participant_info = true\ngarbage_at_ms = [2_000]\n'
        "binary_frames = true\n"
    )
    async with in_memory(scenario) as (zoom, client):
        truth, *_ = await played(zoom, client, scenario)
    track = truth.track("ch-90c2")
    stamps = [packet["timestamp"] - EVENT_TS_MS for packet in client.audio("ch-90c2")]
    missing = set(range(0, 10_000, 20)) - set(stamps)
    assert missing == {ms for span in track.lost for ms in range(span.start_ms, span.end_ms, 20)}
    assert 50 < track.packets_lost_count == len(missing) < 150
    assert track.packets_repeated_count == len(stamps) - len(set(stamps)) > 10
    late = sum(second < first for first, second in pairwise(stamps))
    assert late == track.packets_swapped_count > 10
    assert client.samples["ch-7f31"] == 160_000
    assert all("participant_info" not in one["event"] for one in client.of_type(6))
    assert client.of_type(6)[-1]["event"]["paticipant_info"]["channel_id"] == "ch-90c2"
    assert all(isinstance(raw, bytes) for raw in client.raw)
    assert (
        sum(
            isinstance(raw, bytes) and raw.startswith(b'{"msg_type": 14, "content": {"data": ')
            for raw in client.raw
        )
        == 1
    )


async def test_a_call_is_the_same_every_time(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario
) -> None:
    truths = []
    for _ in range(2):
        scenario = small('[faults]\nlost = [{who = "agent", ratio = 0.2}]\n')
        async with in_memory(scenario) as (zoom, client):
            truths.append((await played(zoom, client, scenario))[0])
    assert truths[0] == truths[1]
    assert json.loads(truths[0].to_json())["stream_id"] == "0a1b2c3d4e5f60718293a4b5c6d7e8f9"


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
