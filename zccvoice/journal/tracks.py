"""Numbers for tracks: a channel id is long, and seldom told.

Whoever opens a journal for writing numbers its tracks anew, and a number means one track as long as he writes.
Each name is told with its number in the first two records of the track, and in the first one of it that begins
in another block of the file. So no one damaged record hides a name; a reader who goes through the file knows all
names in time, and one who begins anywhere finds them from the block's beginning on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from zccvoice.journal.entry import Entry, names_told
from zccvoice.rtms.events import AudioReceived

BLOCK_BYTES = 2**18
"""Names are a few bytes in ten thousand so; a reader seldom looks into more than the block's first record."""
_ONCE = -1

Contents = Callable[[int, int], Iterator[bytes]]
"""The contents of the records of one generation, from an offset on."""


class TrackNumbers:
    """The writer's side: which number a track has, and whether it is time to tell its name."""

    def __init__(self) -> None:
        """No tracks yet."""
        self.numbers: dict[str, int] = {}
        """By channel id."""
        self._told_in: dict[str, int] = {}

    def due(self, entries: Sequence[Entry], offset: int) -> list[str]:
        """Number the tracks of a record that begins at `offset`; returns those whose names it has to tell."""
        names = dict.fromkeys([entry.channel_id for entry in entries if type(entry) is AudioReceived])
        block = offset // BLOCK_BYTES
        due = [name for name in names if self._told_in.get(name) != block]
        for name in due:
            self.numbers.setdefault(name, len(self.numbers))
        return due

    def note_told(self, names: Iterable[str], offset: int) -> None:
        """The record at `offset` tells these."""
        for name in names:
            self._told_in[name] = offset // BLOCK_BYTES if name in self._told_in else _ONCE


class TrackNames:
    """The reader's side: whose number it is."""

    def __init__(self, contents: Contents) -> None:
        """Know nothing yet; `contents` is asked when a name is wanted that was not learnt."""
        self._contents = contents
        self._names: dict[int, dict[int, str]] = {}

    def learn(self, generation: int, content: bytes) -> None:
        """Take in what a record tells.

        Raises:
            JournalError: this is not a record's content.
        """
        self._names.setdefault(generation, {}).update(names_told(content))

    def name(self, generation: int, number: int, offset: int) -> str | None:
        """The channel id of a track in the record at `offset`; None when no record tells it.

        Raises:
            JournalError: the disk refuses.
        """
        names = self._names.setdefault(generation, {})
        if number not in names:
            self._search(generation, number, offset - offset % BLOCK_BYTES)  # and in the blocks that follow
        if number not in names:
            self._search(generation, number, 0)
        return names.get(number)

    def _search(self, generation: int, number: int, start: int) -> None:
        for content in self._contents(generation, start):
            self.learn(generation, content)
            if number in self._names[generation]:
                return
