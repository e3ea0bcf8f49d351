"""Any range of a track's samples, read back from its journal without decoding the rest of it.

An utterance knows where its packets lie (`audio.frame.Passage`) and is read back to the sample. A stretch of
time is found by bisection: records stand in the order of arrival, which is nearly that of the timestamps.
"""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
import numpy.typing as npt

from zccvoice.audio.codecs import decoder_for
from zccvoice.audio.frame import AudioFormat, Packet, Passage
from zccvoice.audio.timeline import Timeline
from zccvoice.errors import DecodeError, JournalError
from zccvoice.journal.journal import JournalReader, Record
from zccvoice.journal.record import Kind
from zccvoice.rtms.events import AudioReceived

SLACK_MS = 5_000
"""How far arrival may be out of the order of timestamps, between tracks."""


def read_samples(reader: JournalReader, audio_format: AudioFormat, passage: Passage) -> npt.NDArray[np.int16]:
    """The samples of a passage, ``int16[passage.end - passage.start]``, mono, at the format's rate.

    Raises:
        JournalError: a record that it lies in is damaged: nothing is made up.
    """
    samples = np.zeros(passage.end - passage.start, np.int16)
    decoder = decoder_for(audio_format)
    record: Record | None = None
    for position, (offset, index) in passage.pieces:
        if record is None or record.offset != offset:
            found = reader.read(offset)
            if not isinstance(found, Record):
                raise JournalError(f"the record at {offset} is damaged: its audio cannot be read again")
            record = found
        decoded = decoder.decode(record.entries[index].payload)
        first = max(0, passage.start - position)
        last = min(len(decoded), passage.end - position)
        samples[position + first - passage.start : position + last - passage.start] = decoded[first:last]
    return samples


def find_passage(
    reader: JournalReader, channel_id: str, audio_format: AudioFormat, from_ms: int, until_ms: int
) -> Passage:
    """Where the samples of one track between two moments of Zoom's clock lie.

    Positions count from `from_ms`. What did not arrive, or is damaged, is silence.
    """
    timeline = Timeline(audio_format)
    placed: list[Packet] = []
    for record, index, packet in _packets_near(reader, channel_id, from_ms, until_ms):
        try:
            pieces = timeline.push(packet.timestamp_ms, packet.payload, (record.offset, index))
        except DecodeError:
            continue  # it was no audio when it came, either
        placed += [piece for piece in pieces if isinstance(piece, Packet)]
    placed += [piece for piece in timeline.flush() if isinstance(piece, Packet)]
    length = (until_ms - from_ms) * audio_format.rate_hz // 1000
    if timeline.first_timestamp_ms is None:
        return Passage(0, length, ())
    shift = (timeline.first_timestamp_ms - from_ms) * audio_format.rate_hz // 1000
    return Passage(
        0,
        length,
        tuple(
            (packet.position + shift, packet.source)
            for packet in placed
            if packet.source is not None
            and packet.position + shift < length
            and packet.position + packet.sample_count + shift > 0
        ),
    )


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
