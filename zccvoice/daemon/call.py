"""One stream, from its first payload to its last utterance.

    receiver ──events──► Call ──► Track per channel ──► utterances ──► transcriber
                          └────────────── facts ─────────────────────► writer

A call owns nothing that another call could feel: its errors end it alone, and its facts up to then are kept.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

import trio

from zccvoice.analytics.record import Side
from zccvoice.audio.frame import AudioFormat, Encoding
from zccvoice.config import VadConfig
from zccvoice.daemon.log import get_logger
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.transcriber import SpokenItem, SpokenUtterance
from zccvoice.daemon.transport import Transport
from zccvoice.errors import DecodeError, RemoteProtocolError, ZccvoiceError
from zccvoice.rtms.enums import Codec, SampleRate
from zccvoice.rtms.events import (
    AudioReceived,
    CallEventReceived,
    MediaOpened,
    MessageRejected,
    ParticipantConnected,
    Role,
    StreamEnded,
    StreamEvent,
)
from zccvoice.rtms.messages import AudioParams
from zccvoice.rtms.webhook import StreamStarted
from zccvoice.speech.language import LanguagePin, LanguagePolicy
from zccvoice.speech.track import Track, TrackGap
from zccvoice.speech.utterance import Utterance
from zccvoice.store.facts import (
    CallEventSeen,
    ClockStarted,
    Fact,
    GapFound,
    LanguagePinned,
    ParticipantSeen,
    StreamClosed,
    StreamOpened,
    TrackClosed,
)

EVENTS_WAITING = 12_000
"""Stream events between receiver and call: ten minutes of two tracks at 100 ms, 40 MB. The receiver answers
keep-alives only while there is room: when full, the socket waits and Zoom gives up after half a minute."""
QUEUE_WAIT_S = 5.0
"""How long after the media connection opened the language waits for the event that names the queue: audio that
Zoom had buffered comes in a burst and may overtake it."""
_SIDES = {Role.CONSUMER: Side.CUSTOMER, Role.USER: Side.AGENT}
log = get_logger()


class Call:
    """Everything about one running stream."""

    def __init__(
        self,
        started: StreamStarted,
        transport: Transport,
        *,
        vad: VadConfig,
        languages: LanguagePolicy,
        metrics: Metrics,
        facts_send: trio.MemorySendChannel[Fact],
        spoken_send: trio.MemorySendChannel[SpokenItem],
    ) -> None:
        self._started = started
        self._vad = vad
        self._languages = languages
        self._metrics = metrics
        self._facts_send = facts_send
        self._spoken_send = spoken_send
        events_send, self._events_receive = trio.open_memory_channel[StreamEvent](EVENTS_WAITING)
        self._receiver = transport(started, events_send)
        self._tracks: dict[str, Track] = {}
        self._format: AudioFormat | None = None
        self._queue: tuple[str | None, str | None] = (None, None)
        self._pin: LanguagePin | None = None
        self._unpinned: list[Utterance] = []
        self._media_opened_at: float | None = None
        self._first_packet_ms: int | None = None
        self._is_clock_started = False
        self._last_timestamp_ms = started.event_ts_ms
        self._ended: StreamEnded | None = None

    @property
    def stream_id(self) -> str:
        """Zoom's id of the stream."""
        return self._started.stream_id

    @property
    def engagement_id(self) -> str:
        """Zoom's id of the call."""
        return self._started.engagement_id

    @property
    def end_cause(self) -> str | None:
        """How the stream ended, as `StreamEnded.cause`; None while it runs."""
        return None if self._ended is None else self._ended.cause

    def stop(self, cause: str) -> None:
        """Hang up on Zoom; what was heard so far is finished and stored, and `run` ends."""
        self._receiver.stop(cause)

    async def run(self) -> None:
        """Receive the stream to its end.

        Works on clones of both channels and closes them. Cancelling it drops the connections and whatever was
        not yet sent on.
        """
        self._facts_send, self._spoken_send = self._facts_send.clone(), self._spoken_send.clone()
        async with self._facts_send, self._spoken_send:
            await self._facts_send.send(
                StreamOpened(
                    self.engagement_id,
                    self.stream_id,
                    self._started.product.value,
                    _utc(self._started.event_ts_ms),
                    self._started.account_id,
                )
            )
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._receive)
                    async with self._events_receive:
                        async for event in self._events_receive:
                            await self._take(event)
            except Exception:  # the edge of this call: a defect of ours ends it alone
                self._note_defect()
            try:
                await self._close_tracks()
            except Exception:  # and what it has is kept
                self._note_defect()
            await self._finish()

    async def _receive(self) -> None:
        """Run the receiver; its failure is this call's end, not anybody else's."""
        try:
            await self._receiver.run()
        except ZccvoiceError as error:
            self._fail(error)

    def _note_defect(self) -> None:
        log.exception("call failed")
        self._end(StreamEnded("internal_error", "a defect in this program, see the log"))

    def _fail(self, error: ZccvoiceError) -> None:
        """The stream cannot go on, for a reason that has a name."""
        name = type(error).__name__.removesuffix("Error")
        cause = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
        log.error("stream failed", problem=cause, detail=str(error))
        self._end(StreamEnded(cause, str(error)))
        self._receiver.stop(cause)

    def _end(self, ended: StreamEnded) -> None:
        """Note how the stream ended; what was noted first stands."""
        self._ended = self._ended or ended

    async def _take(self, event: StreamEvent) -> None:
        match event:
            case AudioReceived():
                await self._take_audio(event)
            case MediaOpened():
                self._media_opened_at = trio.current_time()
                try:
                    self._format = _format_of(event.audio)
                except RemoteProtocolError as error:
                    self._fail(error)
            case ParticipantConnected():
                await self._take_participant(event)
            case CallEventReceived():
                await self._take_call_event(event)
            case MessageRejected():
                self._metrics.rejected_messages.labels(event.connection).inc()
                log.warning("message rejected", connection=event.connection, problem=event.problem)
            case StreamEnded():
                self._end(event)

    async def _take_audio(self, packet: AudioReceived) -> None:
        if self._format is None:
            return  # a format that we refused: the stream is about to end
        track = self._tracks.get(packet.channel_id)
        if track is None:
            track = await self._open_track(packet.channel_id, self._format)
        begin = time.thread_time()
        try:
            pieces = track.place(packet.timestamp_ms, packet.payload)
        except DecodeError as error:
            self._metrics.rejected_payloads.inc()
            log.warning("payload rejected", channel_id=packet.channel_id, problem=str(error))
            return
        decoded = time.thread_time()
        self._last_timestamp_ms = max(self._last_timestamp_ms, packet.timestamp_ms)
        done = track.hear(pieces)
        self._metrics.cpu_decode.inc(decoded - begin)
        self._metrics.cpu_vad.inc(time.thread_time() - decoded)
        self._metrics.audio_packets.inc()
        await self._send_on(track, done)

    async def _open_track(self, channel_id: str, audio_format: AudioFormat) -> Track:
        track = self._tracks[channel_id] = Track(channel_id, audio_format, self._vad)
        log.info("track open", channel_id=channel_id)
        await self._facts_send.send(ParticipantSeen(self.engagement_id, self.stream_id, channel_id))
        return track

    async def _send_on(self, track: Track, done: list[Utterance | TrackGap]) -> None:
        if done:
            await self._start_clock()
        for one in done:
            if isinstance(one, TrackGap):
                await self._facts_send.send(
                    GapFound(
                        self.engagement_id,
                        self.stream_id,
                        track.channel_id,
                        one.start_timestamp_ms,
                        one.end_timestamp_ms,
                        one.cause,
                    )
                )
                continue
            self._unpinned.append(one)
        if self._unpinned and self._may_pin():
            await self._send_unpinned()

    async def _start_clock(self) -> None:
        """State the stream's zero before the first fact that counts from it.

        Not earlier: until then every track had the time to begin, whichever socket was the faster.
        """
        if self._is_clock_started:
            return
        self._is_clock_started = True
        told = [track.timeline.first_timestamp_ms for track in self._tracks.values()]
        zero_ms = min(one for one in (*told, self._first_packet_ms) if one is not None)
        await self._facts_send.send(ClockStarted(self.engagement_id, self.stream_id, zero_ms))

    def _may_pin(self) -> bool:
        """Whether the language is decided, or is to be decided by what is known now."""
        if self._pin is not None or any(self._queue) or not self._languages.depends_on_queue:
            return True
        return trio.current_time() >= (self._media_opened_at or 0) + QUEUE_WAIT_S

    async def _send_unpinned(self) -> None:
        if self._pin is None:
            self._pin = self._languages.pin(*self._queue)
            log.info("language pinned", language=self._pin.language, source=self._pin.source)
            await self._facts_send.send(
                LanguagePinned(self.engagement_id, self.stream_id, self._pin.language, self._pin.source)
            )
        now = trio.current_time()
        for utterance in self._unpinned:
            await self._spoken_send.send(
                SpokenUtterance(self.engagement_id, self.stream_id, utterance, self._pin.language, now)
            )
        self._unpinned.clear()

    async def _take_participant(self, who: ParticipantConnected) -> None:
        if who.queue_id or who.queue_name:
            self._queue = (who.queue_id, who.queue_name)
            if self._pin is not None and self._languages.pin(*self._queue) != self._pin:
                log.warning("queue became known after the language was pinned", pinned=self._pin.language)
            if self._unpinned:
                await self._send_unpinned()
        if who.channel_id is None:
            return
        await self._facts_send.send(
            ParticipantSeen(
                self.engagement_id,
                self.stream_id,
                who.channel_id,
                side=_SIDES[who.role],
                user_id=who.user_id,
                display_name=who.display_name,
                queue_id=who.queue_id,
                queue_name=who.queue_name,
            )
        )

    async def _take_call_event(self, event: CallEventReceived) -> None:
        log.info("call event", name=event.name, channel_id=event.channel_id)
        if event.name == "first_packet_timestamp":
            self._first_packet_ms = event.timestamp_ms
            return
        if event.name == "stream_terminated":
            self._metrics.note_hang_up(self.stream_id, trio.current_time())
        # An event that does not tell its time happened when the newest one that does.
        when_ms = event.timestamp_ms or self._last_timestamp_ms
        self._last_timestamp_ms = max(self._last_timestamp_ms, when_ms)
        await self._facts_send.send(
            CallEventSeen(self.engagement_id, self.stream_id, event.name, when_ms, event.channel_id)
        )

    async def _close_tracks(self) -> None:
        self._metrics.note_hang_up(self.stream_id, trio.current_time())
        for track in self._tracks.values():
            await self._send_on(track, track.flush())
            await self._close_track(track)
        if self._unpinned:
            await self._send_unpinned()

    async def _finish(self) -> None:
        """State the end, after everything else."""
        ended = self._ended or StreamEnded("connection_lost", "the receiver stopped without a word")
        log.info("stream ended", cause=ended.cause, detail=ended.detail)
        self._metrics.calls.labels(ended.cause).inc()
        await self._spoken_send.send(
            StreamClosed(
                self.engagement_id,
                self.stream_id,
                _utc(self._last_timestamp_ms),
                ended.cause,
                ended.detail,
            )
        )

    async def _close_track(self, track: Track) -> None:
        counts, end_ms = track.timeline, track.end_timestamp_ms
        if counts.first_timestamp_ms is None or end_ms is None:
            return
        await self._start_clock()
        self._last_timestamp_ms = max(self._last_timestamp_ms, end_ms)
        self._metrics.audio_seconds.inc((end_ms - counts.first_timestamp_ms) / 1000)
        await self._facts_send.send(
            TrackClosed(
                self.engagement_id,
                self.stream_id,
                track.channel_id,
                counts.first_timestamp_ms,
                end_ms,
                counts.packets,
                counts.lost_packets,
                counts.duplicate_packets,
                counts.reordered_packets,
                track.noise_dbfs,
            )
        )


def _utc(timestamp_ms: int) -> datetime:
    return datetime.fromtimestamp(timestamp_ms / 1000, UTC)


def _format_of(audio: AudioParams) -> AudioFormat:
    """The effective parameters of a media handshake as a format of ours.

    Raises:
        RemoteProtocolError: Zoom answered with something other than what we asked for.
    """
    wanted = (Codec.L16, SampleRate.SR_16K, 1)
    if (audio.codec, audio.sample_rate, audio.channel) != wanted:
        raise RemoteProtocolError(
            "expected L16 at 16 kHz mono (codec, sample_rate, channel = 1, 1, 1), Zoom will send "
            f"{audio.codec}, {audio.sample_rate}, {audio.channel}"
        )
    if not 20 <= audio.send_rate <= 1000:
        raise RemoteProtocolError(f"expected a send_rate of 20 to 1000 ms, Zoom will send {audio.send_rate}")
    return AudioFormat(Encoding.L16, SampleRate(audio.sample_rate).hz)
