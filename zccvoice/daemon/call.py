"""One stream, from its first message to its last utterance.

    receiver ──events──► Recorder ──► the stream's journal
                            │ received records, once they are written
                            ▼
                        Projection ──► Hearing ──► utterances ──► transcriber ──┐
                                          │ ▲                                   │ transcripts
                            Recorder ◄────┘ └───────────────────────────────────┘
                            └──► outbox ──► database

A call that finds a journal of its stream goes on with it: the projection begins at the journal's beginning,
quickly and without repeating transcripts, while the stream is received again, if Zoom still has it.

A call owns nothing that another call could feel: its errors end it alone, and what it received is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import trio

from zccvoice.daemon.breaks import cause_of_break
from zccvoice.daemon.endings import RETAKEN_CAUSES, REVOKED
from zccvoice.daemon.hearing import Hearing
from zccvoice.daemon.house import House
from zccvoice.daemon.live_speech import StreamSpeech
from zccvoice.daemon.log import get_logger
from zccvoice.daemon.outcome import Projected
from zccvoice.daemon.past import Past, only_the_end, read_past
from zccvoice.daemon.projection import Projection
from zccvoice.daemon.reception import INTERNAL_ERROR, Reception
from zccvoice.daemon.recorder import Recorder
from zccvoice.daemon.transport import SHUTDOWN, Transport
from zccvoice.errors import JournalFullError, JournalUnavailableError
from zccvoice.journal.journal import START, Damage, JournalReader, JournalWriter, Record
from zccvoice.journal.record import Kind
from zccvoice.journal.shelf import journal_name
from zccvoice.rtms.events import ReceptionBroken, StreamEnded
from zccvoice.rtms.explanations import explain_end
from zccvoice.rtms.webhook import StreamInterrupted, StreamStarted, StreamStopped, may_be_of_one_app
from zccvoice.store.facts import StreamClosed

ROOM_AGAIN_S = 1.0
"""How often a call that has no room for its journal looks for some."""
_T = TypeVar("_T")
log = get_logger()


class Call:
    """Everything about one stream while it runs."""

    def __init__(
        self, started: StreamStarted, transport: Transport, house: House, *, is_announced: bool = True
    ) -> None:
        """Prepare; `run` does it.

        Args:
            started: the announcement.
            transport: makes receivers of the stream.
            house: what all calls share.
            is_announced: Zoom says so now; False for one that we find unfinished at start.
        """
        self._started = self._announced = started
        self._transport = transport
        self._house = house
        self._is_announced = is_announced
        self._reception: Reception | None = None
        self._orders: list[Callable[[Reception], None]] = []
        self._stop_cause: str | None = None
        self._past = Past()
        self._recorder: Recorder | None = None
        self._received = trio.Event()
        self._life = trio.CancelScope()
        self.late_stop: StreamStopped | None = None
        """To be set before `run`: only now Zoom tells when a stream that we had lost was over."""
        self.end_cause: str | None = None
        """How the stream ended, as `StreamEnded.cause`; None while it runs."""
        self.ended_ms: int | None = None
        """When, by Zoom's clock (epoch ms); None while it runs, and where nothing told."""
        self.is_revoked = False
        """Zoom withdrew the stream: whatever we have of it is to be deleted."""
        self.has_made_way = False
        """It ended without an end: what it was waiting for is left to the stream's next call."""

    @property
    def started(self) -> StreamStarted:
        """The announcement."""
        return self._started

    @property
    def is_ending(self) -> bool:
        """Nothing more comes; what came may still have to be recognized."""
        return self._reception is not None and self._reception.is_over

    @property
    def stream_id(self) -> str:
        """Zoom's id of the stream."""
        return self._started.stream_id

    @property
    def engagement_id(self) -> str:
        """Zoom's id of the call."""
        return self._started.engagement_id

    def stop(self, cause: str) -> None:
        """Hang up on Zoom; what was heard so far is finished and stored, and `run` ends."""
        self._stop_cause = self._stop_cause or cause
        if self._reception is not None:
            self._reception.stop(cause)

    def revoke(self) -> None:
        """Zoom withdrew the stream: drop everything, at once."""
        self.is_revoked = True
        self.end_cause = REVOKED
        self._life.cancel()

    async def make_way(self, again: StreamStarted) -> None:
        """If Zoom has started the stream anew after all that is received, wait for no transcripts of that."""
        await self._received.wait()
        if self._recorder is not None and self._reception is not None and self._reception.is_before(again):
            await self._recorder.settle()
            self.has_made_way = True
            self._life.cancel()

    def note_stopped(self, stopped: StreamStopped, cause: str) -> None:
        """Zoom has announced the end: when it was belongs into the journal; there is no coming back."""
        self._tell(lambda reception: reception.note_stopped(stopped))
        self.retire(cause)

    def note_interrupted(self, interrupted: StreamInterrupted) -> None:
        """Zoom has told that it lost our signaling connection."""
        self._tell(lambda reception: reception.note_interrupted(interrupted))

    def announce_again(self, started: StreamStarted) -> None:
        """Zoom has announced the running stream again: a repetition, or failover to another URL."""
        if self._reception is None and started.is_dated and started.event_ts_ms > self._announced.event_ts_ms:
            self._announced, self._is_announced = started, True
        self._tell(lambda reception: reception.announce_again(started))

    def retire(self, cause: str) -> None:
        """Another stream has taken over: what is lost of this one is not asked for again."""
        self._tell(lambda reception: reception.retire(cause))

    def note_successor(self, started: StreamStarted) -> None:
        """The other stream: if this one is lost, it is not known to have gone on for longer."""
        self._tell(lambda reception: reception.note_successor(started))

    def keep_sound(self, is_kept: bool) -> None:
        """From now on keep nothing audible of the stream, or keep it again."""
        self._tell(partial(Reception.keep_sound, is_kept=is_kept, asked_ms=self._now_ms()))

    def pause_sound(self, end_ms: int) -> None:
        """Keep nothing audible of the stream up to this moment of Zoom's clock."""
        self._tell(partial(Reception.pause_sound, end_ms=end_ms, asked_ms=self._now_ms()))

    def _tell(self, order: Callable[[Reception], None]) -> None:
        """Now, or when the journal is open: there may be no room for it, or a long past to be read."""
        if self._reception is None:
            self._orders.append(order)
        else:
            order(self._reception)

    def _now_ms(self) -> int:
        return int(self._house.wall_clock() * 1000)

    async def run(self) -> None:
        """Receive the stream to its end, and see everything that it gave written to its journal.

        Cancelling it drops the connections; the journal has all but the last half second, and is taken
        up at the next start.
        """
        with self._life:
            writer = await self._open_journal()
            if writer is None:
                return
            house = self._house
            recorder = self._recorder = Recorder(
                writer,
                self._open_reader,
                house.outbox,
                received_end=self._past.received_end,
                settings=house.config.journal,
                metrics=house.metrics,
                commits=house.commits,
                limiter=house.disk,
                wall_clock=house.wall_clock,
            )
            projection = Projection(
                self._started,
                vad=house.config.speech.vad,
                languages=house.languages,
                phones=house.phones,
                agents=house.config.measures.agents,
                cpu_clock=time.thread_time,
            )
            reception = self._reception = Reception(
                self._started,
                self._transport,
                recorder,
                house.metrics,
                on_ended=self._note_end,
                redaction=house.config.redaction,
                audio=self._past.audio,
                told_before=self._past.events,
                wall_clock=house.wall_clock,
            )
            reception.is_over = not self._is_to_be_received()
            for order in self._orders:
                order(reception)
            if self._stop_cause is not None:
                reception.stop(self._stop_cause)
            house.outbox.begin(recorder.name)
            hearing = Hearing(
                self._started,
                house,
                self._past,
                recorder,
                self._open_reader,
                is_live=lambda: self._is_announced or not recorder.is_catching_up,
                on_defect=partial(_note_defect, projection, reception),
            )
            speech = StreamSpeech(
                self.engagement_id, projection.tracks, lambda: recorder.is_catching_up, house.wall_clock
            )
            with house.live.listening(self.stream_id, speech):
                async with trio.open_nursery() as tasks, hearing.listening():
                    tasks.start_soon(recorder.run)
                    tasks.start_soon(self._receive, recorder, reception)
                    await self._project(recorder, projection, reception, hearing, speech)
                    is_finished = await self._finish(recorder, projection, hearing)
                    recorder.close()
            if is_finished:
                house.outbox.finish(recorder.name)

    # The journal

    async def _open_journal(self) -> JournalWriter | None:
        """Begin or take up the journal; None when the stream is over and done with."""
        name = journal_name(self.stream_id)
        if await self._on_disk(partial(self._house.shelf.exists, name)):
            self._past = await self._on_disk(self._read_past)
            if self._is_over():
                return None
        elif self.late_stop is not None:  # deleted since
            return None
        return await self._on_disk(partial(self._begin_journal, name))

    async def _on_disk(self, do: Callable[[], _T]) -> _T:
        """Do it in a thread, as soon as there is room, and the system lets it be done."""
        while True:
            try:
                return await trio.to_thread.run_sync(do, limiter=self._house.disk)
            except (JournalFullError, JournalUnavailableError) as error:
                log.error("no journal for now; Zoom keeps a minute of audio", problem=str(error))
                await trio.sleep(ROOM_AGAIN_S)

    def _is_over(self) -> bool:
        """Whether nothing is left to do but, perhaps, to write the facts into the database."""
        past, name = self._past, journal_name(self.stream_id)
        if past.started is not None and not may_be_of_one_app(past.started, self._started):
            log.error("a stream is not taken up by who signs for another app")
            return True
        if past.closed is None:
            return False
        self._note_closed(past.closed)
        if self._is_announced:
            is_repetition = self.end_cause not in RETAKEN_CAUSES and not self._is_started_anew()
            log.info("repeated start ignored" if is_repetition else "stream taken up again")
            return is_repetition
        if self._is_to_be_received() or self.late_stop is not None:
            return False
        self._house.outbox.note(name, past.end)
        self._house.outbox.finish(name)
        return True

    def _is_started_anew(self) -> bool:
        """Zoom has started it again after its end, by its own clock: no repetition of an earlier start."""
        is_dated, ended_ms = self._announced.is_dated, self.ended_ms
        return is_dated and ended_ms is not None and self._announced.event_ts_ms > ended_ms

    def _note_closed(self, closed: StreamClosed) -> None:
        self.end_cause = closed.end_reason
        self.ended_ms = round(closed.ended_at.timestamp() * 1000)

    def _is_to_be_received(self) -> bool:
        """Zoom says so, or may not know of any end."""
        return self._is_announced or self._past.may_go_on(self._now_ms())

    def _read_past(self) -> Past:
        with self._open_reader() as reader:
            return read_past(reader)

    def _open_reader(self) -> JournalReader:
        return self._house.shelf.reader(journal_name(self.stream_id))

    def _begin_journal(self, name: str) -> JournalWriter:
        writer = self._house.shelf.writer(name)
        arrived_ms = self._now_ms()
        if writer.cut_bytes:
            log.warning("journal had a torn tail", bytes=writer.cut_bytes)
        try:
            if writer.is_new:
                for _ in range(2):  # a damaged block must not make a file that belongs to nobody
                    writer.write(Kind.RECEIVED, arrived_ms, [self._started])
            elif self._is_to_be_received():
                broken = ReceptionBroken(cause_of_break(self._past.ended))
                writer.write(Kind.RECEIVED, arrived_ms, [self._started, broken])
            elif self.late_stop is not None and self._past.ended is not None:
                writer.write(Kind.RECEIVED, arrived_ms, [self.late_stop, self._past.ended])
            else:
                return writer
            self._past.received_end = writer.end
        except BaseException:
            writer.close()
            raise
        return writer

    async def _receive(self, recorder: Recorder, reception: Reception) -> None:
        if not reception.is_over:
            await reception.run(None if self._is_announced else self._past.last_arrived_ms or 0)
        recorder.end_of_reception()
        self._received.set()

    def _note_end(self, ended: StreamEnded) -> None:
        if ended.cause == REVOKED:
            self.revoke()

    # Projecting

    async def _project(
        self,
        recorder: Recorder,
        projection: Projection,
        reception: Reception,
        hearing: Hearing,
        speech: StreamSpeech,
    ) -> None:
        """What is written is looked at, from the journal's beginning to its end."""
        offset = START
        is_sound = True
        while records := await recorder.next(offset):
            for record in records:
                offset = record.end
                try:
                    seen = record if is_sound else only_the_end(record)
                    if recorder.is_catching_up:
                        async with self._house.catching_up:
                            projected = await self._look_at(seen, projection, reception, speech)
                            await trio.lowlevel.checkpoint()
                    else:
                        projected = await self._look_at(seen, projection, reception, speech)
                    # In nobody's turn: a full transcriber must not keep back calls that want nothing of it.
                    await hearing.take(projected, is_past=record.offset < self._past.received_end)
                    hearing.note_time(projection.last_timestamp_ms)
                except Exception:  # the edge of this call: a defect of ours ends it alone
                    is_sound = False
                    _note_defect(projection, reception)

    async def _look_at(
        self, record: Record | Damage, projection: Projection, reception: Reception, speech: StreamSpeech
    ) -> list[Projected]:
        for toil in projection.take_in_steps(record):
            await trio.to_thread.run_sync(toil, limiter=self._house.toil)
        projected = projection.taken()
        speech.note(record, projected)
        self._house.metrics.note_progress(projection.taken_counts())
        is_of_now = record.offset >= self._past.received_end  # not why an earlier reception hung up
        if is_of_now and projection.failure is not None and not reception.is_over:
            reception.fail(projection.failure)
        return projected

    async def _finish(self, recorder: Recorder, projection: Projection, hearing: Hearing) -> bool:
        """State the end, after everything else; False when that is left to the next daemon."""
        ended = projection.ended
        may_go_on = self._stop_cause == SHUTDOWN and ended is not None and ended.cause == SHUTDOWN
        if not await hearing.finish(may_go_on=may_go_on):
            log.info("stream left to the next start: a number, a language or a transcript is still to come")
            return False
        closed = projection.closed()
        self._note_closed(closed)
        meaning = explain_end(closed.end_reason).summary
        log.info("stream ended", cause=closed.end_reason, detail=closed.detail, meaning=meaning)
        if self.late_stop is None:
            self._house.metrics.calls.labels(closed.end_reason).inc()
        if self._past.has_facts:  # what was derived under other settings is stale
            recorder.derive([hearing.restated()])
        recorder.derive([closed])
        await recorder.settle()
        return True


def _note_defect(projection: Projection, reception: Reception) -> None:
    """To be called while the exception is handled: the call ends, and its journal has all that came."""
    projection.ended = INTERNAL_ERROR
    reception.note_defect()
