"""Utterances whose language is not known → how likely it is each of some: beside the `transcriber`, ahead of it.

A call whose language is not pinned has all its utterances waiting, so they do not queue up behind a backlog of
others. A call needs a few seconds of speech here, once. There are as many workers as the recognizer can use: one
whose request waits for a server holds up no other call.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import trio

from zccvoice.config import SpeechConfig
from zccvoice.daemon.log import get_logger
from zccvoice.daemon.outcome import Unclear
from zccvoice.errors import JournalError, RecognizerError
from zccvoice.journal.journal import JournalReader
from zccvoice.journal.passage import read_samples
from zccvoice.speech.recognizer import Recognizer
from zccvoice.speech.utterance import Utterance

Probabilities: TypeAlias = Mapping[str, float]
"""By Whisper code; empty when nothing could be made of it."""
OpenReader: TypeAlias = Callable[[], JournalReader]
"""Opens the journal that an utterance's sound is in; blocking."""
log = get_logger()


@dataclass(frozen=True, slots=True, eq=False)
class UnclearItem:
    """An utterance on its way to the recognizer."""

    unclear: Unclear
    open_reader: OpenReader
    on_done: Callable[[Probabilities], None]
    """Takes what was found."""


class LanguageDetector:
    """Workers on the recognizer that all calls share."""

    def __init__(self, recognizer: Recognizer, settings: SpeechConfig | None = None) -> None:
        """`settings` bound what goes together."""
        self._recognizer = recognizer
        self._most_together = (settings or SpeechConfig()).most_together
        self._threads = trio.CapacityLimiter(recognizer.concurrency)

    async def run(self, unclear_receive: trio.MemoryReceiveChannel[UnclearItem]) -> None:
        """Detect until the channel ends; closes its end.

        Cancelling it leaves the rest undetected: their calls find it out at the next start. What runs in a thread
        is left to itself.
        """
        async with unclear_receive, trio.open_nursery() as workers:
            for _ in range(self._recognizer.concurrency):
                workers.start_soon(self._work, unclear_receive)

    async def _work(self, unclear_receive: trio.MemoryReceiveChannel[UnclearItem]) -> None:
        async for first in unclear_receive:
            items = [first]
            while len(items) < self._most_together:
                try:
                    items.append(unclear_receive.receive_nowait())
                except (trio.WouldBlock, trio.EndOfChannel):
                    break
            await self._detect(items)

    async def _detect(self, items: Sequence[UnclearItem]) -> None:
        found = await trio.to_thread.run_sync(
            self._listen, items, limiter=self._threads, abandon_on_cancel=True
        )
        for item, probabilities in zip(items, found, strict=True):
            item.on_done(probabilities)

    def _listen(self, items: Sequence[UnclearItem]) -> list[Probabilities]:
        """In a thread."""
        return detect(self._recognizer, [(item.unclear, item.open_reader) for item in items])


def detect(recognizer: Recognizer, asked: Sequence[tuple[Unclear, OpenReader]]) -> list[Probabilities]:
    """How likely each language is of each utterance, in their order; blocking.

    Nothing is said of an utterance whose sound is lost, or on which the recognizer fails.
    """
    found: list[Probabilities] = [{} for _ in asked]
    for among in dict.fromkeys(unclear.among for unclear, _ in asked):  # calls have the same ones, mostly
        audible: dict[int, Utterance] = {}
        for number, (unclear, open_reader) in enumerate(asked):
            if unclear.among == among and (utterance := _audible(unclear, open_reader)) is not None:
                audible[number] = utterance
        for number, probabilities in zip(audible, _told(recognizer, audible.values(), among), strict=False):
            found[number] = probabilities
    return found


def _told(
    recognizer: Recognizer, utterances: Collection[Utterance], among: Sequence[str]
) -> Sequence[Probabilities]:
    try:
        return recognizer.detect_language([*utterances], among) if utterances else []
    except RecognizerError as error:
        log.error("language not detected", problem=str(error))
    except Exception:  # the edge of one batch: the calls, and the daemon, go on
        log.exception("language not detected, by a defect")
    return []


def _audible(unclear: Unclear, open_reader: OpenReader) -> Utterance | None:
    """With its sound, from the journal; None when that is lost."""
    try:
        return _with_samples(unclear, open_reader)
    except JournalError as error:
        log.error("language not detected", problem=str(error))
    except Exception:  # the edge of one utterance
        log.exception("language not detected, by a defect")
    return None


def _with_samples(unclear: Unclear, open_reader: OpenReader) -> Utterance:
    assert unclear.utterance.passage is not None
    with open_reader() as reader:
        samples = read_samples(reader, unclear.audio_format, unclear.utterance.passage)
    return replace(unclear.utterance, samples=samples)
