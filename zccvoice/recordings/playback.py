"""Journals → the sides of a call as they sounded, on one clock, in memory that does not grow with their length.

Every leg is read by itself, from the beginning of its journal, by the decoder that it was heard with. What did
not arrive, or is damaged, is silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from zccvoice.audio.codecs import as_carried
from zccvoice.audio.decoder import LONGEST_BRIDGED_SAMPLES, Decoder
from zccvoice.audio.frame import SAMPLE_RATE_HZ, SAMPLES_PER_MS, AudioFormat, Gap, Packet, Samples
from zccvoice.audio.timeline import Timeline
from zccvoice.daemon.audio_format import format_of
from zccvoice.errors import DecodeError
from zccvoice.journal.journal import START, JournalReader, Record
from zccvoice.journal.record import Kind
from zccvoice.recordings.sound_file import Channels
from zccvoice.rtms.events import AudioReceived, MediaOpened

BLOCK_SAMPLES = 10 * SAMPLE_RATE_HZ
OpenReader = Callable[[], JournalReader]
Sound = Iterator[tuple[int, Samples]]
"""Positions at 16 kHz, ascending, with what is heard from there on."""


def leg_sound(open_reader: OpenReader, channel_id: str, zero_ms: int) -> Sound:
    """One track of a journal.

    Args:
        open_reader: opens the journal.
        channel_id: the track's.
        zero_ms: Zoom's timestamp of position 0.

    Raises (while it is iterated):
        JournalError: the journal cannot be read.
        KeyMissingError: its key was shredded.
    """
    with open_reader() as reader:
        announced: AudioFormat | None = None
        leg: _Leg | None = None
        for record in reader.records(START, Kind.RECEIVED):
            if not isinstance(record, Record):
                continue
            for entry in record.entries:
                if isinstance(entry, MediaOpened):
                    announced = format_of(entry.audio)
                elif isinstance(entry, AudioReceived) and entry.channel_id == channel_id and announced:
                    leg = leg or _Leg(as_carried(announced, entry.payload), zero_ms)
                    leg.place(entry)
            if leg is not None:
                yield from leg.sound()
        if leg is not None:
            yield from leg.rest()


class _Leg:
    """Timeline and decoder of one track."""

    def __init__(self, audio_format: AudioFormat, zero_ms: int) -> None:
        self._timeline = Timeline(audio_format)
        self._decoder = Decoder(audio_format)
        self._zero_ms = zero_ms
        self._placed: list[Packet | Gap] = []
        self._at = 0  # on the track's own axis

    def place(self, packet: AudioReceived) -> None:
        try:
            self._placed += self._timeline.push(packet.timestamp_ms, packet.payload)
        except DecodeError:
            return  # it was no audio when it came, either

    def sound(self) -> Sound:
        placed, self._placed = self._placed, []
        if placed:
            yield from self._positioned(self._decoder.decode(placed))

    def rest(self) -> Sound:
        self._placed += self._timeline.flush()
        yield from self.sound()
        yield from self._positioned(self._decoder.flush())

    def _positioned(self, pieces: Sequence[Samples | Gap]) -> Sound:
        hole_start = hole_end = -1
        for piece in pieces:
            if not isinstance(piece, Gap):
                assert self._timeline.first_timestamp_ms is not None
                shift = (self._timeline.first_timestamp_ms - self._zero_ms) * SAMPLES_PER_MS
                yield self._at + shift, piece
                self._at += len(piece)
            elif not piece.is_in_sound:
                if piece.position != hole_end:
                    hole_start = piece.position
                hole_end = piece.position + piece.sample_count
                if hole_end - hole_start > LONGEST_BRIDGED_SAMPLES:
                    self._at = hole_end


def side_by_side(sides: Sequence[Sequence[Sound]], length: int) -> Iterator[Channels]:
    """Sounds on one clock → blocks of channels, from position 0 on.

    Args:
        sides: what is heard in each channel: several together are mixed.
        length: in samples; what lies beyond is left out.
    """
    heads = [[_Playhead(sound) for sound in side] for side in sides]
    for start in range(0, length, BLOCK_SAMPLES):
        count = min(BLOCK_SAMPLES, length - start)
        mixed = np.zeros((len(sides), count), np.int32)
        for channel, side in zip(mixed, heads, strict=True):
            for head in side:
                head.play(start, channel)
        yield np.clip(mixed, -32_768, 32_767).astype(np.int16)


class _Playhead:
    """Plays one sound, a block after the other."""

    def __init__(self, sound: Sound) -> None:
        self._sound = sound
        self._waiting: tuple[int, Samples] | None = next(sound, None)

    def play(self, start: int, channel: np.ndarray[tuple[int], np.dtype[np.int32]]) -> None:
        """Add what is heard from `start` on, as far as the channel reaches."""
        end = start + len(channel)
        while self._waiting is not None and self._waiting[0] < end:
            position, samples = self._waiting
            first = max(0, start - position)
            inside = samples[first : max(first, end - position)]
            channel[position + first - start :][: len(inside)] += inside
            rest = samples[max(0, end - position) :]
            self._waiting = (max(position, end), rest) if len(rest) else next(self._sound, None)
