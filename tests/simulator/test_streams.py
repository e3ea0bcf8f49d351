"""One engagement in several streams, what a client does wrong, and what scenario files may not say."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from zccvoice.errors import ScenarioError
from zccvoice.simulator.truth import CallTruth

from .conftest import EVENT_TS_MS, Client, MakeScenario, OpenServer
from .endpoint import Endpoint, mishap, suffered

TRACKS = ("ch-7f31", "ch-90c2")


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


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
