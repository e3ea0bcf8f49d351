"""The task tree. How it is nested is how it stops:

    serve
    └ writer          ends when the transcriber and the calls have closed their ends of its channel
      └ transcriber   ends when the last call has closed its utterance channel
        └ calls       hung up on when the door is closed; the open utterances are flushed
          └ door      the first signal closes it

The first SIGTERM or SIGINT closes the door; from there the end of channels flows downhill, for at most
``shutdown.drain_s``. The second one stops everything at once.
"""

from __future__ import annotations

import signal

import trio
from sqlalchemy import Engine

from zccvoice.config import Config
from zccvoice.daemon.call import Call
from zccvoice.daemon.door import Door
from zccvoice.daemon.log import get_logger
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.supervisor import Supervisor
from zccvoice.daemon.transcriber import SpokenItem, Transcriber
from zccvoice.daemon.websocket import WebSocketReceiver
from zccvoice.daemon.writer import Writer, measure_in, write_to
from zccvoice.rtms.events import StreamEvent
from zccvoice.rtms.webhook import StreamStarted, WebhookEvent
from zccvoice.speech.language import LanguagePolicy
from zccvoice.speech.recognizer import Recognizer
from zccvoice.store.facts import Fact

FACTS_WAITING = 1_000
"""Facts between calls and database, a few hundred bytes each: some minutes of outage. When full, calls wait."""
WEBHOOKS_WAITING = 1_000
"""Verified webhooks that the supervisor has not seen yet. When full, Zoom is told to come again (503)."""
log = get_logger()


async def serve(
    config: Config,
    engine: Engine,
    recognizer: Recognizer,
    *,
    task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
) -> bool:
    """Run the daemon until a signal ends it; tells the door's URL when it listens.

    Args:
        engine: a database whose schema is current.
        recognizer: loaded, and it knows the configured languages.

    Returns:
        True when everything that was received is stored, False when it was stopped before.
    """
    metrics = Metrics()
    languages = LanguagePolicy(config.language)
    closing = trio.Event()
    facts_send, facts_receive = trio.open_memory_channel[Fact](FACTS_WAITING)
    spoken_send, spoken_receive = trio.open_memory_channel[SpokenItem](config.speech.backlog)
    webhooks_send, webhooks_receive = trio.open_memory_channel[WebhookEvent](WEBHOOKS_WAITING)

    def receiver(
        started: StreamStarted, events_send: trio.MemorySendChannel[StreamEvent]
    ) -> WebSocketReceiver:
        return WebSocketReceiver(config.zoom, started, events_send)

    def make_call(started: StreamStarted) -> Call:
        return Call(
            started,
            receiver,
            vad=config.speech.vad,
            languages=languages,
            metrics=metrics,
            facts_send=facts_send,
            spoken_send=spoken_send,
        )

    writer = Writer(write_to(engine), measure_in(engine), metrics)
    transcriber = Transcriber(recognizer, metrics)
    supervisor = Supervisor(make_call, metrics)
    door = Door(config.door, webhooks_send, metrics)

    is_complete = False
    async with trio.open_nursery() as signals:
        signals.start_soon(_watch_signals, closing, signals.cancel_scope)
        with trio.CancelScope() as work:
            signals.start_soon(_bound_drain, closing, work, config.shutdown.drain_s)
            async with trio.open_nursery() as writing:
                writing.start_soon(writer.run, facts_receive)
                async with facts_send, trio.open_nursery() as transcribing:
                    transcribing.start_soon(transcriber.run, spoken_receive, facts_send.clone())
                    async with spoken_send, trio.open_nursery() as calls:
                        calls.start_soon(supervisor.run, webhooks_receive)
                        url = await calls.start(door.run, closing)
                        log.info("ready", url=url + config.door.path)
                        task_status.started(url)
        is_complete = not work.cancelled_caught
        signals.cancel_scope.cancel()
    log.info("stopped", complete=is_complete)
    return is_complete


async def _watch_signals(closing: trio.Event, everything: trio.CancelScope) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as received:
        async for number in received:
            name = signal.Signals(number).name
            if closing.is_set():
                log.warning("stopping at once", signal=name)
                everything.cancel()
                return
            log.info("stopping", signal=name)
            closing.set()


async def _bound_drain(closing: trio.Event, work: trio.CancelScope, drain_s: float) -> None:
    await closing.wait()
    work.deadline = trio.current_time() + drain_s
