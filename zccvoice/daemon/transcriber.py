"""Utterances of all calls → transcripts: one recognizer, as many workers as it can use.

The end of a stream travels behind the stream's utterances and is handed to the writer only when the last of
them is: whoever reads `StreamClosed` has everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import trio

from zccvoice.analytics.redaction import redact, redact_words
from zccvoice.daemon.log import get_logger
from zccvoice.daemon.metrics import Metrics
from zccvoice.errors import RecognizerError
from zccvoice.speech.recognizer import Recognizer
from zccvoice.speech.utterance import Transcript, Utterance
from zccvoice.store.facts import Fact, StoredWord, StreamClosed, UtteranceHeard

log = get_logger()


@dataclass(frozen=True, slots=True, eq=False)
class SpokenUtterance:
    """An utterance on its way to the recognizer."""

    engagement_id: str
    stream_id: str
    utterance: Utterance
    language: str
    heard_at: float
    """Monotonic seconds when it was complete."""


SpokenItem: TypeAlias = SpokenUtterance | StreamClosed


@dataclass(slots=True)
class _Stream:
    """What is still under way of one stream."""

    pending: int = 0
    closed: StreamClosed | None = None


class Transcriber:
    """The workers around one recognizer."""

    def __init__(self, recognizer: Recognizer, metrics: Metrics) -> None:
        self._recognizer = recognizer
        self._metrics = metrics
        self._streams: dict[str, _Stream] = {}
        # A worker takes an item and notes it as pending in one step: else the end of a stream could be handled
        # by another worker between the two, and overtake the stream's last utterance.
        self._taking = trio.Lock()

    async def run(
        self,
        spoken_receive: trio.MemoryReceiveChannel[SpokenItem],
        facts_send: trio.MemorySendChannel[Fact],
    ) -> None:
        """Transcribe until the channel ends; closes both ends it was given.

        Cancelling it loses the utterances that were not yet transcribed; what runs in a thread is left to
        itself, because threads cannot be stopped.
        """
        limiter = trio.CapacityLimiter(self._recognizer.concurrency)
        async with spoken_receive, facts_send, trio.open_nursery() as workers:
            for _ in range(self._recognizer.concurrency):
                workers.start_soon(self._work, spoken_receive, facts_send, limiter)

    async def _work(
        self,
        spoken_receive: trio.MemoryReceiveChannel[SpokenItem],
        facts_send: trio.MemorySendChannel[Fact],
        limiter: trio.CapacityLimiter,
    ) -> None:
        while True:
            async with self._taking:
                try:
                    item = await spoken_receive.receive()
                except trio.EndOfChannel:
                    return
                stream = self._streams.setdefault(item.stream_id, _Stream())
                if isinstance(item, StreamClosed):
                    stream.closed = item
                else:
                    stream.pending += 1
            self._metrics.backlog.set(spoken_receive.statistics().current_buffer_used)
            if isinstance(item, SpokenUtterance):
                await facts_send.send(await self._transcribe(item, limiter))
                stream.pending -= 1
            if stream.closed is not None and stream.pending == 0:
                del self._streams[item.stream_id]
                await facts_send.send(stream.closed)

    async def _transcribe(self, item: SpokenUtterance, limiter: trio.CapacityLimiter) -> UtteranceHeard:
        utterance = item.utterance
        try:
            transcript = await trio.to_thread.run_sync(
                self._recognizer.transcribe, utterance, item.language, limiter=limiter, abandon_on_cancel=True
            )
            heard = _heard(item, transcript, "kept" if transcript.text else "empty")
        except Exception as error:  # the edge of one utterance: the call, and all others, go on
            ids = {
                "engagement_id": item.engagement_id,
                "stream_id": item.stream_id,
                "channel_id": utterance.channel_id,
                "start_timestamp_ms": utterance.start_timestamp_ms,
            }
            if isinstance(error, RecognizerError):
                log.error("utterance not transcribed", **ids, problem=str(error))
            else:
                log.exception("utterance lost its transcript to a defect", **ids)
            self._metrics.utterances.labels("failed").inc()
            return _heard(item, None, "failed: recognizer error")
        self._metrics.recognition_lag.observe(trio.current_time() - item.heard_at)
        self._metrics.utterances.labels(heard.verdict).inc()
        return heard


def _heard(item: SpokenUtterance, transcript: Transcript | None, verdict: str) -> UtteranceHeard:
    """The fact to store. Text is redacted here: nothing behind this point sees what it hides."""
    utterance = item.utterance
    words: tuple[StoredWord, ...] = ()
    if transcript is not None:
        redacted = redact_words([word.text for word in transcript.words])
        words = tuple(
            StoredWord(text, word.start_ms, word.end_ms, word.probability)
            for text, word in zip(redacted, transcript.words, strict=True)
            if text
        )
    return UtteranceHeard(
        item.engagement_id,
        item.stream_id,
        utterance.channel_id,
        utterance.start_timestamp_ms,
        utterance.end_timestamp_ms,
        utterance.loudness_dbfs,
        utterance.clipped_ratio,
        text=redact(transcript.text) if transcript is not None and transcript.text else None,
        words=words,
        language=item.language,
        confidence=None if transcript is None else transcript.confidence,
        model=None if transcript is None else transcript.model,
        verdict=verdict,
    )
