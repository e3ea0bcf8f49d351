"""CORE: what a stream's journal says → facts, and utterances.

Takes in the received records of one journal, in order, from its beginning, and gives the same for the same
records whenever it is asked: while the call runs, after a crash, and in a replay a year later. That is what
makes the database a projection of the journals. No I/O; time is what the records say (`Record.arrived_ms`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from typing import TypeAlias

import numpy as np

from zccvoice.analytics.attribution import SPEAKER_UNKNOWN
from zccvoice.analytics.pseudonym import PhonePseudonym
from zccvoice.analytics.roles import TAKES_OVER
from zccvoice.analytics.timing import PAUSE_BEGINS, PAUSE_ENDS, RULE_PAUSE_BEGINS, RULE_PAUSE_ENDS
from zccvoice.audio.codecs import as_carried
from zccvoice.audio.codecs.opus import is_concealing
from zccvoice.audio.frame import AudioFormat, Encoding
from zccvoice.audio.newest import Newest
from zccvoice.config import VadConfig
from zccvoice.config.language import DETECT
from zccvoice.daemon.audio_format import format_of
from zccvoice.daemon.breaks import Breaks
from zccvoice.daemon.configured_language import ConfiguredLanguage
from zccvoice.daemon.endings import SUPERSEDED
from zccvoice.daemon.outcome import Counts, Projected, Remark, Uttered
from zccvoice.daemon.side_by_side import one_way_channels, track_closed
from zccvoice.daemon.sides import Sides
from zccvoice.daemon.texts import text_told
from zccvoice.errors import DecodeError, RemoteProtocolError
from zccvoice.journal.journal import Damage, Record
from zccvoice.rtms.enums import MEETINGS
from zccvoice.rtms.events import (
    ArrivalMeasured,
    AudioReceived,
    CallEventReceived,
    ChatReceived,
    MediaOpened,
    ParticipantConnected,
    ReceptionBroken,
    SoundClipped,
    SoundMissing,
    StreamEnded,
    TranscriptReceived,
)
from zccvoice.rtms.webhook import StreamStarted, StreamStopped
from zccvoice.speech.confirmation import Doubt
from zccvoice.speech.language import LanguagePolicy
from zccvoice.speech.track import Track, TrackGap
from zccvoice.speech.utterance import Utterance
from zccvoice.store.facts import (
    CallEventSeen,
    ClockStarted,
    Fact,
    GapFound,
    OneWayFound,
    ParticipantSeen,
    StreamClosed,
    StreamOpened,
)

Toil: TypeAlias = Callable[[], None]
"""Work of tens of milliseconds, that any thread may do."""
_NO_SAMPLES = np.empty(0, np.int16)


class Projection:
    """The state of one stream's projection."""

    def __init__(
        self,
        started: StreamStarted,
        *,
        vad: VadConfig,
        languages: LanguagePolicy,
        phones: PhonePseudonym,
        agents: Iterable[str] = (),
        cpu_clock: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Begin.

        Args:
            started: whose stream it is.
            vad: how utterances are cut.
            languages: which language is configured for which call.
            phones: what is kept of phone numbers.
            agents: who is the agent in a meeting, by id or name; see `MeasuresConfig`.
            cpu_clock: seconds, for `taken_counts`.
        """
        self._started = started
        self._ids = started.engagement_id, started.stream_id
        self._vad = vad
        self._language = ConfiguredLanguage(started, languages)
        self._phones = phones
        self._cpu_clock = cpu_clock
        self._sides = Sides(agents)
        self._out: list[Projected] = []
        self._tracks: dict[str, Track] = {}
        self._format: AudioFormat | None = None
        self._waiting: list[Utterance] = []
        self._is_opened = False
        self._breaks = Breaks()
        self._is_clock_started = False
        self._newest = Newest()
        self._told_ms = started.event_ts_ms
        self._rule_pause_ms: int | None = None
        self._jitter_ms: dict[str, float] = {}
        self._spoken_ms: dict[str, list[tuple[int, int]]] = {}
        self._counts = Counts()
        self.ended: StreamEnded | None = None
        """How the stream ended; None while it runs."""
        self.failure: RemoteProtocolError | None = None
        """Why what comes cannot be used, if so: whoever receives it should hang up."""

    def take(self, record: Record | Damage) -> list[Projected]:
        """What the next received record of the journal adds."""
        for toil in self.take_in_steps(record):
            toil()
        return self.taken()

    def take_in_steps(self, record: Record | Damage) -> Iterator[Toil]:
        """`take`, for who cannot wait: every toil has to be done before the next step; then `taken` tells."""
        self._open()
        if isinstance(record, Damage):
            self._break_off(ReceptionBroken("damaged_journal"))
            if self._started.product in MEETINGS:
                self._state(CallEventSeen, SPEAKER_UNKNOWN, self.last_timestamp_ms)
            self._out.append(Remark("journal damaged", problem=f"bytes {record.offset} to {record.end}"))
            return
        first = 0
        for kind, group in groupby(record.entries, type):
            entries = [*group]
            if kind is AudioReceived:
                yield from self._hear(entries, first, record)
            elif kind is StreamEnded:
                for ended in entries:
                    yield from self._end(ended)
            else:
                for entry in entries:
                    self._take_event(entry, record.arrived_ms)
            first += len(entries)

    def taken(self) -> list[Projected]:
        """What was added since this was last asked."""
        taken, self._out = self._out, []
        return taken

    def taken_counts(self) -> Counts:
        """What went through since this was last asked."""
        taken, self._counts = self._counts, Counts()
        return taken

    def tracks(self) -> Collection[Track]:
        """Those that are open by now."""
        return self._tracks.values()

    @property
    def last_timestamp_ms(self) -> int:
        """The newest moment that anything told of, by Zoom's clock."""
        return max(self._told_ms, self._newest.ms or 0)

    def closed(self) -> StreamClosed:
        """The last fact: to be stated when every utterance has its transcript."""
        ended = self.ended or StreamEnded("connection_lost", "the receiver stopped without a word")
        if self.failure is not None:  # also when Zoom ended the stream before anybody could hang up
            ended = StreamEnded("remote_protocol", str(self.failure))
        return StreamClosed(*self._ids, _utc(self.last_timestamp_ms), ended.cause, ended.detail)

    def _state(self, kind: Callable[..., Fact], *values: object, **more: object) -> None:
        self._out.append(kind(*self._ids, *values, **more))

    def _open(self) -> None:
        if not self._is_opened:
            self._is_opened = True
            self._state_opened()

    def _state_opened(self, resumed_at: datetime | None = None) -> None:
        started, when = self._started, _utc(self._started.event_ts_ms)
        self._state(StreamOpened, started.product.value, when, started.account_id, resumed_at)

    def _take_event(self, event: object, arrived_ms: int) -> None:
        match event:
            case MediaOpened():
                self._language.note_media(arrived_ms)
                try:
                    self._format = format_of(event.audio, self._format if self._tracks else None)
                except RemoteProtocolError as error:
                    self.failure = error
                    return
                self.failure = None
                if self._format.encoding is Encoding.OPUS and not is_concealing():
                    self._out.append(
                        Remark("no libopus: losses in Opus are silence", problem="FFmpeg decodes")
                    )
            case ParticipantConnected():
                self._take_participant(event)
            case CallEventReceived():
                self._take_call_event(event)
            case TranscriptReceived() | ChatReceived():
                self._out.append(text_told(self._ids, event))
            case ReceptionBroken():
                if self.ended is not None:
                    self._state_opened(_utc(arrived_ms))
                self._break_off(event)
            case SoundMissing() | SoundClipped() if self._format is not None:
                nothing = AudioReceived(event.channel_id, event.from_ms, b"")
                track = self._tracks.get(event.channel_id) or self._open_track(nothing, self._format)
                if isinstance(event, SoundMissing):
                    track.timeline.miss(event.from_ms, event.until_ms, event.cause)
                else:
                    track.note_clipped(event.from_ms, event.rate_hz, event.lengths)
            case ArrivalMeasured():
                self._jitter_ms[event.channel_id] = event.jitter_ms
            case StreamStopped():
                self._breaks.note_stopped(event.event_ts_ms)
            case StreamStarted():
                self._breaks.note_started(event.event_ts_ms)
                self.failure = None  # it is received anew, and may come in another form
            case _:
                pass  # what is of interest to the log alone

    # Sound

    def _hear(self, packets: Sequence[AudioReceived], first: int, record: Record) -> Iterator[Toil]:
        """Packets that came together, the record's entries from `first` on, per track as one stretch."""
        if self._format is None or self.failure is not None:
            return  # a format that we refused: the stream is about to end
        times_ms = [packet.timestamp_ms for packet in packets]
        self._breaks.mend(min(times_ms), (track.timeline for track in self._tracks.values()))
        self._breaks.note_heard(self._newest.take_all(times_ms))
        begin = self._cpu_clock()
        heard: dict[Track, None] = {}  # in order, each once
        tracks, offset = self._tracks, record.offset
        for index, packet in enumerate(packets, first):
            channel_id, timestamp_ms, payload = packet
            track = tracks.get(channel_id) or self._open_track(packet, self._format)
            try:
                track.place(timestamp_ms, payload, (offset, index))
            except DecodeError as error:
                self._counts.rejected_payloads += 1
                self._out.append(Remark("payload rejected", channel_id, str(error)))
                continue
            heard[track] = None
            self._counts.audio_packets += 1
        pieces = [(track, placed) for track in heard if (placed := track.decode())]
        self._counts.decode_s += self._cpu_clock() - begin
        for track, placed in pieces:
            yield from self._state_heard(track, track.hear_in_steps(placed))
        if self._waiting and self._language.may_choose(record.arrived_ms):
            self._hand_over()

    def _open_track(self, first: AudioReceived, announced: AudioFormat) -> Track:
        channel_id, carried = first.channel_id, as_carried(announced, first.payload)
        if carried != announced:
            problem = f"announced {announced.framing}; the first payload is {carried.framing}"
            self._out.append(Remark("audio is not as announced", channel_id, problem))
        track = self._tracks[channel_id] = Track(channel_id, carried, self._vad)
        self._out.append(Remark("track open", channel_id))
        self._state(ParticipantSeen, channel_id)
        return track

    def _state_heard(self, track: Track, steps: Iterable[Utterance | TrackGap | Doubt]) -> Iterator[Toil]:
        begin = self._cpu_clock()
        for one in steps:
            if isinstance(one, Doubt):
                self._counts.vad_s += self._cpu_clock() - begin
                yield partial(self._settle, one)
                begin = self._cpu_clock()
                continue
            self._start_clock()
            span = one.start_timestamp_ms, one.end_timestamp_ms
            if isinstance(one, Utterance):
                self._spoken_ms.setdefault(track.channel_id, []).append(span)
                self._waiting.append(replace(one, samples=_NO_SAMPLES))
            else:
                self._state(GapFound, track.channel_id, *span, one.cause)
        self._counts.vad_s += self._cpu_clock() - begin

    def _settle(self, doubt: Doubt) -> None:
        begin = self._cpu_clock()
        doubt.settle()
        self._counts.vad_s += self._cpu_clock() - begin

    def _start_clock(self) -> None:
        """State the stream's zero before the first fact that counts from it.

        Not earlier: until then every track had the time to begin, whichever socket was the faster.
        """
        if self._is_clock_started:
            return
        self._is_clock_started = True
        told = [track.timeline.first_timestamp_ms for track in self._tracks.values()]
        self._state(
            ClockStarted, min(one for one in (*told, self._breaks.first_packet_ms) if one is not None)
        )

    def _hand_over(self) -> None:
        """Utterances, with what is configured for them."""
        language = self._language.choose()
        self._out += [
            Uttered(one, self._tracks[one.channel_id].audio_format, language, self._language.queue)
            for one in self._waiting
        ]
        self._waiting.clear()

    # What Zoom tells

    def _take_participant(self, who: ParticipantConnected) -> None:
        if self._language.note(who):
            text = "queue or agent became known after the language was chosen"
            self._out.append(Remark(text, problem=self._language.choose() or DETECT))
        if self._waiting and self._language.may_choose():
            self._hand_over()
        if who.channel_id is None:
            return
        number = self._phones.of(who.phone_number)
        sides = self._sides.of(who)
        for channel_id in [one for one in sides if one != who.channel_id]:
            self._state(ParticipantSeen, channel_id, side=sides[channel_id])
        self._state(
            ParticipantSeen,
            who.channel_id,
            side=sides[who.channel_id],
            user_id=who.user_id,
            display_name=who.display_name,
            queue_id=who.queue_id,
            queue_name=who.queue_name,
            phone_hash=number.hash,
            phone_last4=number.last4,
        )

    def _take_call_event(self, event: CallEventReceived) -> None:
        if event.name == "first_packet_timestamp":
            self._breaks.first_packet_ms = self._breaks.first_packet_ms or event.timestamp_ms
            return
        # An event that does not tell its time happened when the newest one that does.
        when_ms = event.timestamp_ms or self.last_timestamp_ms
        if event.name == RULE_PAUSE_BEGINS:
            self._rule_pause_ms = when_ms
        if event.name == RULE_PAUSE_ENDS:
            self._pause_until(when_ms)
        else:
            self._told_ms = max(self._told_ms, when_ms)
        if event.name in ("stream_terminated", SUPERSEDED):
            self._breaks.note_stopped(event.timestamp_ms)
        for track in self._tracks.values():
            if event.name in PAUSE_BEGINS:
                track.timeline.pauses.begin(when_ms)
            elif event.name in PAUSE_ENDS:
                track.timeline.pauses.end(when_ms)
        if event.name == TAKES_OVER and event.channel_id is not None:
            self._state(ParticipantSeen, event.channel_id, side=self._sides.take_over(event.channel_id))
        self._state(CallEventSeen, event.name, when_ms, event.channel_id)

    def _pause_until(self, end_ms: int) -> None:
        """A rule's pause, whose end is told beforehand: the stream is not there yet."""
        if self._rule_pause_ms is None:  # how it began was in a damaged part of the journal
            return
        for track in self._tracks.values():
            track.timeline.pauses.add(self._rule_pause_ms, end_ms)

    # Breaks and ends

    def _break_off(self, broken: ReceptionBroken) -> None:
        self.ended = None  # it goes on, or this would not have been said
        self._breaks.begin(broken.cause)

    def _end(self, ended: StreamEnded) -> Iterator[Toil]:
        self.ended = ended
        for track in self._tracks.values():
            yield from self._state_heard(track, track.flush_in_steps())
            self._close_track(track)
        for one_way in one_way_channels(self._tracks.values(), self._spoken_ms, self._sides.joined_ms):
            self._state(OneWayFound, *one_way)
        if self._waiting:
            self._hand_over()

    def _close_track(self, track: Track) -> None:
        counts, end_ms = track.timeline, track.end_timestamp_ms
        if counts.first_timestamp_ms is None or end_ms is None:
            return
        self._start_clock()
        for from_ms, until_ms, cause in self._breaks.missed_by(track.timeline, end_ms):
            self._told_ms = max(self._told_ms, until_ms)
            for start_ms, stop_ms in track.timeline.pauses.outside(from_ms, until_ms):
                self._state(GapFound, track.channel_id, start_ms, stop_ms, cause)
        self._told_ms = max(self._told_ms, end_ms)
        self._counts.audio_ms += end_ms - counts.first_timestamp_ms
        self._out.append(track_closed(self._ids, track, self._jitter_ms, self._tracks.values()))


def _utc(timestamp_ms: int) -> datetime:
    return datetime.fromtimestamp(timestamp_ms / 1000, UTC)
