"""The recognizer served over HTTP, to our own client and to others."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import numpy as np
import pytest
import trio

from zccvoice.config import RecognizerServerConfig, RemoteConfig, SpeechConfig
from zccvoice.daemon import asgi
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.recognition_server import RecognitionServer
from zccvoice.daemon.remote import ServerLine
from zccvoice.errors import RecognizerError
from zccvoice.speech import remote
from zccvoice.speech.recognizer import RecognizerItem
from zccvoice.speech.utterance import Evidence, Transcript, Utterance, Word
from zccvoice.speech.window import Windows

KEY = "k3y-of-the-server"


class Counting:
    """A recognizer that hears how long a sound is, in whole seconds; of 13 s it can make nothing."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    concurrency = 1
    windows = Windows()

    def require_languages(self, languages: frozenset[str]) -> None: ...

    def detect_language(
        self, utterances: Sequence[Utterance], among: Sequence[str]
    ) -> list[dict[str, float]]:
        return [{one: 0.8 if one == "de" else 0.1 for one in among} for _ in utterances]

    def transcribe(self, items: Sequence[RecognizerItem]) -> list[Transcript | RecognizerError]:
        self.batches.append(len(items))
        self.may_go_on.wait(10)
        return [self._heard(item, 0.0) for item in items]

    def transcribe_at(self, item: RecognizerItem, temperature: float) -> Transcript:
        found = self._heard(item, temperature)
        assert isinstance(found, Transcript)
        return found

    def _heard(self, item: RecognizerItem, temperature: float) -> Transcript | RecognizerError:
        seconds = item.utterance.samples.size // 16_000
        if seconds == 13:
            return RecognizerError("nobody likes 13, secret words")
        words = (Word(str(seconds), 0, 900, 0.75),)
        evidence = Evidence(-0.5, 0.25, 3, 1.25, temperature, 30.0)
        return Transcript(
            f"{seconds} {item.prompt or ''}".strip(), words, item.language, 0.6, "fake", evidence
        )


def item(seconds: int, language: str = "de", **more: Any) -> RecognizerItem:
    samples = np.full(seconds * 16_000, 1_000, np.int16)
    return RecognizerItem(Utterance("ch", 0, seconds * 1_000, samples, 0, -30.0, 0.0), language, **more)


@asynccontextmanager
async def served(recognizer: Counting, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """The server on loopback, and a client of it."""
    server = RecognitionServer(
        RecognizerServerConfig(port=0, api_key=KEY, **settings),
        SpeechConfig(),
        recognizer,
        Metrics(),
        name="fake",
        languages=("de", "en", "es"),
    )
    closing = trio.Event()
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            url = await nursery.start(server.run, closing)
            headers = {"authorization": f"Bearer {KEY}"}
            async with httpx.AsyncClient(base_url=url, headers=headers, timeout=10) as client:
                yield client
            closing.set()


def line_to(client: httpx.AsyncClient, **settings: Any) -> ServerLine:
    config = RemoteConfig(servers=(str(client.base_url),), api_key=KEY, **settings)
    return ServerLine(config, client)


async def test_our_client_hears_what_the_recognizer_heard() -> None:
    async with served(Counting()) as client:
        asked = item(2, prompt="please")
        heard = remote.transcript_of(await line_to(client).ask(remote.form_of(asked, "any")), asked, "fake")
    assert (heard.text, heard.language) == ("2 please", "de")
    assert heard.words == (Word("2", 0, 900, 0.75),)
    assert heard.evidence == Evidence(-0.5, 0.25, 3, 1.25, 0.0, 2.0)


async def test_what_waits_goes_together() -> None:
    recognizer = Counting()
    recognizer.may_go_on.clear()
    found: dict[int, str] = {}
    async with served(recognizer) as client:
        line = line_to(client, most_at_once=9)

        async def ask(seconds: int) -> None:
            answer = await line.ask(remote.form_of(item(seconds), "any"))
            found[seconds] = answer["text"]

        async with trio.open_nursery() as nursery:
            for seconds in range(1, 10):
                nursery.start_soon(ask, seconds)
            while not recognizer.batches:
                await trio.sleep(0.01)
            await trio.sleep(0.5)
            recognizer.may_go_on.set()
    assert found == {seconds: str(seconds) for seconds in range(1, 10)}
    assert sum(recognizer.batches) == 9
    assert max(recognizer.batches) == 4, "what came meanwhile went together, in windows of 30 s"


async def test_a_second_opinion() -> None:
    async with served(Counting()) as client:
        form = remote.form_of(item(1), "any", temperature=0.4)
        answer = await line_to(client).ask(form)
    assert answer["segments"][0]["temperature"] == 0.4


async def test_a_language_that_nobody_told_is_found_out() -> None:
    async with served(Counting()) as client:
        answer = await line_to(client).ask(remote.detection_form(item(2).utterance, "any"))
    assert answer["language"] == "de"
    assert remote.languages_of(answer, ["de", "en"]) == {
        "de": pytest.approx(8 / 9),
        "en": pytest.approx(1 / 9),
    }


async def test_what_cannot_be_done_is_said() -> None:
    async with served(Counting()) as client:

        async def status(form: remote.Form, **more: Any) -> tuple[int, str]:
            fields: dict[str, Any] = dict(form.fields)
            files = {"file": ("a.wav", form.sound, "audio/wav")}
            answer = await client.post(remote.PATH, data=fields, files=files, **more)
            return answer.status_code, json.loads(answer.content)["error"]["message"]

        wav = remote.wav_of(item(1).utterance.samples)
        assert await status(remote.form_of(item(1, "cy"), "any")) == (
            400,
            "language: the weights fake do not know it",
        )
        assert await status(remote.form_of(item(13), "any")) == (500, "the recognizer failed on this sound")
        assert (await status(remote.Form((), b"no sound")))[0] == 400
        assert (await status(remote.Form((), wav), headers={"authorization": "Bearer wrong"}))[0] == 401
        assert (await client.get("/elsewhere")).status_code == 404
        assert (await client.get("/v1/models")).json()["data"][0]["id"] == "fake"
        assert (await client.get("/health", headers={"authorization": ""})).status_code == 200
        assert b"zccvoice_batch" in (await client.get("/metrics", headers={"authorization": ""})).content


async def test_too_much_is_to_come_again() -> None:
    recognizer = Counting()
    recognizer.may_go_on.clear()
    async with served(recognizer, most_waiting=1) as client, trio.open_nursery() as nursery:
        line = line_to(client, most_at_once=8)
        for seconds in (1, 2):
            nursery.start_soon(line.ask, remote.form_of(item(seconds), "any"))
            await trio.sleep(0.2)
        form = remote.form_of(item(3), "any")
        busy = await client.post(remote.PATH, files={"file": ("a.wav", form.sound)}, data=dict(form.fields))
        assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")
        recognizer.may_go_on.set()
        assert (await line.ask(form))["text"] == "3"


async def test_who_has_left_is_not_worked_for() -> None:
    recognizer = Counting()
    recognizer.may_go_on.clear()
    async with served(recognizer, most_waiting=8) as client:
        line = line_to(client, most_at_once=9)
        with trio.move_on_after(1):
            async with trio.open_nursery() as nursery:
                for seconds in range(1, 10):
                    nursery.start_soon(line.ask, remote.form_of(item(seconds), "any"))
                    if seconds == 1:
                        while not recognizer.batches:
                            await trio.sleep(0.01)
        await trio.sleep(0.2)
        recognizer.may_go_on.set()
        assert (await line.ask(remote.form_of(item(10), "any")))["text"] == "10"
    assert recognizer.batches == [1, 1], "what was begun is finished, what waited is forgotten"


async def test_who_waits_for_long_has_not_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "IDLE_S", 0.1)
    recognizer = Counting()
    recognizer.may_go_on.clear()
    async with served(recognizer) as client, trio.open_nursery() as nursery:

        async def ask() -> None:
            form = remote.form_of(item(2), "any")
            answer = await client.post(remote.PATH, data=dict(form.fields), files={"file": form.sound})
            assert answer.json()["text"] == "2"

        nursery.start_soon(ask)
        await trio.sleep(0.5)
        recognizer.may_go_on.set()


async def test_too_large_a_request_is_refused_before_its_end() -> None:
    settings = RecognizerServerConfig(max_body_bytes=100_000)
    server = RecognitionServer(
        settings, SpeechConfig(), Counting(), Metrics(), name="fake", languages=("de",)
    )
    pieces, sent = [b"x" * 60_000] * 9, []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": pieces.pop(), "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await server({"type": "http", "method": "POST", "path": remote.PATH, "headers": []}, receive, send)
    assert sent[0]["status"] == 413
    assert len(pieces) == 7
