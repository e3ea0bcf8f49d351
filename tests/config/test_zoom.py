from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tls import Authority
from zccvoice.config import AppCredentials, Config, ZoomConfig, load
from zccvoice.errors import ConfigError, ForbiddenHostError

VIDEO: dict[str, object] = {"client_id": "video", "client_secret": "v", "products": ("video_sdk",)}
NORTH: dict[str, object] = {
    "client_id": "north",
    "client_secret": "n",
    "secret_token": "t-north",
    "accounts": ("A-north",),
}
SINGLE = {"client_id": "single", "client_secret": "s"}


@dataclass(frozen=True)
class Announced:
    product: str = "contact_center"
    account_id: str | None = None
    client_id: str | None = None


def zoom(*apps: Mapping[str, object], **single: str) -> ZoomConfig:
    return ZoomConfig.model_validate({"apps": apps, **single})


@pytest.mark.parametrize(
    ("stream", "client_id"),
    [
        (Announced(), "north"),  # a webhook that names no account may be anybody's
        (Announced(account_id="A-north"), "north"),
        (Announced(account_id="A-south"), "single"),
        (Announced("video_sdk", "A-south"), "video"),
        (Announced("video_sdk", client_id="single"), "single"),
        (Announced(client_id="north", account_id="A-south"), "north"),
        (Announced(account_id="A-south", client_id="no longer configured"), "single"),
    ],
)
def test_the_event_chooses_the_credentials(stream: Announced, client_id: str) -> None:
    assert zoom(VIDEO, NORTH, **SINGLE).credentials_for(stream).client_id == client_id


def test_an_app_for_everything_comes_after_those_that_say_whose_they_are() -> None:
    everything = {"client_id": "everything", "client_secret": "e"}
    apps = zoom(everything, VIDEO, NORTH, **SINGLE)
    assert [one.client_id for one in apps.all_apps] == ["video", "north", "everything", "single"]
    assert apps.credentials_for(Announced("video_sdk")).client_id == "video"
    assert apps.credentials_for(Announced("meeting", "A-south")).client_id == "everything"


def test_a_single_app_serves_everybody() -> None:
    app = ZoomConfig(client_id="single", client_secret="s").credentials_for(Announced("meeting", "A"))
    assert (app.client_id, app.client_secret.get_secret_value()) == ("single", "s")


def test_nobody_elses_credentials_are_used() -> None:
    with pytest.raises(ConfigError, match="expected an app for product meeting, account A-south"):
        zoom(VIDEO, NORTH).credentials_for(Announced("meeting", "A-south"))


def test_an_app_without_a_token_shares_the_doors() -> None:
    config = Config.model_validate({"door": {"secret_token": "t"}, "zoom": zoom(VIDEO, NORTH, **SINGLE)})
    tokens = {app.client_id: app.secret_token.get_secret_value() for app in config.signing_apps}
    assert tokens == {"video": "t", "north": "t-north", "single": "t"}


@pytest.mark.parametrize(
    ("settings", "fields"),
    [
        ({"zoom": zoom(NORTH)}, []),
        ({"zoom": zoom(VIDEO)}, ["door.secret_token"]),
        ({"zoom": zoom(NORTH, client_id="x")}, ["door.secret_token", "zoom.client_secret"]),
        ({"zoom": zoom(NORTH, client_secret="x")}, ["zoom.client_id"]),
        ({"zoom": zoom(NORTH, VIDEO, NORTH), "door": {"secret_token": "t"}}, ["zoom.apps.0.client_id"]),
    ],
)
def test_what_serve_cannot_do_without(settings: dict[str, object], fields: list[str]) -> None:
    problems = Config.model_validate(settings).missing_for_serve()
    assert [one.split(":")[0] for one in problems] == fields


def test_certificates_are_those_of_the_file(tmp_path: Path) -> None:
    authority = Authority()
    context = ZoomConfig(ca_file=authority.write(tmp_path / "ca.pem")).tls_context()
    assert [one["subject"] for one in context.get_ca_certs()] == [((("commonName", "Made-up authority"),),)]
    assert ZoomConfig().tls_context().verify_mode is ssl.CERT_REQUIRED


def test_a_file_without_certificates_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("no certificate", encoding="utf-8")
    for path in (tmp_path / "empty.pem", tmp_path / "nowhere.pem"):
        with pytest.raises(ConfigError) as caught:
            load(None, zoom={"ca_file": str(path)}, speech={"remote": {"ca_file": str(path)}})
        expected = f"expected a file with certificates (PEM), got {path}"
        assert caught.value.problems == [f"zoom.ca_file: {expected}", f"speech.remote.ca_file: {expected}"]


def test_an_app_shows_no_secret() -> None:
    app = AppCredentials.model_validate({**NORTH, "client_secret": "s3cret", "secret_token": "s3cret"})
    assert "s3cret" not in repr(app)


@pytest.mark.parametrize(
    "url", ["wss://zoom.us.evil.test/x", "wss://evilzoom.us", "wss://zoom.us@evil.test", "https://a.zoom.us",
            "ws://a.zoom.us/x", "wss://u:p@a.zoom.us", "wss:///x", "", "wss://[::1", "wss://a.zoom.us:port/"],
)  # fmt: skip
def test_hosts_that_are_not_allowed(url: str) -> None:
    with pytest.raises(ForbiddenHostError):
        ZoomConfig().allow(url)


@pytest.mark.parametrize("url", ["wss://a.zoom.us/x", "wss://A.B.ZOOM.US:443/?q", "wss://rtms.zoomgov.com."])
def test_hosts_that_are_allowed(url: str) -> None:
    ZoomConfig().allow(url)


def test_unencrypted_only_to_listed_loopback() -> None:
    with pytest.raises(ForbiddenHostError, match="not in"):
        ZoomConfig().allow("ws://127.0.0.1:9")
    ZoomConfig(allowed_hosts=("127.0.0.1",)).allow("ws://127.0.0.1:9")
    with pytest.raises(ForbiddenHostError, match="loopback"):
        ZoomConfig(allowed_hosts=("10.0.0.1",)).allow("ws://10.0.0.1:9")


@given(st.text())
def test_any_url_is_allowed_or_refused(url: str) -> None:
    try:
        ZoomConfig().allow(url)
    except ForbiddenHostError:
        return
    assert url.lower().startswith("wss:")


@pytest.mark.parametrize("url", ["https://api.zoom.us/v2", "https://zoom.us/oauth/token"])
def test_where_the_api_may_be(url: str) -> None:
    ZoomConfig().allow_api(url)
    ZoomConfig(allowed_hosts=("127.0.0.1",)).allow_api("http://127.0.0.1:9/v2")


@pytest.mark.parametrize(
    "url", ["http://api.zoom.us/v2", "https://api.zoom.us.evil.test", "wss://api.zoom.us"]
)
def test_where_the_api_may_not_be(url: str) -> None:
    with pytest.raises(ForbiddenHostError):
        ZoomConfig().allow_api(url)
