"""The keys of what is derived of a stream: whatever was derived before under another one is stale."""

from __future__ import annotations

from zccvoice.store.facts import Fact, GapFound, LanguagePinned, OneWayFound, StreamRestated

Keys = set[tuple[str, int]]


class Stated:
    """What has been stated of one stream so far."""

    def __init__(self, ids: tuple[str, str]) -> None:
        """Begin with nothing.

        Args:
            ids: of the engagement and the stream.
        """
        self._ids = ids
        self._utterances: Keys = set()
        self._gaps: Keys = set()
        self._pins: Keys = set()
        self._one_way: Keys = set()

    def note_spoken(self, channel_id: str, start_timestamp_ms: int) -> None:
        """An utterance, which may be told again with another language."""
        self._utterances.add((channel_id, start_timestamp_ms))

    def note(self, fact: Fact) -> None:
        """Any fact: of those that have a key of this kind it is kept."""
        match fact:
            case GapFound():
                self._gaps.add((fact.channel_id, fact.start_timestamp_ms))
            case LanguagePinned():
                self._pins.add((fact.channel_id or "", fact.number))
            case OneWayFound():
                self._one_way.add((fact.channel_id, fact.start_timestamp_ms))

    def restated(self) -> StreamRestated:
        """All of them."""
        kinds = (self._utterances, self._gaps, self._pins, self._one_way)
        return StreamRestated(*self._ids, *(tuple(sorted(keys)) for keys in kinds))
