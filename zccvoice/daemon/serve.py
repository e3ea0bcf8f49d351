"""The task tree. How it is nested is how it stops:

    serve
    └ writer, webhooks' journal   end when the calls have, and everything is in the database
      └ transcriber               ends when the last call has closed its utterance channel
        └ calls                   hung up on when the door is closed; the open utterances are flushed
          └ door                  the first signal closes it

The first SIGTERM or SIGINT closes the door; from there the end of channels flows downhill, for at most
``shutdown.drain_s``. The second one stops everything at once. Either way nothing is lost: what the database
does not have by then is in the journals, and the next start goes on from there.
"""

from __future__ import annotations

import signal

import trio
from sqlalchemy import Engine

from zccvoice.analytics.pseudonym import PhonePseudonym
from zccvoice.analytics.sentiment import load_scorers
from zccvoice.analytics.thresholds import thresholds_with
from zccvoice.config import Config
from zccvoice.daemon.call import Call
from zccvoice.daemon.detector import LanguageDetector, UnclearItem
from zccvoice.daemon.door import Door
from zccvoice.daemon.house import House
from zccvoice.daemon.housekeeping import keep_house
from zccvoice.daemon.log import get_logger
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.outbox import Outbox
from zccvoice.daemon.receiver import WebSocketReceiver
from zccvoice.daemon.recovery import carry_out, deleter, find_inheritance
from zccvoice.daemon.rule_webhook import RuleWebhook
from zccvoice.daemon.sdk import connect_for, say_which_transport
from zccvoice.daemon.supervisor import Supervisor
from zccvoice.daemon.transcriber import SpokenItem, Transcriber
from zccvoice.daemon.transport import EventsSend
from zccvoice.daemon.webhook_journal import WebhookJournal
from zccvoice.daemon.writer import NO_RULES, Writer, measure_in, measure_live_in, write_to
from zccvoice.journal.shelf import Shelf
from zccvoice.rtms.messages import AudioParams
from zccvoice.rtms.webhook import StreamStarted, WebhookEvent, WebhookReceiver
from zccvoice.speech.language import LanguagePolicy
from zccvoice.speech.recognizer import Recognizer
from zccvoice.store.rules import RuleBook

WEBHOOKS_WAITING = 1_000
"""Verified webhooks that the supervisor has not seen yet. When full, Zoom is told to come again (503)."""
UNCLEAR_WAITING = 1_000
"""Utterances of which is to be found out in which language they are, one or two for a call that begins. When full,
what their calls receive goes on being written and is looked at later."""
DISK_THREADS = 8
"""Threads that open and read journals."""
log = get_logger()


async def serve(
    config: Config,
    engine: Engine,
    shelf: Shelf,
    recognizer: Recognizer,
    phones: PhonePseudonym,
    *,
    book: RuleBook = NO_RULES,
    task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
) -> bool:
    """Run the daemon until a signal ends it; tells the door's URL when it listens.

    Args:
        config: the settings.
        engine: a database whose schema is current.
        shelf: the journals.
        recognizer: loaded, and it knows the configured languages.
        phones: what is kept of phone numbers.
        book: the rules that calls are judged by.

    Returns:
        True when everything that was received is in the database, but for what has to wait for the next start
        (see `hearing`); False when it was stopped before.
    """
    say_which_transport(config.zoom)
    thresholds = thresholds_with(config.measures.thresholds)
    metrics = Metrics()
    outbox = Outbox()
    closing = trio.Event()
    # The transcriber takes utterances at once, until as many wait in it as may; then calls wait here.
    spoken_send, spoken_receive = trio.open_memory_channel[SpokenItem](0)
    unclear_send, unclear_receive = trio.open_memory_channel[UnclearItem](UNCLEAR_WAITING)
    webhooks_send, webhooks_receive = trio.open_memory_channel[WebhookEvent](WEBHOOKS_WAITING)
    webhooks = WebhookJournal(
        shelf, sync=config.journal.sync, is_settled=lambda: not (outbox.is_urgent or outbox.owes_deletion)
    )
    inheritance = await trio.to_thread.run_sync(find_inheritance, shelf, webhooks)
    languages = LanguagePolicy(config.language)
    house = House(
        config,
        languages,
        phones,
        shelf,
        outbox,
        metrics,
        spoken_send,
        unclear_send,
        trio.CapacityLimiter(DISK_THREADS),
        scorers=load_scorers(config.sentiment.lexicons),
    )

    def receiver(
        started: StreamStarted, events_send: EventsSend, audio: AudioParams | None
    ) -> WebSocketReceiver:
        connect = connect_for(config.zoom, languages, started, audio)
        return WebSocketReceiver(config.zoom, languages, started, events_send, connect, audio=audio)

    def make_call(started: StreamStarted, is_announced: bool) -> Call:
        return Call(started, receiver, house, is_announced=is_announced)

    supervisor = Supervisor(make_call, deleter(shelf, webhooks, outbox), metrics)
    writer = Writer(
        outbox,
        shelf,
        metrics,
        write=write_to(engine),
        measure=measure_in(engine, book, thresholds=thresholds),
        measure_live=measure_live_in(engine, book, thresholds=thresholds),
        live=house.live,
        pause_sound=supervisor.pause_sound,
    )
    transcriber = Transcriber(recognizer, metrics, config.speech, closing=closing)
    door = Door(config.door, WebhookReceiver(config.signing_apps), webhooks_send, metrics, keep=webhooks.keep)
    for revoked in inheritance.revoked:
        await carry_out(revoked, shelf, outbox)

    is_complete = False
    async with trio.open_nursery() as signals:
        signals.start_soon(_watch_signals, closing, signals.cancel_scope)
        with trio.CancelScope() as work:
            signals.start_soon(_bound_drain, closing, work, config.shutdown.drain_s)
            async with trio.open_nursery() as writing:
                writing.start_soon(writer.run)
                async with trio.open_nursery() as keeping:
                    keeping.start_soon(webhooks.run)
                    keeping.start_soon(house.commits.run)
                    keeping.start_soon(keep_house, config, engine, shelf)
                    if book.posts:
                        keeping.start_soon(RuleWebhook(config.rules.webhook, engine, metrics).run)
                    async with trio.open_nursery() as transcribing:
                        transcribing.start_soon(transcriber.run, spoken_receive)
                        transcribing.start_soon(
                            LanguageDetector(recognizer, config.speech).run, unclear_receive
                        )
                        async with spoken_send, unclear_send, trio.open_nursery() as calls:
                            calls.start_soon(
                                supervisor.run,
                                webhooks_receive,
                                inheritance.unfinished,
                                inheritance.missed,
                                inheritance.stopped,
                            )
                            url = await calls.start(door.run, closing)
                            log.info("ready", url=url + config.door.path)
                            task_status.started(url)
                    keeping.cancel_scope.cancel()
                outbox.close()
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
