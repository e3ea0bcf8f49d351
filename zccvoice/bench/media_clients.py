"""Who receives in `bench media`, each in a process of its own: a bare socket, this program, Zoom's SDK."""

from __future__ import annotations

import base64
import json
import multiprocessing
import os
import resource
import struct
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import trio

from zccvoice.analytics.pseudonym import PhonePseudonym
from zccvoice.bench.journal import new_shelf
from zccvoice.bench.media_load import APP, pin
from zccvoice.config import Config, LogConfig, ZoomConfig
from zccvoice.daemon import call as call_module
from zccvoice.daemon import log
from zccvoice.daemon.call import Call
from zccvoice.daemon.detector import UnclearItem
from zccvoice.daemon.house import House
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.outbox import Outbox
from zccvoice.daemon.outcome import Projected
from zccvoice.daemon.projection import Projection
from zccvoice.daemon.receiver import WebSocketReceiver
from zccvoice.daemon.transcriber import SpokenItem
from zccvoice.journal.journal import Damage, Record
from zccvoice.rtms.events import AudioReceived, StreamEvent
from zccvoice.rtms.identity import StreamIdentity
from zccvoice.rtms.webhook import StreamStarted
from zccvoice.speech.language import LanguagePolicy

SETTLED_S = 1.5
"""After the last stream has sent something, before it is measured."""
CONNECTED_S = 20.0
"""Streams that have not sent anything by then count as lost."""
LAG_STEP_S = 0.02
ANSWER_S = 60.0


@dataclass(slots=True)
class Tally:
    """What one client did in the time that was measured."""

    streams: int = 0
    """That sent something."""
    messages: int = 0
    """With audio; a bare socket does not look, and counts bytes."""
    received_bytes: int = 0
    cpu_s: float = 0.0
    wall_s: float = 0.0
    memory_bytes: int = 0
    """More than before the streams were connected."""
    delays_ms: list[float] = field(default_factory=list)
    """From a packet's arrival, had it come as soon as the soonest of its stream, to the VAD's decision on it."""
    lags_ms: list[float] = field(default_factory=list)
    """Of Trio's loop: how much too late a task wakes up that sleeps for 20 ms."""

    @property
    def cpu_ratio(self) -> float:
        """Cores in use."""
        return self.cpu_s / self.wall_s


def measured(kind: str, streams: Sequence[StreamStarted], *, send_rate_ms: int, seconds: float) -> Tally:
    """Receive all streams with one kind of client, and tell what it cost.

    Args:
        kind: ``floor``, ``receive``, ``whole`` or ``sdk``.
        streams: that wait for a client.
        send_rate_ms: of audio per message, as the client asks for.
        seconds: to measure for, once all are connected.
    """
    context = multiprocessing.get_context("spawn")
    near, far = context.Pipe()
    process = context.Process(target=_run, args=(far, kind, streams, send_rate_ms, seconds), daemon=True)
    process.start()
    far.close()
    try:
        if not near.poll(ANSWER_S):
            return Tally()
        tally: Tally = near.recv()
    except EOFError:  # the SDK may crash
        return Tally()
    else:
        return tally
    finally:
        process.kill()
        process.join()
        near.close()


def _run(pipe: Connection, kind: str, streams: Sequence[StreamStarted], rate_ms: int, seconds: float) -> None:
    pin(is_load=False)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        log.configure(LogConfig(level="error"), nowhere)
        with tempfile.TemporaryDirectory(prefix="zccvoice-bench-") as folder:
            if kind == "sdk":
                tally = _sdk(folder, streams, rate_ms, seconds)
            else:
                client = {"floor": _floor, "receive": _receive, "whole": partial(_whole, Path(folder))}[kind]
                tally = trio.run(_watch, client, streams, _config(rate_ms), seconds)
    pipe.send(tally)


def _config(rate_ms: int) -> Config:
    zoom = ZoomConfig.model_validate(
        {
            "client_id": APP.client_id,
            "client_secret": APP.client_secret,
            "allowed_hosts": ("127.0.0.1",),
            "send_rate_ms": rate_ms,
            "handshake_timeout_s": 30,
        }
    )
    return Config(zoom=zoom)


class _Watch:
    """What is counted while a client runs."""

    def __init__(self, streams: int) -> None:
        self.tally = Tally()
        self.waiting = {f"S{number}" for number in range(streams)}
        self.all_there = trio.Event()
        self.earliest_s: dict[str, float] = {}
        self.memory = _memory_bytes()

    def heard(self, stream_id: str) -> None:
        """A stream has sent something."""
        if self.waiting:
            self.waiting.discard(stream_id)
            if not self.waiting:
                self.all_there.set()

    def begin(self) -> None:
        """From now on it counts."""
        self.tally.messages = self.tally.received_bytes = 0
        self.tally.delays_ms.clear()
        self.tally.lags_ms.clear()
        self._cpu_s, self._begin_s = _cpu_s(), time.monotonic()

    def end(self, streams: int) -> Tally:
        """Until now it counted."""
        tally = self.tally
        tally.cpu_s, tally.wall_s = _cpu_s() - self._cpu_s, time.monotonic() - self._begin_s
        tally.streams = streams - len(self.waiting)
        tally.memory_bytes = _memory_bytes() - self.memory
        return tally


async def _watch(client: Any, streams: Sequence[StreamStarted], config: Config, seconds: float) -> Tally:
    watch = _Watch(len(streams))
    async with trio.open_nursery() as nursery:
        await nursery.start(client, streams, config, watch)
        with trio.move_on_after(CONNECTED_S):
            await watch.all_there.wait()
        await trio.sleep(SETTLED_S)
        watch.begin()
        end = trio.current_time() + seconds
        while trio.current_time() < end:
            due = trio.current_time() + LAG_STEP_S
            await trio.sleep_until(due)
            watch.tally.lags_ms.append((trio.current_time() - due) * 1_000)
        tally = watch.end(len(streams))
        nursery.cancel_scope.cancel()
    return tally


# This program


async def _receive(
    streams: Sequence[StreamStarted], config: Config, watch: _Watch, *, task_status: Any
) -> None:
    """The transport alone, with somebody who takes its events."""
    languages = LanguagePolicy(config.language)

    async def take(started: StreamStarted, events: trio.MemoryReceiveChannel[StreamEvent]) -> None:
        async for event in events:
            watch.heard(started.stream_id)
            watch.tally.messages += isinstance(event, AudioReceived)

    async with trio.open_nursery() as nursery:
        for started in streams:
            events_send, events_receive = trio.open_memory_channel[StreamEvent](1_000)
            receiver = WebSocketReceiver(config.zoom, languages, started, events_send)
            nursery.start_soon(receiver.run)
            nursery.start_soon(take, started, events_receive)
        task_status.started()


async def _whole(
    folder: Path, streams: Sequence[StreamStarted], config: Config, watch: _Watch, *, task_status: Any
) -> None:
    """The daemon's path: journal, decoder, detector, utterances; nobody transcribes them."""
    languages = LanguagePolicy(config.language)
    spoken_send, spoken_receive = trio.open_memory_channel[SpokenItem](config.speech.backlog)
    unclear_send, _ = trio.open_memory_channel[UnclearItem](1)  # nothing is to be detected
    house = House(
        config,
        languages,
        PhonePseudonym(None),
        new_shelf(folder),
        Outbox(),
        Metrics(),
        spoken_send,
        unclear_send,
        trio.CapacityLimiter(8),
    )
    setattr(call_module, "Projection", partial(_WatchedProjection, watch))  # noqa: B010 (not its own name)

    def transport(started: StreamStarted, events_send: Any) -> WebSocketReceiver:
        return WebSocketReceiver(config.zoom, languages, started, _Arrivals(started, events_send, watch))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.commits.run)
        nursery.start_soon(_discard, spoken_receive)
        for started in streams:
            nursery.start_soon(Call(started, transport, house).run)
        task_status.started()


async def _discard(spoken_receive: trio.MemoryReceiveChannel[SpokenItem]) -> None:
    async for _ in spoken_receive:
        pass


class _Arrivals:
    """A receiver's end of the channel that notes how soon a packet of the stream can come at best."""

    def __init__(self, started: StreamStarted, events_send: Any, watch: _Watch) -> None:
        self._stream_id = started.stream_id
        self._inner = events_send
        self._watch = watch

    async def send(self, event: StreamEvent) -> None:
        self._note(event)
        await self._inner.send(event)

    def send_nowait(self, event: StreamEvent) -> None:
        self._inner.send_nowait(event)
        self._note(event)

    def _note(self, event: StreamEvent) -> None:
        if isinstance(event, AudioReceived):
            age_s = time.time() - event.timestamp_ms / 1_000
            earliest = self._watch.earliest_s
            earliest[self._stream_id] = min(age_s, earliest.get(self._stream_id, age_s))
        self._watch.heard(self._stream_id)

    async def __aenter__(self) -> _Arrivals:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._inner.close()


class _WatchedProjection(Projection):
    """Notes when the detector has decided about a packet."""

    def __init__(self, watch: _Watch, started: StreamStarted, **settings: Any) -> None:
        super().__init__(started, **settings)
        self._watch = watch
        self._of = started.stream_id

    def take(self, record: Record | Damage) -> list[Projected]:
        outcomes = super().take(record)
        if isinstance(record, Record) and self._of in self._watch.earliest_s:
            now_s = time.time() - self._watch.earliest_s[self._of]
            for entry in record.entries:
                if isinstance(entry, AudioReceived):
                    self._watch.tally.messages += 1
                    self._watch.tally.delays_ms.append((now_s - entry.timestamp_ms / 1_000) * 1_000)
        return outcomes


# A bare socket: what receiving cannot cost less than


async def _floor(
    streams: Sequence[StreamStarted], config: Config, watch: _Watch, *, task_status: Any
) -> None:
    async with trio.open_nursery() as nursery:
        for started in streams:
            nursery.start_soon(_read_bytes, started, config.zoom.audio_send_rate_ms, watch)
        task_status.started()


async def _read_bytes(started: StreamStarted, rate_ms: int, watch: _Watch) -> None:
    """Handshakes with as little as will do, then nothing but reading."""
    port = int(started.server_url.split(":")[2].split("/")[0])
    identity = StreamIdentity.sign(
        started.product, started.engagement_id, started.stream_id, APP.client_id, APP.client_secret
    )
    ids = {"protocol_version": 1, "sequence": 1, "meeting_uuid": started.engagement_id}
    ids |= {"rtms_stream_id": started.stream_id, "signature": identity.signature}
    audio = {
        "content_type": 2,
        "sample_rate": 1,
        "channel": 1,
        "codec": 1,
        "data_opt": 2,
        "send_rate": rate_ms,
    }
    signaling = await _open(port, "/signaling", {"msg_type": 1, **ids})
    media = await _open(
        port, "/media/audio", {"msg_type": 3, "media_type": 1, "media_params": {"audio": audio}, **ids}
    )
    await signaling.send_all(_frame({"msg_type": 7, "rtms_stream_id": started.stream_id}))
    while data := await media.receive_some(2**16):
        watch.heard(started.stream_id)
        watch.tally.received_bytes += len(data)


async def _open(port: int, path: str, handshake: dict[str, Any]) -> trio.SocketStream:
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    key = base64.b64encode(os.urandom(16)).decode()
    await stream.send_all(
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    while not (await stream.receive_some()).endswith(b"\r\n\r\n"):
        pass
    await stream.send_all(_frame(handshake))
    await stream.receive_some(2**16)
    return stream


def _frame(message: dict[str, Any]) -> bytes:
    """A text frame, masked with zeros, long enough for the one form of its length."""
    raw = json.dumps(message).encode().ljust(126)
    return struct.pack("!BBH4x", 0x81, 0x80 | 126, len(raw)) + raw


# Zoom's SDK, on one thread, as its documents have it, doing nothing with what comes


def _sdk(folder: str, streams: Sequence[StreamStarted], rate_ms: int, seconds: float) -> Tally:
    os.environ["ZM_RTMS_LOG_ENABLED"] = "false"
    import rtms  # where the package is missing, the others are measured all the same

    Path(folder, "logs").mkdir()
    os.chdir(folder)
    tally, heard = Tally(), set()
    before = _memory_bytes()
    clients = []

    def note(stream_id: str, data: bytes, size: int, timestamp: int, about: Any) -> None:
        heard.add(stream_id)
        tally.messages += 1

    for started in streams:
        client = rtms.Client()
        client.on_audio_data(partial(note, started.stream_id))
        client.set_audio_params(rtms.AudioParams(2, 1, 1, 1, 2, rate_ms, 16 * rate_ms))
        client._pending_join_params = {
            "meeting_uuid": started.engagement_id,
            "rtms_stream_id": started.stream_id,
            "server_urls": started.server_url,
            "client": APP.client_id,
            "secret": APP.client_secret,
            "timeout": 30_000,
        }
        client._do_alloc_and_join()
        clients.append(client)
    poll = partial(rtms._ClientBase.poll, clients[0])  # serves all clients of the thread
    end = time.monotonic() + CONNECTED_S
    while len(heard) < len(streams) and time.monotonic() < end:
        poll()
    end = time.monotonic() + SETTLED_S
    while time.monotonic() < end:
        poll()
    tally.messages = 0
    cpu_s, begin = _cpu_s(), time.monotonic()
    while time.monotonic() < begin + seconds:
        poll()
    tally.cpu_s, tally.wall_s = _cpu_s() - cpu_s, time.monotonic() - begin
    tally.streams, tally.memory_bytes = len(heard), _memory_bytes() - before
    return tally


def _cpu_s() -> float:
    """Of this process, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _memory_bytes() -> int:
    """Resident, as far as it is not a file's."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0
