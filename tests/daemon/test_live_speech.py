"""Who speaks right now, and how far a running call was heard."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from tests.daemon.played import ENDED, OPENED, STARTED, T0, WHO, audio
from tests.daemon.rooms import open_house
from zccvoice.analytics.live import Heard
from zccvoice.analytics.record import Span
from zccvoice.daemon.live_speech import LiveSpeech, StreamSpeech
from zccvoice.journal.entry import Entry
from zccvoice.journal.journal import Record
from zccvoice.journal.record import Kind
from zccvoice.rtms.events import AudioReceived, ReceptionBroken

pytestmark = pytest.mark.usefixtures("no_threads")


def received(arrived_ms: int, *entries: Entry) -> Record:
    return Record(0, 1, Kind.RECEIVED, arrived_ms, entries)


def packet(timestamp_ms: int) -> AudioReceived:
    return AudioReceived("ch", timestamp_ms, b"")


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0
        self.is_catching_up = False

    def stream(self, engagement_id: str = "E") -> StreamSpeech:
        return StreamSpeech(engagement_id, tuple, lambda: self.is_catching_up, lambda: self.now_s)


def until_ms(heard: Heard | None) -> int | None:
    return None if heard is None else heard.until_ms


def test_time_goes_on_while_nobody_sends() -> None:
    clock = Clock()
    stream = clock.stream()
    assert stream.heard() is None
    stream.note(received(10_000, packet(500), packet(400)), [])
    clock.now_s = 12.0
    assert until_ms(stream.heard()) == 2_500
    clock.now_s = 9.0  # set back
    assert until_ms(stream.heard()) == 500


def test_time_stands_still_while_nothing_is_received_or_old_records_are_looked_at() -> None:
    clock = Clock()
    stream = clock.stream()
    stream.note(received(10_000, packet(500)), [])
    stream.note(received(10_100, ReceptionBroken("connection_lost")), [])
    clock.now_s = 60.0
    assert until_ms(stream.heard()) == 500
    stream.note(received(20_000, packet(9_000)), [])
    assert until_ms(stream.heard()) == 49_000
    clock.is_catching_up = True
    assert until_ms(stream.heard()) == 9_000


def test_the_streams_of_a_call_are_taken_together() -> None:
    clock, live = Clock(), LiveSpeech()
    first, second, other = clock.stream(), clock.stream(), clock.stream("F")
    for stream, at_ms in ((first, 1_000), (second, 3_000), (other, 9_000)):
        stream.note(received(0, packet(at_ms)), [])
    with live.listening("1", first), live.listening("2", second), live.listening("3", other):
        assert until_ms(live.heard("E")) == 3_000
    assert live.heard("E") is None


async def test_a_call_tells_who_speaks_and_what_waits(tmp_path: Path, autojump_clock: MockClock) -> None:
    """1 s of noise, 1.5 s of a voice, 1.5 s of noise: looked at in the middle of the voice, and after it."""
    heard: list[Heard | None] = []
    packets = audio("ch")
    async with open_house(tmp_path, is_transcribing=False) as rooms:

        def look() -> None:
            heard.append(rooms.house.live.heard("E"))

        script = [OPENED, WHO, *packets[:18], 0.6, look, *packets[18:], 0.6, look, ENDED]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(rooms.call(STARTED, script).run)
            while len(heard) < 2:
                await trio.sleep(0.1)
            nursery.cancel_scope.cancel()
    speaking, quiet = heard
    assert speaking is not None
    assert quiet is not None
    assert speaking.spoken == {}
    assert speaking.speaking["ch"].start_ms == pytest.approx(T0 + 1_000, abs=150)
    assert quiet.speaking == {}
    ((channel_id, (span,)),) = quiet.spoken.items()
    assert channel_id == "ch"
    assert span.end_ms == pytest.approx(T0 + 2_500, abs=150)
    assert quiet.tracks == {"ch": Span(T0, T0 + 4_000)}
    assert quiet.until_ms >= T0 + 3_900
