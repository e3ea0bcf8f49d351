"""Stand-ins for what is slow or far away. `test_fakes.py` holds them against the real thing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import trio

from zccvoice.analytics.live import Heard
from zccvoice.daemon.transport import EventsSend
from zccvoice.errors import RecognizerError
from zccvoice.rtms.events import StreamEnded
from zccvoice.rtms.messages import AudioParams
from zccvoice.rtms.webhook import StreamStarted
from zccvoice.speech.recognizer import RecognizerItem
from zccvoice.speech.utterance import Transcript, Utterance, Word
from zccvoice.speech.window import Windows
from zccvoice.store.facts import Fact


class FakeRecognizer:
    """Hears one word a second: the language, and which second it is."""

    def __init__(self, *, concurrency: int = 2, fails_on_ms: int | None = None) -> None:
        self._concurrency = concurrency
        self._fails_on_ms = fails_on_ms
        self._lock = threading.Lock()
        self.heard = 0
        self.asked = 0
        self.detect: Callable[[Utterance, Sequence[str]], dict[str, float]] = lambda _, among: {
            language: 1 / len(among) for language in among
        }
        self.confidence: Callable[[Utterance, str], float | None] = lambda utterance, language: 0.9
        self.batches: list[int] = []
        self.expected: list[tuple[str | None, str | None]] = []
        """Prompt and hotwords of each."""
        self.text: Callable[[Utterance, str], str] | None = None

    @property
    def concurrency(self) -> int:
        return self._concurrency

    @property
    def windows(self) -> Windows:
        return Windows((10.0, 30.0))

    def require_languages(self, languages: frozenset[str]) -> None:
        if unknown := languages - {"en", "es", "de"}:
            raise RecognizerError(f"language: unknown {sorted(unknown)}")

    def detect_language(
        self, utterances: Sequence[Utterance], among: Sequence[str]
    ) -> list[dict[str, float]]:
        self.asked += len(utterances)
        return [self.detect(one, among) for one in utterances]

    def transcribe(self, items: Sequence[RecognizerItem]) -> list[Transcript | RecognizerError]:
        self.batches.append(len(items))
        self.expected += [(item.prompt, item.hotwords) for item in items]
        return [self._transcribe(item.utterance, item.language) for item in items]

    def _transcribe(self, utterance: Utterance, language: str) -> Transcript | RecognizerError:
        with self._lock:
            self.heard += 1
        if utterance.duration_ms == self._fails_on_ms:
            return RecognizerError("made to fail")
        seconds = round(utterance.duration_ms / 1000)
        texts = [f"{language}{number}" for number in range(seconds)]
        if self.text is not None:
            texts = self.text(utterance, language).split()
        words = tuple(Word(text, i * 1000, i * 1000 + 900, 0.9) for i, text in enumerate(texts))
        return Transcript(" ".join(texts), words, language, self.confidence(utterance, language), "fake")


class FakeReceiver:
    """A `StreamReceiver` that tells a script, then waits to be stopped unless the script ends the stream.

    Numbers in a script are pauses, in seconds; functions are called, exceptions raised.
    """

    def __init__(
        self,
        started: StreamStarted,
        events_send: EventsSend,
        script: Sequence[object],
        audio: AudioParams | None = None,
    ) -> None:
        self.started = started
        self.audio = audio
        self._events_send = events_send
        self._script = script
        self._stopped = trio.Event()
        self._cause = ""
        self.kept_for_s = self.lost_s_ago = 0.0
        self.orders: list[tuple[str, str | None]] = []
        """What it was told beside `stop`."""

    async def run(self, kept_for_s: float = 60.0) -> None:
        self.kept_for_s = kept_for_s
        async with self._events_send:
            for step in self._script:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, float):  # seconds in which nothing happens
                    await trio.sleep(step)
                    continue
                if callable(step):  # something that happens meanwhile
                    step()
                    continue
                if self._stopped.is_set():
                    break
                await self._events_send.send(step)  # type: ignore[arg-type]
                if isinstance(step, StreamEnded):
                    return
            await self._stopped.wait()
            await self._events_send.send(StreamEnded(self._cause, "stopped by us"))

    def stop(self, cause: str) -> None:
        self._cause = self._cause or cause
        self._stopped.set()

    def retire(self, cause: str) -> None:
        self.orders.append(("retire", cause))

    def reconnect(self, server_url: str | None = None, *, lost_s_ago: float = 0.0) -> None:
        self.orders.append(("reconnect", server_url))
        self.lost_s_ago = lost_s_ago


class FakeStore:
    """Keeps facts in memory; may be away, or refuse some."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.batches: list[int] = []
        self.measured: list[str] = []
        self.measured_live: list[str] = []
        self.heard: list[Heard | None] = []
        self.pause_end_ms: int | None = None
        self.cannot_measure: Exception | None = None
        self.failures: list[Exception] = []
        self.refuses: Callable[[Fact], Exception | None] = lambda fact: None

    def write(self, facts: Sequence[Fact]) -> None:
        if self.failures:
            raise self.failures.pop(0)
        for fact in facts:
            if error := self.refuses(fact):
                raise error
        self.facts += facts
        self.batches.append(len(facts))

    def measure(self, engagement_id: str) -> None:
        if self.cannot_measure:
            raise self.cannot_measure
        self.measured.append(engagement_id)

    def measure_live(self, engagement_id: str, heard: Heard | None) -> int | None:
        self.measured_live.append(engagement_id)
        self.heard.append(heard)
        return self.pause_end_ms
