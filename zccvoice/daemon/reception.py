"""Receiving one stream into its journal, until it is over; asking for it again when we were the ones who left."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Self

import trio

from zccvoice.analytics.redaction import Policies, redact
from zccvoice.analytics.timing import PAUSE_OVER_UNTOLD
from zccvoice.audio.newest import Newest
from zccvoice.audio.quality import Jitter
from zccvoice.config import RedactionConfig
from zccvoice.daemon.endings import REVOKED, SUPERSEDED
from zccvoice.daemon.log import get_logger
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.recorder import Recorder
from zccvoice.daemon.sound_pauses import SOUND_PAUSED, SOUND_RESUMED, SoundPauses
from zccvoice.daemon.tcp import GATHER_S
from zccvoice.daemon.transport import StreamReceiver, Transport
from zccvoice.errors import ConnectionFailedError, HandshakeRefusedError, ZccvoiceError
from zccvoice.rtms.events import (
    ArrivalMeasured,
    AudioReceived,
    CallEventReceived,
    ChatReceived,
    EventsMissed,
    MediaPassedOver,
    MessageRejected,
    ParticipantConnected,
    StreamEnded,
    StreamEvent,
    TranscriptReceived,
)
from zccvoice.rtms.messages import AudioParams
from zccvoice.rtms.recovery import SIGNALING_WINDOW_S
from zccvoice.rtms.sessions import Sessions
from zccvoice.rtms.webhook import StreamInterrupted, StreamStarted, StreamStopped

EARLY_S = 5.0
"""So long sound is remembered, and written nowhere, that comes before signaling tells that a pause was over."""
INTERNAL_ERROR = StreamEnded("internal_error", "a defect in this program, see the log")
log = get_logger()


class Reception:
    """One stream on its way from a transport into a recorder."""

    def __init__(
        self,
        started: StreamStarted,
        transport: Transport,
        recorder: Recorder,
        metrics: Metrics,
        *,
        on_ended: Callable[[StreamEnded], None],
        redaction: RedactionConfig,
        audio: AudioParams | None = None,
        told_before: Iterable[tuple[str, int]] = (),
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare; `run` or `resume` does it.

        Args:
            started: the stream.
            transport: makes receivers of it.
            recorder: writes everything down.
            metrics: counters.
            on_ended: told how the stream ended, before that is written down, and that it is revoked.
            redaction: what must not be written down.
            audio: what its journal's sound is, if it has any: more of the same is asked for.
            told_before: names and times (Zoom's, epoch ms) of the events that an earlier daemon received.
            wall_clock: Unix time in seconds.
        """
        self._started = started
        self._transport = transport
        self._recorder = recorder
        self._metrics = metrics
        self._on_ended = on_ended
        self._wall_clock = wall_clock
        self._audio = audio
        self._policies = Policies(redaction)
        self._policy = self._policies.of(started.product.value)
        self._sessions = Sessions()
        self._pauses = SoundPauses(redaction)
        if before := sorted(told_before, key=lambda one: one[1]):
            for name, timestamp_ms in before:
                self._pauses.note(name, timestamp_ms)
            self._pauses.doubt()
        self._newest = Newest()
        self._early: deque[tuple[float, AudioReceived]] = deque()
        self._receiver: StreamReceiver | None = None
        self._orders: list[Callable[[StreamReceiver], None]] = []
        self._jitter: dict[str, Jitter] = defaultdict(partial(Jitter, GATHER_S * 1000))
        self._stop_cause: str | None = None
        self._successor_ms: int | None = None
        self.is_over = False
        """The end has been written down."""

    def is_before(self, again: StreamStarted) -> bool:
        """Whether the stream is started anew by this: it is no repetition of a start before what was received."""
        heard_ms = max(self._started.event_ts_ms, self._newest.ms or 0)
        return again.is_dated and again.event_ts_ms > heard_ms

    def stop(self, cause: str) -> None:
        """Hang up on Zoom, soon; what was noted as the end before stands."""
        self._stop_cause = self._stop_cause or cause
        if self._receiver is not None:
            self._receiver.stop(cause)

    def note_stopped(self, stopped: StreamStopped) -> None:
        """Zoom has announced the end: when it was belongs into the journal."""
        if not self.is_over:
            self._recorder.receive(stopped)

    def retire(self, cause: str) -> None:
        """The stream is over as far as Zoom is concerned: no more connecting."""
        self._tell(lambda receiver: receiver.retire(cause))

    def note_successor(self, started: StreamStarted) -> None:
        """Another stream of the engagement has begun, by Zoom's clock: when this one was over at the latest."""
        self._successor_ms = self._successor_ms or started.event_ts_ms

    def announce_again(self, started: StreamStarted) -> None:
        """Zoom has announced the running stream again, perhaps at another URL: failover.

        A crash from now on finds the new URL in the webhooks' journal.
        """
        self._tell(lambda receiver: receiver.reconnect(started.server_url))

    def note_interrupted(self, interrupted: StreamInterrupted) -> None:
        """Zoom has told that it lost our signaling connection, and perhaps where the next one is to go."""
        lost_s_ago = max(0.0, self._wall_clock() - interrupted.event_ts_ms / 1000)
        if (server_url := interrupted.server_url) is not None:
            self._tell(lambda receiver: receiver.reconnect(server_url, lost_s_ago=lost_s_ago))
        self._tell(lambda receiver: receiver.reconnect(lost_s_ago=lost_s_ago))

    def _tell(self, order: Callable[[StreamReceiver], None]) -> None:
        """Now, or when there is a receiver."""
        if self._receiver is None:
            self._orders.append(order)
        else:
            order(self._receiver)

    def keep_sound(self, is_kept: bool, asked_ms: int) -> None:
        """From now on keep nothing audible, or keep it again; what is not written yet of a pause goes, too.

        Args:
            is_kept: whether it is kept.
            asked_ms: when that was asked for, epoch ms of our clock: this counts where nothing was received yet.
        """
        if not self.is_over:
            name = SOUND_RESUMED if is_kept else SOUND_PAUSED
            self._take(CallEventReceived(name, self._newest.ms or asked_ms))

    def pause_sound(self, end_ms: int, asked_ms: int) -> None:
        """Keep nothing audible up to this moment of Zoom's clock. What is written already stays."""
        if not self.is_over:
            for name, timestamp_ms in self._pauses.until(end_ms, self._newest.ms or asked_ms):
                self._take(CallEventReceived(name, timestamp_ms))

    def _now_ms(self) -> int:
        """The moment on Zoom's clock up to which the stream was received."""
        return self._newest.ms or int(self._wall_clock() * 1000)

    def fail(self, error: ZccvoiceError) -> None:
        """The stream cannot go on, for a reason that has a name."""
        name = type(error).__name__.removesuffix("Error")
        cause = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
        log.error("stream failed", problem=cause, detail=str(error))
        self._end(StreamEnded(cause, str(error)))
        self.stop(cause)

    def note_defect(self) -> None:
        """To be called while the exception is handled: a defect of ours ends this call alone."""
        log.exception("call failed")
        self._end(INTERNAL_ERROR)
        self.stop(INTERNAL_ERROR.cause)

    async def run(self, last_arrived_ms: int | None = None) -> None:
        """Receive until the stream is over; its failure is this call's end, not anybody else's.

        Args:
            last_arrived_ms: when an earlier daemon last received something of the stream, if one did and
                Zoom has not announced it since.
        """
        try:
            if last_arrived_ms is None:
                await self._receive()
            else:
                await self._ask_again(last_arrived_ms)
        except ZccvoiceError as error:
            self.fail(error)
        except Exception:  # the edge of this call
            self.note_defect()
        self._end(StreamEnded("connection_lost", "the receiver stopped without a word"))

    async def _ask_again(self, last_arrived_ms: int) -> None:
        """Zoom keeps a stream for a minute after its client was lost."""
        away_s = max(0.0, self._wall_clock() - last_arrived_ms / 1000)  # our clock may have been set back
        log.info("stream found unfinished", away_s=round(away_s, 1))
        problem = "the daemon was away for longer than Zoom keeps a stream"
        if away_s < SIGNALING_WINDOW_S and self._stop_cause is None:
            try:
                await self._receive(SIGNALING_WINDOW_S - away_s)
            except (ConnectionFailedError, HandshakeRefusedError) as error:
                problem = str(error)
            else:
                return
        self._end(StreamEnded("daemon_down", problem))

    async def _receive(self, kept_for_s: float = SIGNALING_WINDOW_S) -> None:
        intake = _Intake(self._take, self._take_packet, self._recorder)
        self._receiver = self._transport(self._started, intake, self._audio)
        for order in self._orders:
            order(self._receiver)
        if self._stop_cause is not None:
            self._receiver.stop(self._stop_cause)
        await self._receiver.run(kept_for_s)

    def _take(self, event: StreamEvent) -> None:
        match event:
            case AudioReceived():
                self._take_packet(event)
                return
            case StreamEnded():
                self._end(event)
                return
            case MessageRejected():
                self._metrics.rejected_messages.labels(event.connection).inc()
                log.warning("message rejected", connection=event.connection, problem=event.problem)
            case CallEventReceived():
                for told in self._sessions.told(event):
                    self._take_call_event(told)
                return
            case EventsMissed():
                self._sessions.forget()
                self._pauses.doubt()
                return
            case MediaPassedOver():
                self._metrics.passed_over.labels(event.kind).inc()
                log.warning("media that was not asked for is passed over", kind=event.kind)
                return
            case ParticipantConnected():
                if event.queue_id or event.queue_name:
                    product = self._started.product.value
                    self._policy = self._policies.of(product, event.queue_id, event.queue_name)
            case TranscriptReceived():
                if self._pauses.covers(event.start_timestamp_ms):
                    return
                # Not even the journal gets to see what redaction hides.
                event = replace(event, text=redact(event.text, event.language, self._policy))
            case ChatReceived():
                event = replace(event, text=redact(event.text, policy=self._policy))
        self._recorder.receive(event)

    def _take_packet(self, packet: AudioReceived) -> None:
        channel_id, timestamp_ms, _ = packet
        if self._newest.take(timestamp_ms):
            self._jitter[channel_id].push(timestamp_ms, trio.current_time() * 1000)
        if self._pauses.covers(timestamp_ms) and not self._is_over_untold(timestamp_ms):
            if self._pauses.may_be_over_by(timestamp_ms):
                self._early.append((trio.current_time(), packet))
                self._forget_early(trio.current_time() - EARLY_S)
            return
        self._recorder.receive(packet)

    def _forget_early(self, since: float) -> None:
        while self._early and self._early[0][0] < since:
            self._early.popleft()

    def _take_early(self) -> None:
        """What came of a time after the pause that is over now."""
        self._forget_early(trio.current_time() - EARLY_S)
        for _, packet in self._early:
            if not self._pauses.covers(packet.timestamp_ms):
                self._recorder.receive(packet)
        self._early.clear()

    def _take_call_event(self, event: CallEventReceived) -> None:
        log.info("call event", name=event.name, channel_id=event.channel_id)
        self._note_pause(event)
        if event.name == "stream_terminated":
            self._metrics.note_hang_up(self._started.stream_id, trio.current_time())
        self._recorder.receive(event)
        if self._early and not self._pauses.is_on:
            self._take_early()

    def _is_over_untold(self, timestamp_ms: int) -> bool:
        """Whether sound of that moment, in a pause as far as we know, is to be kept; says so if it is."""
        if not self._pauses.is_belied_by(timestamp_ms):
            return False
        self._take_call_event(CallEventReceived(PAUSE_OVER_UNTOLD, timestamp_ms))
        return not self._pauses.covers(timestamp_ms)

    def _note_pause(self, event: CallEventReceived) -> None:
        when_ms = event.timestamp_ms or self._now_ms()
        if self._pauses.note(event.name, when_ms):
            self._recorder.withdraw_sound(when_ms)
            log.info("nothing audible is kept until the pause is over")

    def _end(self, ended: StreamEnded) -> None:
        """Write down how the stream ended; what was noted first stands, unless it is revoked."""
        if self.is_over:
            if ended.cause == REVOKED:
                self._on_ended(ended)
            return
        self.is_over = True
        self._metrics.note_hang_up(self._started.stream_id, trio.current_time())
        self._on_ended(ended)
        if ended.cause == SUPERSEDED and self._successor_ms is not None:
            self._recorder.receive(CallEventReceived(SUPERSEDED, self._successor_ms))
        for channel_id, jitter in self._jitter.items():
            if jitter.ms is not None:
                self._recorder.receive(ArrivalMeasured(channel_id, round(jitter.ms, 2)))
        self._recorder.receive(ended)


class _Intake:
    """What a receiver sends into: events are taken in where they come from.

    A channel to a task of ours would cost as much as all else that is done for a packet. When the disk cannot keep
    up there is no room, and the socket waits.
    """

    def __init__(
        self,
        take: Callable[[StreamEvent], None],
        take_packet: Callable[[AudioReceived], None],
        recorder: Recorder,
    ) -> None:
        self._take = take
        self._take_packet = take_packet
        self._recorder = recorder

    def send_nowait(self, event: StreamEvent) -> None:
        if not self._recorder.has_room:
            raise trio.WouldBlock
        if isinstance(event, AudioReceived):  # nearly always
            self._take_packet(event)
        else:
            self._take(event)

    async def send(self, event: StreamEvent) -> None:
        await trio.lowlevel.checkpoint()
        await self._recorder.room()
        self._take(event)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nobody waits for more."""
