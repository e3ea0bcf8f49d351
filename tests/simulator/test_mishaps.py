"""What goes wrong once: each kind, as a client that comes back sees it, and what the truth tells of it."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
import trio
from trio.testing import MockClock

from zccvoice.errors import ScenarioError
from zccvoice.simulator.garbage import Garbage
from zccvoice.simulator.truth import CallTruth
from zccvoice.simulator.webhooks import WebhookAnswer, WebhookRequest
from zccvoice.simulator.zoom import Zoom

from .conftest import EVENT_TS_MS, Client, MakeScenario, OpenServer

TRACKS = ("ch-7f31", "ch-90c2")


class Endpoint:
    """The client's webhook endpoint: a client hears of its stream here."""

    def __init__(self) -> None:
        self.posted: list[Any] = []
        self.client: Client | None = None

    async def deliver(self, request: WebhookRequest) -> Any:
        await trio.lowlevel.checkpoint()
        envelope = json.loads(request.body)
        self.posted.append(envelope)
        if envelope["event"].endswith("_started") and self.client is not None:
            self.client.signaling_path = urlsplit(envelope["payload"]["server_urls"]).path
        return WebhookAnswer(200, b"")

    def names(self) -> list[str]:
        return [one["event"].rpartition("_")[2] for one in self.posted]


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


async def suffered(zoom: Zoom, client: Client, endpoint: Endpoint, *, events: Any = ()) -> CallTruth:
    """Play the client's scenario to it while it comes back as often as need be; the truth."""
    truths = []
    endpoint.client, client.events = client, list(events)

    async def play() -> None:
        truths.append(await zoom.play(client.scenario, event_ts_ms=EVENT_TS_MS))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(play)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(client.stay)
    return truths[0]


def mishap(kind: str, at_ms: int = 3_000, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "at_ms": at_ms, **more}


def nothing_is_missing(client: Client, truth: CallTruth, *, lost: int = 0) -> None:
    """Each packet of the call was received, but for `lost` of each track, and the truth says the same."""
    for channel_id in TRACKS:
        stamps = {one["timestamp"] for one in client.audio(channel_id)}
        track = truth.track(channel_id)
        assert len(stamps) == track.packets_sent_count == 500 - lost
        assert track.packets_sent_count + track.packets_lost_count + track.packets_expired_count == 500


@pytest.mark.parametrize("where", ["signaling", "media", "both"])
@pytest.mark.parametrize("kind", ["close", "drop", "abort", "outage"])
async def test_a_connection_that_ends(
    autojump_clock: MockClock,
    in_memory: OpenServer,
    small: MakeScenario,
    endpoint: Endpoint,
    kind: str,
    where: str,
) -> None:
    scenario = small(mishap=[mishap(kind, where=where, code=1011, for_ms=1_000)])
    async with in_memory(scenario, deliver=endpoint.deliver) as (zoom, client):
        truth = await suffered(zoom, client, endpoint)
    nothing_is_missing(client, truth)
    assert truth.interruptions_count == 1
    lost_signaling = where != "media" or kind == "outage"
    assert endpoint.names() == ["started", *(["interrupted"] if lost_signaling else []), "stopped"]
    ended = {"close": "closed with 1011", "drop": "dropped", "abort": "reset", "outage": "reset"}[kind]
    hit = "signaling" if lost_signaling else "media"
    assert ended in {one.ended for one in truth.connections if one.name == hit}
    first_closed = min(one.closed_ms for one in truth.connections)
    assert 3_000 <= first_closed < 3_000 + 2_100  # a client that does not answer a close is waited for
    states = [(one["state"], one.get("reason")) for one in client.of_type(8)]
    assert states == [(1, None), *([] if lost_signaling else [(2, 14)]), (1, None), (4, 21)]
    assert truth.violations == () == zoom.violations


async def test_in_an_outage_nobody_gets_in(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario, endpoint: Endpoint
) -> None:
    scenario = small(mishap=[mishap("outage", for_ms=4_000)])
    async with in_memory(scenario, deliver=endpoint.deliver) as (zoom, client):
        truth = await suffered(zoom, client, endpoint)
    assert len(client.connected_at) == 2
    assert client.connected_at[1] - client.connected_at[0] >= 7 - 0.01
    nothing_is_missing(client, truth)


async def test_a_half_open_connection_swallows_what_is_sent(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario, endpoint: Endpoint
) -> None:
    scenario = small(duration_ms=60_000, mishap=[mishap("cut", 3_010, where="media")])
    async with in_memory(scenario, deliver=endpoint.deliver) as (zoom, client):
        truth = await suffered(zoom, client, endpoint)
    track = truth.track("ch-7f31")
    # Requests at 10, 20 and 30 s go unanswered; at 40 s the connection counts as lost.
    assert [(span.start_ms, span.end_ms) for span in track.lost] == [(3_000, 40_000)]
    stamps = {one["timestamp"] - EVENT_TS_MS for one in client.audio("ch-7f31")}
    missing = set(range(0, 60_000, 20)) - stamps
    assert missing == {ms for span in track.lost for ms in range(span.start_ms, span.end_ms, 20)}
    assert "reset" in {one.ended for one in truth.connections}
    assert not zoom.violations, "a client cannot answer what it never gets"


async def test_a_server_that_falls_silent_says_it_all_later(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario, endpoint: Endpoint
) -> None:
    scenario = small(mishap=[mishap("silence", for_ms=4_000)])
    async with in_memory(scenario, deliver=endpoint.deliver) as (zoom, client):
        truth = await suffered(zoom, client, endpoint)
    nothing_is_missing(client, truth)
    assert truth.interruptions_count == 0
    assert len(client.connected_at) == 1


async def test_keep_alive_requests_that_stop(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario, endpoint: Endpoint
) -> None:
    scenario = small(duration_ms=59_000, mishap=[mishap("no_keep_alive", 15_000, for_ms=30_000)])
    async with in_memory(scenario, deliver=endpoint.deliver) as (zoom, client):
        await suffered(zoom, client, endpoint)
    asked_at = [math.floor((one["timestamp"] - EVENT_TS_MS) / 1_000) for one in client.of_type(12)]
    assert sorted(set(asked_at)) == [10, 50]
    assert not zoom.violations


@pytest.mark.parametrize("where", ["signaling", "media"])
async def test_handshakes_that_are_refused(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario, endpoint: Endpoint, where: str
) -> None:
    refusing = mishap("refuse", 0, where=where, times=3, status="internal_exception", text="please try again")
    scenario = small(mishap=[refusing])
    async with in_memory(scenario, deliver=endpoint.deliver) as (zoom, client):
        truth = await suffered(zoom, client, endpoint)
    assert client.refusals == [45, 45, 45]
    nothing_is_missing(client, truth)
    assert not zoom.violations


async def test_a_refusal_may_come_later(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario, endpoint: Endpoint
) -> None:
    scenario = small(
        mishap=[mishap("refuse", 2_000, where="signaling", times=2), mishap("abort", where="signaling")]
    )
    async with in_memory(scenario, deliver=endpoint.deliver) as (zoom, client):
        truth = await suffered(zoom, client, endpoint)
    assert client.refusals == [8, 8]
    nothing_is_missing(client, truth)


async def test_slow_answers(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario, endpoint: Endpoint
) -> None:
    scenario = small(mishap=[mishap("slow", 0, for_ms=2_500)])
    async with in_memory(scenario, deliver=endpoint.deliver) as (zoom, client):
        truth = await suffered(zoom, client, endpoint)
    assert client.connected_at[0] == pytest.approx(2.5, abs=0.1)
    assert truth.burst_ms == pytest.approx(5_000, abs=100), "both handshakes took their time"
    nothing_is_missing(client, truth)


async def test_failover_to_another_server(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario, endpoint: Endpoint
) -> None:
    scenario = small(mishap=[mishap("failover")])
    async with in_memory(scenario, deliver=endpoint.deliver) as (zoom, client):
        truth = await suffered(zoom, client, endpoint)
    assert endpoint.names() == ["started", "started", "stopped"]
    first, second, _ = (one["payload"] for one in endpoint.posted)
    assert first["rtms_stream_id"] == second["rtms_stream_id"]
    assert (urlsplit(first["server_urls"]).path, urlsplit(second["server_urls"]).path) == (
        "/signaling",
        "/2/signaling",
    )
    nothing_is_missing(client, truth)
    assert not zoom.violations


async def test_who_goes_on_asking_a_dead_server_gets_nothing(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario, endpoint: Endpoint
) -> None:
    scenario = small(mishap=[mishap("failover")])
    async with in_memory(scenario) as (zoom, client):  # without webhooks it does not hear of the other
        with trio.move_on_after(50):
            await suffered(zoom, client, endpoint)
    assert len(client.connected_at) == 1


async def test_pause_and_resume(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario, endpoint: Endpoint
) -> None:
    scenario = small(mishap=[mishap("pause", for_ms=2_000)])
    async with in_memory(scenario, deliver=endpoint.deliver) as (zoom, client):
        truth = await suffered(zoom, client, endpoint)
    assert [one["state"] for one in client.of_type(9)] == [2, 3, 4, 5]
    assert [one["state"] for one in client.of_type(8)] == [1, 5, 6, 4]
    for channel_id in TRACKS:
        stamps = {one["timestamp"] - EVENT_TS_MS for one in client.audio(channel_id)}
        assert stamps == {*range(0, 3_000, 20), *range(5_000, 10_000, 20)}
    assert [(one.start_ms, one.end_ms) for one in truth.pauses] == [(3_000, 5_000)]
    assert truth.track("ch-7f31").packets_sent_count == 400


async def test_a_stream_that_is_revoked(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario, endpoint: Endpoint
) -> None:
    scenario = small(mishap=[mishap("stop", reason="stream_revoked")])
    async with in_memory(scenario, deliver=endpoint.deliver) as (zoom, client):
        truth = await suffered(zoom, client, endpoint)
    assert client.of_type(8)[-1]["reason"] == client.of_type(9)[-1]["stop_reason"] == 8
    assert endpoint.posted[-1]["payload"]["stop_reason"] == truth.stop_reason == 8
    assert 3_000 <= truth.duration_ms < 3_100


async def test_webhooks_again_and_account_events(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario, endpoint: Endpoint
) -> None:
    kinds = ("repeat_started", "concurrency_limited", "concurrency_near_limit")
    scenario = small(mishap=[mishap(kind, 1_000 * n) for n, kind in enumerate(kinds, 3)])
    async with in_memory(scenario, deliver=endpoint.deliver) as (zoom, client):
        await suffered(zoom, client, endpoint)
    first, again, limited, near, _ = endpoint.posted
    assert first == again
    assert limited["event"] == "rtms.concurrency_limited"
    assert limited["payload"]["id_field"] == {"engagement_id": scenario.engagement_id}
    assert near["event"] == "rtms.concurrency_near_limit"
    assert set(near["payload"]) == {"concurrency_limit", "concurrency_number", "percentage"}


async def test_a_stopped_webhook_before_the_started_one(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario, endpoint: Endpoint
) -> None:
    scenario = small("[faults]\nstopped_first = true\n")
    async with in_memory(scenario, deliver=endpoint.deliver) as (zoom, client):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(zoom.play, scenario)
            await trio.sleep(1)
            assert endpoint.names() == ["stopped", "started"]
            stopped, started = endpoint.posted
            assert stopped["event_ts"] > started["event_ts"]
            _, answer = await client.open_signaling()
        assert answer["status_code"] == 2
        assert ["the stream has ended" in one.what for one in zoom.violations] == [True]


@pytest.mark.parametrize("garbage", set(Garbage) - {Garbage.BAD_UTF8, Garbage.RESERVED_OPCODE, Garbage.HUGE})
async def test_garbage_that_a_client_can_pass_over(
    autojump_clock: MockClock,
    in_memory: OpenServer,
    small: MakeScenario,
    endpoint: Endpoint,
    garbage: Garbage,
) -> None:
    scenario = small(mishap=[mishap("garbage", garbage=garbage.value, where="both")])
    async with in_memory(scenario, deliver=endpoint.deliver) as (zoom, client):
        truth = await suffered(zoom, client, endpoint)
    nothing_is_missing(client, truth)
    assert len(client.connected_at) == 1
    assert len(client.raw) > 1_000
    assert not zoom.violations


@pytest.mark.parametrize("garbage", ["bad_utf8", "reserved_opcode", "huge"])
async def test_garbage_that_ends_a_connection(
    autojump_clock: MockClock,
    in_memory: OpenServer,
    small: MakeScenario,
    endpoint: Endpoint,
    garbage: str,
) -> None:
    scenario = small(mishap=[mishap("garbage", garbage=garbage)])
    async with in_memory(scenario, deliver=endpoint.deliver) as (zoom, client):
        truth = await suffered(zoom, client, endpoint)
    assert client.closed["media"] == 1000
    ended = "client closed with 1009" if garbage == "huge" else "client vanished"
    assert ended in {one.ended for one in truth.connections}
    assert truth.interruptions_count == 1
    assert not zoom.violations


async def test_every_message_in_pieces(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario, endpoint: Endpoint
) -> None:
    scenario = small("[faults]\nfragments = true\nbinary_frames = true\n")
    async with in_memory(scenario, deliver=endpoint.deliver) as (zoom, client):
        truth = await suffered(zoom, client, endpoint)
    nothing_is_missing(client, truth)
    assert all(isinstance(raw, bytes) for raw in client.raw)


# One engagement, several streams


@pytest.mark.parametrize("after", ["transfer", "failover", "restart"])
async def test_one_stream_gives_way_to_another(
    autojump_clock: MockClock,
    in_memory: OpenServer,
    small: MakeScenario,
    endpoint: Endpoint,
    after: str,
) -> None:
    scenario = small(stream=[{"at_ms": 4_000, "after": after}])
    truths: list[CallTruth] = []
    async with in_memory(scenario, deliver=endpoint.deliver) as (zoom, first):
        second = Client(first.connect, scenario)

        async def play() -> None:
            truths.append(await zoom.play(scenario, event_ts_ms=EVENT_TS_MS))

        async def follow() -> None:
            await trio.sleep(6)
            second.ids["rtms_stream_id"] = second_id = endpoint.posted[-1]["payload"]["rtms_stream_id"]
            second.scenario = replace(scenario, stream_id=second_id)
            message = f"demo-client-id,{scenario.engagement_id},{second_id}".encode()
            second.ids["signature"] = hmac.new(b"demo-client-secret", message, hashlib.sha256).hexdigest()
            await second.take_call()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(play)
            nursery.start_soon(follow)
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(first.take_call)
    names = endpoint.names()
    assert names[0] == "started"
    assert sorted(names[1:-1]) == (["started"] if after == "failover" else ["started", "stopped"])
    assert len({one["payload"]["engagement_id"] for one in endpoint.posted}) == 1
    one, other = truths[0].streams()
    assert (one.stream_id, other.stream_id) == (scenario.stream_id, second.scenario.stream_id)
    assert (one.duration_ms, other.duration_ms) == (4_000, 6_000)
    assert one.stop_reason == {"transfer": 22, "failover": 10, "restart": 2}[after]
    assert other.first_packet_timestamp_ms == EVENT_TS_MS + 4_000
    for channel_id in TRACKS:
        assert len(first.audio(channel_id)) == 200
        assert len(second.audio(channel_id)) == 300
    said_goodbye = any(state["state"] == 4 for state in first.of_type(8))
    assert said_goodbye == (after == "restart")
    assert first.closed["signaling"] == (1006 if after == "failover" else 1000)
    assert not zoom.violations


# What the client does wrong, and what scenario files may not say


async def test_subscriptions_must_be_renewed(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario, endpoint: Endpoint
) -> None:
    for renews, expected in ((True, 0), (False, 1)):
        scenario = small(mishap=[mishap("abort")])
        async with (
            in_memory(scenario, deliver=endpoint.deliver) as (zoom, client),
            trio.open_nursery() as nursery,
        ):
            if not renews:
                nursery.start_soon(_forget, client)
            truth = await suffered(zoom, client, endpoint, events=[8, 18])
        assert len(truth.violations) == expected
        assert all("did not subscribe again to events [8, 18]" in one for one in truth.violations)


async def _forget(client: Client) -> None:
    await trio.sleep(2)
    client.events = []


async def test_a_client_that_vanishes(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario
) -> None:
    scenario = small()
    async with in_memory(scenario) as (zoom, client), trio.open_nursery() as nursery:
        nursery.start_soon(zoom.play, scenario)
        await trio.testing.wait_all_tasks_blocked()
        signaling, _ = await client.open_signaling()
        await trio.aclose_forcefully(signaling._stream)
        await trio.testing.wait_all_tasks_blocked()
        assert [one.what for one in zoom.violations] == [
            "signaling: ended the connection without a closing handshake"
        ]
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("dialect", "fields", "msg_type", "status"),
    [
        ({"old_statuses": True}, {"signature": "0" * 64}, 4, 15),
        ({"old_statuses": True}, {"media_params": {"audio": {"codec": 9}}}, 4, 35),
        ({"refuses_media_with_message_2": True}, {"media_type": 64}, 2, 14),
    ],
)
async def test_refusals_in_other_dialects(
    autojump_clock: MockClock,
    in_memory: OpenServer,
    small: MakeScenario,
    dialect: Any,
    fields: Any,
    msg_type: int,
    status: int,
) -> None:
    scenario = small(dialect=dialect)
    async with in_memory(scenario) as (zoom, client), trio.open_nursery() as nursery:
        nursery.start_soon(zoom.play, scenario)
        await trio.testing.wait_all_tasks_blocked()
        await client.open_signaling()
        _, answer = await client.open_media(**fields)
        assert (answer["msg_type"], answer["status_code"]) == (msg_type, status)
        nursery.cancel_scope.cancel()


async def test_a_second_signaling_connection_may_evict_the_first(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario
) -> None:
    scenario = small(dialect={"evicts": True})
    async with in_memory(scenario) as (zoom, client), trio.open_nursery() as nursery:
        nursery.start_soon(zoom.play, scenario)
        await trio.testing.wait_all_tasks_blocked()
        first, _ = await client.open_signaling()
        nursery.start_soon(client.listen, first, "signaling")
        _, answer = await client.open_signaling()
        assert answer["status_code"] == 0
        assert client.closed == {"signaling": 1000}
        assert "second signaling connection" in zoom.violations[0].what
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"mishap": [{"kind": "earthquake", "at_ms": 1}]}, r"\[\[mishap\]\] 1: kind: expected one of refuse"),
        ({"mishap": [{"kind": "pause", "at_ms": 1}]}, "for_ms: expected a whole number"),
        ({"mishap": [{"kind": "close", "at_ms": 1, "code": 7}]}, "code: expected a whole number from 1000"),
        ({"stream": [{"at_ms": 1_000, "after": "end"}]}, "end is for the last stream"),
        ({"dialect": {"offer": "none"}}, "offer: expected one of both, split, unified"),
    ],
)
def test_scenarios_that_make_no_sense(small: MakeScenario, fields: Any, expected: str) -> None:
    with pytest.raises(ScenarioError, match=expected):
        small(**fields)
