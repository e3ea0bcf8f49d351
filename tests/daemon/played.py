"""A stream that is played through journal, projection and a fake recognizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import trio

from tests.daemon.fakes import FakeReceiver
from tests.daemon.rooms import EPOCH_S, Rooms, open_house
from tests.speech.sounds import noise, voice
from zccvoice.config import LanguageConfig
from zccvoice.daemon.transport import EventsSend
from zccvoice.journal.record import Kind
from zccvoice.rtms.enums import Product
from zccvoice.rtms.events import (
    AudioReceived,
    MediaOpened,
    ParticipantConnected,
    Role,
    StreamEnded,
    StreamEvent,
)
from zccvoice.rtms.messages import AudioParams
from zccvoice.rtms.webhook import StreamStarted
from zccvoice.store.facts import Fact, StreamClosed, StreamRestated, TrackClosed, UtteranceHeard

T0 = int(EPOCH_S * 1000)
STARTED = StreamStarted(Product.CONTACT_CENTER, "E", "S", "wss://a.zoom.us", T0 - 50)
SOUND = np.concatenate([noise(1000), voice(1500), noise(1500)])
OPENED = MediaOpened(AudioParams(send_rate=100))
ENDED = StreamEnded("customer_disconnected", "Zoom ended the stream")
WHO = ParticipantConnected("ch", Role.CONSUMER, T0, "u1", "Ana", "q1", "Pedidos")
LANGUAGES = LanguageConfig(queues={"Pedidos": "es"})


def audio(channel_id: str, *, offset_ms: int = 0, lost: tuple[int, ...] = ()) -> list[StreamEvent]:
    return [
        AudioReceived(
            channel_id, T0 + offset_ms + number * 100, SOUND[at : at + 1600].astype("<i2").tobytes()
        )
        for number, at in enumerate(range(0, len(SOUND), 1600))
        if number not in lost
    ]


class Played:
    """What a stream's journal holds in the end."""

    def __init__(self, rooms: Rooms, receivers: Sequence[FakeReceiver] = ()) -> None:
        self.rooms = rooms
        self.receivers = receivers
        self.facts = rooms.facts("S")
        self.heard = [one for one in self.facts if isinstance(one, UtteranceHeard)]
        last = self.facts[-1]
        assert isinstance(last, StreamClosed)
        self.end = last

    def of(self, kind: type[Fact]) -> list[Fact]:
        return [one for one in self.facts if isinstance(one, kind)]

    @property
    def sound_ms(self) -> list[int]:
        """When every packet that the journal holds was said, counted from `T0`."""
        entries = (entry for record in self.rooms.records("S", Kind.RECEIVED) for entry in record.entries)
        return [one.timestamp_ms - T0 for one in entries if isinstance(one, AudioReceived)]

    def metric(self, name: str, labels: dict[str, str] | None = None) -> float | None:
        return self.rooms.metric(name, labels)


async def run(
    folder: Path,
    script: Sequence[object],
    *,
    stop_after_s: float | None = None,
    started: StreamStarted = STARTED,
) -> Played:
    """Play a stream to its end."""
    with trio.fail_after(3600):
        async with open_house(folder, languages=LANGUAGES) as rooms:
            call = rooms.call(started, script)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(call.run)
                if stop_after_s is not None:
                    await trio.sleep(stop_after_s)
                    call.stop("shutdown")
    return Played(rooms)


async def crash(folder: Path, script: Sequence[object], *, is_transcribing: bool = True) -> Rooms:
    """Play a stream, and let the daemon die in the middle of it."""
    async with open_house(folder, languages=LANGUAGES, is_transcribing=is_transcribing) as rooms:
        with trio.move_on_after(3) as life:
            await rooms.call(STARTED, script).run()
        assert life.cancelled_caught
    return rooms


async def recover(folder: Path, *scripts: Sequence[object], away_s: float = 0.0) -> Played:
    """What a daemon that starts then makes of it; each attempt to connect is one script."""
    await trio.sleep(away_s)
    async with open_house(folder, languages=LANGUAGES) as rooms:
        attempts = list(scripts)
        receivers: list[FakeReceiver] = []

        def receiver(started: StreamStarted, send: EventsSend, audio: AudioParams | None) -> FakeReceiver:
            receivers.append(FakeReceiver(started, send, attempts.pop(0), audio))
            return receivers[-1]

        call = rooms.call(STARTED, [], is_announced=False)
        call._transport = receiver
        await call.run()
        assert not attempts
    return Played(rooms, receivers)


def essence(facts: Sequence[Fact]) -> list[str]:
    """Facts but for the bookkeeping of a restart, and for when packets came by our clock."""
    kept = [one for one in facts if not isinstance(one, StreamRestated)]
    return sorted(repr(replace(one, jitter_ms=None) if isinstance(one, TrackClosed) else one) for one in kept)
