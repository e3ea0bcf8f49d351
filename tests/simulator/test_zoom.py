"""What the server sends, seen by a hand-written client: golden messages, pacing, faults."""

from __future__ import annotations

import base64
import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import trio
from trio.testing import MockClock

from zccvoice.simulator.sources import render

from .conftest import EVENT_TS_MS, MakeScenario, OpenServer, played


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
