"""What goes wrong once: each kind, as a client that comes back sees it, and what the truth tells of it."""

from __future__ import annotations

import math
from urllib.parse import urlsplit

import pytest
import trio
from trio.testing import MockClock

from zccvoice.simulator.garbage import Garbage
from zccvoice.simulator.truth import CallTruth

from .conftest import EVENT_TS_MS, Client, MakeScenario, OpenServer
from .endpoint import Endpoint, mishap, suffered

TRACKS = ("ch-7f31", "ch-90c2")


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


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


async def test_time_begins_with_the_first_packet_also_where_it_gets_lost(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario, endpoint: Endpoint
) -> None:
    scenario = small(duration_ms=60_000, buffered_ms=3_000, mishap=[mishap("cut", 1_000, where="media")])
    async with in_memory(scenario, deliver=endpoint.deliver) as (zoom, client):
        truth = await suffered(zoom, client, endpoint)
    (told,) = [one["event"]["timestamp"] for one in client.of_type(6) if one["event"]["event_type"] == 1]
    assert truth.first_packet_timestamp_ms == told == EVENT_TS_MS
    first_heard_ms = min(one["timestamp"] for one in client.audio("ch-7f31")) - EVENT_TS_MS
    assert first_heard_ms > 3_000
    assert [(span.start_ms, span.end_ms) for span in truth.track("ch-7f31").lost] == [(0, first_heard_ms)]
    consumer_answered, _ = truth.events
    assert consumer_answered.at_ms == 4_000


async def test_a_server_that_falls_silent_says_it_all_later(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario, endpoint: Endpoint
) -> None:
    scenario = small(mishap=[mishap("silence", for_ms=4_000)])
    async with in_memory(scenario, deliver=endpoint.deliver) as (zoom, client):
        truth = await suffered(zoom, client, endpoint)
    nothing_is_missing(client, truth)
    assert truth.interruptions_count == 0
    assert len(client.connected_at) == 1


async def test_two_silences_are_over_when_both_are(
    autojump_clock: MockClock, in_memory: OpenServer, small: MakeScenario, endpoint: Endpoint
) -> None:
    silences = [mishap("silence", for_ms=2_000), mishap("silence", at_ms=3_500, for_ms=4_000)]
    async with in_memory(small(mishap=silences), deliver=endpoint.deliver) as (zoom, client):
        with trio.fail_after(60):
            truth = await suffered(zoom, client, endpoint)
    nothing_is_missing(client, truth)


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
    scenario = small(mishap=[mishap("failover"), mishap("repeat_started", 6_000)])
    async with in_memory(scenario, deliver=endpoint.deliver) as (zoom, client):
        truth = await suffered(zoom, client, endpoint)
    assert endpoint.names() == ["started", "started", "started", "stopped"]
    announced, moved, again, _ = endpoint.posted
    assert again == moved
    assert [one["event_ts"] - EVENT_TS_MS for one in (announced, moved)] == [0, pytest.approx(3_000, abs=100)]
    first, second = announced["payload"], moved["payload"]
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


@pytest.mark.parametrize("after", ["transfer", "failover", "restart"])
async def test_a_stream_that_is_stopped_before_another_could_follow(
    autojump_clock: MockClock,
    in_memory: OpenServer,
    small: MakeScenario,
    endpoint: Endpoint,
    after: str,
) -> None:
    scenario = small(mishap=[mishap("stop")], stream=[{"at_ms": 6_000, "after": after}])
    async with in_memory(scenario, deliver=endpoint.deliver) as (zoom, client):
        truth = await suffered(zoom, client, endpoint)
    assert endpoint.names() == ["started", "stopped"]
    assert truth.next_stream is None


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


@pytest.mark.parametrize(
    "garbage", sorted(set(Garbage) - {Garbage.BAD_UTF8, Garbage.RESERVED_OPCODE, Garbage.HUGE})
)
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
