"""The content of a record: when it arrived, then one entry after the other.

    content  :=  arrived_ms:varint told* entry*
    told     :=  00000011 number:varint size name     whose a track's number is: its channel id, see `tracks`
    entry    :=  01######                             audio packets, see `packets`
              |  00000010 size value                  anything else: [type, fields] in MessagePack

Records of version 1 hold their packets one by one, each name in the record; they are read, see `SinglePackets`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from itertools import groupby
from typing import Any, TypeAlias

import msgspec

from zccvoice.errors import JournalError
from zccvoice.journal.packets import BATCH, MOST_PACKETS, NameOf, SinglePackets, get_batch, put_packets
from zccvoice.journal.varint import ByteReader, put_varint
from zccvoice.rtms.events import AudioReceived

Entry: TypeAlias = Any
"""`AudioReceived`, or a value of one of the types that the `EntryCodec` was made for."""

_SINGLE, _TRACK, _VALUE, _TOLD = 0x80, 0x01, 0x02, 0x03


class EntryCodec:
    """Entries ↔ bytes, for the dataclasses that it is told of; stateless between records."""

    def __init__(self, types: Iterable[type]) -> None:
        self._types = {one.__name__: one for one in types}

    def encode(
        self, arrived_ms: int, entries: Sequence[Entry], numbers: Mapping[str, int], told: Iterable[str]
    ) -> bytes:
        """The content of a record.

        Args:
            arrived_ms: by when the entries had arrived, epoch milliseconds.
            entries: in the order in which they will be read.
            numbers: of their tracks, by channel id.
            told: the channel ids that this record tells.

        Raises:
            TypeError: an entry of a type that this codec was not made for; a defect of the caller.
            ValueError, OverflowError: a value that cannot be written, such as half a character; one, too.
        """
        out = bytearray()
        put_varint(out, arrived_ms)
        for channel_id in told:
            out.append(_TOLD)
            put_varint(out, numbers[channel_id])
            _put_bytes(out, channel_id.encode("utf-8", "surrogatepass"))
        for kind, group in groupby(entries, type):
            if kind is AudioReceived:
                put_packets(out, list(group), arrived_ms, numbers)
            else:
                for entry in group:
                    self._put_value(out, entry)
        return bytes(out)

    def decode(self, content: bytes, name_of: NameOf) -> tuple[int, list[Entry]] | None:
        """``arrived_ms`` and the entries, as they were given to `encode`; None when a track has no name.

        Raises:
            JournalError: this is not a record's content, or holds a type that is not known here.
        """
        reader = ByteReader(content)
        entries: list[Entry] = []
        singles = SinglePackets()
        try:
            arrived_ms = reader.varint()
            while not reader.is_done:
                tag = reader.byte()
                if tag & _SINGLE:
                    entries.append(singles.get(reader, tag))
                elif tag & BATCH:
                    packets = get_batch(reader, tag & MOST_PACKETS, arrived_ms, name_of)
                    if packets is None:
                        return None
                    entries += packets
                elif tag == _VALUE:
                    entries.append(self._get_value(reader.bytes()))
                elif tag == _TOLD:
                    _get_told(reader)
                elif tag == _TRACK:
                    singles.add_track(_text(reader.bytes()))
                else:
                    raise JournalError(f"journal entry: expected a known tag, got {tag:#04x}")
        except (IndexError, UnicodeDecodeError, RecursionError, msgspec.MsgspecError) as error:
            raise JournalError(f"journal entry: {type(error).__name__} in {len(content)} bytes") from None
        return arrived_ms, entries

    def _put_value(self, out: bytearray, entry: Entry) -> None:
        name = type(entry).__name__
        if self._types.get(name) is not type(entry):
            raise TypeError(f"journal entry: expected one of {', '.join(self._types)}, got {name}")
        out.append(_VALUE)
        _put_bytes(out, msgspec.msgpack.encode([name, entry]))

    def _get_value(self, data: bytes) -> Entry:
        name, fields = msgspec.msgpack.decode(data, type=tuple[str, msgspec.Raw])
        if name not in self._types:
            raise JournalError(f"journal entry: {name[:40]!r} is not known to this version of the program")
        return msgspec.msgpack.decode(fields, type=self._types[name])


def whole_characters(value: Any) -> Any:
    """An entry with a question mark for every half of a character in its texts, which nobody can write down.

    Those who cut texts by UTF-16 leave one of an emoji, and JSON can tell it.
    """
    if type(value) is str:
        return value.encode("utf-8", "replace").decode("utf-8")
    if type(value) is tuple:
        return tuple(whole_characters(one) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        changed = {one.name: whole_characters(getattr(value, one.name)) for one in fields(value) if one.init}
        return replace(value, **changed)
    return value


def names_told(content: bytes) -> dict[int, str]:
    """The channel ids that a record's content tells, by number, without a look at its entries.

    Raises:
        JournalError: this is not a record's content.
    """
    reader = ByteReader(content)
    names = {}
    try:
        reader.varint()
        while not reader.is_done and reader.byte() == _TOLD:
            number, name = _get_told(reader)
            names[number] = name
    except (IndexError, UnicodeDecodeError) as error:
        raise JournalError(f"journal entry: {type(error).__name__} in {len(content)} bytes") from None
    return names


def _get_told(reader: ByteReader) -> tuple[int, str]:
    return reader.varint(), _text(reader.bytes())


def _put_bytes(out: bytearray, data: bytes) -> None:
    put_varint(out, len(data))
    out += data


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")
