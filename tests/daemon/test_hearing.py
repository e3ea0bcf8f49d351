"""Answers of the recognizer: none is lost with a neighbour, none asked twice, and a defect costs one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
import trio
from trio.testing import MockClock

from tests.daemon.fakes import FakeRecognizer
from tests.daemon.played import ENDED, OPENED, STARTED, Played
from tests.daemon.rooms import Rooms, open_house
from tests.daemon.test_pins import DETECT, a_recognizer, again, number_of, speech
from zccvoice.daemon.log import bind_ids
from zccvoice.errors import RecognizerError
from zccvoice.rtms.webhook import StreamStarted
from zccvoice.speech.utterance import Utterance
from zccvoice.store.facts import StreamClosed, UtteranceHeard

pytestmark = pytest.mark.usefixtures("no_threads")
TOLD = ("call failed", "language pinned")


def hears(*texts: str | None) -> FakeRecognizer:
    """Hears these utterances; it fails on one without a text."""
    recognizer = FakeRecognizer(concurrency=1)

    def text(utterance: Utterance, language: str) -> str:
        heard = texts[number_of(utterance)]
        if heard is None:
            raise RecognizerError("made to fail")
        return heard

    recognizer.text = text
    return recognizer


async def crash_and_recover(folder: Path, recognizer: FakeRecognizer) -> list[str | None]:
    """The daemon dies after the first utterance, and the second one comes when it is back → the texts."""
    async with open_house(folder, recognizer=recognizer) as rooms:
        with trio.move_on_after(3) as life:
            await rooms.call(STARTED, [OPENED, *speech(1)]).run()
        assert life.cancelled_caught
    async with open_house(folder, recognizer=recognizer) as rooms:
        await rooms.call(STARTED, [OPENED, *speech(1, first=1), ENDED], is_announced=False).run()
    heard = {number_of(one): one.text for one in Played(rooms).heard}
    return [heard[number] for number in sorted(heard)]


async def test_who_waits_for_an_utterance_that_fails_again_is_not_lost(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    assert await crash_and_recover(tmp_path, hears(None, "41 is the number")) == [None, "41 is the number"]


async def test_a_question_from_before_a_crash_still_counts(tmp_path: Path, autojump_clock: MockClock) -> None:
    recognizer = hears("the security code please", "it's 1 2 3 thanks")
    assert await crash_and_recover(tmp_path, recognizer) == [
        "the security code please",
        "it's [security_code] thanks",
    ]
    assert recognizer.heard == 2


async def test_a_question_that_a_replay_knows_still_counts(tmp_path: Path, autojump_clock: MockClock) -> None:
    question = "the security code please"
    async with open_house(tmp_path, recognizer=hears(question, None)) as rooms:
        await rooms.call(STARTED, [OPENED, *speech(2), ENDED]).run()
    texts = [
        one.text for one in again(rooms, hears(None, "it's 1 2 3 thanks")) if isinstance(one, UtteranceHeard)
    ]
    assert texts == [question, "it's [security_code] thanks"]


async def test_a_number_that_is_held_back_is_heard_again_in_another_language(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    recognizer = a_recognizer(german_until=2)
    recognizer.text = lambda utterance, language: f"{language} 41 {number_of(utterance)}"
    async with open_house(tmp_path, recognizer=recognizer, languages=DETECT) as rooms:
        await rooms.call(STARTED, [OPENED, *speech(8), ENDED]).run()
    played = Played(rooms)
    last = {number_of(one): one for one in played.heard}
    assert [one.text for _, one in sorted(last.items())] == [
        *("de 41 0", "de 41 1"),
        *(f"es 41 {number}" for number in range(2, 8)),
    ]
    assert played.end.end_reason == "customer_disconnected"


async def test_an_answer_that_makes_no_sense_costs_its_call(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    recognizer = a_recognizer()
    right = recognizer.detect
    is_first = iter((True,))
    recognizer.detect = lambda utterance, among: (
        {"de": "a defect"} if next(is_first, False) else right(utterance, among)  # type: ignore[dict-item]
    )
    other = replace(STARTED, engagement_id="F", stream_id="T")
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        house = open_house(tmp_path, recognizer=recognizer, languages=DETECT)
        async with house as rooms, trio.open_nursery() as calls:
            calls.start_soon(_call, rooms, STARTED, [OPENED, *speech(3)])
            calls.start_soon(_call, rooms, other, [30.0, OPENED, *speech(3), ENDED])
    assert Played(rooms).end.end_reason == "internal_error"
    last = rooms.facts("T")[-1]
    assert isinstance(last, StreamClosed)
    assert last.end_reason == "customer_disconnected"
    assert len([one for one in rooms.facts("T") if isinstance(one, UtteranceHeard)]) == 3
    told = [(line["stream_id"], line["event"]) for line in lines if line["event"] in TOLD]
    assert list(dict.fromkeys(told)) == [("S", "call failed"), ("T", "language pinned")]


async def _call(rooms: Rooms, started: StreamStarted, script: Sequence[object]) -> None:
    bind_ids(started.engagement_id, started.stream_id)
    await rooms.call(started, script).run()


async def test_what_is_said_after_a_restart_is_as_urgent_as_in_any_call(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    script = [OPENED, *speech(1)]
    async with open_house(tmp_path, is_transcribing=False) as rooms:
        with trio.move_on_after(3):
            await rooms.call(STARTED, script).run()
    async with open_house(tmp_path, is_transcribing=False) as rooms:
        later = [OPENED, 2.0, *speech(1, first=1)]
        with trio.move_on_after(10):
            await rooms.call(STARTED, later, is_announced=False).run()
        waiting = [rooms.spoken_receive.receive_nowait() for _ in range(2)]
    assert [(number_of(one.spoken.utterance), one.is_live) for one in waiting] == [(0, False), (1, True)]
