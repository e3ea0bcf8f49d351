"""A recorded call → a journal, as if it had been received: from there on it is a stream like any other.

Nothing in it depends on the clock of this machine: the same recording makes the same journal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from itertools import islice
from operator import itemgetter

import numpy as np

from zccvoice.journal.entry import Entry
from zccvoice.journal.journal import START, JournalReader, JournalWriter, Record
from zccvoice.journal.record import Kind
from zccvoice.recordings.recorded_call import RecordedCall
from zccvoice.recordings.seen_clipping import SeenClipping
from zccvoice.recordings.sound_file import Channels, Stretch, read
from zccvoice.rtms.enums import Codec, ContentType, DataOption, Product, SampleRate
from zccvoice.rtms.events import (
    AudioReceived,
    MediaOpened,
    ParticipantConnected,
    SoundClipped,
    SoundMissing,
    StreamEnded,
)
from zccvoice.rtms.messages import AudioParams
from zccvoice.rtms.webhook import StreamStarted

PACKET_MS = 100
RECORD_MS = 1_000
"""How much sound is in a record of the journal: what is read to read one utterance again."""
ENDED = "recording_ended"
"""`StreamEnded.cause` of a recording."""
DAMAGED = "damaged_recording"
"""Cause of a gap: broken packets in the file."""

OnProgress = Callable[[float], None]
"""Seconds of sound that are done; may raise to break off."""


def take_in(call: RecordedCall, writer: JournalWriter, on_progress: OnProgress = lambda done_s: None) -> None:
    """Write a recorded call into a new journal, to its end; blocking.

    Args:
        call: what is read.
        writer: of an empty journal.
        on_progress: told after every record.

    Raises:
        RecordingError: a file cannot be read; the journal then has no end, and is to be deleted.
        JournalError: the journal cannot be written.
    """
    begin_ms = _begin_ms(call)
    for entries in _introduction(call):
        writer.write(Kind.RECEIVED, begin_ms, entries)
    entries = []
    since_ms = at_ms = 0
    for at_ms, entry in merge(*_files(call, begin_ms), key=itemgetter(0)):
        if entries and at_ms >= since_ms + RECORD_MS:
            writer.write(Kind.RECEIVED, begin_ms + at_ms, entries)
            on_progress(at_ms / 1000)
            entries = []
        if not entries:
            since_ms = at_ms
        entries.append(entry)
    entries.append(StreamEnded(ENDED, "the file ends here"))
    writer.write(Kind.RECEIVED, begin_ms + at_ms, entries)
    writer.sync()


def is_of(call: RecordedCall, reader: JournalReader) -> bool:
    """Whether a journal was made of this call as it is told now: its id, beginning, sides and queue. Blocking."""
    told = _introduction(call)
    records = islice(reader.records(START, Kind.RECEIVED), len(told))
    return [list(one.entries) if isinstance(one, Record) else None for one in records] == told


def _begin_ms(call: RecordedCall) -> int:
    return int(call.started_at.timestamp() * 1000)


def _introduction(call: RecordedCall) -> list[list[Entry]]:
    """The entries of the first records: all that is not in the files."""
    begin_ms = _begin_ms(call)
    audio = AudioParams(
        content_type=ContentType.RAW_AUDIO,
        codec=Codec.L16,
        sample_rate=next(rate for rate in SampleRate if rate.hz == call.rate_hz),
        channel=1,
        data_opt=DataOption.AUDIO_MULTI_STREAMS,
        send_rate=PACKET_MS,
    )
    people = [
        ParticipantConnected(leg.channel_id, leg.role, begin_ms, queue_name=call.queue) for leg in call.legs
    ]
    started = StreamStarted(Product.RECORDING, call.engagement_id, call.stream_id, "", begin_ms)
    # Twice: a damaged block must not make a file that belongs to nobody.
    return [[started], [started], [MediaOpened(audio), *people]]


def _files(call: RecordedCall, begin_ms: int) -> list[Iterator[tuple[int, Entry]]]:
    return [_packets(call, number, begin_ms) for number in range(len(call.sounds))]


def _packets(call: RecordedCall, file: int, begin_ms: int) -> Iterator[tuple[int, Entry]]:
    """The packets of one file, each with its milliseconds from the beginning."""
    legs = [leg for leg in call.legs if leg.file == file]
    sound = call.sounds[file]
    seen, end_ms = SeenClipping(call.rate_hz), 0
    for position, samples in cut(read(sound, call.rate_hz, seen), sound.channel_count, call.rate_hz):
        at_ms = position * 1000 // call.rate_hz
        if samples is None:
            for leg in legs:
                yield at_ms, SoundMissing(leg.channel_id, begin_ms + end_ms, begin_ms + at_ms, DAMAGED)
            continue
        for leg in legs:
            if seen.rate_hz is not None:
                clipped = seen.lengths(leg.channel, position, position + samples.shape[1])
                if clipped or not end_ms:
                    yield at_ms, SoundClipped(leg.channel_id, begin_ms + at_ms, seen.rate_hz, clipped)
            payload = samples[leg.channel].astype("<i2", copy=False).tobytes()
            yield at_ms, AudioReceived(leg.channel_id, begin_ms + at_ms, payload)
        end_ms = at_ms + samples.shape[1] * 1000 // call.rate_hz


def cut(
    stretches: Iterable[Stretch], channel_count: int, rate_hz: int
) -> Iterator[tuple[int, Channels | None]]:
    """Pieces of a packet's length, shorter ones before a hole and at the end, and None where a hole ends."""
    size = rate_hz * PACKET_MS // 1000
    held: Channels = np.empty((channel_count, 0), np.int16)
    at = 0
    for stretch in stretches:
        if stretch.position != at + held.shape[1]:
            if held.size:
                yield at, held
            at, held = stretch.position, held[:, :0]
            yield at, None
        held = np.concatenate([held, stretch.samples], axis=1)
        whole = held.shape[1] // size * size
        for start in range(0, whole, size):
            yield at + start, held[:, start : start + size]
        at, held = at + whole, held[:, whole:]
    if held.size:
        yield at, held
