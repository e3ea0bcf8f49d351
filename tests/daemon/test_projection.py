from __future__ import annotations

import numpy as np
import pytest
import trio

from tests.daemon.test_audio_format import STARTED
from tests.speech.sounds import noise, voice
from zccvoice.analytics.pseudonym import PhonePseudonym
from zccvoice.bench import tunes
from zccvoice.config import LanguageConfig, VadConfig
from zccvoice.daemon.outcome import Projected, Uttered
from zccvoice.daemon.projection import Projection
from zccvoice.journal.entry import Entry
from zccvoice.journal.journal import Record
from zccvoice.journal.record import Kind
from zccvoice.rtms.events import (
    AudioReceived,
    MediaOpened,
    ParticipantConnected,
    ReceptionBroken,
    Role,
    StreamEnded,
)
from zccvoice.rtms.messages import AudioParams
from zccvoice.speech.language import LanguagePolicy
from zccvoice.store.facts import Fact, GapFound, OneWayFound, TrackClosed

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


CALL = np.concatenate([noise(1_000), *[np.concatenate([voice(1_500), noise(3_500)]) for _ in range(4)]])
OPENED, ENDED = MediaOpened(AudioParams(send_rate=20)), StreamEnded("call_ended", "")


def sent(channel_id: str, refused_ms: range = range(0)) -> list[Entry]:
    return [
        AudioReceived(
            channel_id,
            START_MS + at // 16,
            b"\0" if at // 16 in refused_ms else CALL[at : at + 320].astype("<i2").tobytes(),
        )
        for at in range(0, len(CALL), 320)
    ]


def told(entries: list[Entry]) -> list[Projected]:
    one = projection()
    at_once = [
        Record(at, at + 1, Kind.RECEIVED, at, entries[at : at + 6]) for at in range(0, len(entries), 6)
    ]
    return [found for record in at_once for found in one.take(record)]


def test_what_comes_again_after_a_break_is_heard_once() -> None:
    packets = sent("one")
    again = [*packets[:650], ReceptionBroken("connection_lost"), OPENED, *packets[250:]]

    def facts(found: list[Projected]) -> list[Fact | tuple[int, int]]:
        spans = [
            (one.utterance.start_timestamp_ms, one.utterance.end_timestamp_ms)
            for one in found
            if isinstance(one, Uttered)
        ]
        return [*spans, *(one for one in found if isinstance(one, GapFound))]

    once, twice = told([OPENED, *packets, ENDED]), told([OPENED, *again, ENDED])
    assert facts(twice) == facts(once)
    assert len(facts(once)) == 4
    (closed,) = (one for one in twice if isinstance(one, TrackClosed))
    assert (closed.last_timestamp_ms, closed.packets, closed.duplicate_packets) == (
        START_MS + 21_000,
        1_050,
        400,
    )


@pytest.mark.parametrize(
    "refused_ms", [range(4_500, 7_500), range(6_000), range(6_000, 21_000), range(21_000)]
)
def test_payloads_that_are_refused_are_a_gap_of_their_leg(refused_ms: range) -> None:
    other = sent("other", refused_ms)
    found = told([OPENED, *(one for pair in zip(sent("one"), other, strict=True) for one in pair), ENDED])
    begin_ms, end_ms = START_MS + refused_ms.start, START_MS + refused_ms.stop
    assert [one for one in found if isinstance(one, GapFound)] == [
        GapFound(STARTED.engagement_id, STARTED.stream_id, "other", begin_ms, end_ms, "undecodable")
    ]
    closed = {one.channel_id: one for one in found if isinstance(one, TrackClosed)}
    assert {(one.first_timestamp_ms, one.last_timestamp_ms) for one in closed.values()} == {
        (START_MS, START_MS + 21_000)
    }
    lost = len(refused_ms) // 20
    assert (closed["other"].packets, closed["other"].lost_packets) == (1_050 - lost, lost)


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
