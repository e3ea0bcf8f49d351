"""Utterances of all calls → transcripts: one recognizer, as many workers as it can use.

An utterance comes by reference and its sound is read from the stream's journal when a worker is free, so a
backlog costs disk and no memory. Which of them a free worker takes together is `speech.batch`'s to say. What was
heard goes back to the call, which writes it into that journal.
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
from zccvoice.errors import JournalError, JournalUnavailableError, RecognizerError
from zccvoice.journal.journal import JournalReader
from zccvoice.journal.passage import read_samples
from zccvoice.speech.batch import Batch, BatchLimits, BatchQueue
from zccvoice.speech.prompting import PromptPolicy
from zccvoice.speech.recognizer import Recognizer, RecognizerItem
from zccvoice.speech.utterance import Transcript, Utterance
from zccvoice.store.facts import StoredWord, UtteranceHeard

READ_ATTEMPTS, READ_AGAIN_S = 5, 1.0
"""At a journal that the system does not let be read: what is not transcribed is tried again at the next start."""
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
    is_live: bool = True
    """False for what an earlier daemon left: it waits behind the calls that go on."""


class Transcriber:
    """The workers around one recognizer."""

    def __init__(
        self, recognizer: Recognizer, metrics: Metrics, settings: SpeechConfig | None = None
    ) -> None:
        """`settings` bound what waits and what is decoded together."""
        settings = settings or SpeechConfig()
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
                workers.start_soon(self._work, limiter)
            await self._take_in(spoken_receive)

    async def _take_in(self, spoken_receive: trio.MemoryReceiveChannel[SpokenItem]) -> None:
        """What comes waits here as long as there is room, then with those who bring it."""
        async with spoken_receive:
            async for item in spoken_receive:
                is_live, call = item.is_live, item.stream_id
                self._waiting.put(
                    item, call, _sound_s(item), item.heard_at, is_live=is_live, track=_track(item)
                )
                self._note_waiting()
                self._idle_workers.unpark()
                while len(self._waiting) >= self._most_waiting:
                    self._room = trio.Event()
                    await self._room.wait()
        self._is_fed = False
        self._idle_workers.unpark_all()

    async def _work(self, limiter: trio.CapacityLimiter) -> None:
        while (batch := await self._next_batch()) is not None:
            self._metrics.batch_utterances.observe(len(batch.items))
            self._metrics.window_fill.observe(min(1.0, batch.fill_ratio))
            for item, heard in zip(batch.items, await self._transcribe(batch, limiter), strict=True):
                item.on_done(heard)

    async def _next_batch(self) -> Batch[SpokenItem] | None:
        while (batch := self._waiting.take(trio.current_time())) is None:
            if not self._is_fed:
                return None
            await self._idle_workers.park()
        self._room.set()
        self._note_waiting()
        return batch

    def _note_waiting(self) -> None:
        self._metrics.backlog.set(len(self._waiting))
        self._metrics.late_calls.set(self._waiting.late_calls)

    async def _transcribe(
        self, batch: Batch[SpokenItem], limiter: trio.CapacityLimiter
    ) -> list[UtteranceHeard]:
        began = trio.current_time()
        for attempts_left in reversed(range(READ_ATTEMPTS)):
            found = await trio.to_thread.run_sync(
                self._recognize, batch.windows, limiter=limiter, abandon_on_cancel=True
            )
            refused = next((one for one in found if isinstance(one, JournalUnavailableError)), None)
            if refused is None or not attempts_left:
                break
            log.warning("sound not read, tried again", problem=str(refused))
            await trio.sleep(READ_AGAIN_S)
        self._metrics.recognizing_seconds.inc(trio.current_time() - began)
        self._metrics.recognized_seconds.inc(batch.sound_s)
        return [self._heard(item, one) for item, one in zip(batch.items, found, strict=True)]

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
        where = {
            "engagement_id": item.engagement_id,
            "stream_id": item.stream_id,
            "channel_id": item.spoken.utterance.channel_id,
            "start_timestamp_ms": item.spoken.utterance.start_timestamp_ms,
        }
        if isinstance(error, RecognizerError | JournalError):
            log.error("utterance not transcribed", **where, problem=str(error))
        else:
            log.error("utterance lost its transcript to a defect", **where, exc_info=error)
        self._metrics.utterances.labels("failed").inc()
        what = "its sound is lost" if isinstance(error, JournalError) else "recognizer error"
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
