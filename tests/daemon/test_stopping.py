"""A daemon that stops in the middle of a number, or before a language is clear, and what the next makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from tests.daemon.fakes import FakeRecognizer
from tests.daemon.played import ENDED, LANGUAGES, OPENED, STARTED, T0, WHO, audio
from tests.daemon.rooms import Rooms, open_house
from tests.daemon.test_pins import DETECT, number_of, speech
from zccvoice.config import LanguageConfig
from zccvoice.daemon.transcriber import SpokenItem, Transcriber
from zccvoice.errors import RecognizerError
from zccvoice.journal.record import Kind
from zccvoice.journal.shelf import journal_name
from zccvoice.rtms.events import CallEventReceived
from zccvoice.speech.utterance import Utterance
from zccvoice.store.facts import LanguagePinned, StreamClosed, UtteranceHeard

pytestmark = pytest.mark.usefixtures("no_threads")
BEGAN = [OPENED, CallEventReceived("first_packet_timestamp", T0), *audio("ch")]
WENT_ON = [OPENED, *audio("ch", offset_ms=4_000), ENDED]


def card(utterance: Utterance, language: str) -> str:
    """Half of it before the daemon stops, half after."""
    return "The card is 4111 1111" if utterance.start_timestamp_ms < T0 + 4_000 else "1111 1111 thank you"


async def life(
    folder: Path,
    script: Sequence[object],
    recognizer: FakeRecognizer,
    languages: LanguageConfig,
    *,
    is_first: bool,
    stops: bool,
) -> Rooms:
    """One daemon's with the stream, to its end or, if it stops, for three seconds of it."""
    with trio.fail_after(3600):
        async with (
            open_house(folder, recognizer=recognizer, languages=languages) as rooms,
            trio.open_nursery() as calls,
        ):
            call = rooms.call(STARTED, script, is_announced=is_first)
            calls.start_soon(call.run)
            if stops:
                await trio.sleep(3)
                call.stop("shutdown")
    return rooms


async def daemon(
    folder: Path, script: Sequence[object], *, is_first: bool = False, stops: bool = False
) -> tuple[list[str | None], list[StreamClosed]]:
    """Texts and ends that the stream's journal holds after a daemon's life."""
    recognizer = FakeRecognizer()
    recognizer.text = card
    rooms = await life(folder, script, recognizer, LANGUAGES, is_first=is_first, stops=stops)
    return texts(rooms), [one for one in rooms.facts("S") if isinstance(one, StreamClosed)]


def texts(rooms: Rooms) -> list[str | None]:
    return [one.text for one in rooms.facts("S") if isinstance(one, UtteranceHeard)]


async def test_a_number_is_judged_whole_though_the_daemon_stopped_in_it(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    assert await daemon(tmp_path, BEGAN, is_first=True, stops=True) == ([], [])
    said, ends = await daemon(tmp_path, WENT_ON)
    assert said == ["The card is [card]", "[card] thank you"]
    assert [one.end_reason for one in ends] == ["customer_disconnected"]


async def test_what_was_held_back_is_stored_when_the_call_does_not_go_on(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    assert await daemon(tmp_path, BEGAN, is_first=True, stops=True) == ([], [])
    await trio.sleep(3_600)
    said, ends = await daemon(tmp_path, [])
    assert said == ["The card is 4111 1111"]
    assert [one.end_reason for one in ends] == ["shutdown"]


async def test_the_same_at_a_second_stop(tmp_path: Path, autojump_clock: MockClock) -> None:
    """The end that the first one stated is none: more was received after it."""
    calm = [OPENED, *audio("ch")[:5]]
    said, ends = await daemon(tmp_path, calm, is_first=True, stops=True)
    assert (said, [one.end_reason for one in ends]) == ([], ["shutdown"])
    assert await daemon(tmp_path, BEGAN[:2] + audio("ch")[5:], stops=True) == ([], ends)
    await trio.sleep(3_600)
    said, ends = await daemon(tmp_path, [])
    assert said == ["The card is 4111 1111"]
    assert len(ends) == 2


async def test_zooms_own_end_is_final_whoever_stops(tmp_path: Path, autojump_clock: MockClock) -> None:
    said, ends = await daemon(tmp_path, [*BEGAN, ENDED], is_first=True, stops=True)
    assert said == ["The card is 4111 1111"]
    assert [one.end_reason for one in ends] == ["customer_disconnected"]


def unclear_at_first() -> FakeRecognizer:
    """Of the first utterance it can hardly tell a language; what follows is Spanish, and would pass for German."""
    recognizer = FakeRecognizer(concurrency=1)

    def detect(utterance: Utterance, among: Sequence[str]) -> dict[str, float]:
        spanish = 0.98 if number_of(utterance) else 0.3
        return {one: spanish if one == "es" else (1 - spanish) / 2 for one in among}

    recognizer.detect = detect
    recognizer.confidence = lambda utterance, language: 0.9 if language == "es" else 0.5
    return recognizer


async def detecting_daemon(
    folder: Path, script: Sequence[object], *, is_first: bool = False, stops: bool = False
) -> tuple[list[tuple[str, str]], list[str | None], int]:
    """The same of a call whose language is to be detected: pins, languages of what was heard, how many ends."""
    rooms = await life(folder, script, unclear_at_first(), DETECT, is_first=is_first, stops=stops)
    facts = rooms.facts("S")
    return (
        [(one.language, one.source) for one in facts if isinstance(one, LanguagePinned)],
        [one.language for one in facts if isinstance(one, UtteranceHeard)],
        sum(isinstance(one, StreamClosed) for one in facts),
    )


async def test_a_stop_settles_no_language_of_a_call_that_may_go_on(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    began = [OPENED, *speech(1)]
    assert await detecting_daemon(tmp_path, began, is_first=True, stops=True) == ([], [], 0)
    went_on = [OPENED, *speech(5, first=1), ENDED]
    assert await detecting_daemon(tmp_path, went_on) == ([("es", "detected")], ["es"] * 6, 1)


async def test_a_language_is_settled_when_the_call_does_not_go_on(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    began = [OPENED, *speech(1)]
    assert await detecting_daemon(tmp_path, began, is_first=True, stops=True) == ([], [], 0)
    await trio.sleep(3_600)
    assert await detecting_daemon(tmp_path, []) == ([("de", "detected")], ["de"], 1)


async def test_what_failed_at_a_stop_is_transcribed_by_the_next_daemon(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """Also of a call that is over: the journal is given no end."""
    recognizer = FakeRecognizer()

    def fail(utterance: Utterance, language: str) -> str:
        raise RecognizerError("out of memory")

    recognizer.text = fail
    closing = trio.Event()
    with trio.fail_after(60):
        async with (
            open_house(tmp_path, recognizer=recognizer, languages=LANGUAGES, is_transcribing=False) as rooms,
            trio.open_nursery() as tasks,
        ):
            transcriber = Transcriber(recognizer, rooms.metrics, closing=closing)
            tasks.start_soon(transcriber.run, rooms.spoken_receive)
            tasks.start_soon(rooms.call(STARTED, [*BEGAN, ENDED]).run)
            await trio.sleep(20)
            closing.set()
            rooms.spoken_send.close()
    assert [one for one in rooms.facts("S") if isinstance(one, UtteranceHeard | StreamClosed)] == []
    said, ends = await daemon(tmp_path, [])
    assert said == ["The card is 4111 1111"]
    assert [one.end_reason for one in ends] == ["customer_disconnected"]


async def test_a_full_transcriber_keeps_nobody_back_who_wants_nothing_of_it(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """Of two calls that a daemon takes up, one has everything transcribed before."""
    other = replace(STARTED, engagement_id="E2", stream_id="S2")
    script = [OPENED, WHO, *audio("ch")]
    with trio.fail_after(3600):
        async with open_house(tmp_path, languages=LANGUAGES) as rooms:
            await rooms.call(other, [*script, ENDED]).run()
        async with open_house(tmp_path, languages=LANGUAGES, is_transcribing=False) as rooms:
            with trio.move_on_after(3):
                await rooms.call(STARTED, script).run()
        with rooms.shelf.writer(journal_name("S2")) as writer:  # so that it is looked at again
            writer.write(Kind.RECEIVED, T0, [ENDED])
        async with open_house(tmp_path, languages=LANGUAGES, is_transcribing=False) as rooms:
            spoken_send, waiting = trio.open_memory_channel[SpokenItem](0)
            rooms.house = replace(rooms.house, spoken_send=spoken_send)
            async with waiting, trio.open_nursery() as calls:
                calls.start_soon(rooms.call(STARTED, [], is_announced=False).run)
                await trio.sleep(10)
                assert waiting.statistics().tasks_waiting_send == 1
                await rooms.call(other, [], is_announced=False).run()
                calls.cancel_scope.cancel()
    assert sum(isinstance(one, StreamClosed) for one in rooms.facts("S2")) == 2
