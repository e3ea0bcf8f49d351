"""Languages that are found out while a call runs: held back before, done again after, the same after a crash."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from tests.daemon.fakes import FakeRecognizer
from tests.daemon.played import ENDED, OPENED, STARTED, T0, Played, audio, essence
from tests.daemon.rooms import Rooms, open_house
from zccvoice.analytics.pseudonym import PhonePseudonym
from zccvoice.config import Config, LanguageConfig, load
from zccvoice.daemon.replay import replay
from zccvoice.journal.shelf import journal_name
from zccvoice.rtms.events import AudioReceived, Change, StreamEvent, TranscriptReceived
from zccvoice.speech.utterance import Utterance
from zccvoice.store.facts import CallEventSeen, Fact, LanguagePinned, StreamRestated, UtteranceHeard

pytestmark = pytest.mark.usefixtures("no_threads")
DETECT = LanguageConfig(default="detect", among=("de", "en", "es"))
PERIOD_MS = 4_000
"""Each of `speech` has one utterance of a second and a half."""


def speech(count: int, *, first: int = 0, channel: str = "ch") -> list[StreamEvent]:
    return [
        one for number in range(first, first + count) for one in audio(channel, offset_ms=number * PERIOD_MS)
    ]


def number_of(heard: Utterance | UtteranceHeard) -> int:
    return (heard.start_timestamp_ms - T0) // PERIOD_MS


def a_recognizer(*, german_until: int = 10_000) -> FakeRecognizer:
    """Hears German up to an utterance, and Spanish from then on; what is neither it understands poorly."""
    recognizer = FakeRecognizer(concurrency=1)

    def spoken(utterance: Utterance) -> str:
        return "de" if number_of(utterance) < german_until else "es"

    recognizer.detect = lambda utterance, among: {
        one: 0.96 if one == spoken(utterance) else 0.02 for one in among
    }
    recognizer.confidence = lambda utterance, language: 0.9 if language == spoken(utterance) else 0.2
    return recognizer


async def run(
    folder: Path, script: Sequence[object], recognizer: FakeRecognizer, **settings: object
) -> Played:
    with trio.fail_after(3600):
        async with open_house(
            folder, recognizer=recognizer, languages=DETECT.model_copy(update=settings)
        ) as rooms:
            await rooms.call(STARTED, script).run()
    return Played(rooms)


def last_heard(facts: Sequence[Fact]) -> dict[int, UtteranceHeard]:
    """What the database has in the end of each utterance."""
    return {number_of(one): one for one in facts if isinstance(one, UtteranceHeard)}


def languages(facts: Sequence[Fact]) -> list[str | None]:
    return [one.language for _, one in sorted(last_heard(facts).items())]


async def test_a_call_that_is_in_german(tmp_path: Path, autojump_clock: MockClock) -> None:
    recognizer = a_recognizer()
    played = await run(tmp_path, [OPENED, *speech(4), ENDED], recognizer)
    (pin,) = played.of(LanguagePinned)
    assert isinstance(pin, LanguagePinned)
    assert (pin.language, pin.source, pin.channel_id) == ("de", "detected", None)
    assert pin.confidence == pytest.approx(0.96)
    assert languages(played.facts) == ["de"] * 4
    assert recognizer.asked == 2  # three seconds
    assert played.facts.index(pin) < min(played.facts.index(one) for one in played.heard)


async def test_a_call_that_ends_before_three_seconds_are_spoken(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    played = await run(tmp_path, [OPENED, *speech(1), ENDED], a_recognizer())
    assert languages(played.facts) == ["de"]


async def test_a_recognizer_that_fails_leaves_the_fallback(tmp_path: Path, autojump_clock: MockClock) -> None:
    recognizer = a_recognizer()
    recognizer.detect = lambda utterance, among: {}
    played = await run(tmp_path, [OPENED, *speech(3), ENDED], recognizer, fallback="es")
    assert played.of(LanguagePinned) == [LanguagePinned("E", "S", "es", "fallback")]
    assert languages(played.facts) == ["es"] * 3


async def test_sides_of_two_languages(tmp_path: Path, autojump_clock: MockClock) -> None:
    recognizer = a_recognizer()
    recognizer.detect = lambda utterance, among: {
        one: 0.96 if one == {"ch-a": "de", "ch-c": "es"}[utterance.channel_id] else 0.02 for one in among
    }
    both = [
        one for pair in zip(speech(3, channel="ch-a"), speech(3, channel="ch-c"), strict=True) for one in pair
    ]
    played = await run(tmp_path, [OPENED, *both, ENDED], recognizer, per="side")
    assert {(one.channel_id, one.language) for one in played.heard} == {("ch-a", "de"), ("ch-c", "es")}
    assert sorted(one.is_of_call for one in played.of(LanguagePinned)) == [False, True]  # type: ignore[union-attr]


async def test_zoom_tells_the_language(tmp_path: Path, autojump_clock: MockClock) -> None:
    told = [
        TranscriptReceived("ch", T0 + at * 2000, T0 + at * 2000 + 1800, "hola", "es", Change.NEW)
        for at in range(2)
    ]
    recognizer = a_recognizer()
    recognizer.detect = lambda utterance, among: {}
    played = await run(tmp_path, [OPENED, *speech(1), 1.0, *told, *speech(2, first=1), ENDED], recognizer)
    assert played.of(LanguagePinned) == [LanguagePinned("E", "S", "es", "zoom")]
    assert languages(played.facts) == ["es"] * 3


REPINNED = [LanguagePinned, CallEventSeen]


async def test_a_pin_that_was_wrong_is_replaced_and_that_is_an_event(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    played = await run(tmp_path, [OPENED, *speech(9), ENDED], a_recognizer(german_until=3))
    first, second = played.of(LanguagePinned)
    assert isinstance(second, LanguagePinned)
    assert (second.language, second.number, second.since_channel_id) == ("es", 1, "ch")
    since_ms = last_heard(played.facts)[3].start_timestamp_ms
    assert second.since_timestamp_ms == since_ms
    assert played.of(CallEventSeen) == [
        CallEventSeen("E", "S", "language_repinned", since_ms, None, "de to es, confidence 0.96")
    ]
    assert languages(played.facts) == ["de"] * 3 + ["es"] * 6
    assert first != second


def again(rooms: Rooms, recognizer: FakeRecognizer | None, *, keeps_transcripts: bool = True) -> list[Fact]:
    config: Config = load(None, language=DETECT.model_dump())
    return list(
        replay(
            lambda: rooms.shelf.reader(journal_name("S")),
            config,
            PhonePseudonym("a key"),
            recognizer,
            keeps_transcripts=keeps_transcripts,
        )
    )


async def test_who_tells_no_confidence_understands_nothing_poorly(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """A server that answers with text alone: what cannot be known changes no pin."""
    recognizer = a_recognizer(german_until=3)
    recognizer.confidence = lambda utterance, language: None
    played = await run(tmp_path, [OPENED, *speech(8), ENDED], recognizer)
    assert [one.language for one in played.facts if isinstance(one, LanguagePinned)] == ["de"]
    assert {one.confidence for one in played.heard} == {None}


@pytest.mark.parametrize("german_until", [3, 100])
async def test_a_replay_comes_to_the_same_without_listening_again(
    tmp_path: Path, autojump_clock: MockClock, german_until: int
) -> None:
    played = await run(tmp_path, [OPENED, *speech(8), ENDED], a_recognizer(german_until=german_until))
    facts = again(played.rooms, None)
    stale = [one for one in played.heard if one != last_heard(played.facts)[number_of(one)]]
    assert essence(facts) == essence([one for one in played.facts if one not in stale])
    deaf = a_recognizer()
    deaf.detect = lambda utterance, among: {}
    assert languages(again(played.rooms, deaf, keeps_transcripts=False)) == languages(played.facts)


async def test_a_replay_finds_out_what_nobody_had(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_house(tmp_path, languages=DETECT, is_transcribing=False) as rooms:
        with trio.move_on_after(30) as life:
            await rooms.call(STARTED, [OPENED, *speech(9), ENDED]).run()
        assert life.cancelled_caught
    facts = again(rooms, a_recognizer(german_until=3))
    assert languages(facts) == ["de"] * 3 + ["es"] * 6
    assert [type(one) for one in facts if type(one) in REPINNED] == [LanguagePinned, *REPINNED]


@pytest.mark.parametrize("life_s", [1.0, 5.0, 10.0, 15.0, 20.0, 25.0, 27.0])
async def test_a_crash_at_any_time_changes_nothing(
    tmp_path: Path, autojump_clock: MockClock, life_s: float
) -> None:
    parts = [speech(1, first=number) for number in range(7)]
    script = [OPENED, *(step for part in parts for step in (*part, 4.0)), ENDED]
    whole = await run(tmp_path / "whole", script, a_recognizer(german_until=2))
    recognizer = a_recognizer(german_until=2)
    async with open_house(tmp_path / "crash", recognizer=recognizer, languages=DETECT) as rooms:
        with trio.move_on_after(life_s) as life:
            await rooms.call(STARTED, script).run()
        assert life.cancelled_caught
    done = sum(
        isinstance(one, AudioReceived) for record in rooms.records("S", None) for one in record.entries
    )
    rest = [one for part in parts for one in part][done:]
    async with open_house(tmp_path / "crash", recognizer=recognizer, languages=DETECT) as rooms:
        await rooms.call(STARTED, [OPENED, *rest, ENDED], is_announced=False).run()
    facts = rooms.facts("S")
    assert languages(facts) == languages(whole.facts) == ["de"] * 2 + ["es"] * 5
    pins = [one for one in facts if isinstance(one, LanguagePinned)]
    assert pins == whole.of(LanguagePinned)
    (restated,) = (one for one in facts if isinstance(one, StreamRestated))
    assert restated.pins == tuple(sorted((one.channel_id or "", one.number) for one in pins)), "none is stale"
