"""Utterances of all calls → transcripts: one recognizer, as many workers as it can use.

An utterance comes by reference and its sound is read from the stream's journal when a worker is free, so a
backlog costs disk and no memory. Which of them a free worker takes together is `speech.batch`'s to say. What was
heard goes back to the call, which writes it into that journal. What failed is tried again later, as often as
`patience` has it; what a daemon that stops could not do is left to the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace

import trio

from zccvoice.audio.frame import SAMPLE_RATE_HZ
from zccvoice.config import SpeechConfig
from zccvoice.daemon.log import get_logger
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.outcome import Spoken
from zccvoice.daemon.patience import OUTAGE_PAUSE_S, Patience
from zccvoice.errors import JournalError, JournalUnavailableError, RecognizerError
from zccvoice.journal.journal import JournalReader
from zccvoice.journal.passage import read_samples
from zccvoice.speech.batch import Batch, BatchLimits, BatchQueue
from zccvoice.speech.prompting import PromptPolicy
from zccvoice.speech.recognizer import Recognizer, RecognizerItem
from zccvoice.speech.utterance import Transcript, Utterance
from zccvoice.store.facts import StoredWord, UtteranceHeard

log = get_logger()


@dataclass(frozen=True, slots=True, eq=False)
class SpokenItem:
    """An utterance on its way to the recognizer."""

    engagement_id: str
    stream_id: str
    spoken: Spoken
    heard_at: float
    """Monotonic seconds when it was complete."""
    open_reader: Callable[[], JournalReader]
    """Opens the journal that its sound is in; blocking."""
    on_done: Callable[[UtteranceHeard], None]
    """Takes what was heard."""
    on_left: Callable[[], None]
    """Told instead when it is left to the next daemon, because this one stops."""
    is_live: bool = True
    """False for what an earlier daemon left: it waits behind the calls that go on."""
    failures: int = 0
    """How often it failed, outages not counted."""


class Transcriber:
    """The workers around one recognizer."""

    def __init__(
        self,
        recognizer: Recognizer,
        metrics: Metrics,
        settings: SpeechConfig | None = None,
        *,
        closing: trio.Event | None = None,
    ) -> None:
        """Prepare.

        Args:
            recognizer: does the work.
            metrics: of this process.
            settings: bound what waits and what is decoded together.
            closing: set when the daemon stops: what fails from then on is left to the next one.
        """
        settings = settings or SpeechConfig()
        self._closing = trio.Event() if closing is None else closing
        self._patience = Patience()
        self._resting = 0
        self._recognizer = recognizer
        self._metrics = metrics
        self._most_waiting = settings.backlog
        limits = BatchLimits(
            settings.most_together, settings.batch_s, settings.late_after_s, settings.widen_after_s
        )
        self._waiting: BatchQueue[SpokenItem] = BatchQueue(recognizer.windows, limits)
        self._prompts = PromptPolicy(settings)
        self._idle_workers = trio.lowlevel.ParkingLot()
        self._room = trio.Event()
        self._is_fed = True

    async def run(self, spoken_receive: trio.MemoryReceiveChannel[SpokenItem]) -> None:
        """Transcribe until the channel ends; closes its end.

        Cancelling it leaves the rest untranscribed: their calls' journals tell so. What runs in a thread is
        left to itself, because threads cannot be stopped.
        """
        limiter = trio.CapacityLimiter(self._recognizer.concurrency)
        async with trio.open_nursery() as workers:
            for _ in range(self._recognizer.concurrency):
                workers.start_soon(self._work, limiter, workers)
            await self._take_in(spoken_receive)

    async def _take_in(self, spoken_receive: trio.MemoryReceiveChannel[SpokenItem]) -> None:
        """What comes waits here as long as there is room, then with those who bring it."""
        async with spoken_receive:
            async for item in spoken_receive:
                self._put(item, item.heard_at, _track(item))
                self._idle_workers.unpark()
                while len(self._waiting) + self._resting >= self._most_waiting:
                    self._room = trio.Event()
                    await self._room.wait()
        self._is_fed = False
        self._idle_workers.unpark_all()

    def _put(self, item: SpokenItem, at: float, track: Hashable = None) -> None:
        self._waiting.put(item, item.stream_id, _sound_s(item), at, is_live=item.is_live, track=track)
        self._note_waiting()

    async def _work(self, limiter: trio.CapacityLimiter, resting: trio.Nursery) -> None:
        while (batch := await self._next_batch()) is not None:
            self._metrics.batch_utterances.observe(len(batch.items))
            self._metrics.window_fill.observe(min(1.0, batch.fill_ratio))
            for item, found in zip(batch.items, await self._transcribe(batch, limiter), strict=True):
                if not self._is_put_off(item, found, resting):
                    item.on_done(self._heard(item, found))
            if self._patience.is_out:
                await self._sleep_unless_closing(OUTAGE_PAUSE_S)

    async def _next_batch(self) -> Batch[SpokenItem] | None:
        while (batch := self._waiting.take(trio.current_time())) is None:
            if not self._is_fed and not self._resting:
                self._idle_workers.unpark_all()  # nothing comes any more: the others may go, too
                return None
            await self._idle_workers.park()
        self._room.set()
        self._note_waiting()
        return batch

    def _note_waiting(self) -> None:
        self._metrics.backlog.set(len(self._waiting) + self._resting)
        self._metrics.late_calls.set(self._waiting.late_calls)

    async def _transcribe(
        self, batch: Batch[SpokenItem], limiter: trio.CapacityLimiter
    ) -> list[Transcript | Exception]:
        began = trio.current_time()
        found = await trio.to_thread.run_sync(
            self._recognize, batch.windows, limiter=limiter, abandon_on_cancel=True
        )
        self._metrics.recognizing_seconds.inc(trio.current_time() - began)
        self._metrics.recognized_seconds.inc(batch.sound_s)
        return found

    def _is_put_off(self, item: SpokenItem, found: Transcript | Exception, resting: trio.Nursery) -> bool:
        """Whether it is tried again, or left to the next daemon."""
        if isinstance(found, Transcript):
            if self._patience.is_out:
                log.info("utterances can be transcribed again")
            self._patience.note_success()
            return False
        if not isinstance(found, RecognizerError | JournalUnavailableError):
            return False
        if self._closing.is_set():
            self._leave(item)
            return True
        was_out = self._patience.is_out
        self._patience.note_failure((item.stream_id, item.spoken.key))
        if not self._patience.is_out:
            item = replace(item, failures=item.failures + 1)
        elif not was_out:
            log.error("one utterance after the other fails: they wait", problem=str(found))
        pause_s = self._patience.pause_s(item.failures)
        if pause_s is None:
            return False
        log.debug("utterance not transcribed, tried again", **_where(item), problem=str(found))
        self._resting += 1
        self._note_waiting()
        resting.start_soon(self._rest, item, pause_s)
        return True

    async def _rest(self, item: SpokenItem, pause_s: float) -> None:
        await self._sleep_unless_closing(pause_s)
        self._resting -= 1
        if self._closing.is_set():
            self._leave(item)
        else:
            self._put(item, trio.current_time())  # at the back, and in a window of its own
        self._idle_workers.unpark_all()

    async def _sleep_unless_closing(self, pause_s: float) -> None:
        with trio.move_on_after(pause_s):
            await self._closing.wait()

    def _leave(self, item: SpokenItem) -> None:
        log.warning("utterance left to the next start", **_where(item))
        item.on_left()
        self._note_waiting()
        self._room.set()

    def _heard(self, item: SpokenItem, found: Transcript | Exception) -> UtteranceHeard:
        ids = item.engagement_id, item.stream_id
        if isinstance(found, Exception):
            return self._failed(item, found)
        try:
            heard = heard_in(item.spoken, ids, found)
        except Exception as error:  # the edge of one utterance: the call, and all others, go on
            return self._failed(item, error)
        self._metrics.recognition_lag.observe(trio.current_time() - item.heard_at)
        self._metrics.utterances.labels(heard.verdict).inc()
        return heard

    def _failed(self, item: SpokenItem, error: Exception) -> UtteranceHeard:
        if isinstance(error, RecognizerError | JournalError):
            log.error("utterance not transcribed", **_where(item), problem=str(error))
        else:
            log.error("utterance lost its transcript to a defect", **_where(item), exc_info=error)
        self._metrics.utterances.labels("failed").inc()
        match error:
            case JournalUnavailableError():
                what = "its sound could not be read"
            case JournalError():
                what = "its sound is lost"
            case _:
                what = "recognizer error"
        return not_heard_in(item.spoken, (item.engagement_id, item.stream_id), what)

    def _recognize(self, windows: Sequence[Sequence[SpokenItem]]) -> list[Transcript | Exception]:
        """In a thread."""
        items = [item for window in windows for item in window]
        shares = [
            number if len(window) > 1 else None for number, window in enumerate(windows) for _ in window
        ]
        found: list[Transcript | Exception | None] = [None] * len(items)
        read: dict[int, RecognizerItem] = {}
        for place, item in enumerate(items):
            try:
                read[place] = replace(item_of(_read(item), item.spoken, self._prompts), shares=shares[place])
            except Exception as error:  # the edge of one utterance; see `_heard`
                found[place] = error
        for place, one in zip(read, self._recognize_all([*read.values()]), strict=True):
            found[place] = one
        return [one for one in found if one is not None]

    def _recognize_all(self, items: Sequence[RecognizerItem]) -> list[Transcript | Exception]:
        try:
            return [*self._recognizer.transcribe(items)] if items else []
        except Exception as error:  # a defect; the one that it lies in is to cost no other its transcript
            if len(items) == 1:
                return [error]
            return [one for item in items for one in self._recognize_all([replace(item, shares=None)])]


def _sound_s(item: SpokenItem) -> float:
    passage = item.spoken.utterance.passage
    assert passage is not None
    return (passage.end - passage.start) / SAMPLE_RATE_HZ


def _where(item: SpokenItem) -> dict[str, str | int]:
    return {
        "engagement_id": item.engagement_id,
        "stream_id": item.stream_id,
        "channel_id": item.spoken.utterance.channel_id,
        "start_timestamp_ms": item.spoken.utterance.start_timestamp_ms,
    }


def _track(item: SpokenItem) -> Hashable:
    """What utterances have to have in common to share a window."""
    spoken = item.spoken
    return item.stream_id, spoken.utterance.channel_id, spoken.language, spoken.queue


def _read(item: SpokenItem) -> Utterance:
    """With its sound, from the journal; blocking."""
    spoken = item.spoken
    assert spoken.utterance.passage is not None
    with item.open_reader() as reader:
        samples = read_samples(reader, spoken.audio_format, spoken.utterance.passage)
    return replace(spoken.utterance, samples=samples)


def item_of(utterance: Utterance, spoken: Spoken, prompts: PromptPolicy) -> RecognizerItem:
    """What the recognizer is given.

    Args:
        utterance: that of `spoken`, with its samples.
        spoken: in which language, and through which queue the call came.
        prompts: what is expected in calls of which queue.
    """
    prompt = prompts.choose(spoken.queue)
    return RecognizerItem(utterance, spoken.language, prompt.text or None, prompt.all_hotwords or None)


def transcribe_one(recognizer: Recognizer, item: RecognizerItem) -> Transcript:
    """Transcribe an utterance by itself; blocking.

    Raises:
        RecognizerError: the recognizer failed on it.
    """
    (found,) = recognizer.transcribe([item])
    if isinstance(found, RecognizerError):
        raise found
    return found


def heard_in(spoken: Spoken, ids: tuple[str, str], transcript: Transcript) -> UtteranceHeard:
    """The fact, not redacted yet: `editing` does that before it is stored.

    Args:
        spoken: the utterance.
        ids: of its engagement and its stream.
        transcript: what the recognizer made of it.
    """
    if transcript.refusal is not None:
        return replace(
            not_heard_in(spoken, ids, ""),
            refused_text=transcript.text or None,
            confidence=transcript.confidence if transcript.text else None,
            model=transcript.model or None,
            verdict=f"refused: {transcript.refusal}",
        )
    return replace(
        not_heard_in(spoken, ids, ""),
        text=transcript.text or None,
        words=tuple(
            StoredWord(word.text, word.start_ms, word.end_ms, word.probability) for word in transcript.words
        ),
        confidence=transcript.confidence,
        model=transcript.model,
        verdict="kept" if transcript.text else "empty",
    )


def not_heard_in(spoken: Spoken, ids: tuple[str, str], why: str) -> UtteranceHeard:
    """The fact of an utterance without a transcript, with why it has none."""
    utterance = spoken.utterance
    return UtteranceHeard(
        *ids,
        utterance.channel_id,
        utterance.start_timestamp_ms,
        utterance.end_timestamp_ms,
        utterance.loudness_dbfs,
        utterance.clipped_ratio,
        text=None,
        language=spoken.language,
        verdict=f"failed: {why}",
        loudness_by_second=utterance.loudness_by_second,
    )
