"""Which language is it: asked in batches, and an utterance that cannot be heard costs no other."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import trio

from tests.daemon.fakes import FakeRecognizer
from tests.daemon.rooms import new_shelf
from tests.daemon.test_transcriber import SOUND, T0
from zccvoice.audio.frame import AudioFormat, Passage
from zccvoice.config import RemoteConfig, SpeechConfig
from zccvoice.daemon.detector import LanguageDetector, Probabilities, UnclearItem
from zccvoice.daemon.outcome import Unclear
from zccvoice.errors import RecognizerError
from zccvoice.journal.record import Kind
from zccvoice.journal.shelf import Shelf
from zccvoice.rtms.events import AudioReceived
from zccvoice.speech.utterance import Utterance

REMOTE = SpeechConfig(recognizer="remote", remote=RemoteConfig(servers=("http://localhost:1",)))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    shelf = new_shelf(tmp_path)
    with shelf.writer("sound") as writer:
        writer.write(Kind.RECEIVED, T0, [AudioReceived("ch", T0, SOUND.astype("<i2").tobytes())])
    return shelf


async def ask(
    shelf: Shelf,
    recognizer: FakeRecognizer,
    asked: Sequence[tuple[str, tuple[str, ...]]],
    settings: SpeechConfig | None = None,
) -> list[Probabilities]:
    """What is found, in the order of what was asked: (journal, languages)."""
    found: dict[int, Probabilities] = {}
    send, receive = trio.open_memory_channel[UnclearItem](100)
    for number, (journal, among) in enumerate(asked):
        passage = Passage(100, 1100, ((0, (8, 0)),))
        utterance = Utterance("ch", T0 + number, T0 + 9, np.empty(0, np.int16), 0, -20.0, 0.0, (), passage)
        unclear = Unclear(utterance, AudioFormat(), among)
        send.send_nowait(
            UnclearItem(unclear, partial(shelf.reader, journal), partial(found.__setitem__, number))
        )
    send.close()
    await LanguageDetector(recognizer, settings).run(receive)
    return [found[number] for number in range(len(asked))]


async def test_every_utterance_is_heard_with_its_sound(shelf: Shelf) -> None:
    recognizer = FakeRecognizer()
    recognizer.detect = lambda utterance, among: {among[0]: float(utterance.samples.sum())}
    heard = float(SOUND[100:1100].sum())
    asked = [("sound", ("de", "en"))] * 12 + [("sound", ("es", "fr"))]
    assert await ask(shelf, recognizer, asked) == [{"de": heard}] * 12 + [{"es": heard}]


async def test_lost_sound_costs_itself(shelf: Shelf) -> None:
    asked = [("sound", ("de", "en")), ("shredded", ("de", "en")), ("sound", ("de", "en"))]
    even = {"de": 0.5, "en": 0.5}
    assert await ask(shelf, FakeRecognizer(), asked) == [even, {}, even]


async def test_a_recognizer_that_fails_says_nothing(shelf: Shelf) -> None:
    recognizer = FakeRecognizer()

    def fail(utterance: Utterance, among: object) -> dict[str, float]:
        raise RecognizerError("made to fail")

    recognizer.detect = fail
    assert await ask(shelf, recognizer, [("sound", ("de", "en"))] * 2) == [{}, {}]


async def test_one_that_waits_for_its_server_holds_up_no_other(shelf: Shelf) -> None:
    recognizer, others_done = FakeRecognizer(concurrency=2), threading.Semaphore(0)

    def wait_for_others(utterance: Utterance, among: Sequence[str]) -> dict[str, float]:
        if "es" in among:
            return {"es": float(all(others_done.acquire(timeout=10) for _ in range(4)))}
        others_done.release()
        return {"en": 1.0}

    recognizer.detect = wait_for_others
    asked = [("sound", ("es", "fr"))] + [("sound", ("en", "de"))] * 4
    found = await ask(shelf, recognizer, asked, REMOTE)
    assert found == [{"es": 1.0}] + [{"en": 1.0}] * 4


async def test_a_defect_costs_its_batch(shelf: Shelf) -> None:
    recognizer = FakeRecognizer()

    def stumble(utterance: Utterance, among: Sequence[str]) -> dict[str, float]:
        if "es" in among:
            raise ValueError("a defect")
        return {among[0]: 1.0}

    recognizer.detect = stumble
    asked = [("sound", ("es", "fr")), ("sound", ("de", "en"))]
    assert await ask(shelf, recognizer, asked) == [{}, {"de": 1.0}]
