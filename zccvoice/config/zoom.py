"""The settings that concern Zoom: the door for its webhooks, the apps, and what we ask of streams."""

from __future__ import annotations

import ssl
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, Self, TypeAlias

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator

from zccvoice.config import hosts
from zccvoice.config.hosts import CertificateFile
from zccvoice.config.section import Secret, Section
from zccvoice.errors import ConfigError

ProductName: TypeAlias = Literal["contact_center", "meeting", "webinar", "video_sdk", "phone"]
NO_SECRET = SecretStr("")
_RATES_HZ = {"l16": (8_000, 16_000, 32_000, 48_000), "g711": (8_000,), "g722": (16_000,), "opus": (48_000,)}


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


class DoorConfig(Section):
    """The HTTP endpoint that Zoom's webhooks reach."""

    host: str = Field(default="127.0.0.1", min_length=1)
    """Address to listen on. Put a TLS-terminating proxy in front and keep this on loopback."""
    port: int = Field(default=8080, ge=0, le=65535)
    """TCP port; 0 lets the system choose one (it is logged). Zoom's name: ``ZM_RTMS_PORT``."""
    path: str = Field(default="/zoom/webhook", pattern=r"^/")
    """Path of the event notification endpoint given to Zoom. Zoom's name: ``ZM_RTMS_PATH``."""
    secret_token: Secret = NO_SECRET
    """Secret token of the Zoom app, which signs webhooks. Required, unless every app in ``zoom.apps`` has its
    own. Zoom's names: ``ZOOM_SECRET_TOKEN``, ``ZOOM_WEBHOOK_SECRET_TOKEN``."""
    max_body_bytes: int = Field(default=1_048_576, ge=1_024, le=16_777_216)
    """Larger requests are answered 413."""


class AppCredentials(Section):
    """One Zoom app, and whose streams are its."""

    client_id: str = Field(min_length=1)
    """Client id, or the key of a Video SDK app."""
    client_secret: Secret = Field(min_length=1)
    """Client secret, which signs the handshakes; the secret of a Video SDK app."""
    secret_token: Secret = NO_SECRET
    """Secret token of the app, which signs its webhooks; left out: ``door.secret_token``."""
    products: tuple[ProductName, ...] = ()
    """Products whose streams are received with this app; none given: all."""
    accounts: tuple[str, ...] = ()
    """Zoom accounts (``account_id`` of the webhook) whose streams are received with this app; none given: all.
    Webhooks that name no account pass."""

    def serves(self, product: str, account_id: str | None) -> bool:
        """Whether streams of this product and account are this app's."""
        is_of_account = account_id is None or not self.accounts or account_id in self.accounts
        return is_of_account and (not self.products or product in self.products)


class ApiConfig(Section):
    """Zoom's REST API, for ``zccvoice stream``: a server-to-server OAuth app, or a Video SDK account's API key."""

    account_id: str = ""
    """Account id of the server-to-server OAuth app. Zoom's name: ``ZOOM_ACCOUNT_ID``."""
    client_id: str = ""
    """Its client id; left out: ``zoom.client_id``."""
    client_secret: Secret = NO_SECRET
    """Its client secret; left out: ``zoom.client_secret``."""
    video_sdk_key: str = ""
    """API key of a Video SDK account (not its SDK key), for streams of Video SDK sessions."""
    video_sdk_secret: Secret = NO_SECRET
    """Its API secret."""
    url: str = "https://api.zoom.us/v2"
    """Where the API is; ``https://api.zoomgov.com/v2`` for Zoom for Government."""
    token_url: str = "https://zoom.us/oauth/token"  # noqa: S105 (no secret)
    """Where access tokens are; ``https://zoomgov.com/oauth/token`` for Zoom for Government."""


class AnnouncedStream(Protocol):
    """What decides whose credentials a stream is received with."""

    @property
    def product(self) -> str:
        """One of `ProductName`."""

    @property
    def account_id(self) -> str | None:
        """Zoom's account, if the webhook named it."""

    @property
    def client_id(self) -> str | None:
        """The app whose secret token signed the webhook, if that is known."""


class ZoomConfig(Section):
    """The Zoom apps, and what we ask of their streams."""

    client_id: str = ""
    """Client id of the Zoom app. Required, unless there are ``apps``. Zoom's names: ``ZM_RTMS_CLIENT``,
    ``ZOOM_CLIENT_ID``."""
    client_secret: Secret = NO_SECRET
    """Client secret of the Zoom app, which signs the handshakes. Zoom's names: ``ZM_RTMS_SECRET``,
    ``ZOOM_CLIENT_SECRET``."""
    apps: tuple[AppCredentials, ...] = ()
    """More apps, such as a Video SDK key pair, or the apps of other accounts: one ``[[zoom.apps]]`` each.
    Zoom's names ``ZOOM_VIDEO_SDK_KEY`` and ``ZOOM_VIDEO_SDK_SECRET`` together are one more, for Video SDK
    sessions, unless an app here has that key."""
    api: ApiConfig = ApiConfig()
    """The REST API."""
    ca_file: CertificateFile | None = None
    """Certificates (PEM) that Zoom's servers are checked against, instead of the system's. Zoom's name:
    ``ZM_RTMS_CA``."""
    allowed_hosts: tuple[str, ...] = ("zoom.us", "*.zoom.us", "*.zoom.com", "zoomgov.com", "*.zoomgov.com")
    """Hosts we connect to: exact names, or ``*.domain`` for everything below it. Unencrypted ``ws://`` and
    ``http://`` are accepted only for loopback addresses that are listed here."""
    transport: Annotated[Literal["websocket", "sdk"], BeforeValidator(_lower)] = "websocket"
    """What receives meetings, webinars and Video SDK sessions: ``websocket`` is this program; ``sdk`` is Zoom's
    own SDK (package ``rtms``), in a process of its own for each stream. Contact-centre and phone calls are always
    received over WebSockets, and so is a stream at which the SDK failed three times."""
    codec: Annotated[Literal["l16", "g711", "g722", "opus"], BeforeValidator(_lower)] = "l16"
    """What we ask Zoom to send: ``l16`` (not compressed: least work here, most on the network), ``g711`` (A-law),
    ``g722`` or ``opus``."""
    sample_rate_hz: int | None = None
    """Samples per second that we ask for: 8000, 16000, 32000 or 48000 for L16; each other codec has one rate.
    Left out, it is that one, and 16000 for L16: what detectors and recognizer work at."""
    channels: int = Field(default=1, ge=1, le=2)
    """1, or 2 (L16 and Opus only), which are mixed down."""
    rtp: bool = False
    """Ask for RTP packets instead of bare payloads (not for L16)."""
    send_rate_ms: int | None = Field(default=None, ge=20, le=1000, multiple_of=20)
    """Milliseconds of audio per message that we ask Zoom for. Left out, it is 100 for L16; the other codecs come
    in messages of 20."""
    mixed: bool = False
    """Ask for one track of all voices in meetings, webinars and Video SDK sessions: the work of one participant,
    however many there are. Who spoke is then known only where Zoom's active-speaker events leave no doubt, and no
    side has measures of its own."""
    transcripts: bool = False
    """Ask for Zoom's own transcripts too, to be kept beside ours. The app needs their scope."""
    chat: bool = False
    """Ask for the chat of meetings, webinars and Video SDK sessions. The app needs its scope."""
    handshake_timeout_s: float = Field(default=10, gt=0, le=60)
    """How long connecting plus handshake may take, for each connection."""
    signaling_silence_timeout_s: float = Field(default=35, ge=10, le=600)
    """A signaling connection on which nothing at all arrived for so long is taken for dead, and made anew. Zoom
    has then given it up, after 30 s, and ends the stream a minute later."""
    silence_timeout_s: float = Field(default=65, ge=10, le=600)
    """The same for a media connection. Of most dead ones we are told on the signaling connection, much earlier."""

    @property
    def audio_rate_hz(self) -> int:
        """`sample_rate_hz`, or what it is when left out."""
        return self.sample_rate_hz or (16_000 if self.codec == "l16" else _RATES_HZ[self.codec][0])

    @property
    def audio_send_rate_ms(self) -> int:
        """`send_rate_ms`, or what it is when left out."""
        return self.send_rate_ms or (100 if self.codec == "l16" else 20)

    @model_validator(mode="after")
    def _zoom_allows_it(self) -> Self:
        """Zoom validates the parameters as a whole (RTMS documentation, "Data types")."""
        problems = []
        if self.audio_rate_hz not in _RATES_HZ[self.codec]:
            allowed = " or ".join(map(str, _RATES_HZ[self.codec]))
            problems.append(f"sample_rate_hz: expected {allowed} for {self.codec}, got {self.sample_rate_hz}")
        if self.channels == 2 and self.codec in ("g711", "g722"):
            problems.append(f"channels: expected 1 for {self.codec}, got 2")
        if self.rtp and self.codec == "l16":
            problems.append("rtp: expected false for l16")
        if self.codec != "l16" and self.audio_send_rate_ms != 20:
            problems.append(f"send_rate_ms: expected 20 for {self.codec}, got {self.send_rate_ms}")
        if self.transport == "sdk":
            problems += [
                f"{name}: expected false for transport sdk" for name in ("rtp", "chat") if getattr(self, name)
            ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @field_validator("apps", mode="before")
    @classmethod
    def _numbered(cls, apps: Any) -> Any:
        """The environment numbers them: ``ZCCVOICE_ZOOM__APPS__0__CLIENT_ID``."""
        if isinstance(apps, dict) and all(number.isdecimal() for number in apps):
            return [apps[number] for number in sorted(apps, key=int)]
        return apps

    def tls_context(self) -> ssl.SSLContext:
        """What ``wss://`` and ``https://`` servers of Zoom are checked with: made once, it takes milliseconds."""
        return _tls_context(self.ca_file)

    @property
    def all_apps(self) -> tuple[AppCredentials, ...]:
        """Every app: those that say whose they are, those of ``apps`` that do not, and then the single one."""
        apps = tuple(sorted(self.apps, key=lambda app: not (app.products or app.accounts)))
        if not (self.client_id and self.client_secret.get_secret_value()):
            return apps
        single = AppCredentials(client_id=self.client_id, client_secret=self.client_secret)
        return (*apps, single)

    def credentials_for(self, stream: AnnouncedStream) -> AppCredentials:
        """The app that a stream is received with: the one that its webhook belongs to.

        Where that is not known, or no longer configured, the first one that serves product and account.

        Raises:
            ConfigError: there is none.
        """
        for app in self.all_apps:
            if app.client_id == stream.client_id:
                return app
        for app in self.all_apps:
            if app.serves(stream.product, stream.account_id):
                return app
        raise ConfigError(
            [
                f"zoom.apps: expected an app for product {stream.product}, account {stream.account_id}, got none"
            ]
        )

    def allow(self, url: str) -> None:
        """Check a server URL from Zoom against ``allowed_hosts``.

        Raises:
            ForbiddenHostError: wrong scheme, or a host that is not allowed.
        """
        hosts.allow(url, self.allowed_hosts, ("wss", "ws"), "zoom.allowed_hosts")

    def allow_api(self, url: str) -> None:
        """Check a URL of the REST API against ``allowed_hosts``.

        Raises:
            ForbiddenHostError: wrong scheme, or a host that is not allowed.
        """
        hosts.allow(url, self.allowed_hosts, ("https", "http"), "zoom.allowed_hosts")


@cache
def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)
