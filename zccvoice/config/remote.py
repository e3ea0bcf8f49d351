"""The settings that concern recognition servers: those we ask, and the one that we are."""

from __future__ import annotations

from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator

from zccvoice.config.hosts import CertificateFile, is_loopback
from zccvoice.config.section import BearerToken, Section

_NO_KEY = SecretStr("")


class RemoteConfig(Section):
    """Recognition servers with OpenAI's interface: ``zccvoice recognizer``, vLLM, Speaches, front ends of Triton.

    Asked when ``speech.recognizer`` is ``remote``; no others are ever sent sound.
    """

    servers: tuple[str, ...] = ()
    """Their URLs, up to and without ``/v1``."""
    model: str = "whisper-1"
    """The servers' name of the weights; ``zccvoice recognizer`` takes any."""
    api_key: BearerToken = _NO_KEY
    """Sent as a bearer token; left out, none is."""
    ca_file: CertificateFile | None = None
    """PEM file of the authority that signed the servers' certificates; left out, the system's are trusted."""
    may_be_unencrypted: bool = False
    """Whether sound may go over ``http://`` to other machines. On this machine it always may."""
    most_at_once: int = Field(default=8, ge=1, le=256)
    """Requests that one server gets at a time: it makes its batches of them."""
    answer_s: float = Field(default=60, ge=1, le=600)
    """A server that has not answered after so long, to the last byte, is out of order or has too much to do; the
    utterance is asked again."""

    @model_validator(mode="after")
    def _servers_can_be_asked(self) -> Self:
        problems = [problem for url in self.servers if (problem := self._problem_of(url)) is not None]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _problem_of(self, url: str) -> str | None:
        """Of the URL no more than its host is told: a password may stand in all the rest."""
        expected = "servers: expected http:// or https:// URLs without user name"
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            return f"{expected}, got something that is not a URL"
        if "@" in url:  # wherever it stands: in an unescaped password it may be far from the host
            return f"{expected}, got one with an @"
        if parts.scheme not in ("http", "https") or not host:
            return f"{expected}, got scheme {parts.scheme!r} and host {host!r}"
        if parts.scheme == "http" and not (self.may_be_unencrypted or is_loopback(host)):
            return f"servers: http:// to {host!r} is not encrypted; may_be_unencrypted = true allows it"
        return None


class RecognizerServerConfig(Section):
    """``zccvoice recognizer``: our own weights behind that interface, for daemons on other machines."""

    host: str = Field(default="127.0.0.1", min_length=1)
    """Address to listen on. Put a TLS-terminating proxy in front and keep this on loopback."""
    port: int = Field(default=8090, ge=0, le=65535)
    """TCP port; 0 lets the system choose one (it is logged)."""
    api_key: BearerToken = _NO_KEY
    """Whoever asks has to show it as a bearer token; left out, nobody has to."""
    max_body_bytes: int = Field(default=26_214_400, ge=65_536, le=268_435_456)
    """Larger requests are answered 413; OpenAI's bound is the default."""
    most_waiting: int = Field(default=256, ge=1, le=10_000)
    """Utterances that may wait; then requests are answered 503 with a time to come again."""
