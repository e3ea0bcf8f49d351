from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.daemon.test_zoom_api import SECRET, Zoom
from tests.doctor.conftest import TOKEN
from tests.http_server import Reply, Request, http_server
from tests.tls import Authority
from zccvoice.config import Config
from zccvoice.doctor.clocks import Clocks
from zccvoice.doctor.finding import Finding, Verdict
from zccvoice.doctor.outside import check_api, check_door
from zccvoice.rtms.signature import FRESHNESS_S
from zccvoice.rtms.webhook import WebhookReceiver

Settings = Callable[..., Config]


def door_of(config: Config, behind_s: float = 0) -> Callable[[Request], Reply]:
    """The daemon's door, as far as webhooks go, on a machine whose clock is behind."""
    receiver = WebhookReceiver(config.signing_apps)

    def answer(request: Request) -> Reply:
        if request.path != config.door.path:
            return Reply(404)
        now_s = float(request.headers["x-zm-request-timestamp"]) - behind_s
        answer = receiver.receive(request.headers, request.body, now_s)
        return Reply(answer.status, json.dumps(answer.document).encode())

    return answer


async def look(config: Config, url: str | None) -> dict[str, Finding]:
    with trio.fail_after(10):
        return {one.check: one for one in await check_door(config, url)}


async def test_a_door_that_answers(settings: Settings) -> None:
    with http_server(door_of(settings())) as origin:
        found = await look(settings(), f"{origin}/zoom/webhook")
    assert found["door"].verdict is Verdict.OK
    assert found["door"].found.endswith("for a-client-id")
    assert found["certificate"].verdict is Verdict.WARNING  # of plain HTTP there is none


@pytest.mark.parametrize("behind_s", [400, -400])
async def test_a_door_whose_clock_is_another(settings: Settings, behind_s: float) -> None:
    with http_server(door_of(settings(), behind_s)) as origin:
        found = (await look(settings(), f"{origin}/zoom/webhook"))["door"]
    assert found.verdict is Verdict.FAILED
    assert "clock" in found.found
    assert "secret token" not in found.next_step


async def test_no_proxy_is_asked_that_the_environment_names(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with http_server(door_of(settings())) as origin:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        assert (await look(settings(), f"{origin}/zoom/webhook"))["door"].verdict is Verdict.OK


async def test_every_app_is_asked_for(settings: Settings) -> None:
    other = {"client_id": "other-app", "client_secret": "x" * 20, "secret_token": "s3cret-other"}
    config = settings(zoom={"apps": [other]})
    with http_server(door_of(config)) as origin:
        with trio.fail_after(10):
            all_well = await check_door(config, f"{origin}/zoom/webhook")
    assert [one.check for one in all_well] == ["door", "certificate", "door"]
    with http_server(door_of(settings())) as origin, trio.fail_after(10):
        unknown_there = await check_door(config, f"{origin}/zoom/webhook")
    verdicts = [one.verdict for one in unknown_there if one.check == "door"]
    assert verdicts == [Verdict.FAILED, Verdict.OK]


@pytest.mark.parametrize(
    ("reply", "told", "step"),
    [
        (Reply(404), "answered 404", "door.path"),
        (Reply(502), "answered 502", "the daemon behind it is not"),
        (Reply(418), "answered 418", "Look at the logs"),
        (Reply(200, b"<html>"), "not as Zoom expects", "Something else answers"),
        (Reply(200, b'{"plainToken": "x", "encryptedToken": "y"}'), "not as Zoom expects", "secret token"),
        (Reply(302, b"", {"location": "/elsewhere"}), "answered 302", "Look at the logs"),
    ],
)
async def test_a_door_that_is_none(settings: Settings, reply: Reply, told: str, step: str) -> None:
    with http_server(lambda _: reply) as origin:
        found = (await look(settings(), f"{origin}/zoom/webhook"))["door"]
    assert found.verdict is Verdict.FAILED
    assert told in found.found
    assert step in found.next_step


async def test_another_secret_token_there(settings: Settings) -> None:
    with http_server(door_of(settings(door={"secret_token": "s3cret-elsewhere"}))) as origin:
        found = (await look(settings(), f"{origin}/zoom/webhook"))["door"]
    assert (found.verdict, "Another secret token" in found.next_step) == (Verdict.FAILED, True)
    assert TOKEN not in str(found)


async def test_nobody_there(settings: Settings) -> None:
    found = (await look(settings(), "http://127.0.0.1:1/zoom/webhook"))["door"]
    assert (found.verdict, "cannot be reached" in found.found) == (Verdict.FAILED, True)


@pytest.mark.parametrize("url", ["ftp://x", "https://u:s3cret@x.test/", "nonsense", "https://"])
async def test_what_is_no_url_of_a_door(settings: Settings, url: str) -> None:
    found = (await look(settings(), url))["door"]
    assert found.verdict is Verdict.FAILED
    assert "s3cret" not in str(found)


async def test_without_a_url_nothing_is_asked(settings: Settings) -> None:
    assert (await look(settings(), None))["door"].verdict is Verdict.NOT_CHECKED


@pytest.mark.parametrize(
    ("days", "verdict", "told"),
    [
        (90, Verdict.OK, "good for 90 more days"),
        (5, Verdict.WARNING, "good for 5 more days"),
        (-2, Verdict.FAILED, "certificate has expired"),
    ],
)
async def test_certificates(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    days: float,
    verdict: Verdict,
    told: str,
) -> None:
    authority = Authority()
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.write(tmp_path / "ca.pem")))
    context = authority.server_context(tmp_path, days=days)
    with http_server(door_of(settings()), tls=context) as origin:
        found = (await look(settings(), f"{origin}/zoom/webhook"))["certificate"]
    assert found.verdict is verdict
    assert told in found.found


async def test_a_certificate_that_nobody_vouches_for(settings: Settings, tmp_path: Path) -> None:
    context = Authority().server_context(tmp_path, days=90)
    with http_server(door_of(settings()), tls=context) as origin:
        found = (await look(settings(), f"{origin}/zoom/webhook"))["certificate"]
    assert (found.verdict, "Zoom checks it, too" in found.next_step) == (Verdict.FAILED, True)


def api(origin: str, **more: Any) -> dict[str, Any]:
    urls = {"url": f"{origin}/v2", "token_url": f"{origin}/oauth/token"}
    return {"api": {"account_id": "A", "client_id": "s2s", "client_secret": SECRET, **urls, **more}}


async def ask_api(config: Config) -> tuple[list[Finding], Clocks]:
    clocks = Clocks()
    with trio.fail_after(10):
        return await check_api(config, clocks), clocks


async def test_the_api_its_scopes_and_its_clock(settings: Settings) -> None:
    with http_server(Zoom()) as origin:
        found, clocks = await ask_api(settings(zoom=api(origin)))
    assert [(one.check, one.verdict) for one in found] == [
        ("Zoom's API", Verdict.OK),
        ("scopes", Verdict.WARNING),  # the scope for it is not among those of the simulated app
    ]
    assert abs(clocks.ahead_s["Zoom's"]) < FRESHNESS_S


async def test_an_api_that_refuses(settings: Settings) -> None:
    with http_server(Zoom()) as origin:
        found, _ = await ask_api(settings(zoom=api(origin, client_secret="s3cret-but-wrong")))
    assert found[0].verdict is Verdict.FAILED
    assert "invalid_client" in found[0].found or "Invalid client_id" in found[0].found
    assert "s3cret" not in str(found)


async def test_without_a_server_to_server_app_only_the_clock_is_looked_at(settings: Settings) -> None:
    with http_server(lambda _: Reply(404)) as origin:
        found, clocks = await ask_api(settings(zoom={"api": {"url": f"{origin}/v2"}}))
    assert [one.verdict for one in found] == [Verdict.NOT_CHECKED]
    assert abs(clocks.ahead_s["Zoom's"]) < 10
    found, clocks = await ask_api(settings())  # nobody there
    assert (found[0].verdict, clocks.ahead_s) == (Verdict.NOT_CHECKED, {})
