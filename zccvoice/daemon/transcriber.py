"""Utterances of all calls → transcripts: one recognizer, as many workers as it can use.

An utterance comes by reference and its sound is read from the stream's journal when a worker is free, so a
backlog costs disk and no memory. What was heard goes back to the call, which writes it into that journal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import trio

from zccvoice.daemon.log import get_logger
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.outcome import Spoken
from zccvoice.errors import JournalError, RecognizerError
from zccvoice.journal.journal import JournalReader
from zccvoice.journal.passage import read_samples
from zccvoice.speech.recognizer import Recognizer
from zccvoice.speech.utterance import Transcript
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


class Transcriber:
    """The workers around one recognizer."""

    def __init__(self, recognizer: Recognizer, metrics: Metrics) -> None:
        self._recognizer = recognizer
        self._metrics = metrics

    async def run(self, spoken_receive: trio.MemoryReceiveChannel[SpokenItem]) -> None:
        """Transcribe until the channel ends; closes its end.

        Cancelling it leaves the rest untranscribed: their calls' journals tell so. What runs in a thread is
        left to itself, because threads cannot be stopped.
        """
        limiter = trio.CapacityLimiter(self._recognizer.concurrency)
        async with spoken_receive, trio.open_nursery() as workers:
            for _ in range(self._recognizer.concurrency):
                workers.start_soon(self._work, spoken_receive, limiter)

    async def _work(
        self, spoken_receive: trio.MemoryReceiveChannel[SpokenItem], limiter: trio.CapacityLimiter
    ) -> None:
        async for item in spoken_receive:
            self._metrics.backlog.set(spoken_receive.statistics().current_buffer_used)
            item.on_done(await self._transcribe(item, limiter))

    async def _transcribe(self, item: SpokenItem, limiter: trio.CapacityLimiter) -> UtteranceHeard:
        utterance, ids = item.spoken.utterance, (item.engagement_id, item.stream_id)
        try:
            transcript = await trio.to_thread.run_sync(
                self._recognize, item, limiter=limiter, abandon_on_cancel=True
            )
            heard = heard_in(item.spoken, ids, transcript)
        except Exception as error:  # the edge of one utterance: the call, and all others, go on
            where = {
                "engagement_id": item.engagement_id,
                "stream_id": item.stream_id,
                "channel_id": utterance.channel_id,
                "start_timestamp_ms": utterance.start_timestamp_ms,
            }
            if isinstance(error, RecognizerError | JournalError):
                log.error("utterance not transcribed", **where, problem=str(error))
            else:
                log.exception("utterance lost its transcript to a defect", **where)
            self._metrics.utterances.labels("failed").inc()
            what = "its sound is lost" if isinstance(error, JournalError) else "recognizer error"
            return not_heard_in(item.spoken, ids, what)
        self._metrics.recognition_lag.observe(trio.current_time() - item.heard_at)
        self._metrics.utterances.labels(heard.verdict).inc()
        return heard

    def _recognize(self, item: SpokenItem) -> Transcript:
        """In a thread."""
        spoken = item.spoken
        assert spoken.utterance.passage is not None
        with item.open_reader() as reader:
            samples = read_samples(reader, spoken.audio_format, spoken.utterance.passage)
        return self._recognizer.transcribe(replace(spoken.utterance, samples=samples), spoken.language)


def heard_in(spoken: Spoken, ids: tuple[str, str], transcript: Transcript) -> UtteranceHeard:
    """The fact, not redacted yet: `editing` does that before it is stored.

    Args:
        spoken: the utterance.
        ids: of its engagement and its stream.
        transcript: what the recognizer made of it.
    """
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
