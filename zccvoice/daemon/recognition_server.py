"""``zccvoice recognizer``: our Whisper behind the interface of OpenAI's transcriptions, for daemons elsewhere.

Requests of all daemons wait in one place, and batches form as they do for the calls of one (`speech.batch`). What
requests and answers look like is `speech.serving`'s business. What nobody waits for any longer is not recognized:
who has lost patience asks again, here or elsewhere. Nothing that is said or written is logged or kept.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import trio

from zccvoice.config import RecognizerServerConfig, SpeechConfig
from zccvoice.daemon.asgi import (
    BodyTooLargeError,
    BodyTooSlowError,
    Receive,
    Scope,
    Send,
    answer,
    answer_with,
    body_of,
    headers_of,
    lifespan,
    listen,
)
from zccvoice.daemon.door import EXPOSITION_TYPE
from zccvoice.daemon.log import get_logger
from zccvoice.daemon.metrics import Metrics
from zccvoice.errors import RecognizerError
from zccvoice.speech.batch import Batch, BatchLimits, BatchQueue
from zccvoice.speech.recognizer import Recognizer, RecognizerItem
from zccvoice.speech.remote import MODELS_PATH, PATH
from zccvoice.speech.serving import (
    RequestError,
    TranscriptionRequest,
    answer_of,
    read_request,
    utterances_of,
)
from zccvoice.speech.utterance import Transcript, Utterance

READING_THREADS = 2
"""Threads that decode the sound of requests."""
COME_AGAIN_S = 1
GRACE_S = 30.0
"""What requests under way get when the server is to stop."""
log = get_logger()


class ServedRecognizer(Recognizer, Protocol):
    """A recognizer that can also be asked for a second opinion."""

    def transcribe_at(self, item: RecognizerItem, temperature: float) -> Transcript:
        """Transcribe one in a full window; above 0 the temperature has the decoder draw what it writes.

        Raises:
            RecognizerError: the recognizer failed on it.
        """
        ...


@dataclass(slots=True, eq=False)
class _Waiting:
    """An utterance of a request, on its way through a batch."""

    item: RecognizerItem
    came_at: float
    is_done: trio.Event = field(default_factory=trio.Event)
    found: Transcript | RecognizerError | None = None


class RecognitionServer:
    """The ASGI application, and the workers behind it."""

    def __init__(
        self,
        settings: RecognizerServerConfig,
        speech: SpeechConfig,
        recognizer: ServedRecognizer,
        metrics: Metrics,
        *,
        name: str,
        languages: Sequence[str],
    ) -> None:
        """Begin.

        Args:
            settings: of the server.
            speech: bounds of batches, and how long sound is cut.
            recognizer: does the work.
            metrics: of this process.
            name: of the weights.
            languages: that they know, Whisper codes.
        """
        self._settings = settings
        self._speech = speech
        self._recognizer = recognizer
        self._metrics = metrics
        self._name = name
        self._languages = tuple(languages)
        limits = BatchLimits(speech.batch, speech.batch_s, speech.late_after_s)
        self._waiting: BatchQueue[_Waiting] = BatchQueue(recognizer.windows, limits)
        self._idle_workers = trio.lowlevel.ParkingLot()
        self._recognizing = trio.CapacityLimiter(recognizer.concurrency)
        self._reading = trio.CapacityLimiter(READING_THREADS)

    async def run(
        self, closing: trio.Event, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Serve until `closing` is set, and requests under way for `GRACE_S` more; tells its URL when it listens.

        Raises:
            DoorError: the address cannot be listened on.
        """
        async with trio.open_nursery() as workers:
            for _ in range(self._recognizer.concurrency):
                workers.start_soon(self._work)
            await listen(
                self,
                self._settings.host,
                self._settings.port,
                closing,
                what="recognizer",
                grace_s=GRACE_S,
                may_take_long=True,
                task_status=task_status,
            )
            workers.cancel_scope.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI scope."""
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        match scope["method"], scope["path"]:
            case "GET", "/health" | "/healthz":
                await answer(send, 200, {"status": "ok"})
            case "GET", "/metrics":
                await answer_with(send, 200, self._metrics.exposition(), EXPOSITION_TYPE)
            case _ if not self._is_allowed(headers_of(scope)):
                await _refuse(send, RequestError(401, "expected the API key as a bearer token"))
            case "GET", path if path == MODELS_PATH:
                model = {"id": self._name, "object": "model", "owned_by": "zccvoice"}
                await answer(send, 200, {"object": "list", "data": [model]})
            case "POST", path if path == PATH:
                await self._serve(scope, receive, send)
            case _:
                await _refuse(send, RequestError(404, f"expected POST {PATH}"))

    def _is_allowed(self, headers: Mapping[str, str]) -> bool:
        key = self._settings.api_key.get_secret_value()
        told = headers.get("authorization", "")
        return not key or hmac.compare_digest(told.encode(), f"Bearer {key}".encode())

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await body_of(receive, self._settings.max_body_bytes)
        except BodyTooLargeError:
            await _refuse(send, RequestError(413, f"expected at most {self._settings.max_body_bytes} bytes"))
            return
        except BodyTooSlowError:
            await _refuse(send, RequestError(408, "the request did not come to its end"))
            return
        if body is None:
            return
        async with trio.open_nursery() as beside:
            beside.start_soon(_watch_client, receive, beside.cancel_scope)
            await self._answer(headers_of(scope).get("content-type", ""), body, send)
            beside.cancel_scope.cancel()

    async def _answer(self, content_type: str, body: bytes, send: Send) -> None:
        try:
            text, document = await self._transcription(content_type, body)
        except RequestError as error:
            await _refuse(send, error)
        except RecognizerError as error:
            log.error("request failed", problem=str(error))
            await _refuse(send, RequestError(500, "the recognizer failed on this sound"))
        except Exception:  # the edge of one request
            log.exception("request failed by a defect")
            await _refuse(send, RequestError(500, "a defect of the server, see its log"))
        else:
            if document is None:
                await answer_with(send, 200, text, "text/plain; charset=utf-8")
            else:
                await answer(send, 200, document)

    async def _transcription(self, content_type: str, body: bytes) -> tuple[bytes, object]:
        if len(self._waiting) >= self._settings.most_waiting:
            raise RequestError(503, "too much waits already")
        request, utterances = await trio.to_thread.run_sync(
            self._read, content_type, body, limiter=self._reading
        )
        language, probabilities = request.language, None
        if language is None:
            language, probabilities = await self._detected(utterances)
        elif language not in self._languages:
            raise RequestError(400, f"language: the weights {self._name} do not know it")
        items = [RecognizerItem(one, language, request.prompt) for one in utterances]
        if request.temperature:
            found = [await self._drawn(item, request.temperature) for item in items]
        else:
            found = await self._transcribed(items)
        return answer_of(request, list(zip(utterances, found, strict=True)), language, probabilities)

    def _read(self, content_type: str, body: bytes) -> tuple[TranscriptionRequest, list[Utterance]]:
        """In a thread."""
        request = read_request(content_type, body)
        return request, utterances_of(request, self._speech.vad)

    async def _detected(self, utterances: Sequence[Utterance]) -> tuple[str, dict[str, float]]:
        """The language of the longest utterance."""
        longest = max(utterances, key=lambda one: one.samples.size, default=None)
        if longest is None:
            return self._languages[0], {}
        (probabilities,) = await trio.to_thread.run_sync(
            partial(self._recognizer.detect_language, [longest], self._languages), limiter=self._recognizing
        )
        return max(probabilities, key=probabilities.__getitem__), probabilities

    async def _drawn(self, item: RecognizerItem, temperature: float) -> Transcript:
        """By itself: chance makes no batches."""
        return await trio.to_thread.run_sync(
            self._recognizer.transcribe_at, item, temperature, limiter=self._recognizing
        )

    async def _transcribed(self, items: Sequence[RecognizerItem]) -> list[Transcript]:
        now = trio.current_time()
        waiting = [_Waiting(item, now) for item in items]
        for one in waiting:
            self._waiting.put(one, f"{id(one)}", one.item.utterance.duration_ms / 1000, now)
            self._idle_workers.unpark()
        self._metrics.backlog.set(len(self._waiting))
        done = []
        try:
            for one in waiting:
                await one.is_done.wait()
                assert one.found is not None
                if isinstance(one.found, RecognizerError):
                    raise one.found
                done.append(one.found)
        finally:
            for one in waiting[len(done) :]:  # the client has left, or gets an error
                self._waiting.withdraw(one)
            self._metrics.backlog.set(len(self._waiting))
        return done

    async def _work(self) -> None:
        while True:
            while (batch := self._waiting.take(trio.current_time())) is None:
                await self._idle_workers.park()
            self._metrics.backlog.set(len(self._waiting))
            self._metrics.batch_utterances.observe(len(batch.items))
            self._metrics.window_fill.observe(min(1.0, batch.fill_ratio))
            began = trio.current_time()
            found = await self._recognized(batch)
            now = trio.current_time()
            self._metrics.recognizing_seconds.inc(now - began)
            self._metrics.recognized_seconds.inc(batch.sound_s)
            for one, result in zip(batch.items, found, strict=True):
                self._metrics.recognition_lag.observe(now - one.came_at)
                one.found = result
                one.is_done.set()

    async def _recognized(self, batch: Batch[_Waiting]) -> Sequence[Transcript | RecognizerError]:
        items = [one.item for one in batch.items]
        try:
            return await trio.to_thread.run_sync(
                self._recognizer.transcribe, items, limiter=self._recognizing, abandon_on_cancel=True
            )
        except Exception as error:  # the edge of one batch: those who asked may ask elsewhere
            log.exception("a batch failed by a defect")
            return [RecognizerError(type(error).__name__)] * len(items)


async def _watch_client(receive: Receive, request: trio.CancelScope) -> None:
    """Give the request up as soon as nobody waits for its answer."""
    while (await receive())["type"] != "http.disconnect":
        pass
    request.cancel()


async def _refuse(send: Send, error: RequestError) -> None:
    kind = "server_error" if error.status >= 500 else "invalid_request_error"
    headers = {"retry-after": str(COME_AGAIN_S)} if error.status == 503 else None
    document = {"error": {"message": str(error), "type": kind, "param": None, "code": None}}
    await answer(send, error.status, document, headers)
