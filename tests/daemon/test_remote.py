"""Requests to recognition servers: what becomes of one when a server fails, is full, or makes no sense."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any

import httpx
import pytest
import trio
from trio.testing import MockClock

from zccvoice.config import RemoteConfig
from zccvoice.daemon.asgi import Receive, Scope, Send, answer
from zccvoice.daemon.remote import MOST_BROKEN, ServerLine
from zccvoice.errors import RecognizerError
from zccvoice.speech.remote import Form

FORM = Form((("model", "m"), ("a[]", "1"), ("a[]", "2")), b"sound")
ONE, TWO = "http://one.localhost:1", "http://two.localhost:2"
Script = Callable[[Scope, Send], Awaitable[None]]


class Servers(httpx.AsyncBaseTransport):
    """Any number of servers in memory: each takes the next of what it is to do, and at the end answers well."""

    def __init__(self, **scripts: list[Script | Exception]) -> None:
        self.scripts = scripts
        self.asked: list[tuple[str, float]] = []
        self.under_way: dict[str, int] = {}
        self.most: dict[str, int] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        name = request.url.host.split(".")[0]
        self.asked.append((name, round(trio.current_time() - self.begin, 3)))
        script = self.scripts.setdefault(name, [])
        step = script.pop(0) if script else well
        if isinstance(step, Exception):
            raise step
        self.under_way[name] = self.under_way.get(name, 0) + 1
        self.most[name] = max(self.most.get(name, 0), self.under_way[name])
        try:

            async def application(scope: Scope, receive: Receive, send: Send) -> None:
                while (await receive()).get("more_body"):
                    pass
                await step(scope, send)

            return await httpx.ASGITransport(application).handle_async_request(request)  # type: ignore[arg-type]
        finally:
            self.under_way[name] -= 1

    begin = 0.0


async def well(scope: Scope, send: Send) -> None:
    await trio.sleep(0.1)
    await answer(send, 200, {"text": "ok", "server": dict(scope["headers"])[b"host"].decode()})


def status(code: int, **headers: str) -> Script:
    async def say(scope: Scope, send: Send) -> None:
        await answer(send, code, {"error": {"message": "secret words"}}, headers)

    return say


@pytest.fixture
def line() -> Callable[..., ServerLine]:
    def make(servers: Servers, *urls: str, **settings: Any) -> ServerLine:
        servers.begin = trio.current_time()
        config = RemoteConfig(servers=urls or (ONE, TWO), may_be_unencrypted=True, **settings)
        return ServerLine(config, httpx.AsyncClient(transport=servers))

    return make


async def test_a_form_reaches_a_server_with_the_key(
    line: Callable[..., ServerLine], autojump_clock: MockClock
) -> None:
    seen: list[Scope] = []

    async def look(scope: Scope, send: Send) -> None:
        seen.append(scope)
        await answer(send, 200, {"text": "hallo"})

    assert await line(Servers(one=[look]), ONE, api_key="k3y").ask(FORM) == {"text": "hallo"}
    headers = dict(seen[0]["headers"])
    assert headers[b"authorization"] == b"Bearer k3y"
    assert headers[b"content-type"].startswith(b"multipart/form-data; boundary=")
    assert (seen[0]["method"], seen[0]["path"]) == ("POST", "/v1/audio/transcriptions")


async def test_a_request_that_breaks_off_goes_elsewhere(
    line: Callable[..., ServerLine], autojump_clock: MockClock
) -> None:
    servers = Servers(one=[httpx.ReadError("gone")])
    told = await line(servers).ask(FORM)
    assert told["server"] == "two.localhost:2"
    assert [name for name, _ in servers.asked] == ["one", "two"]


async def test_an_outage_of_all_is_waited_out(
    line: Callable[..., ServerLine], autojump_clock: MockClock
) -> None:
    away: list[Script | Exception] = [httpx.ConnectError("refused")] * 12
    servers = Servers(one=list(away), two=list(away))
    assert (await line(servers).ask(FORM))["text"] == "ok"
    times = [at for name, at in servers.asked if name == "one"]
    pauses = [round(after - before) for before, after in pairwise(times)]
    assert pauses[:6] == [1, 2, 4, 8, 16, 30]


async def test_a_full_server_is_asked_again_when_it_said(
    line: Callable[..., ServerLine], autojump_clock: MockClock
) -> None:
    servers = Servers(one=[status(503, **{"retry-after": "7"}), status(429)])
    assert (await line(servers, ONE).ask(FORM))["text"] == "ok"
    assert servers.asked == [("one", 0.0), ("one", 7.0), ("one", 8.0)]


async def test_a_request_that_breaks_every_server_is_given_up(
    line: Callable[..., ServerLine], autojump_clock: MockClock
) -> None:
    servers = Servers(one=[status(500)] * 9, two=[status(500)] * 9)
    with pytest.raises(RecognizerError, match="500"):
        await line(servers).ask(FORM)
    assert len(servers.asked) == MOST_BROKEN


@pytest.mark.parametrize("code", [408, 425, 499])
async def test_a_request_that_nobody_waited_for_is_asked_again(
    line: Callable[..., ServerLine], autojump_clock: MockClock, code: int
) -> None:
    servers = Servers(one=[status(code)])
    assert (await line(servers).ask(FORM))["server"] == "two.localhost:2"
    servers = Servers(one=[status(code)] * 9)
    with pytest.raises(RecognizerError, match=str(code)):
        await line(servers, ONE).ask(FORM)
    assert len(servers.asked) == MOST_BROKEN


async def test_a_request_that_http_does_not_allow_is_not_quoted(
    line: Callable[..., ServerLine], autojump_clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    quoted = httpx.LocalProtocolError("Illegal header value b'Bearer s3cret'")
    quoted.__cause__ = ValueError("s3cret")
    assert (await line(Servers(one=[quoted])).ask(FORM))["text"] == "ok"
    said = "".join(capsys.readouterr())
    assert "broke off: HTTP does not allow what was to be sent" in said
    assert "s3cret" not in said


@pytest.mark.parametrize("code", [400, 413, 422])
async def test_sound_that_a_server_refuses_is_not_asked_again(
    line: Callable[..., ServerLine], autojump_clock: MockClock, code: int
) -> None:
    servers = Servers(one=[status(code)])
    with pytest.raises(RecognizerError) as refused:
        await line(servers, ONE).ask(FORM)
    assert str(code) in str(refused.value)
    assert "secret" not in str(refused.value)
    assert len(servers.asked) == 1


@pytest.mark.parametrize("code", [401, 404, 307])
async def test_a_server_that_is_set_up_otherwise_leaves_it_to_the_others(
    line: Callable[..., ServerLine], autojump_clock: MockClock, code: int
) -> None:
    servers = Servers(one=[status(code, location="http://elsewhere/")] * 20)
    lined = line(servers)
    for _ in range(5):
        assert (await lined.ask(FORM))["server"] == "two.localhost:2"
    assert {name for name, _ in servers.asked} == {"one", "two"}


async def test_an_answer_without_an_end_is_broken_off(
    line: Callable[..., ServerLine], autojump_clock: MockClock
) -> None:
    async def endless(scope: Scope, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(70):
            await send({"type": "http.response.body", "body": b" " * 65_536, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    assert (await line(Servers(one=[endless])).ask(FORM))["server"] == "two.localhost:2"


async def test_no_json_is_an_error(line: Callable[..., ServerLine], autojump_clock: MockClock) -> None:
    async def page(scope: Scope, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"<html>"})

    with pytest.raises(RecognizerError, match="JSON"):
        await line(Servers(one=[page]), ONE).ask(FORM)


async def test_no_server_gets_more_than_its_share_and_nothing_is_lost(
    line: Callable[..., ServerLine],
    autojump_clock: MockClock,
) -> None:
    servers = Servers(one=[httpx.ReadError("gone")] * 3, two=[status(503)])
    lined, done = line(servers, most_at_once=3), []

    async def ask() -> None:
        done.append(await lined.ask(FORM))

    async with trio.open_nursery() as nursery:
        for _ in range(40):
            nursery.start_soon(ask)
    assert len(done) == 40
    assert max(servers.most.values()) == 3
    assert [one.under_way for one in lined.pool.servers] == [0, 0]


async def test_a_cancelled_request_gives_its_place_back(
    line: Callable[..., ServerLine], autojump_clock: MockClock
) -> None:
    async def never(scope: Scope, send: Send) -> None:
        await trio.sleep_forever()

    servers = Servers(one=[never])
    lined = line(servers, ONE, most_at_once=1)
    with trio.move_on_after(5):
        await lined.ask(FORM)
    assert json.dumps(await lined.ask(FORM))
