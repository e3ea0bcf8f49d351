"""A house for calls in tests: real journals in a folder, a fake recognizer, and what came of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from tests.daemon.fakes import FakeReceiver, FakeRecognizer
from zccvoice.analytics.pseudonym import PhonePseudonym
from zccvoice.config import Config, LanguageConfig, load
from zccvoice.daemon.call import Call
from zccvoice.daemon.detector import LanguageDetector, UnclearItem
from zccvoice.daemon.house import House
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.outbox import Outbox
from zccvoice.daemon.past import ENTRY_TYPES
from zccvoice.daemon.transcriber import SpokenItem, Transcriber
from zccvoice.daemon.transport import EventsSend
from zccvoice.journal.journal import Damage, Record
from zccvoice.journal.record import Kind
from zccvoice.journal.shelf import Shelf, journal_name
from zccvoice.journal.vault import Vault
from zccvoice.rtms.messages import AudioParams
from zccvoice.rtms.webhook import StreamStarted
from zccvoice.speech.language import LanguagePolicy
from zccvoice.speech.recognizer import Recognizer
from zccvoice.store.facts import Fact

EPOCH_S = 1_781_000_000.0
"""Unix time at which the tests' clocks begin."""


def wall_clock() -> float:
    """Virtual time as Unix time."""
    return EPOCH_S + trio.current_time()


def new_shelf(folder: Path) -> Shelf:
    return Shelf(folder / "journal", Vault(folder / "keys", "the master key of the tests"), ENTRY_TYPES)


class Rooms:
    """What calls share, with a transcriber at work; see `open_house`."""

    def __init__(self, shelf: Shelf, recognizer: Recognizer, config: Config) -> None:
        self.shelf = shelf
        self.recognizer: Any = recognizer
        self.receivers: list[FakeReceiver] = []
        self.metrics = Metrics()
        self.outbox = Outbox()
        self.spoken_send, self.spoken_receive = trio.open_memory_channel[SpokenItem](1000)
        self.unclear_send, self.unclear_receive = trio.open_memory_channel[UnclearItem](1000)
        self.house = House(
            config,
            LanguagePolicy(config.language),
            PhonePseudonym("a key"),
            shelf,
            self.outbox,
            self.metrics,
            self.spoken_send,
            self.unclear_send,
            trio.CapacityLimiter(8),
            wall_clock,
        )

    def call(self, started: StreamStarted, script: Sequence[object], *, is_announced: bool = True) -> Call:
        """A call whose receiver follows a script."""

        def transport(one: StreamStarted, events_send: EventsSend, audio: AudioParams | None) -> FakeReceiver:
            self.receivers.append(FakeReceiver(one, events_send, script, audio))
            return self.receivers[-1]

        return Call(started, transport, self.house, is_announced=is_announced)

    def facts(self, stream_id: str) -> list[Fact]:
        """What the stream's journal holds of facts, in order."""
        return [entry for record in self.records(stream_id, Kind.DERIVED) for entry in record.entries]

    def records(self, stream_id: str, kind: Kind | None = None) -> Iterator[Record]:
        with self.shelf.reader(journal_name(stream_id)) as reader:
            for record in reader.records(kind=kind):
                assert not isinstance(record, Damage)
                yield record

    def metric(self, name: str, labels: dict[str, str] | None = None) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)


@asynccontextmanager
async def open_house(
    folder: Path,
    *,
    recognizer: Recognizer | None = None,
    languages: LanguageConfig | None = None,
    is_transcribing: bool = True,
    **settings: dict[str, Any],
) -> AsyncIterator[Rooms]:
    """A house with a transcriber, unless it is stuck; ends with the block."""
    config = load(None, language=(languages or LanguageConfig()).model_dump(), **settings)
    rooms = Rooms(new_shelf(folder), recognizer or FakeRecognizer(), config)
    closing = trio.Event()
    async with trio.open_nursery() as keeping:
        keeping.start_soon(rooms.house.commits.run)
        async with trio.open_nursery() as nursery:
            if is_transcribing:
                transcriber = Transcriber(rooms.recognizer, rooms.metrics, closing=closing)
                nursery.start_soon(transcriber.run, rooms.spoken_receive)
                nursery.start_soon(LanguageDetector(rooms.recognizer).run, rooms.unclear_receive)
            yield rooms
            closing.set()
            rooms.spoken_send.close()
            rooms.unclear_send.close()
        keeping.cancel_scope.cancel()
