"""The daemon's own parts in virtual time: from webhooks to stored facts, without sockets, threads or a database.

A day of calls takes minutes, and what happens is the same every time. The simulated Zoom is at the other end of
memory streams; the recognizer hears seconds instead of words; the store keeps facts by stream. Everything between
is what runs in a daemon, wired as `daemon.serve` wires it.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import trio
import trio.testing

from zccvoice.analytics.pseudonym import PhonePseudonym
from zccvoice.config import Config, load
from zccvoice.daemon.call import Call
from zccvoice.daemon.detector import LanguageDetector, UnclearItem
from zccvoice.daemon.house import House
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.outbox import Outbox
from zccvoice.daemon.past import ENTRY_TYPES
from zccvoice.daemon.receiver import WebSocketReceiver
from zccvoice.daemon.recovery import deleter
from zccvoice.daemon.supervisor import Supervisor
from zccvoice.daemon.transcriber import SpokenItem, Transcriber
from zccvoice.daemon.transport import EventsSend
from zccvoice.daemon.webhook_journal import WebhookJournal
from zccvoice.daemon.websocket import speak_websocket
from zccvoice.daemon.writer import Writer
from zccvoice.errors import RecognizerError
from zccvoice.journal.shelf import Shelf
from zccvoice.journal.vault import Vault
from zccvoice.rtms.messages import AudioParams
from zccvoice.rtms.webhook import StreamStarted, WebhookEvent, WebhookReceiver
from zccvoice.simulator.scenario import Scenario
from zccvoice.simulator.timing import Timing
from zccvoice.simulator.truth import CallTruth
from zccvoice.simulator.webhooks import WebhookAnswer, WebhookRequest
from zccvoice.simulator.zoom import Zoom, ZoomApp
from zccvoice.speech.language import LanguagePolicy
from zccvoice.speech.recognizer import RecognizerItem
from zccvoice.speech.utterance import Transcript, Utterance, Word
from zccvoice.speech.window import Windows
from zccvoice.store.facts import Fact, StreamRevoked

EPOCH_S = 1_781_000_000.0
"""Unix time at which virtual time begins."""
WEBHOOKS_WAITING = 1_000
"""As in `daemon.serve`."""
ORIGIN = "ws://127.0.0.1:1"
"""Where Zoom's servers are said to be."""
_APP = ZoomApp("rehearsal", "rehearsal-client-secret", "rehearsal-webhook-secret")
ValueT = TypeVar("ValueT")


def run_virtually(what: Callable[[], Awaitable[ValueT]]) -> ValueT:
    """Run in virtual time: when all tasks wait, the clock goes to the next moment that one waits for."""
    clock = trio.testing.MockClock(autojump_threshold=0)
    with _work_at_once():
        return trio.run(what, clock=clock)  # type: ignore[arg-type, no-any-return, unused-ignore]


@contextmanager
def _work_at_once() -> Iterator[None]:
    """Work for threads is done on the loop: the clock must not run away while a thread is busy."""
    real, real_start = trio.to_thread.run_sync, trio.lowlevel.start_thread_soon

    async def run_sync(function: Callable[..., Any], *args: Any, **_: Any) -> Any:
        await trio.lowlevel.checkpoint()
        return function(*args)

    def start_thread_soon(function: Callable[[], object], deliver: Callable[[Any], object]) -> None:
        deliver(function())

    trio.to_thread.run_sync = run_sync  # type: ignore[assignment]
    trio.lowlevel.start_thread_soon = start_thread_soon  # type: ignore[assignment]
    try:
        yield
    finally:
        trio.to_thread.run_sync, trio.lowlevel.start_thread_soon = real, real_start


def wall_clock() -> float:
    """Virtual time as Unix time."""
    return EPOCH_S + trio.current_time()


class SecondsRecognizer:
    """Hears a word for each second."""

    concurrency = 2
    windows = Windows()

    def require_languages(self, languages: frozenset[str]) -> None:
        """All are known."""

    def detect_language(
        self, utterances: Sequence[Utterance], among: Sequence[str]
    ) -> list[dict[str, float]]:
        """Each is as likely."""
        return [{language: 1 / len(among) for language in among} for _ in utterances]

    def transcribe(self, items: Sequence[RecognizerItem]) -> list[Transcript | RecognizerError]:
        """At once."""
        return [self._hear(item.utterance, item.language) for item in items]

    def _hear(self, utterance: Utterance, language: str) -> Transcript:
        seconds = round(utterance.duration_ms / 1000)
        words = tuple(Word(language, second * 1000, second * 1000 + 900, 0.9) for second in range(seconds))
        return Transcript(" ".join(word.text for word in words), words, language, 0.9, "seconds")


class VirtualDaemon:
    """A daemon and its Zoom; see `virtual_daemon`."""

    def __init__(self, folder: Path, config: Config, timing: Timing, serving: trio.Nursery) -> None:
        self.zoom = Zoom(_APP, deliver=self._deliver, timing=timing, origin=ORIGIN)
        self.metrics = Metrics()
        self.outbox = Outbox()
        self.shelf = Shelf(folder / "journal", Vault(folder / "keys", "a master key"), ENTRY_TYPES)
        self.facts: defaultdict[str, list[Fact]] = defaultdict(list)
        """What was stored, by stream; nothing of one that was revoked."""
        self.revoked: list[StreamRevoked] = []
        self.connections_count = 0
        """Connections that are open now."""
        self.connected_count = 0
        """Connections that ever were."""
        self._config = config
        self._serving = serving
        self._webhooks_send, self._webhooks_receive = trio.open_memory_channel[WebhookEvent](WEBHOOKS_WAITING)
        self._webhooks = WebhookJournal(self.shelf, sync=False, wall_clock=wall_clock)
        self._door = WebhookReceiver(config.signing_apps)
        self._languages = LanguagePolicy(config.language)
        self.supervisor = Supervisor(
            self._make_call, deleter(self.shelf, self._webhooks, self.outbox), self.metrics
        )
        # Utterances that wait for the recognizer; it is quick.
        self._spoken_send, self._spoken_receive = trio.open_memory_channel[SpokenItem](100)
        self._unclear_send, self._unclear_receive = trio.open_memory_channel[UnclearItem](100)
        self._house = House(
            config,
            self._languages,
            PhonePseudonym("a key"),
            self.shelf,
            self.outbox,
            self.metrics,
            self._spoken_send,
            self._unclear_send,
            trio.CapacityLimiter(1),
            wall_clock,
        )

    async def play(self, scenario: Scenario) -> CallTruth:
        """Play a call from its first webhook to its last, and return what was sent."""
        return await self.zoom.play(scenario, event_ts_ms=int(wall_clock() * 1000))

    async def settled(self) -> None:
        """Return when no call runs and everything is stored."""
        while self.supervisor.active_streams or len(self.outbox):  # noqa: ASYNC110 (nobody tells)
            await trio.sleep(1)
        await trio.sleep(1)

    async def run(self) -> None:
        """Run until the webhooks' channel is closed by `hang_up` and everything is stored."""
        writer = Writer(
            self.outbox,
            self.shelf,
            self.metrics,
            write=self._store,
            measure=lambda engagement_id: None,
            measure_live=lambda engagement_id, heard: None,
            live=self._house.live,
            pause_sound=self.supervisor.pause_sound,
        )
        async with trio.open_nursery() as writing:
            writing.start_soon(writer.run)
            async with trio.open_nursery() as keeping:
                keeping.start_soon(self._webhooks.run)
                keeping.start_soon(self._house.commits.run)
                async with trio.open_nursery() as transcribing:
                    recognizer = SecondsRecognizer()
                    transcribing.start_soon(Transcriber(recognizer, self.metrics).run, self._spoken_receive)
                    transcribing.start_soon(LanguageDetector(recognizer).run, self._unclear_receive)
                    async with self._spoken_send, self._unclear_send:
                        await self.supervisor.run(self._webhooks_receive)
                keeping.cancel_scope.cancel()
            self.outbox.close()

    def hang_up(self) -> None:
        """No more webhooks come: `run` ends with the calls."""
        self._webhooks_send.close()

    @asynccontextmanager
    async def connect(self, url: str, timeout_s: float) -> AsyncGenerator[Any]:
        """As `daemon.websocket.connect_websocket`, to the simulated Zoom."""
        parts = urlsplit(url)
        near, far = trio.testing.memory_stream_pair()
        self._serving.start_soon(self.zoom.serve_stream, far)
        self.connected_count += 1
        self.connections_count += 1
        try:
            deadline = trio.current_time() + timeout_s
            async with speak_websocket(near, parts.netloc, parts.path, deadline) as websocket:
                yield websocket
        finally:
            self.connections_count -= 1

    def _make_call(self, started: StreamStarted, is_announced: bool) -> Call:
        return Call(started, self._receiver, self._house, is_announced=is_announced)

    def _receiver(
        self, started: StreamStarted, events_send: EventsSend, audio: AudioParams | None
    ) -> WebSocketReceiver:
        zoom, languages = self._config.zoom, self._languages
        return WebSocketReceiver(zoom, languages, started, events_send, self.connect, audio=audio)

    async def _deliver(self, request: WebhookRequest) -> WebhookAnswer:
        """As `daemon.door` does it."""
        answer = self._door.receive(dict(request.headers), request.body, time.time())
        if answer.event is not None:
            await self._webhooks.keep(answer.event)
            await self._webhooks_send.send(answer.event)
        return WebhookAnswer(answer.status, b"")

    def _store(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            if isinstance(fact, StreamRevoked):
                self.revoked.append(fact)
                self.facts.pop(fact.stream_id, None)
            else:
                self.facts[fact.stream_id].append(fact)


@asynccontextmanager
async def virtual_daemon(
    folder: Path, timing: Timing | None = None, **zoom_settings: Any
) -> AsyncGenerator[VirtualDaemon]:
    """A daemon and its Zoom, in virtual time; leaving the block ends it, when all calls have ended.

    Args:
        folder: for journals and keys.
        timing: of Zoom.
        zoom_settings: section ``zoom`` of the daemon's settings.
    """
    config = load(
        None,
        zoom={
            "client_id": _APP.client_id,
            "client_secret": _APP.client_secret,
            "allowed_hosts": ["127.0.0.1"],
            **zoom_settings,
        },
        door={"secret_token": _APP.secret_token},
        journal={"sync": False},
    )
    async with trio.open_nursery() as serving:
        daemon = VirtualDaemon(folder, config, timing or Timing(), serving)
        async with trio.open_nursery() as running:
            running.start_soon(daemon.run)
            yield daemon
            daemon.hang_up()
        serving.cancel_scope.cancel()
