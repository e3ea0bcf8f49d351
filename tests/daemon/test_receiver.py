from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
import trio_websocket

from tests.daemon.conftest import SETTINGS, MemoryZoom
from zccvoice.config import LanguageConfig, ZoomConfig
from zccvoice.daemon.receiver import WebSocketReceiver
from zccvoice.daemon.tcp import GATHER_S
from zccvoice.daemon.websocket import GOODBYE_S
from zccvoice.errors import (
    ConnectionFailedError,
    ForbiddenHostError,
    HandshakeRefusedError,
    RemoteProtocolError,
    ZccvoiceError,
)
from zccvoice.rtms.enums import EventType, Product, SampleRate, StopReason
from zccvoice.rtms.events import (
    AudioReceived,
    CallEventReceived,
    EventsMissed,
    MediaOpened,
    MessageRejected,
    ParticipantConnected,
    ReceptionBroken,
    Role,
    StreamEnded,
    StreamEvent,
    TranscriptReceived,
)
from zccvoice.rtms.messages import AudioParams
from zccvoice.rtms.recovery import MEDIA_WINDOW_S
from zccvoice.rtms.webhook import StreamStarted
from zccvoice.simulator.scenario import parse_scenario
from zccvoice.simulator.truth import CallTruth
from zccvoice.speech.language import LanguagePolicy

LANGUAGES = LanguagePolicy(LanguageConfig())


async def receive(
    zoom: MemoryZoom,
    *,
    settings: ZoomConfig = SETTINGS,
    stop_after_s: float | None = None,
    stop_cause: str = "shutdown",
    audio: AudioParams | None = None,
) -> tuple[list[StreamEvent], CallTruth | None]:
    """Play the call to a receiver; what it told, and what was sent (None when the call did not end by itself)."""
    events_send, events_receive = trio.open_memory_channel[StreamEvent](0)
    receiver = zoom.receiver = WebSocketReceiver(
        settings, LANGUAGES, zoom.started, events_send, zoom.connect, audio=audio
    )
    truth: CallTruth | None = None
    played = trio.Event()

    async def play() -> None:
        nonlocal truth
        truth = await zoom.zoom.play(zoom.scenario, event_ts_ms=zoom.started.event_ts_ms)
        played.set()

    async def stop() -> None:
        await trio.sleep(stop_after_s or 0)
        receiver.stop(stop_cause)

    async with trio.open_nursery() as playing:
        playing.start_soon(play)
        await trio.testing.wait_all_tasks_blocked()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(receiver.run)
            if stop_after_s is not None:
                nursery.start_soon(stop)
            events = [event async for event in events_receive]
        with trio.move_on_after(30):
            await played.wait()
        playing.cancel_scope.cancel()
    return events, truth


def audio(events: list[StreamEvent], channel_id: str) -> list[AudioReceived]:
    return [one for one in events if isinstance(one, AudioReceived) and one.channel_id == channel_id]


async def test_a_whole_call(memory_zoom: Callable[..., Any], autojump_clock: trio.testing.MockClock) -> None:
    async with memory_zoom() as zoom:
        events, truth = await receive(zoom)
        assert truth is not None
        assert zoom.zoom.violations == ()
        assert zoom.connected == ["/signaling", "/media/audio"]
    for track in truth.tracks:
        packets = audio(events, track.channel_id)
        assert sum(len(one.payload) // 2 for one in packets) == track.samples_sent_count == 8000 * 16
        assert packets[0].timestamp_ms == truth.first_packet_timestamp_ms
    consumer, agent = (one for one in events if isinstance(one, ParticipantConnected))
    assert (consumer.role, consumer.channel_id, consumer.queue_name) == (Role.CONSUMER, "ch-c", "Orders")
    assert (agent.role, agent.display_name) == (Role.USER, "Lee Agent")
    names = {one.name for one in events if isinstance(one, CallEventReceived)}
    assert names >= {"first_packet_timestamp", "consumer_answered", "user_answered", "stream_active"}
    opened = next(one for one in events if isinstance(one, MediaOpened))
    assert opened.audio.send_rate == 100
    assert events[-1] == StreamEnded("customer_disconnected", "Zoom ended the stream")


async def test_audio_is_asked_for_as_the_stream_needs_it(
    memory_zoom: Callable[..., Any], autojump_clock: trio.testing.MockClock
) -> None:
    wanted = AudioParams(sample_rate=SampleRate.SR_8K, send_rate=40)
    async with memory_zoom() as zoom:
        events, truth = await receive(zoom, audio=wanted)
        assert zoom.zoom.violations == ()
    assert truth is not None
    assert [one for one in events if isinstance(one, MediaOpened)] == [MediaOpened(wanted)]


async def test_stop_closes_politely(
    memory_zoom: Callable[..., Any], autojump_clock: trio.testing.MockClock
) -> None:
    async with memory_zoom() as zoom:
        begin = trio.current_time()
        events, _ = await receive(zoom, stop_after_s=3)
        assert trio.current_time() - begin < 100
        assert zoom.zoom.violations == ()
    assert events[-1] == StreamEnded("shutdown", "stopped by us")
    assert 20 <= len(audio(events, "ch-a")) <= 40


async def test_wrong_credentials(
    memory_zoom: Callable[..., Any], autojump_clock: trio.testing.MockClock
) -> None:
    async with memory_zoom() as zoom:
        with pytest.RaisesGroup(HandshakeRefusedError, flatten_subgroups=True) as caught:
            await receive(zoom, settings=SETTINGS.model_copy(update={"client_id": "someone-else"}))
    refusal = caught.value.exceptions[0]
    while isinstance(refusal, BaseExceptionGroup):
        refusal = refusal.exceptions[0]
    assert isinstance(refusal, HandshakeRefusedError)
    assert (refusal.which, refusal.status_code) == ("signaling", 3)


async def test_a_host_that_is_not_allowed(
    memory_zoom: Callable[..., Any], autojump_clock: trio.testing.MockClock
) -> None:
    async with memory_zoom() as zoom:
        with pytest.RaisesGroup(ForbiddenHostError, flatten_subgroups=True):
            await receive(zoom, settings=SETTINGS.model_copy(update={"allowed_hosts": ("*.zoom.us",)}))
        assert zoom.connected == [], "not even a connection"


async def test_garbage_costs_itself(
    memory_zoom: Callable[..., Any], autojump_clock: trio.testing.MockClock
) -> None:
    async with memory_zoom("[faults]\ngarbage_at_ms = [2_000]\n") as zoom:
        events, truth = await receive(zoom)
    rejected = [one for one in events if isinstance(one, MessageRejected)]
    assert len(rejected) >= 1
    assert truth is not None
    assert (
        sum(len(one.payload) // 2 for one in audio(events, "ch-a")) == truth.track("ch-a").samples_sent_count
    )


def dead_end(kind: str) -> Callable[[str, float], Any]:
    @asynccontextmanager
    async def connect(url: str, timeout_s: float) -> Any:
        if kind == "refused":
            raise OSError("connection refused")

        class Silent:
            async def send_message(self, message: str) -> None:
                await trio.lowlevel.checkpoint()

            async def get_messages(self) -> list[bytes]:
                await trio.sleep_forever()
                raise AssertionError

        yield Silent()

    return connect


@pytest.mark.parametrize(("kind", "problem"), [("refused", "OSError"), ("mute", "unanswered")])
@pytest.mark.parametrize("kept_for_s", [60.0, 5.0])
async def test_a_server_that_cannot_be_reached(
    kind: str,
    problem: str,
    kept_for_s: float,
    memory_zoom: Callable[..., Any],
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with memory_zoom() as zoom:
        zoom.connect = dead_end(kind)
        events_send, events_receive = trio.open_memory_channel[StreamEvent](10)
        receiver = WebSocketReceiver(SETTINGS, LANGUAGES, zoom.started, events_send, zoom.connect)
        begin = trio.current_time()
        with pytest.raises(ConnectionFailedError, match=problem):
            await receiver.run(kept_for_s)
        took_s = trio.current_time() - begin
        assert kept_for_s / 2 < took_s + SETTINGS.handshake_timeout_s, "it is asked for again"
        assert took_s <= kept_for_s + SETTINGS.handshake_timeout_s
        assert [event async for event in events_receive] == []


@pytest.mark.parametrize(("torn", "connected"), [(0, 4), (1, 3)], ids=["signaling", "media"])
async def test_a_connection_that_is_torn_off_is_made_again(
    torn: int, connected: int, memory_zoom: Callable[..., Any], autojump_clock: trio.testing.MockClock
) -> None:
    async with memory_zoom() as zoom:

        async def tear() -> None:
            await trio.sleep(3)
            zoom.servers[torn].send_stream.close()
            zoom.servers[torn].receive_stream.close()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(tear)
            events, truth = await receive(zoom)
        told = {one.what.partition(": ")[2] for one in zoom.zoom.violations}
        assert told <= {"ended the connection without a closing handshake"}, "for it was torn off"
        assert len(zoom.connected) == connected, "what is not lost stays"
    assert truth is not None
    broken = [number for number, one in enumerate(events) if isinstance(one, ReceptionBroken)]
    assert len(broken) == 1
    assert sum(isinstance(one, EventsMissed) for one in events) == (torn == 0), "signaling alone tells events"
    assert isinstance(events[broken[0] + 1], MediaOpened)
    for track in truth.tracks:
        assert (
            sum(len(one.payload) // 2 for one in audio(events, track.channel_id)) >= track.samples_sent_count
        )
    assert events[-1] == StreamEnded("customer_disconnected", "Zoom ended the stream")


async def test_a_stream_that_stays_away_is_given_up_when_zooms_window_is_over(
    memory_zoom: Callable[..., Any], autojump_clock: trio.testing.MockClock
) -> None:
    async with memory_zoom() as zoom:

        async def cut_the_cable() -> None:
            await trio.sleep(3)
            zoom.connect = dead_end("refused")
            zoom.receiver._signaling_line._connect = zoom.receiver._media_line._connect = zoom.connect
            for server in zoom.servers:
                server.send_stream.close()
                server.receive_stream.close()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(cut_the_cable)
            begin = trio.current_time()
            events, _ = await receive(zoom)
    assert 20 < trio.current_time() - begin < 120
    ended = events[-1]
    assert isinstance(ended, StreamEnded)
    assert ended.cause == "connection_lost"
    assert "connection refused" in ended.detail
    assert events[-2] == ReceptionBroken("connection_lost")
    assert len(audio(events, "ch-a")) >= 20, "what had come is handed on"


@pytest.mark.parametrize("kind", ["refused", "mute"])
async def test_a_stream_that_never_gets_media_ends_with_a_reason(
    kind: str, memory_zoom: Callable[..., Any], autojump_clock: trio.testing.MockClock
) -> None:
    async with memory_zoom(duration_ms=300_000) as zoom:
        events_send, events_receive = trio.open_memory_channel[StreamEvent](100)
        receiver = WebSocketReceiver(SETTINGS, LANGUAGES, zoom.started, events_send, zoom.connect)
        receiver._media_line._connect = dead_end(kind)
        begin = trio.current_time()
        async with trio.open_nursery() as playing:
            playing.start_soon(partial(zoom.zoom.play, zoom.scenario, event_ts_ms=zoom.started.event_ts_ms))
            await trio.testing.wait_all_tasks_blocked()
            try:
                await receiver.run()
            except ConnectionFailedError as error:
                why = str(error)
            else:  # Zoom has lost patience first
                *_, ended = [event async for event in events_receive]
                assert isinstance(ended, StreamEnded)
                why = ended.cause
            playing.cancel_scope.cancel()
        assert why
        assert MEDIA_WINDOW_S / 4 < trio.current_time() - begin < 2 * MEDIA_WINDOW_S


async def test_failover_to_another_url(
    memory_zoom: Callable[..., Any], autojump_clock: trio.testing.MockClock
) -> None:
    async with memory_zoom() as zoom:

        async def move() -> None:
            await trio.sleep(3)
            zoom.receiver.reconnect("ws://127.0.0.1:1/signaling")
            await trio.sleep(1)
            assert len(zoom.connected) == 2, "the same URL, and all is well: a repeated webhook"
            zoom.receiver.reconnect()
            await trio.sleep(1)
            assert len(zoom.connected) == 2, "a connection this young is not the one that was interrupted"
            zoom.receiver.reconnect("ws://127.0.0.1:2/signaling")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(move)
            events, truth = await receive(zoom)
        assert zoom.connected == ["/signaling", "/media/audio", "/signaling", "/media/audio"]
    assert truth is not None
    assert len(audio(events, "ch-a")) + 1 >= truth.track("ch-a").samples_sent_count // 1600
    assert events[-1] == StreamEnded("customer_disconnected", "Zoom ended the stream")


async def test_a_retired_stream_is_not_asked_for_again(
    memory_zoom: Callable[..., Any], autojump_clock: trio.testing.MockClock
) -> None:
    async with memory_zoom() as zoom:

        async def retire() -> None:
            await trio.sleep(2)
            zoom.receiver.retire("superseded")
            await trio.sleep(2)
            assert len(zoom.connected) == 2, "as long as it is there it is heard"
            for server in zoom.servers:
                server.send_stream.close()
                server.receive_stream.close()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(retire)
            events, _ = await receive(zoom)
        assert len(zoom.connected) == 2
    ended = events[-1]
    assert isinstance(ended, StreamEnded)
    assert ended.cause == "superseded"
    assert len(audio(events, "ch-a")) >= 30


async def test_zoom_is_told_when_we_want_no_more(
    memory_zoom: Callable[..., Any], autojump_clock: trio.testing.MockClock
) -> None:
    async with memory_zoom() as zoom:
        events, truth = await receive(zoom, stop_after_s=3, stop_cause="stopped_by_operator")
        assert zoom.zoom.violations == ()
    assert events[-1] == StreamEnded("stopped_by_operator", "stopped by us")
    assert truth is not None
    assert truth.stop_reason == StopReason.RECEIVER_REQUEST_CLOSE


TEXTS = SETTINGS.model_copy(update={"transcripts": True})


async def test_zooms_own_transcripts(
    memory_zoom: Callable[..., Any], autojump_clock: trio.testing.MockClock
) -> None:
    async with memory_zoom() as zoom:
        events, truth = await receive(zoom, settings=TEXTS)
        assert zoom.zoom.violations == ()
        assert sorted(zoom.connected) == ["/media/audio", "/media/transcript", "/signaling"]
    assert truth is not None
    told = [one for one in events if isinstance(one, TranscriptReceived)]
    assert len(told) == len(truth.utterances)


class Scripted:
    """A WebSocket that says what it is told to, then keep-alives, and remembers what it was told."""

    def __init__(self, *messages: str, closes: bool = False) -> None:
        self.messages = list(messages)
        self.closes = closes
        self.said: list[dict[str, Any]] = []

    async def send_message(self, message: str) -> None:
        await trio.lowlevel.checkpoint()
        self.said.append(json.loads(message))

    async def get_messages(self) -> list[bytes]:
        await trio.lowlevel.checkpoint()
        if self.messages:
            return [self.messages.pop(0).encode()]
        if self.closes:
            raise trio_websocket.ConnectionClosed(None)
        await trio.sleep(10)
        return [b'{"msg_type":12,"timestamp":1}']


SIGNALING_OK = '{"msg_type":2,"status_code":0,"media_server":{"server_urls":{"audio":"ws://127.0.0.1/m"}}}'
MEDIA_OK = '{"msg_type":4,"status_code":0}'
TERMINATED = '{"msg_type":8,"state":4,"reason":26,"timestamp":1781000600000}'
AUDIO = '{"msg_type":14,"content":{"channel_id":"ch","data":"AQACAA==","timestamp":1781000012340}}'


async def listen(
    signaling: Scripted,
    media: Scripted | Exception,
    *,
    stall_s: float = 0,
    stop_after_s: float | None = None,
) -> tuple[list[StreamEvent], Exception | None]:
    """Run a receiver on two scripts; its reader does nothing for the first `stall_s`."""

    @asynccontextmanager
    async def connect(url: str, timeout_s: float) -> AsyncIterator[Any]:
        websocket = media if url.endswith("/m") else signaling
        if isinstance(websocket, Exception):
            await trio.sleep(1)
            raise websocket
        yield websocket

    started = StreamStarted(Product.CONTACT_CENTER, "E", "S", "ws://127.0.0.1/s", 1_781_000_000_000)
    events_send, events_receive = trio.open_memory_channel[StreamEvent](0)
    receiver = WebSocketReceiver(SETTINGS, LANGUAGES, started, events_send, connect)
    failure: Exception | None = None

    async def run() -> None:
        nonlocal failure
        try:
            await receiver.run()
        except ZccvoiceError as error:
            failure = error

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        await trio.sleep(stall_s)
        if stop_after_s is not None:
            nursery.start_soon(_stop_later, receiver, stop_after_s)
        events = [event async for event in events_receive]
    return events, failure


async def _stop_later(receiver: WebSocketReceiver, seconds: float) -> None:
    await trio.sleep(seconds)
    receiver.stop("shutdown")


async def test_a_reader_that_stalled_does_not_take_waiting_messages_for_silence(
    autojump_clock: trio.testing.MockClock,
) -> None:
    signaling, media = Scripted(SIGNALING_OK), Scripted(MEDIA_OK, *[AUDIO] * 50, closes=True)
    events, failure = await listen(signaling, media, stall_s=200)
    assert failure is None
    assert len(audio(events, "ch")) == 50
    assert {one["msg_type"] for one in signaling.said} == {1, 5, 7, 13}, "and keep-alives were answered"


@pytest.mark.parametrize("media", [Scripted(), OSError("refused"), Scripted(MEDIA_OK)])
async def test_zooms_reason_is_not_hidden_by_what_goes_wrong_after_it(
    media: Scripted | Exception, autojump_clock: trio.testing.MockClock
) -> None:
    events, failure = await listen(Scripted(SIGNALING_OK, TERMINATED), media)
    assert failure is None
    assert events[-1] == StreamEnded("streaming_not_supported", "Zoom ended the stream")


async def test_a_phone_call_is_understood(no_threads: None, autojump_clock: trio.testing.MockClock) -> None:
    people = [{"channel_id": channel_id, "to_ms": 3_000} for channel_id in ("16778240", "16779264")]
    call = {"title": "By phone", "product": "phone", "engagement_id": "call-1", "stream_id": "s" * 32}
    scenario = parse_scenario(
        {**call, "duration_ms": 3_000, "participant": people}, name="call.toml", folder=Path()
    )
    async with trio.open_nursery() as nursery:
        zoom = MemoryZoom(nursery, scenario)
        zoom.started = replace(zoom.started, product=Product.PHONE)
        events, truth = await receive(zoom)
        nursery.cancel_scope.cancel()
    assert truth is not None
    assert not zoom.zoom.violations
    assert not [one for one in events if isinstance(one, MessageRejected | ParticipantConnected)]
    names = {one.name for one in events if isinstance(one, CallEventReceived)}
    assert "first_packet_timestamp" in names
    assert not names & {name.lower() for name in EventType.__members__} - {"first_packet_timestamp"}
    assert {one.channel_id for one in events if isinstance(one, AudioReceived)} == {"16778240", "16779264"}


async def test_an_acceptance_without_media_urls_is_named(autojump_clock: trio.testing.MockClock) -> None:
    events, failure = await listen(Scripted('{"msg_type":2,"status_code":0}'), Scripted())
    assert events == []
    assert isinstance(failure, RemoteProtocolError)
    assert "without media server URLs" in str(failure)


@pytest.mark.parametrize(
    ("error", "words"),
    [(ExceptionGroup("", [ValueError("garbage")]), "ValueError: garbage"), (OSError("no route"), "no route"),
     (trio_websocket.ConnectionTimeout(), "ConnectionTimeout")],
)  # fmt: skip
async def test_whatever_happens_while_connecting_is_a_failed_connection(
    error: Exception, words: str, autojump_clock: trio.testing.MockClock
) -> None:
    _, failure = await listen(Scripted(SIGNALING_OK), error)
    assert isinstance(failure, ConnectionFailedError)
    assert words in str(failure)
    assert "media" in str(failure)


async def test_what_came_before_a_stop_is_read(autojump_clock: trio.testing.MockClock) -> None:
    """It waits in the socket: what comes all the time is read together."""

    class Gathering(Scripted):
        async def get_messages(self) -> list[bytes]:
            await trio.sleep(GATHER_S)
            return await super().get_messages()

    signaling, media = Scripted(SIGNALING_OK), Gathering(MEDIA_OK, *[AUDIO] * 50)
    events, _ = await listen(signaling, media, stop_after_s=GATHER_S * 5.5)
    assert len(audio(events, "ch")) == 5


HANGS = float("inf")
"""Seconds that the attempt to connect to a server takes which swallows everything."""


class Servers:
    """Zoom's, by port and path: how long each takes to be reached. What is reached speaks at once."""

    def __init__(self, takes_s: dict[str, float]) -> None:
        self._takes_s = takes_s
        self.attempts: list[tuple[float, str]] = []

    @asynccontextmanager
    async def connect(self, url: str, timeout_s: float) -> AsyncIterator[Any]:
        port_and_path = url.removeprefix("ws://127.0.0.1:")
        self.attempts.append((trio.current_time(), port_and_path))
        with trio.fail_after(timeout_s):
            await trio.sleep(self._takes_s.get(port_and_path, 0))
        if port_and_path.endswith("/m"):
            yield Scripted(MEDIA_OK, AUDIO)
        else:
            yield Scripted(SIGNALING_OK.replace("127.0.0.1", f"127.0.0.1:{port_and_path[0]}"))


async def ordered(
    servers: Servers, at_s: float, order: Callable[[WebSocketReceiver], None], until_s: float
) -> list[StreamEvent]:
    """What a receiver tells that is given an order at that moment, and stopped later."""
    started = StreamStarted(Product.CONTACT_CENTER, "E", "S", "ws://127.0.0.1:1/s", 1_781_000_000_000)
    events_send, events_receive = trio.open_memory_channel[StreamEvent](100)
    receiver = WebSocketReceiver(SETTINGS, LANGUAGES, started, events_send, servers.connect)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(receiver.run)
        await trio.sleep_until(at_s)
        order(receiver)
        await trio.sleep_until(until_s)
        receiver.stop("shutdown")
    return [event async for event in events_receive]


@pytest.mark.parametrize("slow", ["1/s", "1/m"])
async def test_failover_does_not_wait_for_an_attempt_at_the_old_server(
    slow: str, autojump_clock: trio.testing.MockClock
) -> None:
    servers = Servers({slow: HANGS})
    events = await ordered(servers, 3, lambda receiver: receiver.reconnect("ws://127.0.0.1:2/s"), 20)
    at = {where: at_s for at_s, where in servers.attempts}
    assert 3 <= at["2/s"] <= at["2/m"] < 4
    assert len(servers.attempts) == {"1/s": 3, "1/m": 4}[slow]
    missed = {"1/s": [], "1/m": [EventsMissed]}[slow]
    assert [type(one) for one in events] == [*missed, MediaOpened, AudioReceived, StreamEnded]


@pytest.mark.parametrize("slow", ["1/s", "1/m"])
async def test_a_stop_does_not_wait_for_an_attempt(slow: str, autojump_clock: trio.testing.MockClock) -> None:
    events = await ordered(Servers({slow: HANGS}), 3, lambda receiver: receiver.stop("silent"), 3)
    assert trio.current_time() < 3 + 2 * GOODBYE_S + 0.1
    assert events == [StreamEnded("silent", "stopped by us")]


@pytest.mark.parametrize("server_url", ["ws://127.0.0.1:1/s", None], ids=["repeated start", "interruption"])
async def test_what_is_told_again_disturbs_no_attempt(
    server_url: str | None, autojump_clock: trio.testing.MockClock
) -> None:
    servers = Servers({"1/s": 6})
    events = await ordered(servers, 3, lambda receiver: receiver.reconnect(server_url), 20)
    assert servers.attempts == [(0, "1/s"), (6, "1/m")]
    assert [type(one) for one in events] == [MediaOpened, AudioReceived, StreamEnded]


@pytest.mark.parametrize("server_url", [None, "ws://127.0.0.1:2/s"])
@pytest.mark.parametrize(
    ("lost_s_ago", "is_cut"),
    [(301.0, False), (280.0, True)],
    ids=["before the connection was made", "after that"],
)
async def test_an_interruption_that_zoom_tells_late_is_of_an_older_connection(
    server_url: str | None, lost_s_ago: float, is_cut: bool, autojump_clock: trio.testing.MockClock
) -> None:
    servers = Servers({})
    await ordered(servers, 300, lambda one: one.reconnect(server_url, lost_s_ago=lost_s_ago), 320)
    assert len(servers.attempts) == (4 if is_cut else 2)


async def test_a_connection_that_was_brand_new_is_not_the_one_that_zoom_lost(
    autojump_clock: trio.testing.MockClock,
) -> None:
    servers = Servers({})
    await ordered(servers, 300, lambda one: one.reconnect(lost_s_ago=295), 320)
    assert len(servers.attempts) == 2


class Deaf(Scripted):
    """Of whose end nobody hears: nothing comes any more."""

    async def get_messages(self) -> list[bytes]:
        if not self.messages:
            await trio.sleep_forever()
        return await super().get_messages()


class Ending(Scripted):
    """Keeps alive every second, until Zoom ends the stream."""

    def __init__(self, is_due: Callable[[], bool]) -> None:
        super().__init__(SIGNALING_OK)
        self._is_due = is_due

    async def get_messages(self) -> list[bytes]:
        if not self.messages:
            await trio.sleep(1)
            self.messages.append(TERMINATED if self._is_due() else '{"msg_type":12,"timestamp":1}')
        return await super().get_messages()


@pytest.mark.parametrize(
    ("media", "is_told"),
    [(Deaf(MEDIA_OK, AUDIO), True), (Scripted(MEDIA_OK, AUDIO), False), (Deaf(MEDIA_OK), True)],
    ids=["deaf", "alive", "deaf from the start"],
)
async def test_a_time_in_which_nobody_heard_is_told_when_zoom_ends_the_stream(
    media: Scripted, is_told: bool, autojump_clock: trio.testing.MockClock
) -> None:
    events, failure = await listen(Ending(lambda: trio.current_time() >= 30), media)
    assert failure is None
    assert events[-1] == StreamEnded("streaming_not_supported", "Zoom ended the stream")
    assert [one for one in events if isinstance(one, ReceptionBroken)] == (
        [ReceptionBroken("connection_lost")] if is_told else []
    )


async def test_a_refusal_of_the_next_connection_is_no_new_loss(
    autojump_clock: trio.testing.MockClock,
) -> None:
    refusals = ['{"msg_type":4,"status_code":15,"reason":"duplicate media connection"}'] * 4

    class Held(Scripted):
        """Closed after the first words; the connections after it are refused."""

        async def get_messages(self) -> list[bytes]:
            if self.messages:
                return await super().get_messages()
            if not self.closes:
                self.closes = True
                raise trio_websocket.ConnectionClosed(None)
            return [refusals.pop().encode()]

    events, failure = await listen(Ending(lambda: not refusals), Held(MEDIA_OK, AUDIO))
    assert failure is None
    assert [one for one in events if isinstance(one, ReceptionBroken)] == [ReceptionBroken("connection_lost")]
