"""What else goes on in a call beside speech: chat messages, pictures, and the streams that follow the first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from zccvoice.rtms.enums import MessageType
from zccvoice.simulator.entries import Entry, Who


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """Something a participant of a meeting writes to everybody."""

    channel_id: str
    at_ms: int
    text: str


class PictureKind(StrEnum):
    """Whose picture."""

    VIDEO = "video"
    SHARE = "share"

    @property
    def message_type(self) -> MessageType:
        """What carries it."""
        return MessageType.MEDIA_DATA_VIDEO if self is PictureKind.VIDEO else MessageType.MEDIA_DATA_SHARE


@dataclass(frozen=True, slots=True)
class Picture:
    """A camera or a shared screen that is sent although the client never asked for it."""

    kind: PictureKind
    channel_id: str
    from_ms: int
    to_ms: int
    every_ms: int
    size_bytes: int


class Ending(StrEnum):
    """How one stream of an engagement gives way to the next."""

    TRANSFER = "transfer"
    """Both connections are closed with 1000 and no word; a stream with another id follows."""
    FAILOVER = "failover"
    """The server dies, and Zoom starts a stream with another id instead of moving the old one."""
    RESTART = "restart"
    """Somebody stops the stream, and somebody starts another."""
    END = "end"
    """Nothing follows: states say so, and the connections are closed."""


@dataclass(frozen=True, slots=True)
class NextStream:
    """Another stream of the same engagement."""

    stream_id: str
    """Empty has one made from the id of the first stream."""
    at_ms: int
    """When the one before ends and this one begins to capture, on the scenario's axis."""
    after: Ending
    """How the one before ended."""


def read_chat(entry: Entry, who: Who) -> ChatMessage:
    """One ``[[chat]]`` of a scenario file."""
    message = ChatMessage(who.one_of(entry, "who"), entry.whole("at_ms"), entry.text("text"))
    entry.finish()
    return message


def read_picture(entry: Entry, who: Who) -> Picture:
    """One ``[[picture]]`` of a scenario file."""
    picture = Picture(
        kind=entry.choice("kind", PictureKind, PictureKind.VIDEO),
        channel_id=who.one_of(entry, "who"),
        from_ms=entry.whole("from_ms"),
        to_ms=entry.whole("to_ms"),
        every_ms=entry.whole("every_ms", 200, least=20),
        size_bytes=entry.whole("size_bytes", 2_000, least=1),
    )
    entry.finish()
    return picture


def read_next_stream(entry: Entry) -> NextStream:
    """One ``[[stream]]`` of a scenario file."""
    following = NextStream(
        stream_id=entry.text("stream_id", ""),
        at_ms=entry.whole("at_ms", least=20),
        after=entry.choice("after", Ending, Ending.TRANSFER),
    )
    if following.after is Ending.END:
        entry.complain("after: end is for the last stream only")
    entry.finish()
    return following
