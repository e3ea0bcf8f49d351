"""What can be seen from outside, and of outside: the door, its certificate, Zoom's API."""

from __future__ import annotations

import json
import secrets
import ssl
import time
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import trio

from zccvoice.config import AppCredentials, Config, ZoomConfig
from zccvoice.daemon.zoom_api import missing_for_api, open_api, reason_of
from zccvoice.doctor.clocks import Clocks
from zccvoice.doctor.finding import Finding, Verdict
from zccvoice.errors import ApiRefusedError, ConnectionFailedError, ForbiddenHostError
from zccvoice.rtms.signature import FRESHNESS_S, encrypted_token, webhook_signature
from zccvoice.rtms.webhook import Problem

ZOOMS_PATIENCE_S = 3.0
"""Zoom takes a webhook that is not answered within so long for undelivered."""
FEW_DAYS = 21
WANTED_SCOPE = "contact_center:update:engagement_rtms_app_status"
_DOOR_STEPS = {
    401: "Another secret token is in use there than here: compare the settings of both.",
    404: "Compare the path with door.path, and what the proxy passes on.",
    413: "The proxy does not pass on bodies of this size.",
    502: "The proxy is there, the daemon behind it is not: start it, or compare door.port.",
    503: "The proxy is there, the daemon behind it is not ready, or its disk is full.",
    504: "The proxy is there and the daemon behind it does not answer.",
}


async def check_door(config: Config, url: str | None) -> list[Finding]:
    """Does the endpoint answer Zoom's challenge, for every app?"""
    if url is None:
        told = "whether Zoom reaches the door"
        return [Finding("door", Verdict.NOT_CHECKED, told, "Give --url with the endpoint that Zoom knows.")]
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username is not None:
        step = "Give --url as it stands in the Zoom App Marketplace: https://your.host/zoom/webhook."
        return [Finding("door", Verdict.FAILED, "expected an https:// URL without user name", step)]
    if not config.signing_apps:
        return [Finding("door", Verdict.NOT_CHECKED, "no credentials to ask it with")]
    async with _client(ssl.create_default_context()) as client:
        return await _challenge_all(client, url, config.signing_apps)


def _client(tls: ssl.SSLContext) -> httpx.AsyncClient:
    """As the daemon's: no proxy that the environment names. Time-outs are the caller's."""
    return httpx.AsyncClient(verify=tls, timeout=None, trust_env=False)  # noqa: S113


async def _challenge_all(
    client: httpx.AsyncClient, url: str, apps: Sequence[AppCredentials]
) -> list[Finding]:
    findings: list[Finding] = []
    for token in dict.fromkeys(app.secret_token.get_secret_value() for app in apps):
        whose = ", ".join(app.client_id for app in apps if app.secret_token.get_secret_value() == token)
        begin = time.monotonic()
        try:
            response, plain_token = await _challenge(client, url, token)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return [*findings, _unreachable(error)]
        took_s = time.monotonic() - begin
        findings.append(_judge(response, encrypted_token(token, plain_token), plain_token, whose, took_s))
        if len(findings) == 1:
            findings += _certificate(response, url)
    return findings


async def _challenge(client: httpx.AsyncClient, url: str, secret_token: str) -> tuple[httpx.Response, str]:
    """As Zoom asks: Zoom "Validate your webhook endpoint"."""
    plain_token = secrets.token_urlsafe(16)
    envelope = {"event": "endpoint.url_validation", "payload": {"plainToken": plain_token}}
    body = json.dumps({**envelope, "event_ts": int(time.time() * 1000)}).encode()
    timestamp = str(int(time.time()))
    headers = {
        "content-type": "application/json",
        "x-zm-request-timestamp": timestamp,
        "x-zm-signature": webhook_signature(secret_token, timestamp, body),
    }
    return await client.post(url, content=body, headers=headers), plain_token


def _judge(response: httpx.Response, expected: str, plain_token: str, whose: str, took_s: float) -> Finding:
    try:
        document: Any = response.json()
    except ValueError:
        document = None
    if isinstance(document, dict) and document.get("problem") == Problem.STALE:
        step = "Let both machines keep their time by NTP: if its clock is the wrong one, Zoom is refused as well."
        told = f"its clock and this machine's differ by more than {FRESHNESS_S} s"
        return Finding("door", Verdict.FAILED, told, step)
    if response.status_code != 200:
        step = _DOOR_STEPS.get(response.status_code, "Look at the logs of the proxy and of the daemon.")
        return Finding("door", Verdict.FAILED, f"answered {response.status_code}, expected 200", step)
    if document != {"plainToken": plain_token, "encryptedToken": expected}:
        step = "Something else answers there, or a daemon with another secret token."
        return Finding("door", Verdict.FAILED, "the challenge was answered, but not as Zoom expects", step)
    if took_s > ZOOMS_PATIENCE_S:
        step = "Find out what is slow: the network, the proxy, or the disk that the daemon writes to."
        return Finding("door", Verdict.FAILED, f"answered after {took_s:.1f} s; Zoom waits for 3 s", step)
    return Finding("door", Verdict.OK, f"answers Zoom's challenge in {took_s * 1000:.0f} ms for {whose}")


def _unreachable(error: Exception) -> Finding:
    reason = reason_of(error)
    told = f"cannot be reached: {reason}"
    if "certificate" in reason:
        step = "Renew the certificate, or let the server send the whole chain: Zoom checks it, too."
        return Finding("certificate", Verdict.FAILED, told, step)
    step = "Check the name, the firewall and the proxy. From inside, a public name may not lead back in."
    return Finding("door", Verdict.FAILED, told, step)


def _certificate(response: httpx.Response, url: str) -> list[Finding]:
    if not url.startswith("https:"):
        step = "Put a proxy in front that ends TLS; Zoom posts to https:// only."
        return [Finding("certificate", Verdict.WARNING, "the URL is not https://", step)]
    stream = response.extensions.get("network_stream")
    ssl_object = stream.get_extra_info("ssl_object") if stream is not None else None
    certificate = ssl_object.getpeercert() if ssl_object is not None else None
    if not certificate:
        return [Finding("certificate", Verdict.NOT_CHECKED, "it did not show")]
    days = (ssl.cert_time_to_seconds(certificate["notAfter"]) - time.time()) / 86_400
    told = f"good for {int(days)} more days"
    if days < FEW_DAYS:
        return [Finding("certificate", Verdict.WARNING, told, "Renew it, and see why that is not automatic.")]
    return [Finding("certificate", Verdict.OK, told)]


async def check_api(config: Config, clocks: Clocks) -> list[Finding]:
    """Does Zoom's API accept us, and which scopes does it show?"""
    if missing_for_api(config.zoom):
        step = "Only zccvoice stream needs it: set zoom.api."
        await _look_at_zooms_clock(config.zoom, clocks)
        return [Finding("Zoom's API", Verdict.NOT_CHECKED, "no server-to-server app is set", step)]
    try:
        async with open_api(config.zoom) as api:
            token = await api.access_token()
    except (ApiRefusedError, ConnectionFailedError, ForbiddenHostError) as error:
        told, _, step = str(error).partition("\n")
        step = step or "Check zoom.api, zoom.allowed_hosts, and whether this machine may reach Zoom."
        return [Finding("Zoom's API", Verdict.FAILED, told, step)]
    clocks.note("Zoom's", token.zoom_time)
    return [Finding("Zoom's API", Verdict.OK, "gives us an access token"), _scopes(token.scopes)]


async def _look_at_zooms_clock(settings: ZoomConfig, clocks: Clocks) -> None:
    """Any answer of Zoom's tells the time; that there is none is no finding of its own."""
    try:
        settings.allow_api(settings.api.url)
        async with _client(settings.tls_context()) as client:
            with trio.move_on_after(ZOOMS_PATIENCE_S):
                response = await client.head(settings.api.url)
                clocks.note("Zoom's", parsedate_to_datetime(response.headers.get("date", "")))
    except (httpx.HTTPError, httpx.InvalidURL, ForbiddenHostError, ValueError):
        return


def _scopes(scopes: frozenset[str]) -> Finding:
    unseen = "those of the app that receives streams show only when a stream begins"
    if not {WANTED_SCOPE, f"{WANTED_SCOPE}:admin"} & scopes:
        told = f"{len(scopes)} scopes, and {WANTED_SCOPE} is not among them; {unseen}"
        step = "Give the server-to-server app that scope, else zccvoice stream cannot start calls."
        return Finding("scopes", Verdict.WARNING, told, step)
    return Finding("scopes", Verdict.OK, f"may start and stop streams of Contact Center; {unseen}")
