"""The content of a record: when it arrived, then one entry after the other.

    content  :=  arrived_ms:varint entry*
    entry    :=  1ts#####  [track] [step] [size] payload      an audio packet; # is the track's number
              |  00000001  size name                          the next track of this record: its channel id
              |  00000010  size value                         anything else: [type, fields] in MessagePack

A packet names its track by the order in which the record declares tracks. Its timestamp is left out when it is
one step after the track's last one (bit t) and its size when it equals the last one (bit s): then it costs one
byte beside its payload. A record needs no other record to be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

from zccvoice.errors import JournalError
from zccvoice.rtms.events import AudioReceived

Entry: TypeAlias = Any
"""`AudioReceived`, or a value of one of the types that the `EntryCodec` was made for."""

_AUDIO, _AS_EXPECTED, _SAME_SIZE, _TRACK_BITS = 0x80, 0x40, 0x20, 0x1F
_TRACK_FOLLOWS = _TRACK_BITS
_TRACK, _VALUE = 0x01, 0x02
_NUMBER_BITS = 70
"""A varint takes ten bytes at most: enough for the difference of any two 64-bit timestamps."""


@dataclass(slots=True)
class _TrackState:
    number: int
    timestamp_ms: int = 0
    step_ms: int = 0
    size: int = 0

    def follow(self, timestamp_ms: int, size: int) -> None:
        self.step_ms = timestamp_ms - self.timestamp_ms if self.timestamp_ms else 0
        self.timestamp_ms, self.size = timestamp_ms, size


class EntryCodec:
    """Entries ↔ bytes, for the dataclasses that it is told of; stateless between records."""

    def __init__(self, types: Iterable[type]) -> None:
        self._types = {one.__name__: one for one in types}

    def encode(self, arrived_ms: int, entries: Sequence[Entry]) -> bytes:
        """The content of a record whose entries arrived by `arrived_ms` (epoch milliseconds).

        Raises:
            TypeError: an entry of a type that this codec was not made for; a defect of the caller.
            ValueError, OverflowError: a value that cannot be written, such as half a character; one, too.
        """
        out = bytearray()
        _put_varint(out, arrived_ms)
        tracks: dict[str, _TrackState] = {}
        for entry in entries:
            if type(entry) is AudioReceived:
                _put_audio(out, entry, tracks)
            else:
                self._put_value(out, entry)
        return bytes(out)

    def decode(self, content: bytes) -> tuple[int, list[Entry]]:
        """``arrived_ms`` and the entries, as they were given to `encode`.

        Raises:
            JournalError: this is not a record's content, or holds a type that is not known here.
        """
        reader = _Reader(content)
        try:
            arrived_ms = reader.varint()
            entries: list[Entry] = []
            tracks: list[tuple[str, _TrackState]] = []
            while not reader.is_done:
                tag = reader.byte()
                if tag & _AUDIO:
                    entries.append(_get_audio(reader, tag, tracks))
                elif tag == _TRACK:
                    tracks.append((reader.bytes().decode("utf-8", "surrogatepass"), _TrackState(len(tracks))))
                elif tag == _VALUE:
                    entries.append(self._get_value(reader.bytes()))
                else:
                    raise JournalError(f"journal entry: expected a known tag, got {tag:#04x}")
        except (IndexError, UnicodeDecodeError, RecursionError, msgspec.MsgspecError) as error:
            raise JournalError(f"journal entry: {type(error).__name__} in {len(content)} bytes") from None
        return arrived_ms, entries

    def _put_value(self, out: bytearray, entry: Entry) -> None:
        name = type(entry).__name__
        if self._types.get(name) is not type(entry):
            raise TypeError(f"journal entry: expected one of {', '.join(self._types)}, got {name}")
        value = msgspec.msgpack.encode([name, entry])
        out.append(_VALUE)
        _put_varint(out, len(value))
        out += value

    def _get_value(self, data: bytes) -> Entry:
        name, fields = msgspec.msgpack.decode(data, type=tuple[str, msgspec.Raw])
        if name not in self._types:
            raise JournalError(f"journal entry: {name[:40]!r} is not known to this version of the program")
        return msgspec.msgpack.decode(fields, type=self._types[name])


def _put_audio(out: bytearray, packet: AudioReceived, tracks: dict[str, _TrackState]) -> None:
    track = tracks.get(packet.channel_id)
    if track is None:
        track = tracks[packet.channel_id] = _TrackState(len(tracks))
        name = packet.channel_id.encode("utf-8", "surrogatepass")
        out.append(_TRACK)
        _put_varint(out, len(name))
        out += name
    size = len(packet.payload)
    surprise_ms = packet.timestamp_ms - track.timestamp_ms - track.step_ms
    tag = _AUDIO | min(track.number, _TRACK_FOLLOWS)
    tag |= _AS_EXPECTED * (surprise_ms == 0) | _SAME_SIZE * (size == track.size)
    out.append(tag)
    if track.number >= _TRACK_FOLLOWS:
        _put_varint(out, track.number)
    if surprise_ms:
        _put_varint(out, (surprise_ms << 1) if surprise_ms > 0 else ((-surprise_ms) << 1 | 1))
    if size != track.size:
        _put_varint(out, size)
    out += packet.payload
    track.follow(packet.timestamp_ms, size)


def _get_audio(reader: _Reader, tag: int, tracks: Sequence[tuple[str, _TrackState]]) -> AudioReceived:
    number = tag & _TRACK_BITS
    if number == _TRACK_FOLLOWS:
        number = reader.varint()
    channel_id, track = tracks[number]
    timestamp_ms = track.timestamp_ms + track.step_ms
    if not tag & _AS_EXPECTED:
        surprise = reader.varint()
        timestamp_ms += -(surprise >> 1) if surprise & 1 else surprise >> 1
    size = track.size if tag & _SAME_SIZE else reader.varint()
    track.follow(timestamp_ms, size)
    return AudioReceived(channel_id, timestamp_ms, reader.take(size))


def _put_varint(out: bytearray, number: int) -> None:
    """Seven bits a byte, the lowest first (LEB128)."""
    if not 0 <= number < 1 << _NUMBER_BITS:
        raise OverflowError(f"expected a number of {_NUMBER_BITS} bits, got {number}")
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


class _Reader:
    """A walk through bytes; raises IndexError where they end too early, or a number does not end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def is_done(self) -> bool:
        return self._at == len(self._data)

    def byte(self) -> int:
        value = self._data[self._at]
        self._at += 1
        return value

    def varint(self) -> int:
        number = shift = 0
        while (part := self.byte()) > 0x7F:
            number |= (part & 0x7F) << shift
            shift += 7
            if shift == _NUMBER_BITS:
                raise IndexError
        return number | part << shift

    def take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) != size:
            raise IndexError
        self._at += size
        return taken

    def bytes(self) -> bytes:
        return self.take(self.varint())
