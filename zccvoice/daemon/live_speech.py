"""Who speaks right now on the running calls, for their provisional rows.

The database learns of an utterance when it is over and understood, and of a silence by what follows it.
Nothing here is journalled: it is gone with the daemon, and so are the rows that it goes into.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby

from zccvoice.analytics.live import Heard
from zccvoice.analytics.record import Span
from zccvoice.daemon.outcome import Projected, Uttered
from zccvoice.journal.journal import Damage, Record
from zccvoice.rtms.events import AudioReceived, ReceptionBroken, StreamEnded
from zccvoice.speech.track import Track


@dataclass(slots=True)
class StreamSpeech:
    """One stream's part. Times are Zoom's epoch milliseconds."""

    engagement_id: str
    tracks: Callable[[], Iterable[Track]]
    """Those that are open by now."""
    is_catching_up: Callable[[], bool]
    """Whether older records are looked at than those that arrive."""
    wall_clock: Callable[[], float]
    """Unix time, s."""
    spoken: dict[str, list[Span]] = field(default_factory=dict)
    last_ms: int | None = None
    """The newest packet's timestamp."""
    last_arrived_ms: int = 0
    """When it came, by our clock."""
    is_received: bool = True

    def note(self, record: Record | Damage, projected: Iterable[Projected]) -> None:
        """A record was looked at, and gave this."""
        for one in projected:
            if isinstance(one, Uttered):
                channel_id, start_ms, end_ms = one.utterance.key
                self.spoken.setdefault(channel_id, []).append(Span(start_ms, end_ms))
        if isinstance(record, Damage):
            return
        for kind, entries in groupby(record.entries, type):
            if kind is AudioReceived:
                self.is_received = True
                self.last_ms = max(self.last_ms or 0, *[entry.timestamp_ms for entry in entries])
                self.last_arrived_ms = record.arrived_ms
            elif kind in (ReceptionBroken, StreamEnded):
                self.is_received = False

    def heard(self) -> Heard | None:
        """What was heard by now; None before the first packet.

        No packets come of who is muted or held: then time goes on by our clock, but only while everything that
        arrives is looked at.
        """
        if self.last_ms is None:
            return None
        until_ms = self.last_ms
        if self.is_received and not self.is_catching_up():
            until_ms += max(0, int(self.wall_clock() * 1000) - self.last_arrived_ms)
        tracks: dict[str, Span] = {}
        speaking: dict[str, Span] = {}
        for track in self.tracks():
            first_ms, end_ms = track.timeline.first_timestamp_ms, track.end_timestamp_ms
            if first_ms is None or end_ms is None:
                continue
            tracks[track.channel_id] = Span(first_ms, end_ms)
            since_ms = track.open_since_timestamp_ms
            if since_ms is not None:
                speaking[track.channel_id] = Span(since_ms, max(since_ms, end_ms))
        spoken = {channel_id: tuple(spans) for channel_id, spans in self.spoken.items()}
        return Heard(until_ms, tracks, spoken, speaking)


class LiveSpeech:
    """All running streams."""

    def __init__(self) -> None:
        self._streams: dict[str, StreamSpeech] = {}

    @contextmanager
    def listening(self, stream_id: str, speech: StreamSpeech) -> Iterator[None]:
        """The stream runs as long as the block."""
        self._streams[stream_id] = speech
        try:
            yield
        finally:
            del self._streams[stream_id]

    def heard(self, engagement_id: str) -> Heard | None:
        """What was heard of a call by now, of all its streams together; None when nothing was."""
        parts = [
            heard
            for stream in self._streams.values()
            if stream.engagement_id == engagement_id and (heard := stream.heard()) is not None
        ]
        if not parts:
            return None
        tracks: dict[str, Span] = {}
        spoken: dict[str, tuple[Span, ...]] = {}
        speaking: dict[str, Span] = {}
        for part in parts:
            tracks |= part.tracks
            speaking |= part.speaking
            for channel_id, spans in part.spoken.items():
                spoken[channel_id] = (*spoken.get(channel_id, ()), *spans)
        return Heard(max(part.until_ms for part in parts), tracks, spoken, speaking)
