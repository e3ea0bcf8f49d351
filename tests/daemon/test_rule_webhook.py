"""Hits reach a real receiver signed, again and again until it takes them, and no other host."""

from __future__ import annotations

import hashlib
import hmac
import importlib.util
import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from tests.http_server import Reply, Request, http_server
from tests.store.calls import small_call
from tests.tls import Authority
from zccvoice.config.rules import RuleWebhookConfig
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.rule_webhook import AT_ONCE, LAST_RETRY_S, RuleWebhook, open_client, retry_s, sign
from zccvoice.store import deliveries
from zccvoice.store.database import connect, transaction
from zccvoice.store.rule_tables import RuleDelivery
from zccvoice.store.writes import apply

SECRET = "a-secret-of-the-receiver"
BODY = '{"rule": "größe"}'


def documented() -> Callable[..., bool]:
    """What the page for receivers says."""
    page = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {"hmac": hmac, "hashlib": hashlib}
    exec(code, names)  # our own page
    verify: Callable[..., bool] = names["is_genuine"]
    return verify


def script() -> ModuleType:
    """The receiver that is there to be copied from."""
    path = Path(__file__).parents[2] / "scripts" / "receive_rule_hits.py"
    spec = importlib.util.spec_from_file_location("receive_rule_hits", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Receiver:
    """Answers what it is told to, and keeps what came."""

    def __init__(self, *statuses: int, headers: dict[str, str] | None = None) -> None:
        self._statuses = list(statuses)
        self._headers = headers or {}
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Reply:
        self.requests.append(request)
        return Reply(self._statuses.pop(0) if self._statuses else 204, headers=self._headers)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url)
    with transaction(engine) as connection:
        apply(connection, small_call())
    yield engine
    engine.dispose()


class Post:
    """A webhook with a clock of its own."""

    def __init__(self, engine: Engine, url: str, **settings: Any) -> None:
        self.engine, self.now, self.metrics = engine, datetime.now(UTC), Metrics()
        self.settings = RuleWebhookConfig.model_validate(
            {"url": f"{url}/hits", "secret": SECRET, "allowed_hosts": ("127.0.0.1",), **settings}
        )
        self.webhook = RuleWebhook(self.settings, engine, self.metrics, wall_clock=lambda: self.now)

    def put(self, body: str = BODY) -> str:
        with transaction(self.engine) as connection:
            return deliveries.put(connection, "e1", body, self.now)

    async def round(self, after_s: float = 0) -> int:
        """Post what is due so many seconds later."""
        self.now += timedelta(seconds=after_s)
        with trio.fail_after(60):
            async with open_client(self.settings) as client:
                return await self.webhook.post_due(client)

    def row(self) -> Any:
        with transaction(self.engine) as connection:
            return connection.execute(select(RuleDelivery.__table__)).one()

    def count(self, outcome: str) -> float | None:
        return self.metrics.registry.get_sample_value("zccvoice_rule_posts_total", {"outcome": outcome})


async def test_a_hit_is_posted_signed_and_once(engine: Engine) -> None:
    receiver = Receiver()
    with http_server(receiver) as origin:
        post = Post(engine, origin)
        delivery_id = post.put()
        assert [await post.round(), await post.round(100_000)] == [1, 0]
    (came,) = receiver.requests
    assert (came.method, came.path, came.headers["content-type"]) == ("POST", "/hits", "application/json")
    assert came.headers["zccvoice-delivery"] == delivery_id
    assert json.loads(came.body) == {"rule": "größe"}
    names = {"zccvoice-timestamp": "Zccvoice-Timestamp", "zccvoice-signature": "Zccvoice-Signature"}
    headers = {names[name]: value for name, value in came.headers.items() if name in names}
    for is_genuine in (script().is_genuine, documented()):
        assert is_genuine(headers, came.body, SECRET, time.time())
        assert not is_genuine(headers, came.body + b" ", SECRET, time.time())
        assert not is_genuine(headers, came.body, "another secret", time.time())
        assert not is_genuine(headers, came.body, SECRET, time.time() + 400)
        assert not is_genuine({}, came.body, SECRET, time.time())
    assert post.row().delivered_at is not None
    assert post.count("delivered") == 1


async def test_it_comes_again_until_it_is_taken_with_the_same_id(engine: Engine) -> None:
    receiver = Receiver(500, 429)
    with http_server(receiver) as origin:
        post = Post(engine, origin)
        delivery_id = post.put()
        assert await post.round() == 1
        assert (post.row().problem, post.row().attempts_count) == ("HTTP 500", 1)
        assert [await post.round(0.9), await post.round(0.2)] == [0, 1]
        assert [await post.round(1.9), await post.round(0.2)] == [0, 1]
    assert {one.headers["zccvoice-delivery"] for one in receiver.requests} == {delivery_id}
    assert (post.row().problem, post.row().attempts_count) == (None, 3)
    assert (post.count("refused"), post.count("delivered")) == (2, 1)


async def test_after_days_it_is_given_up(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    with http_server(Receiver(*[503] * 3)) as origin:
        post = Post(engine, origin, give_up_days=2)
        delivery_id = post.put()
        await post.round()
        await post.round(2 * 86_400 - 1)
        assert post.row().given_up_at is None
        await post.round(3_600)
        assert await post.round(100_000) == 0
    assert (post.row().given_up_at, post.row().problem) == (post.now - timedelta(seconds=100_000), "HTTP 503")
    said = capsys.readouterr().out
    assert "hit given up" in said
    assert delivery_id in said
    assert post.count("given_up") == 1


async def test_a_restart_loses_none(engine: Engine) -> None:
    """One that was posted and not noted is posted again when its claim has ended."""
    receiver = Receiver()
    with http_server(receiver) as origin:
        post = Post(engine, origin)
        post.put()
        with transaction(engine) as connection:  # a daemon that dies here
            deliveries.claim(connection, post.now, claim_s=60, at_most=9)
        assert [await post.round(59), await post.round(1)] == [0, 1]


async def test_redirects_are_not_followed(engine: Engine) -> None:
    elsewhere = Receiver()
    with http_server(elsewhere) as other, http_server(Receiver(307, headers={"location": other})) as origin:
        post = Post(engine, origin)
        post.put()
        assert await post.round() == 1
    assert elsewhere.requests == []
    assert post.row().problem == "HTTP 307"


async def test_no_proxy_is_used_that_the_environment_names(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with http_server(proxy := Receiver()) as other, http_server(receiver := Receiver()) as origin:
        monkeypatch.setenv("HTTP_PROXY", other)
        post = Post(engine, origin)
        post.put()
        assert await post.round() == 1
    assert (len(proxy.requests), len(receiver.requests)) == (0, 1)


async def test_nobody_there(engine: Engine) -> None:
    with http_server(Receiver()) as origin:
        pass
    post = Post(engine, origin)
    post.put()
    assert await post.round() == 1
    assert f"connect to {origin.removeprefix('http://')} failed" in post.row().problem


async def test_a_receiver_that_does_not_answer(engine: Engine) -> None:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        post = Post(engine, f"http://127.0.0.1:{listener.socket.getsockname()[1]}", timeout_s=0.2)
        post.put()
        assert await post.round() == 1
    assert post.row().problem == "no answer within 0.2 s"


async def test_the_receivers_certificate_is_checked(engine: Engine, tmp_path: Path) -> None:
    authority = Authority()
    ca_file = authority.write(tmp_path / "ca.pem")
    with http_server(Receiver(), tls=authority.server_context(tmp_path, days=9)) as origin:
        doubtful = Post(engine, origin)
        doubtful.put()
        await doubtful.round()
        assert "certificate not accepted" in doubtful.row().problem
        trusting = Post(engine, origin, ca_file=ca_file)
        trusting.now = doubtful.now
        assert await trusting.round(5) == 1
    assert trusting.row().delivered_at is not None


async def test_the_task_posts_whatever_comes(engine: Engine) -> None:
    """More than go at once, and without waiting for its next look."""
    came: list[str] = []
    token, all_came = trio.lowlevel.current_trio_token(), trio.Event()

    def receive(request: Request) -> Reply:
        came.append(request.headers["zccvoice-delivery"])
        if len(came) == AT_ONCE + 1:
            token.run_sync_soon(all_came.set)
        return Reply(204)

    with http_server(receive) as origin, trio.fail_after(60):
        post = Post(engine, origin)
        ids = {post.put() for _ in range(AT_ONCE + 1)}
        async with trio.open_nursery() as nursery:
            nursery.start_soon(post.webhook.run)
            await all_came.wait()
            nursery.cancel_scope.cancel()
    assert set(came) == ids


@given(st.integers(1, 10_000))
def test_the_waits_grow_to_an_hour(attempts_count: int) -> None:
    assert 1 <= retry_s(attempts_count) <= retry_s(attempts_count + 1) <= LAST_RETRY_S
    assert retry_s(13) == LAST_RETRY_S
    assert retry_s(3) == 4


def test_a_signature_by_hand() -> None:
    """``printf '1700000000.{}' | openssl dgst -sha256 -hmac key``"""
    expected = "v1=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae"
    assert sign("key", "1700000000", b"{}") == expected
