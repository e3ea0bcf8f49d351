"""Zoom's REST API, as far as it concerns streams: an access token, and a stream started or stopped.

Server-to-server OAuth with the ``account_credentials`` grant, and for Video SDK sessions a token signed with the
account's API secret; only hosts in ``zoom.allowed_hosts`` are asked, and no redirect is followed. Sources: Zoom
"Server-to-Server OAuth"; API reference, "Update RTMS app status" of meetings, Contact Center and Video SDK
sessions; "Error codes"; its notes on UUIDs with slashes.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from zccvoice.config import ZoomConfig
from zccvoice.errors import ApiRefusedError, ConfigError, ConnectionFailedError
from zccvoice.rtms.enums import Product
from zccvoice.rtms.explanations import explain_api_error
from zccvoice.rtms.signature import video_sdk_token

LONGEST_MESSAGE = 200
_STATUS_PATHS = {
    Product.CONTACT_CENTER: ("PUT", "/contact_center/{}/rtms_app/status"),
    Product.MEETING: ("PATCH", "/live_meetings/{}/rtms_app/status"),
    Product.VIDEO_SDK: ("PATCH", "/videosdk/sessions/{}/rtms_app/status"),
}
_PAUSING = frozenset({"pause", "resume"})
CONTROLLED_PRODUCTS = tuple(_STATUS_PATHS)
"""Products whose streams the API starts and stops."""


class Action(StrEnum):
    """What is to become of a stream."""

    START = "start"
    STOP = "stop"
    PAUSE = "pause"
    """Video SDK sessions alone, as the next."""
    RESUME = "resume"


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What the API lets us in with, for an hour."""

    value: str = field(repr=False)
    scopes: frozenset[str]
    """What the app may do, in Zoom's names."""
    zoom_time: datetime | None
    """Zoom's clock when it answered."""


class ZoomApi:
    """The API, for one app. Make it with `open_api`."""

    def __init__(
        self, settings: ZoomConfig, client: httpx.AsyncClient, *, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._client = client
        self._wall_clock = wall_clock

    async def access_token(self) -> AccessToken:
        """A new token; time-outs are the caller's.

        Raises:
            ApiRefusedError: the credentials are not accepted.
            ConnectionFailedError: Zoom cannot be reached.
        """
        api = self._settings.api
        secret = api.client_secret if api.client_id else self._settings.client_secret
        response = await self._ask(
            "POST",
            api.token_url,
            auth=httpx.BasicAuth(api.client_id or self._settings.client_id, secret.get_secret_value()),
            data={"grant_type": "account_credentials", "account_id": api.account_id},
        )
        body = _document(response)
        value, scopes = body.get("access_token"), body.get("scope")
        if not isinstance(value, str) or not value:
            raise ConnectionFailedError(f"{api.token_url}: expected JSON with an access_token, got none")
        scopes = scopes.replace(",", " ").split() if isinstance(scopes, str) else []
        return AccessToken(value, frozenset(scopes), _date(response))

    async def control_stream(self, action: Action, product: Product, call_id: str, *, client_id: str) -> None:
        """Start or stop the stream of a running call; Zoom then sends the webhook of it.

        Args:
            action: which of them; pausing and resuming are for Video SDK sessions alone.
            product: one of `CONTROLLED_PRODUCTS`.
            call_id: engagement id, number of the meeting, or session id.
            client_id: the app that is to receive the stream.

        Raises:
            ApiRefusedError: Zoom does not do it; the text says why and what to do.
            ConnectionFailedError: Zoom cannot be reached.
            ConfigError: credentials are missing, or the product knows no such action.
        """
        if action in _PAUSING and product is not Product.VIDEO_SDK:
            raise ConfigError([f"expected start or stop for {product.value}, got {action.value}"])
        bearer = await self._bearer(product)
        method, path = _STATUS_PATHS[product]
        await self._ask(
            method,
            self._settings.api.url.rstrip("/") + path.format(_in_path(call_id)),
            headers={"authorization": f"Bearer {bearer}"},
            json={"action": action.value, "settings": {"client_id": client_id}},
        )

    async def _bearer(self, product: Product) -> str:
        if product is not Product.VIDEO_SDK:
            return (await self.access_token()).value
        if problems := missing_for_api(self._settings, product):
            raise ConfigError(problems)
        api = self._settings.api
        return video_sdk_token(api.video_sdk_key, api.video_sdk_secret.get_secret_value(), self._wall_clock())

    async def _ask(self, method: str, url: str, **request: Any) -> httpx.Response:
        self._settings.allow_api(url)
        try:
            response = await self._client.request(method, url, **request)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            host = urlsplit(url).hostname
            raise ConnectionFailedError(f"Zoom's API at {host}: {reason_of(error)}") from None
        if not response.is_success:
            raise _refusal(response)
        return response


@asynccontextmanager
async def open_api(
    settings: ZoomConfig, product: Product = Product.CONTACT_CENTER
) -> AsyncGenerator[ZoomApi]:
    """The API that the settings name, for as long as the block lasts, to be asked about streams of a product.

    Raises:
        ConfigError: credentials are missing.
    """
    if problems := missing_for_api(settings, product):
        raise ConfigError(problems)
    # Time-outs are the caller's: httpx knows none for a request as a whole.
    # A proxy that the environment names would be one more host, and not one of allowed_hosts.
    tls = settings.tls_context()
    async with httpx.AsyncClient(verify=tls, timeout=None, trust_env=False) as client:  # noqa: S113
        yield ZoomApi(settings, client)


def missing_for_api(settings: ZoomConfig, product: Product = Product.CONTACT_CENTER) -> list[str]:
    """What the API cannot be asked without: one line per field."""
    api = settings.api
    if product is Product.VIDEO_SDK:
        needed = {
            "zoom.api.video_sdk_key": api.video_sdk_key,
            "zoom.api.video_sdk_secret": api.video_sdk_secret.get_secret_value(),
        }
        return [
            f"{name}: required, from the Video SDK account" for name, value in needed.items() if not value
        ]
    secret = api.client_secret if api.client_id else settings.client_secret
    required = {
        "zoom.api.account_id": api.account_id,
        "zoom.api.client_id": api.client_id or settings.client_id,
        "zoom.api.client_secret": secret.get_secret_value(),
    }
    return [
        f"{name}: required, from the server-to-server OAuth app"
        for name, value in required.items()
        if not value
    ]


def reason_of(error: BaseException) -> str:
    """Why a request came to nothing, in a line: the words of what lies deepest, since httpx often has none.

    Not those of a request that HTTP does not allow: they quote the header, which may be a key.
    """
    if isinstance(error, httpx.LocalProtocolError):
        return "HTTP does not allow what was to be sent"
    reason, cause = type(error).__name__, error.__cause__ or error.__context__
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not accepted: {error.verify_message}"
    return reason_of(cause) if cause is not None else f"{reason}: {error}" if str(error) else reason


def _in_path(call_id: str) -> str:
    """An id as part of a path. Zoom decodes one that begins with a slash, or holds two together, twice."""
    once = quote(call_id, safe="")
    return quote(once, safe="") if call_id.startswith("/") or "//" in call_id else once


def _refusal(response: httpx.Response) -> ApiRefusedError:
    body = _document(response)
    code = body.get("code")
    code = code if isinstance(code, int) and not isinstance(code, bool) else None
    told = next((one for key in ("message", "reason", "error") if isinstance(one := body.get(key), str)), "")
    told = "".join(letter for letter in told[:LONGEST_MESSAGE] if letter.isprintable())
    number = f"HTTP {response.status_code}" + (f", code {code}" if code is not None else "")
    text = f"Zoom's API refused: {number}" + (f" ({told})" if told else "")
    if (wait := response.headers.get("retry-after", "")).isdigit():
        text += f"; it may be asked again in {wait} s"
    explanation = explain_api_error(code or 0) or explain_api_error(response.status_code)
    if explanation is not None:
        text += f"\n{explanation.happened} {explanation.advice}"
    return ApiRefusedError(text, response.status_code, code)


def _document(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _date(response: httpx.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(response.headers.get("date", ""))
    except ValueError:
        return None
