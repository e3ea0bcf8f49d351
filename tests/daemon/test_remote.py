"""Requests to recognition servers: what becomes of one when a server fails, is full, or makes no sense."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise
from typing import Any

import httpx
import pytest
import trio
from trio.testing import MockClock

from zccvoice.config import RemoteConfig
from zccvoice.daemon.asgi import Receive, Scope, Send, answer
from zccvoice.daemon.remote import MOST_BROKEN, MOST_UNANSWERED, ServerLine
from zccvoice.errors import RecognizerError
from zccvoice.speech.remote import Form
from zccvoice.speech.server_pool import FIRST_PAUSE_S

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


async def never(scope: Scope, send: Send) -> None:
    await trio.sleep_forever()


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


@pytest.mark.parametrize("sign", [httpx.ConnectError("refused"), *map(status, (408, 425, 499, 502, 504))])
async def test_an_outage_of_all_is_waited_out(
    line: Callable[..., ServerLine], autojump_clock: MockClock, sign: Script | Exception
) -> None:
    """A proxy before the servers tells it too, in its own words."""
    away = [sign] * (MOST_UNANSWERED + 1)
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


@pytest.mark.parametrize("code", [408, 425, 499, 502, 504])
async def test_a_request_that_nobody_waited_for_goes_elsewhere(
    line: Callable[..., ServerLine], autojump_clock: MockClock, code: int
) -> None:
    servers = Servers(one=[status(code)])
    assert (await line(servers).ask(FORM))["server"] == "two.localhost:2"


async def test_a_server_that_is_silent_for_half_an_hour_costs_nothing(
    line: Callable[..., ServerLine], autojump_clock: MockClock
) -> None:
    servers = Servers(one=[never] * 25)
    assert (await line(servers, ONE).ask(FORM))["text"] == "ok"
    assert trio.current_time() - servers.begin > 1800


@pytest.mark.parametrize("step", [never, status(502), status(504)])
async def test_a_request_that_alone_is_left_unanswered_is_given_up(
    line: Callable[..., ServerLine], autojump_clock: MockClock, step: Script
) -> None:
    class Choosy(Servers):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            self.scripts["one"] = [step] if b"disliked" in await request.aread() else []
            return await super().handle_async_request(request)

    lined = line(Choosy(), ONE)

    async def ask_for_others() -> None:
        while True:
            await lined.ask(FORM)
            await trio.sleep(5)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask_for_others)
        with pytest.raises(RecognizerError, match=f"unanswered {MOST_UNANSWERED} times"):
            await lined.ask(Form((), b"disliked"))
        nursery.cancel_scope.cancel()


async def test_a_slow_server_that_many_share_loses_nothing(
    line: Callable[..., ServerLine], autojump_clock: MockClock
) -> None:
    """Five daemons with eight requests each on a server that takes 6 s for one: four minutes for what comes."""
    free, done = trio.StrictFIFOLock(), 0

    async def slowly(scope: Scope, send: Send) -> None:
        async with free:
            await trio.sleep(6)
            await well(scope, send)

    servers = Servers(one=[slowly] * 2_000)

    async def ask(lined: ServerLine) -> None:
        nonlocal done
        await lined.ask(FORM)
        done += 1

    with trio.fail_after(5 * 40 * 6 * 2):
        async with trio.open_nursery() as nursery:
            for lined in [line(servers, ONE) for _ in range(5)]:
                for _ in range(40):
                    nursery.start_soon(ask, lined)
    assert done == 200


async def test_an_answer_that_trickles_is_not_waited_for(
    line: Callable[..., ServerLine], autojump_clock: MockClock
) -> None:
    class Trickle(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                await trio.sleep(1)
                yield b" "

    class Trickling(Servers):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if "one" in request.url.host:
                return httpx.Response(200, stream=Trickle())
            return await super().handle_async_request(request)

    servers = Trickling()
    assert (await line(servers, answer_s=10).ask(FORM))["server"] == "two.localhost:2"
    assert servers.asked == [("two", 10.0)]


@pytest.mark.parametrize("told", ["0", "²", "-1", "soon"])
async def test_a_full_server_is_never_asked_again_at_once(
    line: Callable[..., ServerLine], autojump_clock: MockClock, told: str
) -> None:
    async def full(scope: Scope, send: Send) -> None:
        headers = [(b"retry-after", told.encode("utf-8"))]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    servers = Servers(one=[full, full])
    assert (await line(servers, ONE, most_at_once=1).ask(FORM))["text"] == "ok"
    assert [at for _, at in servers.asked] == [0.0, FIRST_PAUSE_S, 2 * FIRST_PAUSE_S]


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


@pytest.mark.parametrize("body", [b"<html>", b"[" * 200_000])
async def test_no_json_is_an_error(
    line: Callable[..., ServerLine], autojump_clock: MockClock, body: bytes
) -> None:
    async def page(scope: Scope, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

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
    servers = Servers(one=[never])
    lined = line(servers, ONE, most_at_once=1)
    with trio.move_on_after(5):
        await lined.ask(FORM)
    assert json.dumps(await lined.ask(FORM))
