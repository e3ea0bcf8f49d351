from __future__ import annotations

import errno
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trio
import trio.testing

from tests.daemon.fakes import FakeRecognizer
from tests.daemon.rooms import new_shelf
from zccvoice.audio.frame import AudioFormat, Passage
from zccvoice.config import RemoteConfig, SpeechConfig
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.outcome import Spoken
from zccvoice.daemon.transcriber import SpokenItem, Transcriber
from zccvoice.errors import RecognizerError
from zccvoice.journal.record import Kind
from zccvoice.journal.shelf import Shelf
from zccvoice.rtms.events import AudioReceived
from zccvoice.speech.recognizer import RecognizerItem
from zccvoice.speech.utterance import Transcript, Utterance
from zccvoice.speech.window import Windows
from zccvoice.store.facts import UtteranceHeard

T0 = 1_781_000_000_000
SOUND = np.arange(1600, dtype=np.int16)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """With one journal, of one packet."""
    shelf = new_shelf(tmp_path)
    with shelf.writer("sound") as writer:
        writer.write(Kind.RECEIVED, T0, [AudioReceived("ch", T0, SOUND.astype("<i2").tobytes())])
    return shelf


class Desk:
    """Hands utterances to a transcriber, and gets back what was heard."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self.heard: list[UtteranceHeard] = []
        self.left = 0
        self.send, self.receive = trio.open_memory_channel[SpokenItem](1000)

    def put(
        self,
        number: int,
        *,
        duration_ms: int = 2000,
        language: str = "en",
        journal: str = "sound",
        queue: tuple[str | None, ...] = (),
    ) -> None:
        start = T0 + number * 10_000
        passage = Passage(100, 1100, ((0, (8, 0)),))
        nothing = np.empty(0, np.int16)
        utterance = Utterance("ch", start, start + duration_ms, nothing, 0, -20.0, 0.0, (), passage)
        spoken = Spoken(utterance, AudioFormat(), language, queue)
        item = SpokenItem(
            "E", "S", spoken, 0.0, lambda: self._shelf.reader(journal), self.heard.append, self.leave
        )
        self.send.send_nowait(item)

    def leave(self) -> None:
        self.left += 1

    async def run(self, recognizer: FakeRecognizer) -> Metrics:
        metrics = Metrics()
        self.send.close()
        await Transcriber(recognizer, metrics).run(self.receive)
        return metrics


@pytest.mark.parametrize("concurrency", [1, 2, 8])
async def test_every_utterance_is_heard_once(shelf: Shelf, concurrency: int) -> None:
    desk = Desk(shelf)
    for number in range(40):
        desk.put(number)
    await desk.run(FakeRecognizer(concurrency=concurrency))
    starts = sorted(one.start_timestamp_ms for one in desk.heard)
    assert starts == [T0 + number * 10_000 for number in range(40)]
    assert {one.verdict for one in desk.heard} == {"kept"}


async def test_the_sound_is_read_from_the_journal(shelf: Shelf) -> None:
    seen: list[list[int]] = []
    recognizer = FakeRecognizer()

    def note(utterance: Utterance, language: str) -> str:
        seen.append(utterance.samples.tolist())
        return "seen"

    recognizer.text = note
    desk = Desk(shelf)
    desk.put(0)
    await desk.run(recognizer)
    assert seen == [SOUND[100:1100].tolist()]


async def test_a_failure_costs_one_transcript(
    shelf: Shelf, autojump_clock: trio.testing.MockClock, no_threads: None
) -> None:
    desk = Desk(shelf)
    desk.put(0)
    desk.put(1, duration_ms=1234)
    desk.put(2, journal="shredded")
    metrics = await desk.run(FakeRecognizer(fails_on_ms=1234))
    verdicts = {one.start_timestamp_ms: one.verdict for one in desk.heard}
    assert verdicts == {
        T0: "kept",
        T0 + 10_000: "failed: recognizer error",
        T0 + 20_000: "failed: its sound is lost",
    }
    assert metrics.registry.get_sample_value("zccvoice_utterances_total", {"verdict": "failed"}) == 2


async def test_each_in_its_own_language(shelf: Shelf) -> None:
    desk = Desk(shelf)
    desk.put(0)
    desk.put(1, language="es")
    await desk.run(FakeRecognizer(concurrency=1))
    assert [one.text for one in desk.heard] == ["en0 en1", "es0 es1"]


async def test_what_is_expected_goes_by_the_queue(shelf: Shelf) -> None:
    desk = Desk(shelf)
    desk.put(0, queue=("q1", "Energy"))
    desk.put(1)
    desk.send.close()
    settings = SpeechConfig.model_validate(
        {"prompt": {"text": "Thank you."}, "prompts": {"energy": {"hotwords": ["Kilowatt", "Ampere"]}}}
    )
    recognizer = FakeRecognizer(concurrency=1)
    await Transcriber(recognizer, Metrics(), settings).run(desk.receive)
    assert sorted(recognizer.expected, key=str) == [("Thank you.", None), (None, "Kilowatt Ampere")]


async def test_servers_get_one_at_a_time_since_they_make_their_own_batches(shelf: Shelf) -> None:
    desk = Desk(shelf)
    for number in range(5):
        desk.put(number)
    desk.send.close()
    recognizer = FakeRecognizer(concurrency=1)
    settings = SpeechConfig(recognizer="remote", remote=RemoteConfig(servers=("http://localhost:1",)))
    await Transcriber(recognizer, Metrics(), settings).run(desk.receive)
    assert recognizer.batches == [1] * 5


async def test_neighbours_that_have_waited_long_share_a_window(shelf: Shelf) -> None:
    seen: list[tuple[str, int | None]] = []

    class Spacious(FakeRecognizer):
        windows = Windows((10.0, 30.0), takes_several=True)

        def transcribe(self, items: Sequence[RecognizerItem]) -> list[Transcript | RecognizerError]:
            seen.extend((item.language, item.shares) for item in items)
            return super().transcribe(items)

    desk = Desk(shelf)
    for number in range(20):
        desk.put(number)
    desk.put(20, language="es")
    desk.send.close()
    await Transcriber(Spacious(concurrency=1), Metrics(), SpeechConfig(widen_after_s=1)).run(desk.receive)
    assert len(desk.heard) == len(seen) == 21
    assert {shares for language, shares in seen if language == "en"} >= {0}
    assert ("es", None) in seen


async def test_a_defect_costs_one_transcript(shelf: Shelf) -> None:
    recognizer = FakeRecognizer(concurrency=1)
    recognizer.text = lambda utterance, language: "fine" if utterance.duration_ms != 1234 else None  # type: ignore
    desk = Desk(shelf)
    desk.put(0)
    desk.put(1, duration_ms=1234)
    desk.put(2)
    await desk.run(recognizer)
    assert [one.text for one in desk.heard] == ["fine", None, "fine"]


async def test_what_waits_while_the_worker_is_busy_goes_together(shelf: Shelf) -> None:
    recognizer = FakeRecognizer(concurrency=1)
    desk = Desk(shelf)
    for number in range(20):
        desk.put(number)
    desk.send.close()
    all_wait = threading.Event()
    recognizer.text = lambda utterance, language: "said" if all_wait.wait(10) else "stuck"
    metrics = Metrics()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Transcriber(recognizer, metrics).run, desk.receive)
        await trio.testing.wait_all_tasks_blocked()
        all_wait.set()
    assert sum(recognizer.batches) == 20
    assert recognizer.batches[1] == 8
    assert {one.text for one in desk.heard} == {"said"}
    value = metrics.registry.get_sample_value
    assert value("zccvoice_recognized_audio_seconds_total") == pytest.approx(20 * 1000 / 16_000)
    assert value("zccvoice_batch_utterances_sum") == 20
    assert value("zccvoice_backlog_utterances") == 0


async def test_no_more_wait_than_may(shelf: Shelf) -> None:
    desk = Desk(shelf)
    for number in range(20):
        desk.put(number)
    desk.send.close()
    recognizer = FakeRecognizer(concurrency=1)
    await Transcriber(recognizer, Metrics(), SpeechConfig(backlog=3)).run(desk.receive)
    assert len(desk.heard) == 20
    assert max(recognizer.batches) <= 3


async def test_nothing_heard_is_no_text(shelf: Shelf) -> None:
    desk = Desk(shelf)
    desk.put(0, duration_ms=300)
    await desk.run(FakeRecognizer())
    (heard,) = desk.heard
    assert (heard.text, heard.words, heard.verdict) == (None, (), "empty")


@pytest.mark.parametrize(
    ("refusals", "verdict"), [(3, "kept"), (1_000, "failed: its sound could not be read")]
)
async def test_sound_that_cannot_be_read_now_is_read_later(
    shelf: Shelf, refusals: int, verdict: str, autojump_clock: trio.testing.MockClock, no_threads: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    real, left = Path.open, [refusals]

    def refuse(*given: Any, **options: Any) -> Any:
        left[0] -= 1
        if left[0] >= 0:
            raise OSError(errno.EMFILE, "Too many open files")
        return real(*given, **options)

    desk = Desk(shelf)
    desk.put(0)
    with monkeypatch.context() as system:
        system.setattr(Path, "open", refuse)
        await desk.run(FakeRecognizer())
    assert [one.verdict for one in desk.heard] == [verdict]


def failing(until_s: float, *, only: int | None = None) -> FakeRecognizer:
    """Fails up to a time: on one utterance, told by its length, or on all."""
    recognizer = FakeRecognizer(concurrency=1)

    def say(utterance: Utterance, language: str) -> str:
        if trio.current_time() < until_s and only in (None, utterance.duration_ms):
            raise RecognizerError("out of memory")
        return "said"

    recognizer.text = say
    return recognizer


async def test_what_failed_is_tried_again_behind_the_others(
    shelf: Shelf, autojump_clock: trio.testing.MockClock, no_threads: None
) -> None:
    desk = Desk(shelf)
    for number, duration_ms in enumerate((2_000, 1_234, 2_000)):
        desk.put(number, duration_ms=duration_ms)
    began = trio.current_time()
    metrics = await desk.run(failing(began + 20, only=1_234))
    assert [one.end_timestamp_ms - one.start_timestamp_ms for one in desk.heard] == [2_000, 2_000, 1_234]
    assert {one.text for one in desk.heard} == {"said"}
    assert metrics.registry.get_sample_value("zccvoice_utterances_total", {"verdict": "failed"}) is None


async def test_nothing_is_given_up_while_everything_fails(
    shelf: Shelf, autojump_clock: trio.testing.MockClock, no_threads: None
) -> None:
    """The recognizer is out for an hour; more wants to wait than may."""
    desk = Desk(shelf)
    for number in range(40):
        desk.put(number)
    desk.send.close()
    recognizer = failing(trio.current_time() + 3_600)
    await Transcriber(recognizer, Metrics(), SpeechConfig(backlog=10)).run(desk.receive)
    assert [one.text for one in desk.heard] == ["said"] * 40
    assert recognizer.heard < 10_000, "it is left alone in between"


@pytest.mark.parametrize("backlog", [3, 100])
async def test_a_daemon_that_stops_leaves_what_fails_to_the_next_one(
    shelf: Shelf, autojump_clock: trio.testing.MockClock, no_threads: None, backlog: int
) -> None:
    desk = Desk(shelf)
    for number in range(5):
        desk.put(number)
    desk.send.close()
    closing = trio.Event()
    began = trio.current_time()
    settings = SpeechConfig(backlog=backlog)
    transcriber = Transcriber(failing(began + 3_600), Metrics(), settings, closing=closing)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(transcriber.run, desk.receive)
        await trio.sleep(100)
        assert (desk.heard, desk.left) == ([], 0)
        closing.set()
    assert (desk.heard, desk.left) == ([], 5)
    assert trio.current_time() == began + 100
