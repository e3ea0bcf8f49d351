"""The settings that concern rules: the file with them, and where it is told that one matched."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from zccvoice.config import hosts
from zccvoice.config.hosts import CertificateFile
from zccvoice.config.section import SHORTEST_KEY, Secret, Section
from zccvoice.config.zoom import NO_SECRET
from zccvoice.errors import ForbiddenHostError


class RuleWebhookConfig(Section):
    """Where every hit of a rule is posted, signed; see docs/rules.md for headers and verification."""

    url: str = ""
    """Of the receiver, ``https://``; ``http://`` is for loopback addresses alone. Left out: nothing is posted."""
    secret: Secret = NO_SECRET
    """Signs what is posted: a secret text that the receiver knows, such as 32 random bytes in base64. Required
    with ``url``."""
    allowed_hosts: tuple[str, ...] = ()
    """Hosts that may be posted to: exact names, or ``*.domain`` for everything below it. Redirects are not
    followed."""
    ca_file: CertificateFile | None = None
    """Certificates (PEM) that the receiver is checked against, instead of the system's."""
    timeout_s: float = Field(default=10, gt=0, le=60)
    """How long the receiver may take to answer."""
    give_up_days: int = Field(default=3, ge=1, le=30)
    """Days for which a hit that the receiver does not take is posted again, ever more rarely."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if not self.url:
            return self
        try:
            self.allow()
        except ForbiddenHostError as error:
            raise ValueError(f"url: {str(error).replace('server URL', 'it')}") from None
        if len(self.secret.get_secret_value()) < SHORTEST_KEY:
            raise ValueError(f"secret: expected at least {SHORTEST_KEY} characters with a url")
        return self

    def allow(self) -> None:
        """Check the URL against ``allowed_hosts``.

        Raises:
            ForbiddenHostError: wrong scheme, or a host that is not allowed.
        """
        hosts.allow(self.url, self.allowed_hosts, ("https", "http"), "rules.webhook.allowed_hosts")

    def tls_context(self) -> ssl.SSLContext:
        """What the receiver's certificate is checked with."""
        return ssl.create_default_context(cafile=self.ca_file)


class RulesConfig(Section):
    """Rules that calls are judged by while they run and at their end, and where their hits go."""

    file: Path | None = None
    """TOML file with the rules, see docs/rules.md; read at start. Left out: there are none."""
    webhook: RuleWebhookConfig = RuleWebhookConfig()
    """Where hits are posted."""
