from __future__ import annotations

import hmac
import json
from base64 import b64encode, urlsafe_b64decode
from datetime import UTC, datetime
from typing import Any

import pytest
import trio

from tests.http_server import Reply, Request, http_server
from zccvoice.config import ZoomConfig
from zccvoice.daemon.zoom_api import Action, open_api
from zccvoice.errors import ApiRefusedError, ConfigError, ConnectionFailedError, ForbiddenHostError
from zccvoice.rtms.enums import Product

SECRET, TOKEN = "s3cret-of-the-app", "s3cret-token"


class Zoom:
    """The part of Zoom's REST API that starts and stops streams."""

    def __init__(self, reply: Reply | None = None) -> None:
        self.reply = reply or Reply(204)
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Reply:
        self.requests.append(request)
        if request.path == "/oauth/token":
            credentials = b64encode(f"s2s:{SECRET}".encode()).decode()
            if request.headers.get("authorization") != f"Basic {credentials}":
                return json_reply(400, reason="Invalid client_id or client_secret", error="invalid_client")
            assert request.body == b"grant_type=account_credentials&account_id=A"
            return json_reply(200, access_token=TOKEN, scope="a:read b:update:admin", expires_in=3599)
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return json_reply(401, code=124, message="Invalid access token.")
        return self.reply


def json_reply(status: int, **body: Any) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"content-type": "application/json"})


def settings(origin: str, **api: Any) -> ZoomConfig:
    urls = {"url": f"{origin}/v2", "token_url": f"{origin}/oauth/token"}
    return ZoomConfig.model_validate(
        {
            "allowed_hosts": ("127.0.0.1",),
            "api": {"account_id": "A", "client_id": "s2s", "client_secret": SECRET, **urls, **api},
        }
    )


async def control(
    zoom: Zoom, product: Product = Product.CONTACT_CENTER, call: str = "E/1==", **api: Any
) -> None:
    with http_server(zoom) as origin, trio.fail_after(10):
        async with open_api(settings(origin, **api)) as opened:
            await opened.control_stream(Action.START, product, call, client_id="rtms-app")


@pytest.mark.parametrize(
    ("product", "method", "path"),
    [
        (Product.CONTACT_CENTER, "PUT", "/v2/contact_center/E%2F1%3D%3D/rtms_app/status"),
        (Product.MEETING, "PATCH", "/v2/live_meetings/E%2F1%3D%3D/rtms_app/status"),
    ],
)
async def test_a_stream_is_started(product: Product, method: str, path: str) -> None:
    zoom = Zoom()
    await control(zoom, product)
    asked = zoom.requests[-1]
    assert (asked.method, asked.path) == (method, path)
    assert json.loads(asked.body) == {"action": "start", "settings": {"client_id": "rtms-app"}}


@pytest.mark.parametrize(
    ("call", "part"),
    [
        ("81234567890", "81234567890"),
        ("a/b+c==", "a%2Fb%2Bc%3D%3D"),
        ("/abc==", "%252Fabc%253D%253D"),
        ("a//bc==", "a%252F%252Fbc%253D%253D"),
    ],
)
async def test_slashes_in_ids_are_encoded_as_zoom_wants_them(call: str, part: str) -> None:
    zoom = Zoom()
    await control(zoom, Product.MEETING, call)
    assert zoom.requests[-1].path == f"/v2/live_meetings/{part}/rtms_app/status"


@pytest.mark.parametrize("action", list(Action))
async def test_a_video_sdk_session_is_asked_for_with_a_token_of_the_account(action: Action) -> None:
    requests: list[Request] = []

    def sessions(request: Request) -> Reply:
        requests.append(request)
        return Reply(204)

    with http_server(sessions) as origin, trio.fail_after(10):
        account = settings(origin, video_sdk_key="K", video_sdk_secret=SECRET)
        async with open_api(account, Product.VIDEO_SDK) as api:
            await api.control_stream(action, Product.VIDEO_SDK, "S/1==", client_id="sdk-key")
    (asked,) = requests
    assert (asked.method, asked.path) == ("PATCH", "/v2/videosdk/sessions/S%2F1%3D%3D/rtms_app/status")
    assert json.loads(asked.body)["action"] == action.value
    kind, _, token = asked.headers["authorization"].partition(" ")
    assert kind == "Bearer"
    now = datetime.now(UTC).timestamp()
    assert token_claims(token, SECRET)["iss"] == "K"
    assert token_claims(token, SECRET)["iat"] <= now < token_claims(token, SECRET)["exp"]


async def test_only_video_sdk_sessions_pause() -> None:
    zoom = Zoom()
    with http_server(zoom) as origin, trio.fail_after(10):
        async with open_api(settings(origin)) as api:
            with pytest.raises(ConfigError, match="expected start or stop for meeting, got pause"):
                await api.control_stream(Action.PAUSE, Product.MEETING, "1", client_id="c")
    assert zoom.requests == []


async def test_a_video_sdk_account_needs_its_key() -> None:
    with pytest.raises(ConfigError) as caught:
        async with open_api(ZoomConfig(), Product.VIDEO_SDK):
            pass
    fields = [one.split(":")[0] for one in caught.value.problems]
    assert fields == ["zoom.api.video_sdk_key", "zoom.api.video_sdk_secret"]


def token_claims(token: str, secret: str) -> dict[str, Any]:
    """What a JSON Web Token in HS256 says, once its signature was checked (RFC 7515, appendix A.1)."""
    head, claims, signature = token.split(".")
    expected = hmac.new(secret.encode(), f"{head}.{claims}".encode(), "sha256").digest()
    assert urlsafe_b64decode(signature + "=" * (-len(signature) % 4)) == expected
    assert json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4))) == {"alg": "HS256", "typ": "JWT"}
    told: dict[str, Any] = json.loads(urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    return told


async def test_a_token_tells_its_scopes_and_the_time() -> None:
    with http_server(Zoom()) as origin, trio.fail_after(10):
        async with open_api(settings(origin)) as api:
            token = await api.access_token()
    assert token.scopes == {"a:read", "b:update:admin"}
    assert token.zoom_time is not None
    assert abs((token.zoom_time - datetime.now(UTC)).total_seconds()) < 10
    assert TOKEN not in repr(token)


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (
            json_reply(403, code=2308, message="Not allowed."),
            ["HTTP 403, code 2308 (Not allowed.)", "may not start"],
        ),
        (json_reply(400, code=2310, message="x" * 500), ["code 2310", "RTMS credits"]),
        (json_reply(404, code=3001), ["HTTP 404, code 3001", "does not know this call"]),
        (json_reply(403), ["HTTP 403", "Give it the scope"]),
        (
            Reply(429, b"<html>", {"retry-after": "7"}),
            ["HTTP 429; it may be asked again in 7 s", "too often"],
        ),
        (Reply(500, b"[]"), ["HTTP 500"]),
        (json_reply(401, code=True, message=["x"]), ["HTTP 401", "did not accept the credentials"]),
        (Reply(302, b"", {"location": "http://127.0.0.1:1/elsewhere"}), ["HTTP 302"]),
    ],
)
async def test_what_zoom_refuses_is_explained(reply: Reply, told: list[str]) -> None:
    with pytest.raises(ApiRefusedError) as caught:
        await control(Zoom(reply))
    for part in told:
        assert part in str(caught.value)
    assert len(str(caught.value)) < 700
    assert "s3cret" not in str(caught.value)


async def test_wrong_credentials() -> None:
    with pytest.raises(ApiRefusedError, match="Invalid client_id or client_secret") as caught:
        await control(Zoom(), client_secret="s3cret-but-wrong")
    assert "s3cret" not in str(caught.value)


async def test_an_answer_without_a_token() -> None:
    with http_server(lambda _: Reply(200, b"<html>")) as origin, trio.fail_after(10):
        async with open_api(settings(origin)) as api:
            with pytest.raises(ConnectionFailedError, match="expected JSON with an access_token"):
                await api.access_token()


async def test_nobody_there() -> None:
    with trio.fail_after(10):
        async with open_api(settings("http://127.0.0.1:1")) as api:
            with pytest.raises(ConnectionFailedError, match=r"API at 127\.0\.0\.1"):
                await api.access_token()


async def test_no_proxy_is_asked_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    with http_server(Zoom()) as origin:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        with trio.fail_after(10):
            async with open_api(settings(origin)) as api:
                assert (await api.access_token()).scopes


async def test_only_allowed_hosts_are_asked() -> None:
    zoom = Zoom()
    with http_server(zoom) as origin, pytest.raises(ForbiddenHostError):
        async with open_api(settings(origin).model_copy(update={"allowed_hosts": ("*.zoom.us",)})) as api:
            await api.access_token()
    assert zoom.requests == []


async def test_missing_credentials_are_all_told() -> None:
    with pytest.raises(ConfigError) as caught:
        async with open_api(ZoomConfig()):
            pass
    fields = [one.split(":")[0] for one in caught.value.problems]
    assert fields == ["zoom.api.account_id", "zoom.api.client_id", "zoom.api.client_secret"]


async def test_the_apps_own_credentials_do_where_there_are_no_others() -> None:
    zoom = Zoom()
    with http_server(zoom) as origin, trio.fail_after(10):
        own = settings(origin, client_id="", client_secret="")
        own = own.model_copy(update={"client_id": "s2s", "client_secret": settings(origin).api.client_secret})
        async with open_api(own) as api:
            assert (await api.access_token()).scopes
