"""A call that starts in German, of which nobody knew: real sound, real weights, the way that a call goes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from trio.testing import MockClock

from tests.daemon.played import ENDED, OPENED, STARTED, T0, Played
from tests.daemon.rooms import open_house
from tests.daemon.test_pins import DETECT
from tests.speech.sounds import Samples, noise
from zccvoice.config import SpeechConfig
from zccvoice.rtms.events import AudioReceived, StreamEvent
from zccvoice.simulator.demo import demo_scenarios
from zccvoice.simulator.sources import read_sound
from zccvoice.speech.guarded import guarded_whisper
from zccvoice.store.facts import CallEventSeen, LanguagePinned

pytestmark = pytest.mark.usefixtures("no_threads")
DEMO = demo_scenarios()[0].parent
GERMAN = ("router/05.flac", "router/02.flac", "router/10.flac")
SPANISH = ("factura/02.flac", "factura/13.flac")


def spoken(*clips: str) -> Samples:
    """The clips one after the other, a second apart."""
    pause = noise(1000)
    return np.concatenate([pause, *(part for clip in clips for part in (read_sound(DEMO / clip), pause))])


def packets(channel_id: str, sound: Samples) -> list[StreamEvent]:
    return [
        AudioReceived(channel_id, T0 + at // 16, sound[at : at + 1600].astype("<i2").tobytes())
        for at in range(0, len(sound) // 1600 * 1600, 1600)
    ]


async def play(folder: Path, events: list[StreamEvent], **settings: object) -> Played:
    recognizer = guarded_whisper(SpeechConfig(workers=1))
    languages = DETECT.model_copy(update=settings)
    async with open_house(folder, recognizer=recognizer, languages=languages) as rooms:
        await rooms.call(STARTED, [OPENED, *events, ENDED]).run()
    return Played(rooms)


async def test_a_call_that_starts_in_german(tmp_path: Path, autojump_clock: MockClock) -> None:
    played = await play(tmp_path, packets("ch", spoken(*GERMAN)))
    (pin,) = played.of(LanguagePinned)
    assert isinstance(pin, LanguagePinned)
    assert (pin.language, pin.source) == ("de", "detected")
    assert (pin.confidence or 0) > 0.95
    assert {one.language for one in played.heard} == {"de"}
    first = min(played.heard, key=lambda one: one.start_timestamp_ms)
    assert first.text == "Haben Sie den Router schon neu gestartet?"
    assert played.of(CallEventSeen) == []


async def test_an_agent_and_a_customer_of_two_languages(tmp_path: Path, autojump_clock: MockClock) -> None:
    agent, customer = packets("ch-a", spoken(*GERMAN)), packets("ch-c", spoken(*SPANISH))
    together = sorted([*agent, *customer], key=lambda one: getattr(one, "timestamp_ms", 0))
    played = await play(tmp_path, together, per="side")
    assert {(one.channel_id, one.language) for one in played.heard} == {("ch-a", "de"), ("ch-c", "es")}
    texts = {one.text for one in played.heard}
    assert {
        "Hola, me llamo Jorge Torres y llamo por mi factura.",
        "Haben Sie den Router schon neu gestartet?",
    } <= texts
