"""Meetings, webinars, Video SDK sessions and phone calls: what differs from Contact Center, on the wire."""

from __future__ import annotations

import base64
import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trio
from trio.testing import MockClock

from zccvoice.rtms.enums import MediaType
from zccvoice.simulator.dialect import Offer, offered_keys
from zccvoice.simulator.sources import render
from zccvoice.simulator.webhooks import WebhookAnswer, WebhookRequest
from zccvoice.simulator.zoom import Zoom

from .conftest import EVENT_TS_MS, Client, MakeScenario, OpenServer

ANA, LEE, JOE = "16778240", "16779264", "16780288"


async def attended(zoom: Zoom, client: Client, **kwargs: Any) -> Any:
    """Play the client's scenario to it; the truth."""
    truths = []

    async def play() -> None:
        truths.append(await zoom.play(client.scenario, event_ts_ms=EVENT_TS_MS))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(play)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(client.stay)
    return truths[0]


@pytest.fixture
def spoken(tmp_path: Path) -> str:
    """Ana speaks, then Lee, then Ana: TOML, with a sound of half a second for each."""
    time = np.arange(8_000) / 16_000
    with wave.open(str(tmp_path / "word.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes((8_000 * np.sin(2 * np.pi * 440 * time)).astype("<i2").tobytes())
    says = '[[speech]]\nwho = "{}"\nat_ms = {}\ntext = "{}"\nsound = "word.wav"\n'
    return "".join(
        says.format(*one) for one in ((ANA, 1_000, "one"), (ANA, 2_000, "two"), (LEE, 5_000, "drei"))
    )


WEBHOOKS = {
    "contact_center": ("contact_center.voice_rtms", "engagement_id", set()),
    "meeting": (
        "meeting.rtms",
        "meeting_uuid",
        {"account_id", "meeting_id", "operator_id", "is_original_host"},
    ),
    "webinar": (
        "webinar.rtms",
        "webinar_uuid",
        {"account_id", "meeting_id", "webinar_id", "operator_id", "is_original_host"},
    ),
    "video_sdk": ("session.rtms", "session_id", {"account_id", "session_key"}),
    "phone": ("phone.rtms", "call_id", set()),
}


@pytest.mark.parametrize("product", WEBHOOKS)
@pytest.mark.parametrize("nested", [False, True])
async def test_webhooks_of_every_product(
    autojump_clock: MockClock,
    in_memory: OpenServer,
    small: MakeScenario,
    meeting: MakeScenario,
    product: str,
    nested: bool,
) -> None:
    posted = []

    async def deliver(request: WebhookRequest) -> Any:
        posted.append(json.loads(request.body))
        return WebhookAnswer(200, b"")

    make = small if product == "contact_center" else meeting
    scenario = make(product=product, dialect={"nested_webhooks": nested})
    async with in_memory(scenario, deliver=deliver) as (zoom, client):
        await attended(zoom, client)
    name, id_key, extras = WEBHOOKS[product]
    assert [one["event"] for one in posted] == [f"{name}_started", f"{name}_stopped"]
    assert posted[0]["event_ts"] == EVENT_TS_MS
    payloads = [one["payload"] for one in posted]
    if nested:
        assert all(set(payload) == {"account_id", "object"} for payload in payloads)
        payloads = [payload["object"] for payload in payloads]
    started, stopped = payloads
    assert set(started) == {id_key, "rtms_stream_id", "server_urls"} | extras
    assert set(stopped) == {id_key, "rtms_stream_id", "stop_reason"}
    assert started[id_key] == stopped[id_key] == scenario.engagement_id
    assert not zoom.violations


async def test_everybody_in_a_meeting_has_a_number_and_a_name(
    autojump_clock: MockClock, in_memory: OpenServer, meeting: MakeScenario
) -> None:
    scenario = meeting()
    async with in_memory(scenario) as (zoom, client):
        truth = await attended(zoom, client)
    first = client.audio(ANA)[0]
    assert {**first, "data": ""} == {
        "user_id": 16778240,
        "user_name": "Ana Example",
        "data": "",
        "length": 640,
        "timestamp": EVENT_TS_MS,
    }
    assert {one.channel_id: one.samples_sent_count for one in truth.tracks} == client.samples
    assert client.samples == {ANA: 160_000, LEE: 160_000, JOE: 64_000}
    assert (truth.product, truth.stop_reason) == ("meeting", 6)


async def test_the_mix_is_the_sum_of_all_under_number_0(
    autojump_clock: MockClock, in_memory: OpenServer, meeting: MakeScenario, spoken: str, tmp_path: Path
) -> None:
    scenario = meeting(spoken, folder=tmp_path)
    async with in_memory(scenario) as (zoom, client):
        client.audio_params = {"data_opt": 1, "send_rate": 100}
        truth = await attended(zoom, client)
    assert set(client.audio("0")[0]) == {"user_id", "data", "length", "timestamp"}
    assert client.samples == {"0": 160_000}
    heard = np.frombuffer(b"".join(base64.b64decode(one["data"]) for one in client.audio("0")), "<i2")
    ana, lee, joe = (leg.samples.astype(int) for leg in render(scenario).legs)
    joe[: 4_000 * 16] = 0
    joe[8_000 * 16 :] = 0
    assert np.array_equal(heard, np.clip(ana + lee + joe, -32_768, 32_767)[:160_000])
    (track,) = truth.tracks
    assert (track.side, track.channel_id, track.samples_sent_count) == (None, "0", 160_000)
    assert [one.channel_id for one in truth.utterances] == [ANA, ANA, LEE], "who spoke is still told"


async def test_contact_center_mixes_only_in_one_dialect(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario
) -> None:
    for merges, tracks in ((False, {"ch-7f31", "ch-90c2"}), (True, {"0"})):
        scenario = small(dialect={"merges_channels": merges})
        async with in_memory(scenario) as (zoom, client):
            client.audio_params = {"data_opt": 1}
            await attended(zoom, client)
        assert set(client.samples) == tracks


async def test_events_of_a_meeting(
    autojump_clock: MockClock, in_memory: OpenServer, meeting: MakeScenario, spoken: str, tmp_path: Path
) -> None:
    more = '[[event]]\nname = "sharing_start"\nat_ms = 6_000\nwho = "16779264"\n'
    more += '[[event]]\nname = "sharing_stop"\nat_ms = 7_000\n'
    scenario = meeting(spoken + more, folder=tmp_path)
    async with in_memory(scenario) as (zoom, client):
        client.events = [2, 3, 4, 5, 6]
        truth = await attended(zoom, client)
    events = [one["event"] for one in client.of_type(6)]
    assert [(one["event_type"], one["timestamp"] - EVENT_TS_MS) for one in events] == [
        (1, 0),
        (3, 0),
        (3, 0),
        (2, 1_000),
        (3, 4_000),
        (2, 5_000),
        (5, 6_000),
        (6, 7_000),
        (4, 8_000),
    ]
    assert events[1]["participants"] == [{"user_id": 16778240, "user_name": "Ana Example"}]
    assert (events[3]["user_id"], events[3]["user_name"]) == (16778240, "Ana Example")
    assert events[5]["user_id"] == events[6]["user_id"] == 16779264
    assert events[-1]["participants"] == [{"user_id": 16780288}]
    assert [one.name for one in truth.events] == [
        "participant_join",
        "participant_join",
        "active_speaker_change",
        "participant_join",
        "active_speaker_change",
        "sharing_start",
        "sharing_stop",
        "participant_leave",
    ]


async def test_another_speaker_is_named_late(
    autojump_clock: MockClock, in_memory: OpenServer, meeting: MakeScenario, spoken: str, tmp_path: Path
) -> None:
    scenario = meeting(spoken, folder=tmp_path, dialect={"speaker_delay_ms": 700})
    async with in_memory(scenario) as (zoom, client):
        client.events = [2]
        await attended(zoom, client)
    events = [one["event"] for one in client.of_type(6)]
    named = [(one["user_id"], one["timestamp"] - EVENT_TS_MS) for one in events if one["event_type"] == 2]
    assert named == [(16778240, 1_700), (16779264, 5_700)]


async def test_no_event_of_a_meeting_comes_unasked(
    autojump_clock: MockClock, in_memory: OpenServer, meeting: MakeScenario
) -> None:
    scenario = meeting('[[event]]\nname = "participant_video_on"\nat_ms = 6_000\nwho = "16779264"\n')
    for subscribed, expected in ([], [1]), ([8], [1, 8]):
        async with in_memory(scenario) as (zoom, client):
            client.events = subscribed
            await attended(zoom, client)
        assert [one["event"]["event_type"] for one in client.of_type(6)] == expected


async def test_who_subscribes_late_is_told_who_is_there(
    autojump_clock: MockClock, in_memory: OpenServer, meeting: MakeScenario
) -> None:
    scenario = meeting()
    async with in_memory(scenario) as (zoom, client), trio.open_nursery() as nursery:
        nursery.start_soon(zoom.play, scenario)
        await trio.testing.wait_all_tasks_blocked()
        signaling, _ = await client.open_signaling()
        nursery.start_soon(client.listen, signaling, "signaling")
        media, _ = await client.open_media()
        await client.ready(signaling)
        nursery.start_soon(client.listen, media, "media")
        await trio.sleep(5)
        await client.say(signaling, 5, events=[{"event_type": 3, "subscribe": True}])
    (joined,) = [one["event"] for one in client.of_type(6) if one["event"]["event_type"] == 3]
    assert [one["user_name"] for one in joined["participants"]] == ["Ana Example", "Lee Agent", "Joe Later"]


async def test_phone_tells_its_events_by_code(
    autojump_clock: MockClock, in_memory: OpenServer, meeting: MakeScenario
) -> None:
    scenario = meeting(product="phone")
    async with in_memory(scenario) as (zoom, client):
        client.events = [3]
        await attended(zoom, client)
    assert [one["event"]["event_code"] for one in client.of_type(6)] == [1, 3, 3, 3]


@pytest.mark.parametrize(("microseconds", "unit"), [(False, 1), (True, 1_000)])
async def test_transcripts(
    autojump_clock: MockClock,
    in_memory: OpenServer,
    meeting: MakeScenario,
    spoken: str,
    tmp_path: Path,
    microseconds: bool,
    unit: int,
) -> None:
    scenario = meeting(spoken, folder=tmp_path, language="de", dialect={"microseconds": microseconds})
    async with in_memory(scenario) as (zoom, client):
        truth = await attended(zoom, client)
    contents = [one["content"] for one in client.of_type(17)]
    assert contents[2] == {
        "user_id": 16779264,
        "user_name": "Lee Agent",
        "data": "drei",
        "timestamp": (EVENT_TS_MS + 5_000) * unit,
        "start_time": (EVENT_TS_MS + 5_000) * unit,
        "end_time": (EVENT_TS_MS + 5_500) * unit,
        "language": 14,
    }
    assert [(one.text, one.start_ms, one.language) for one in truth.transcripts] == [
        ("one", 1_000, 14),
        ("two", 2_000, 14),
        ("drei", 5_000, 14),
    ]


@pytest.mark.parametrize("form", ["text", "object", "encoded"])
async def test_chat(
    autojump_clock: MockClock, in_memory: OpenServer, meeting: MakeScenario, form: str
) -> None:
    scenario = meeting(
        '[[chat]]\nwho = "16778240"\nat_ms = 3_000\ntext = "see https://example.test/ä"\n',
        dialect={"chat_form": form},
    )
    async with in_memory(scenario) as (zoom, client):
        truth = await attended(zoom, client)
    (content,) = (one["content"] for one in client.of_type(18))
    assert (content["user_id"], content["timestamp"]) == (16778240, EVENT_TS_MS + 3_000)
    data = json.loads(content["data"]) if form == "encoded" else content["data"]
    text = data if form == "text" else data["data"]
    assert text == "see https://example.test/ä" == truth.chat[0].text
    if form != "text":
        assert (data["operation_type"], data["sender"]["user_name"]) == (1, "Ana Example")


async def test_pictures_that_nobody_asked_for(
    autojump_clock: MockClock, in_memory: OpenServer, meeting: MakeScenario
) -> None:
    scenario = meeting(
        '[[picture]]\nkind = "share"\nwho = "16778240"\nfrom_ms = 1_000\nto_ms = 2_000\nsize_bytes = 700\n'
    )
    async with in_memory(scenario) as (zoom, client):
        truth = await attended(zoom, client)
    pictures = [one["content"] for one in client.of_type(16)]
    assert len(pictures) == truth.pictures_sent_count == 5
    assert all(len(base64.b64decode(one["data"])) == one["length"] == 700 for one in pictures)


async def test_each_kind_of_media_on_a_connection_of_its_own(
    autojump_clock: MockClock, in_memory: OpenServer, meeting: MakeScenario, spoken: str, tmp_path: Path
) -> None:
    scenario = meeting(
        spoken + '[[chat]]\nwho = "16778240"\nat_ms = 3_000\ntext = "hello"\n',
        folder=tmp_path,
        dialect={"offer": "split"},
    )
    kinds: dict[str, list[Any]] = {}
    async with in_memory(scenario) as (zoom, client), trio.open_nursery() as nursery:
        nursery.start_soon(zoom.play, scenario)
        await trio.testing.wait_all_tasks_blocked()
        signaling, answer = await client.open_signaling()
        nursery.start_soon(client.listen, signaling, "signaling")
        assert set(answer["media_server"]["server_urls"]) == {"audio", "transcript", "chat"}
        for media_type, key in ((1, "audio"), (8, "transcript"), (16, "chat")):
            media, accepted = await client.open_media(f"/media/{key}", media_type=media_type)
            assert accepted["status_code"] == 0
            assert ("audio" in accepted["media_params"]) == (key == "audio")
            other = Client(None, scenario)
            kinds[key] = other.media
            nursery.start_soon(other.listen, media, "media")
        await client.ready(signaling)
    assert {key: {one["msg_type"] for one in got} - {12} for key, got in kinds.items()} == {
        "audio": {14},
        "transcript": {17},
        "chat": {18},
    }
    assert not zoom.violations


def test_which_urls_are_offered() -> None:
    voice = MediaType.AUDIO | MediaType.TRANSCRIPT
    assert offered_keys(Offer.BOTH, voice) == ("audio", "transcript", "all")
    assert offered_keys(Offer.SPLIT, voice | MediaType.CHAT) == ("audio", "transcript", "chat")
    assert offered_keys(Offer.UNIFIED, voice) == ("all",)


@pytest.mark.parametrize(
    ("product", "media_type", "status"),
    [
        ("contact_center", 16, 13),
        ("meeting", 16, 0),
        ("meeting", 2, 10),
        ("meeting", 4, 11),
        ("phone", 16, 13),
    ],
)
async def test_what_a_product_does_not_serve_is_refused(
    autojump_clock: MockClock,
    in_memory: OpenServer,
    small: MakeScenario,
    meeting: MakeScenario,
    product: str,
    media_type: int,
    status: int,
) -> None:
    scenario = (small if product == "contact_center" else meeting)(product=product)
    async with in_memory(scenario) as (zoom, client), trio.open_nursery() as nursery:
        nursery.start_soon(zoom.play, scenario)
        await trio.testing.wait_all_tasks_blocked()
        await client.open_signaling()
        _, accepted = await client.open_media(media_type=media_type)
        assert accepted["status_code"] == status
        nursery.cancel_scope.cancel()
