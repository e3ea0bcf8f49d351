"""Any range of a track's samples, read back from its journal without decoding the rest of it.

An utterance knows where its packets lie (`audio.frame.Passage`) and is read back as the track heard it. A stretch
of time is found by bisection: records stand in the order of arrival, which is nearly that of the timestamps.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

import numpy as np

from zccvoice.audio.codecs import sample_count, unwrapped
from zccvoice.audio.decoder import LONGEST_BRIDGED_SAMPLES, Decoder
from zccvoice.audio.frame import SAMPLES_PER_MS, AudioFormat, Gap, Packet, Passage, Samples
from zccvoice.audio.holes import LOST_PACKETS
from zccvoice.audio.timeline import Timeline
from zccvoice.audio.trail import Trail
from zccvoice.errors import DecodeError, JournalError
from zccvoice.journal.journal import JournalReader, Record
from zccvoice.journal.record import Kind
from zccvoice.rtms.events import AudioReceived

SLACK_MS = 5_000
"""How far arrival may be out of the order of timestamps, between tracks."""


def read_samples(reader: JournalReader, audio_format: AudioFormat, passage: Passage) -> Samples:
    """The samples of a passage, ``int16[passage.end - passage.start]``, mono, 16 kHz.

    What the track heard: to the sample for L16 and G.711; for G.722 and Opus, whose decoders remember, with a
    difference 40 dB or more below the sound.

    Raises:
        JournalError: a record that it lies in is damaged: nothing is made up.
    """
    samples = np.zeros(passage.end - passage.start, np.int16)
    decoder = Decoder(audio_format)
    pieces = list(_pieces(reader, audio_format, passage))
    at = (pieces[0].position if pieces else passage.start) - passage.start
    for piece in decoder.decode(pieces) + decoder.flush():
        if isinstance(piece, Gap):
            if piece.sample_count > LONGEST_BRIDGED_SAMPLES:
                at = piece.position + piece.sample_count - passage.start
            continue
        inside = piece[max(0, -at) : max(0, len(samples) - at)]
        samples[max(0, at) : max(0, at) + len(inside)] = inside
        at += len(piece)
    return samples


def _pieces(reader: JournalReader, audio_format: AudioFormat, passage: Passage) -> Iterator[Packet | Gap]:
    """Its packets, read again, with the holes between them."""
    record: Record | None = None
    end: int | None = None
    for position, (offset, index) in passage.pieces:
        if record is None or record.offset != offset:
            found = reader.read(offset)
            if not isinstance(found, Record):
                raise JournalError(f"the record at {offset} is damaged: its audio cannot be read again")
            record = found
        payload = unwrapped(audio_format, record.entries[index].payload)
        if end is not None and position > end:
            yield Gap(end, position - end, LOST_PACKETS)
        packet = Packet(position, sample_count(audio_format, payload), payload)
        end = position + packet.sample_count
        yield packet


def find_passage(
    reader: JournalReader, channel_id: str, audio_format: AudioFormat, from_ms: int, until_ms: int
) -> Passage:
    """Where the samples of one track between two moments of Zoom's clock lie.

    Positions count from `from_ms`. What did not arrive, or is damaged, is silence.
    """
    timeline, trail = Timeline(audio_format), Trail(Decoder(audio_format))
    placed: list[Packet | Gap] = []
    for record, index, packet in _packets_near(reader, channel_id, from_ms, until_ms):
        try:
            placed += timeline.push(packet.timestamp_ms, packet.payload, (record.offset, index))
        except DecodeError:
            continue  # it was no audio when it came, either
    placed += timeline.flush()
    shift = ((timeline.first_timestamp_ms or 0) - from_ms) * SAMPLES_PER_MS
    trail.add(
        piece._replace(position=piece.position + shift) for piece in placed if isinstance(piece, Packet)
    )
    length = (until_ms - from_ms) * SAMPLES_PER_MS
    return trail.passage(0, length) or Passage(0, length, ())


def _packets_near(
    reader: JournalReader, channel_id: str, from_ms: int, until_ms: int
) -> list[tuple[Record, int, AudioReceived]]:
    found: list[tuple[Record, int, AudioReceived]] = []
    offsets = reader.offsets(Kind.RECEIVED)
    first = bisect_left(offsets, from_ms - SLACK_MS, key=lambda offset: _newest_ms(reader, offset))
    for record in reader.records(offsets[first], Kind.RECEIVED) if first < len(offsets) else ():
        if not isinstance(record, Record):
            continue
        packets = [(index, one) for index, one in enumerate(record.entries) if isinstance(one, AudioReceived)]
        if packets and min(one.timestamp_ms for _, one in packets) > until_ms + SLACK_MS:
            break
        found += [
            (record, index, one)
            for index, one in packets
            if one.channel_id == channel_id and from_ms - SLACK_MS <= one.timestamp_ms < until_ms + SLACK_MS
        ]
    return found


def _newest_ms(reader: JournalReader, offset: int) -> int:
    """The newest timestamp in the record at `offset`, or in the first one after it that has audio."""
    for record in reader.records(offset, Kind.RECEIVED):
        if isinstance(record, Record):
            told = [one.timestamp_ms for one in record.entries if isinstance(one, AudioReceived)]
            if told:
                return max(told)
    return 2**63
