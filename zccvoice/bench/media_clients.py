"""Who receives in `bench media`, each in a process of its own: a bare socket, this program, Zoom's SDK."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import trio

from zccvoice.analytics.pseudonym import PhonePseudonym
from zccvoice.bench.journal import new_shelf
from zccvoice.bench.media_load import APP, pin
from zccvoice.bench.media_tally import CONNECTED_S, SETTLED_S, Tally, Watch
from zccvoice.bench.media_yardsticks import bare_socket, zooms_sdk
from zccvoice.config import Config, LogConfig, ZoomConfig
from zccvoice.daemon import call as call_module
from zccvoice.daemon import log
from zccvoice.daemon.call import Call
from zccvoice.daemon.detector import UnclearItem
from zccvoice.daemon.garbage import seldom_collected
from zccvoice.daemon.house import House
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.outbox import Outbox
from zccvoice.daemon.projection import Projection, Toil
from zccvoice.daemon.receiver import WebSocketReceiver
from zccvoice.daemon.transcriber import SpokenItem
from zccvoice.daemon.transport import EventsSend
from zccvoice.journal.journal import Damage, Record
from zccvoice.rtms.events import AudioReceived, MediaOpened, StreamEvent
from zccvoice.rtms.messages import AudioParams
from zccvoice.rtms.webhook import StreamStarted
from zccvoice.speech.language import LanguagePolicy

LAG_STEP_S = 0.02
ANSWER_S = 60.0
WATCHED_STEP = 8
"""Of one stream in so many the delay is measured: that costs, too."""


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
                tally = zooms_sdk(folder, streams, rate_ms, seconds)
            else:
                whole = partial(_whole, Path(folder))
                client = {"floor": bare_socket, "receive": _receive, "whole": whole}[kind]
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


async def _watch(client: Any, streams: Sequence[StreamStarted], config: Config, seconds: float) -> Tally:
    watch = Watch(len(streams))
    with seldom_collected():
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
    streams: Sequence[StreamStarted], config: Config, watch: Watch, *, task_status: Any
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
    folder: Path, streams: Sequence[StreamStarted], config: Config, watch: Watch, *, task_status: Any
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

    watched = {one.stream_id for one in streams[::WATCHED_STEP]}

    def transport(
        started: StreamStarted, events_send: EventsSend, audio: AudioParams | None
    ) -> WebSocketReceiver:
        if started.stream_id in watched:
            events_send = _Arrivals(started, events_send, watch)
        return WebSocketReceiver(config.zoom, languages, started, events_send, audio=audio)

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
    """What a receiver sends into, and notes how soon a packet of the stream can come at best."""

    def __init__(self, started: StreamStarted, events_send: EventsSend, watch: Watch) -> None:
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

    async def __aenter__(self) -> _Arrivals:
        return self

    async def __aexit__(self, *about: Any) -> None:
        await self._inner.__aexit__(*about)


class _WatchedProjection(Projection):
    """Notes when a packet's track has it."""

    def __init__(self, watch: Watch, started: StreamStarted, **settings: Any) -> None:
        super().__init__(started, **settings)
        self._watch = watch
        self._of = started.stream_id

    def take_in_steps(self, record: Record | Damage) -> Iterator[Toil]:
        yield from super().take_in_steps(record)
        if isinstance(record, Record):
            sent_ms = [one.timestamp_ms for one in record.entries if isinstance(one, AudioReceived)]
            if sent_ms or any(isinstance(one, MediaOpened) for one in record.entries):
                self._watch.heard(self._of)
            self._watch.tally.messages += len(sent_ms)
            if (earliest_s := self._watch.earliest_s.get(self._of)) is not None:
                now_ms = (time.time() - earliest_s) * 1_000
                self._watch.tally.delays_ms += [now_ms - one for one in sent_ms]
