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
from zccvoice.rtms.events import (
    AudioReceived,
    MediaOpened,
    ParticipantConnected,
    Role,
    StreamEnded,
)
from zccvoice.rtms.messages import AudioParams
from zccvoice.speech.language import LanguagePolicy
from zccvoice.store.facts import OneWayFound

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


def test_a_leg_that_was_told_and_never_came_is_one_way_audio() -> None:
    turn = np.concatenate([noise(900), voice(2_600)])
    sound = np.tile(turn, 20)
    events: list[Entry] = [
        MediaOpened(AudioParams(send_rate=1000)),
        ParticipantConnected("one", Role.CONSUMER, START_MS),
        ParticipantConnected("other", Role.USER, START_MS + 500),
        *(
            AudioReceived("one", START_MS + at // 16, sound[at : at + 16_000].astype("<i2").tobytes())
            for at in range(0, len(sound), 16_000)
        ),
        StreamEnded("call_ended", ""),
    ]
    told = projection().take(Record(0, 1, Kind.RECEIVED, 0, events))
    (found,) = (one for one in told if isinstance(one, OneWayFound))
    assert (found.channel_id, found.start_timestamp_ms) == ("other", START_MS + 500)
    assert found.end_timestamp_ms == START_MS + len(sound) // 16
