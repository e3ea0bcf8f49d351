"""What a stream's journal already holds when it is opened: by a crash's survivor, or a replay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from zccvoice.daemon.audio_format import is_decodable
from zccvoice.daemon.told import Told
from zccvoice.daemon.transport import SHUTDOWN
from zccvoice.errors import JournalError
from zccvoice.journal.journal import START, Damage, JournalReader, Record
from zccvoice.journal.record import Kind
from zccvoice.rtms.events import (
    ArrivalMeasured,
    AudioReceived,
    CallEventReceived,
    ChatReceived,
    MediaOpened,
    MessageRejected,
    ParticipantConnected,
    ReceptionBroken,
    SoundClipped,
    SoundMissing,
    StreamEnded,
    TranscriptReceived,
)
from zccvoice.rtms.messages import AudioParams
from zccvoice.rtms.recovery import SIGNALING_WINDOW_S
from zccvoice.rtms.webhook import StreamInterrupted, StreamStarted, StreamStopped
from zccvoice.speech.language import LanguagePin
from zccvoice.store.facts import (
    CallEventSeen,
    ChatWritten,
    ClockStarted,
    Fact,
    GapFound,
    LanguagePinned,
    OneWayFound,
    ParticipantSeen,
    StreamClosed,
    StreamOpened,
    StreamRestated,
    StreamRevoked,
    TrackClosed,
    UtteranceHeard,
    ZoomTranscribed,
)

ENTRY_TYPES = (
    StreamStarted,
    StreamStopped,
    StreamInterrupted,
    MediaOpened,
    ParticipantConnected,
    CallEventReceived,
    MessageRejected,
    ReceptionBroken,
    SoundMissing,
    SoundClipped,
    StreamEnded,
    TranscriptReceived,
    ChatReceived,
    ArrivalMeasured,
    StreamOpened,
    ClockStarted,
    LanguagePinned,
    ParticipantSeen,
    CallEventSeen,
    UtteranceHeard,
    ZoomTranscribed,
    ChatWritten,
    GapFound,
    TrackClosed,
    OneWayFound,
    StreamClosed,
    StreamRestated,
    StreamRevoked,
)
"""Everything that stands in our journals, beside audio packets."""

LONGEST_UNSEEN_MS = 120_000
"""So long before its end a journal may hold events that the projection, which waits for the recognizer, had not
come to: a pause among them holds all the same."""
TranscriptKey = tuple[str, int, int]
"""Channel, start and end (Zoom's epoch ms) of an utterance."""


@dataclass(slots=True)
class Past:
    """A summary of a journal."""

    started: StreamStarted | None = None
    """Whose it is; None when that is nowhere to be read."""
    audio: AudioParams | None = None
    """What its sound is; None when it has none."""
    told: Told = field(default_factory=Told)
    """What was derived."""
    has_facts: bool = False
    """Some of it was derived before."""
    transcripts: dict[TranscriptKey, UtteranceHeard] = field(default_factory=dict)
    """The dear part of it. A transcript that failed is none: it is tried again."""
    events: list[tuple[str, int]] = field(default_factory=list)
    """Names and times (Zoom's, epoch ms) of the call's events."""
    pins: list[LanguagePin] = field(default_factory=list)
    """Which languages were decided on, in order."""
    closed: StreamClosed | None = None
    """The last end that was stated; None when more was received after it."""
    ended: StreamEnded | None = None
    """How it ended, if nothing was received after that."""
    end: int = START
    """Where its last whole record ends."""
    received_end: int = START
    """Where the last record of what was received ends."""
    last_arrived_ms: int | None = None
    """When something was last received, by our clock, epoch ms."""

    def transcript(self, key: TranscriptKey, language: str) -> UtteranceHeard | None:
        """What was made of an utterance in this language, the last time."""
        known = self.transcripts.get(key)
        return known if known is not None and known.language == language else None

    def holds(self, heard: UtteranceHeard) -> bool:
        """Whether this is what `transcript` gave, and so was edited before: not one that says the same."""
        key = heard.channel_id, heard.start_timestamp_ms, heard.end_timestamp_ms
        return self.transcripts.get(key) is heard

    def may_go_on(self, now_ms: float) -> bool:
        """Whether Zoom may still have the stream.

        That is so when nothing says that it is over, and for a minute after an earlier daemon left it at its
        shutdown: whoever installs a new version must not lose the calls that are running.
        """
        if self.ended is None:
            return True
        away_ms = now_ms - (self.last_arrived_ms or 0)
        return self.ended.cause == SHUTDOWN and away_ms < SIGNALING_WINDOW_S * 1000


def read_past(reader: JournalReader) -> Past:
    """Summarize a journal; blocking. Sound is stepped over, but for that of the last minutes."""
    past, closed_at = Past(), START
    for record in reader.records(START, Kind.DERIVED):
        if isinstance(record, Record):
            for fact in record.entries:
                _note(past, fact)
                if isinstance(fact, StreamClosed):
                    past.closed, closed_at = fact, record.offset
    past.started, past.audio = read_started(reader), _read_audio(reader)
    past.end = reader.whole_end()
    for offset in reversed(reader.offsets(Kind.RECEIVED)):
        last = reader.read(offset, Kind.RECEIVED)
        if not isinstance(last, Record):
            continue
        if past.last_arrived_ms is None:
            past.last_arrived_ms, past.received_end = last.arrived_ms, last.end
            past.ended = next((one for one in last.entries if isinstance(one, StreamEnded)), None)
        if last.arrived_ms < past.last_arrived_ms - LONGEST_UNSEEN_MS:
            break
        past.events += _events_in(last)
    if past.received_end > closed_at:
        past.closed = None
    return past


def _events_in(record: Record) -> Iterator[tuple[str, int]]:
    """Names and times of what happened on the call, whether or not the projection came to it."""
    newest_ms = None
    for entry in record.entries:
        if isinstance(entry, AudioReceived):
            newest_ms = max(newest_ms or 0, entry.timestamp_ms)
        elif isinstance(entry, CallEventReceived):
            yield entry.name, entry.timestamp_ms or newest_ms or record.arrived_ms


def read_started(reader: JournalReader) -> StreamStarted | None:
    """Whose journal it is: told in its first two records, and wherever it was taken up again."""
    for record in reader.records(START, Kind.RECEIVED):
        if isinstance(record, Record):
            for entry in record.entries:
                if isinstance(entry, StreamStarted):
                    return entry
    return None


def _read_audio(reader: JournalReader) -> AudioParams | None:
    """What the first sound of a journal was announced as, as the projection takes it: one that we can decode."""
    audio: AudioParams | None = None
    for record in reader.records(START, Kind.RECEIVED):
        for entry in record.entries if isinstance(record, Record) else ():
            if isinstance(entry, MediaOpened):
                audio = entry.audio if is_decodable(entry.audio) else None
            elif isinstance(entry, AudioReceived) and audio is not None:
                return audio
    return None


def only_the_end(record: Record | Damage) -> Record | Damage:
    """What a projection that has failed is still told."""
    if isinstance(record, Damage):
        return record
    return replace(record, entries=[one for one in record.entries if isinstance(one, StreamEnded)])


def started_of(reader: JournalReader) -> StreamStarted:
    """The same.

    Raises:
        JournalError: it is nowhere to be read.
    """
    started = read_started(reader)
    if started is None:
        raise JournalError("a journal that does not say whose stream it holds")
    return started


def _pin_of(fact: LanguagePinned) -> LanguagePin:
    return LanguagePin(
        fact.language,
        fact.source,
        fact.confidence,
        fact.channel_id,
        fact.number,
        fact.since_channel_id,
        fact.since_timestamp_ms,
        fact.is_of_call,
    )


def _note(past: Past, fact: Fact) -> None:
    past.told.note(fact)
    past.has_facts = True
    match fact:
        case UtteranceHeard() if not fact.verdict.startswith("failed"):
            key = fact.channel_id, fact.start_timestamp_ms, fact.end_timestamp_ms
            past.transcripts[key] = fact
        case CallEventSeen():
            past.events.append((fact.name, fact.timestamp_ms))
        case LanguagePinned():
            past.pins.append(_pin_of(fact))
