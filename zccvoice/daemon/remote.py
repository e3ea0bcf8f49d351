"""`Recognizer` on servers with the interface of OpenAI's transcriptions, ours (``zccvoice recognizer``) or others.

Requests run on a Trio loop of their own, in a thread of its own: TLS and JSON cost the loop that receives calls
nothing, and commands without a loop use the same recognizer. Whom a request goes to is `ServerPool`'s to say, what
it says `speech.remote`'s.

Nothing is given up for an outage, be it one that a proxy before the servers tells, nor because they are slow: an
utterance waits until a server takes it, since its sound lies in the journal. It is given up when servers that
answer cannot make anything of it: then it, and no server, is at fault. A request that broke off is repeated,
elsewhere if there is an elsewhere; what its first server made of it reaches nobody.
"""

from __future__ import annotations

import json
import queue
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import trio

from zccvoice.config import RemoteConfig, SpeechConfig
from zccvoice.daemon.log import get_logger
from zccvoice.daemon.zoom_api import reason_of
from zccvoice.errors import RecognizerError
from zccvoice.speech.guard import Guard
from zccvoice.speech.guarded import GuardedRecognizer, guarded_whisper
from zccvoice.speech.recognizer import RecognizerItem
from zccvoice.speech.remote import (
    LONGEST_ANSWER_BYTES,
    MODELS_PATH,
    PATH,
    Form,
    detection_form,
    form_of,
    languages_of,
    transcript_of,
)
from zccvoice.speech.server_pool import FIRST_PAUSE_S, Server, ServerPool
from zccvoice.speech.utterance import Transcript, Utterance
from zccvoice.speech.window import Windows

CONNECT_S = 5.0
MOST_BROKEN = 5
"""A request that so many servers broke off, or failed at, is not tried again."""
MOST_UNANSWERED = 20
"""Nor one that was left unanswered so often, each time while others had answers: then there is no outage."""
_BUSY = (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)
_NOT_SET_UP = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND)
"""The server is not what the settings take it for; another may be."""
_UNANSWERED = (
    httpx.codes.REQUEST_TIMEOUT,
    httpx.codes.TOO_EARLY,
    499,
    httpx.codes.BAD_GATEWAY,
    httpx.codes.GATEWAY_TIMEOUT,
)
"""The server, or a proxy before it, gave up waiting (499 is nginx's), or there is no server behind the proxy: that
says nothing of the sound."""
T = TypeVar("T")
log = get_logger()


class _BrokenOffError(Exception):
    """A server took a request and did not answer it as a server should."""


class _UnansweredError(Exception):
    """Nothing came of a request, and nobody knows whether it or the server is to blame."""


class _AwayError(Exception):
    """The server cannot be reached, or is not what the settings take it for."""


class _FullError(Exception):
    """A server has too much to do."""

    def __init__(self, retry_after_s: float) -> None:
        self.retry_after_s = retry_after_s


class _Body(httpx.AsyncByteStream):
    """What is sent, in one piece. httpx's own generators are left unfinished when a server goes away."""

    def __init__(self, content: bytes) -> None:
        self._left = [content]

    def __aiter__(self) -> _Body:
        return self

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()


class ServerLine:
    """The way to the servers; used on one Trio loop."""

    def __init__(self, settings: RemoteConfig, client: httpx.AsyncClient) -> None:
        """`client`: without redirects, and without time-outs but for connecting, as `open_client` makes it."""
        self._settings = settings
        self._client = client
        self.pool = ServerPool(settings.servers, most_at_once=settings.most_at_once)
        self._given_back = trio.Event()

    async def ask(self, form: Form) -> Any:
        """Post a form to whichever server takes it; waits until one does. Cancelling it breaks the request off.

        Returns:
            The answer's JSON.

        Raises:
            RecognizerError: no server that answers can make anything of it.
        """
        avoid: Server | None = None
        broken = unanswered = 0
        answers = self.pool.answers
        while True:
            server = await self._take(avoid)
            try:
                response = await self._post(server, form)
            except _FullError as full:
                self.pool.is_full(server, trio.current_time(), full.retry_after_s)
                self._tell()
            except _AwayError as away:
                self._fail(server, away)
            except _UnansweredError as error:
                unanswered += self.pool.answers > answers
                answers = self.pool.answers
                self._fail(server, error, self.pool.left_unanswered)
                if unanswered >= MOST_UNANSWERED:
                    raise RecognizerError(
                        f"recognition servers left it unanswered {unanswered} times, and others not: {error}"
                    ) from None
            except _BrokenOffError as error:
                broken += 1
                self._fail(server, error)
                if broken >= MOST_BROKEN:
                    raise RecognizerError(f"{broken} recognition servers failed at it: {error}") from None
            except BaseException:
                self.pool.given_up(server)
                self._tell()
                raise
            else:
                return self._answer(server, response)
            avoid = server

    async def is_refused(self) -> bool:
        """Whether every server refuses our API key; one that is away, or has no list of models, does not."""
        answers = [await self._looks_refused(server) for server in self.pool.servers]
        return all(answers)

    async def _looks_refused(self, server: Server) -> bool:
        try:
            with trio.fail_after(CONNECT_S):
                answer = await self._client.get(server.url.rstrip("/") + MODELS_PATH, headers=self._headers())
        except (httpx.HTTPError, trio.TooSlowError):
            return False
        return answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)

    def _headers(self) -> dict[str, str]:
        key = self._settings.api_key.get_secret_value()
        return {"authorization": f"Bearer {key}"} if key else {}

    async def _take(self, avoid: Server | None) -> Server:
        while (server := self.pool.take(trio.current_time(), avoid=avoid)) is None:
            at = self.pool.get_timer(trio.current_time())
            with trio.move_on_at(float("inf") if at is None else at):
                await self._given_back.wait()
        return server

    async def _post(self, server: Server, form: Form) -> httpx.Response:
        """The whole answer, if it is one to this form; one of the errors above if not."""
        answer_s = self._settings.answer_s
        try:
            with trio.fail_after(answer_s):
                response = await self._exchange(server, form)
        except trio.TooSlowError:
            raise _UnansweredError(f"no answer within speech.remote.answer_s ({answer_s:g} s)") from None
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise _AwayError(f"cannot be reached: {reason_of(error)}") from None
        except httpx.HTTPError as error:
            raise _BrokenOffError(f"broke off: {reason_of(error)}") from None
        status = response.status_code
        if status in _BUSY:
            raise _FullError(_retry_after_s(response))
        if status in _NOT_SET_UP or response.is_redirect:
            raise _AwayError(f"answered {status}: look at its address, model and API key")
        if status in _UNANSWERED:
            raise _UnansweredError(f"answered {status}")
        if response.is_server_error:
            raise _BrokenOffError(f"answered {status}")
        return response

    async def _exchange(self, server: Server, form: Form) -> httpx.Response:
        fields: dict[str, Any] = {}
        for name, value in form.fields:
            fields.setdefault(name, []).append(value)
        request = self._client.build_request(
            "POST",
            server.url.rstrip("/") + PATH,
            data=fields,
            files={"file": ("utterance.wav", form.sound, "audio/wav")},
            headers=self._headers(),
        )
        request.stream = _Body(request.read())
        response = await self._client.send(request, stream=True)
        async with aclosing(response):
            body = bytearray()
            with trio.CancelScope() as reading:
                async for piece in response.aiter_raw():
                    body += piece
                    if len(body) > LONGEST_ANSWER_BYTES:
                        reading.cancel()  # httpx's generators want to be left from within
            if len(body) > LONGEST_ANSWER_BYTES:
                raise _BrokenOffError("broke off: the answer has no end")
            return httpx.Response(response.status_code, headers=response.headers, content=bytes(body))

    def _answer(self, server: Server, response: httpx.Response) -> Any:
        if not server.is_trusted:
            log.info("recognition server is back", server=_host(server))
        self.pool.succeeded(server)
        self._tell()
        if response.is_client_error:
            raise RecognizerError(f"the recognition server refused the sound: HTTP {response.status_code}")
        try:
            return json.loads(response.content)
        except (ValueError, RecursionError):  # the latter for brackets within brackets within brackets
            raise RecognizerError("expected JSON from the recognition server, got something else") from None

    def _fail(
        self, server: Server, error: Exception, note: Callable[[Server, float], None] | None = None
    ) -> None:
        if server.is_trusted:
            log.warning("recognition server is out", server=_host(server), problem=str(error))
        (note or self.pool.failed)(server, trio.current_time())
        self._tell()

    def _tell(self) -> None:
        self._given_back.set()
        self._given_back = trio.Event()


class RemoteRecognizer:
    """`Recognizer` on a `ServerLine`, to be used from threads that are not the line's; `open_remote` makes it."""

    def __init__(self, settings: RemoteConfig, line: ServerLine, token: trio.lowlevel.TrioToken) -> None:
        self.name = settings.model
        self._line = line
        self._token = token

    @property
    def concurrency(self) -> int:
        """As many as requests: the servers make their own batches of what comes."""
        return self._line.pool.capacity

    @property
    def windows(self) -> Windows:
        """Whatever the servers do: utterances of any length go together, each in a request of its own."""
        return Windows()

    def require_languages(self, languages: frozenset[str]) -> None:
        """Servers do not tell what their weights know; but whether they let us in is known at start.

        Raises:
            RecognizerError: every server refuses the API key.
        """
        if trio.from_thread.run(self._line.is_refused, trio_token=self._token):
            raise RecognizerError("speech.remote.api_key: every recognition server refuses it")

    def transcribe(self, items: Sequence[RecognizerItem]) -> list[Transcript | RecognizerError]:
        """See `Recognizer`; waits for as long as no server is to be had."""
        return self._all([partial(self._transcribe, item) for item in items])

    def detect_language(
        self, utterances: Sequence[Utterance], among: Sequence[str]
    ) -> list[dict[str, float]]:
        """See `Recognizer`; nothing where it failed, and all alike by a server that names none of them."""
        answers = self._all([partial(self._ask, detection_form(one, self.name)) for one in utterances])
        return [{} if isinstance(one, RecognizerError) else languages_of(one, among) for one in answers]

    def transcribe_at(self, item: RecognizerItem, temperature: float) -> Transcript:
        """Transcribe one; above 0 the temperature has the decoder draw what it writes.

        Raises:
            RecognizerError: no server that answers can make anything of it.
        """
        (found,) = self._all([partial(self._transcribe, item, temperature)])
        if isinstance(found, RecognizerError):
            raise found
        return found

    async def _transcribe(self, item: RecognizerItem, temperature: float = 0.0) -> Transcript:
        return transcript_of(
            await self._ask(form_of(item, self.name, temperature=temperature)), item, self.name
        )

    async def _ask(self, form: Form) -> Any:
        return await self._line.ask(form)

    def _all(self, tasks: Sequence[Callable[[], Awaitable[T]]]) -> list[T | RecognizerError]:
        """Do them at once; one that fails takes no other with it."""
        results: list[T | RecognizerError] = [RecognizerError("not done")] * len(tasks)

        async def do(place: int, task: Callable[[], Awaitable[T]]) -> None:
            try:
                results[place] = await task()
            except RecognizerError as error:
                results[place] = error

        async def do_all() -> None:
            async with trio.open_nursery() as nursery:
                for place, task in enumerate(tasks):
                    nursery.start_soon(do, place, task)

        try:
            trio.from_thread.run(do_all, trio_token=self._token)
        except (trio.RunFinishedError, trio.Cancelled):
            raise RecognizerError("the recognizer was closed") from None
        return results


@contextmanager
def open_remote(settings: RemoteConfig) -> Iterator[RemoteRecognizer]:
    """A recognizer on the configured servers, for as long as the block lasts; at its end requests break off."""
    client = open_client(settings)
    opened: queue.SimpleQueue[tuple[trio.lowlevel.TrioToken, trio.CancelScope]] = queue.SimpleQueue()

    async def run() -> None:
        async with client:
            with trio.CancelScope() as scope:
                opened.put((trio.lowlevel.current_trio_token(), scope))
                await trio.sleep_forever()

    thread = threading.Thread(target=trio.run, args=(run,), name="recognition servers", daemon=True)
    thread.start()
    token, scope = opened.get()
    try:
        yield RemoteRecognizer(settings, ServerLine(settings, client), token)
    finally:
        trio.from_thread.run_sync(scope.cancel, trio_token=token)
        thread.join()


@contextmanager
def open_recognizer(settings: SpeechConfig) -> Iterator[GuardedRecognizer]:
    """The configured recognizer behind its guard, for as long as the block lasts.

    Raises:
        RecognizerError: the weights of a local one cannot be loaded.
    """
    if settings.recognizer == "local":
        yield guarded_whisper(settings)
        return
    with open_remote(settings.remote) as remote:
        yield GuardedRecognizer(remote, Guard(settings.guard), remote.transcribe_at)


def open_client(settings: RemoteConfig) -> httpx.AsyncClient:
    """The HTTP client: no redirects, connections as many as requests, and no proxy that the environment names.

    Its time-outs are for each read and so bound no answer: `ServerLine` does.
    """
    context = ssl.create_default_context(cafile=settings.ca_file)
    most = settings.most_at_once * len(settings.servers)
    return httpx.AsyncClient(
        verify=context,
        timeout=httpx.Timeout(None, connect=CONNECT_S),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=most),
        trust_env=False,
    )


def _retry_after_s(response: httpx.Response) -> float:
    told = response.headers.get("retry-after", "")
    return float(told) if told.isascii() and told.isdigit() and len(told) < 6 else FIRST_PAUSE_S


def _host(server: Server) -> str:
    return urlsplit(server.url).netloc
