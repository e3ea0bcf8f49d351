from __future__ import annotations

import numpy as np
import trio

from tests.daemon.test_audio_format import STARTED
from tests.speech.sounds import noise, voice
from zccvoice.analytics.pseudonym import PhonePseudonym
from zccvoice.bench import tunes
from zccvoice.config import LanguageConfig, VadConfig
from zccvoice.daemon.outcome import Projected
from zccvoice.daemon.projection import Projection
from zccvoice.journal.entry import Entry
from zccvoice.journal.journal import Record
from zccvoice.journal.record import Kind
from zccvoice.rtms.events import AudioReceived, MediaOpened, StreamEnded
from zccvoice.rtms.messages import AudioParams
from zccvoice.speech.language import LanguagePolicy

START_MS = 1_781_000_012_340
MUSIC = (tunes.music(tunes.TUNING_PIECES[0], 17 * 16_000) * 2_600).astype(np.int16)
SOUND = np.concatenate([noise(400), MUSIC, noise(900), voice(1_500), noise(900), MUSIC])
"""Ends within what is doubtful."""


def projection() -> Projection:
    return Projection(
        STARTED,
        vad=VadConfig(),
        languages=LanguagePolicy(LanguageConfig()),
        phones=PhonePseudonym(None),
    )


def records() -> list[Record]:
    events: list[Entry] = [MediaOpened(AudioParams(send_rate=100))]
    for at in range(0, len(SOUND), 1600):
        payload = SOUND[at : at + 1600].astype("<i2").tobytes()
        events += [AudioReceived(who, START_MS + at // 16, payload) for who in ("one", "other")]
    events.append(StreamEnded("call_ended", ""))
    return [Record(at, at + 1, Kind.RECEIVED, at, events[at : at + 6]) for at in range(0, len(events), 6)]


async def test_toil_in_other_threads_changes_nothing() -> None:
    at_once, in_steps = projection(), projection()
    wanted: list[Projected] = []
    got: list[Projected] = []
    toils = []
    for record in records():
        wanted += at_once.take(record)
        toils.append(0)
        for toil in in_steps.take_in_steps(record):
            await trio.to_thread.run_sync(toil)
            toils[-1] += 1
        got += in_steps.taken()
    assert list(map(repr, got)) == list(map(repr, wanted))
    assert sum(toils) > toils[-1] >= 2, "on the way, and of both sides at the end"
